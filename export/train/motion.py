"""Train the motion transformer by flow matching.

python -m export.train.cache DATA --out CACHE --copies 3
python -m export.train.motion --cache CACHE --out RUN --steps 20000

Stop it whenever you like: `RUN/last.pt` is written every `--save-every` steps and taken up again by the same command.
Several processes or GPUs share a run by `torchrun --nproc-per-node N -m export.train.motion …`; the batch is N times as large.
`python -m export.motion_onnx RUN/last.pt engines/weights/portrait` makes it servable. What was run and what came of it: LOG.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed
from tqdm import tqdm

from engines.catalog import CONFIGS, MotionStatistics
from engines.lips import APERTURE_GAIN
from engines.models.avatar_dit import AvatarDiT
from engines.motion import HEAD, INDEX, NUM_CHANNELS, SPEECH_CHANNELS
from export.motion_onnx import read_weights
from export.train.windows import Windows, load_clips, statistics_of

INPUTS = ("interval", "time", "frame_scalars", "text", "text_mask", "audio", "audio_known", "audio_time", "audio_mask")
SPEECH_WEIGHT = 2.0
POSE_WEIGHT = 4.0  # six channels of 64, and the stage on which most actions play
SPEED_WEIGHT = 1.0  # of the change from frame to frame of lips and jaw
APERTURE_WEIGHT = 3.0
APERTURE_UNIT = 0.06  # eye distances
SHUT_APERTURE = 0.25  # of the unit; nearer together, lips are shut
SHUT_WEIGHT = 3.0  # of the aperture of shut lips: they are few, and a gap in a p, b or m is seen at once


@dataclass(frozen=True, slots=True, eq=False)
class Lips:
    """How far lips part in normalised channels x: `gain` [64] · x + `offset`, in `APERTURE_UNIT`."""

    gain: Tensor
    offset: float

    @classmethod
    def of(cls, statistics: MotionStatistics, device: str = "cpu") -> Lips:
        raw = torch.zeros(NUM_CHANNELS)
        for name, value in APERTURE_GAIN.items():
            raw[INDEX[name]] = value / APERTURE_UNIT
        return cls((raw * torch.tensor(statistics.std)).to(device), float(raw @ torch.tensor(statistics.mean)))


def draw_sigma(b: int, generator: torch.Generator) -> Tensor:
    """Noise levels [b]: mostly logit-normal (Esser et al. 2024), leaning to the noisy side where a few-step sampler begins."""
    logit = torch.sigmoid(torch.randn(b, generator=generator) * 1.2 + 0.4)
    uniform = torch.rand(b, generator=generator)
    return torch.where(torch.rand(b, generator=generator) < 0.7, logit, uniform)


def flow_loss(model: AvatarDiT, batch: dict[str, Tensor], mouth: Lips, generator: torch.Generator) -> dict[str, Tensor]:
    """Losses of one batch; `total` is what is minimised."""
    x0, mask, weight = batch["x0"], batch["mask"], batch["weight"]
    noise = torch.randn(x0.shape, generator=generator).to(x0.device)
    sigma = draw_sigma(len(x0), generator).to(x0.device)
    s = sigma[:, None, None]
    noisy = (1 - s) * x0 + s * noise
    latents = torch.cat([noisy, mask, x0 * mask], dim=1)[..., None, None]
    velocity = model(latents=latents, timestep=sigma * 1000, **{name: batch[name] for name in INPUTS})[..., 0, 0]
    error = velocity - (noise - x0)  # of the velocity; of x0 it is −σ times this
    channel = torch.ones(NUM_CHANNELS, device=x0.device)
    channel[list(SPEECH_CHANNELS)] = SPEECH_WEIGHT
    channel[[INDEX[name] for name in HEAD]] = POSE_WEIGHT
    weighted = weight * channel[:, None]
    flow = (weighted * error.square()).sum() / weighted.sum().clamp(min=1)
    lips = error * weight
    speech = lips[:, list(SPEECH_CHANNELS)]
    speed = (s * (speech[..., 1:] - speech[..., :-1])).square().mean()
    aperture = torch.einsum("c,bcf->bf", mouth.gain, lips)
    shut = torch.einsum("c,bcf->bf", mouth.gain, x0) + mouth.offset < SHUT_APERTURE
    aperture_error = ((aperture * s[:, 0]).square() * torch.where(shut, SHUT_WEIGHT, 1.0)).mean()
    total = flow + SPEED_WEIGHT * speed + APERTURE_WEIGHT * aperture_error
    return {"total": total, "flow": flow, "speed": speed, "aperture": aperture_error}


def learning_rate(step: int, progress: float, peak: float) -> float:
    """Linear warm-up over 200 steps, then a cosine down to a fiftieth. progress: 0–1 of the run."""
    warm = min(1.0, (step + 1) / 200)
    return peak * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def average_gradients(model: AvatarDiT, progress: float) -> float:
    """Over all processes of the run, in place. Gives the progress of the one that is furthest on, so that all stop together."""
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([*(grad.flatten() for grad in grads)])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for grad, mean in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
        grad.copy_(mean.view_as(grad))
    furthest = torch.tensor([progress], device=flat.device)
    distributed.all_reduce(furthest, distributed.ReduceOp.MAX)
    return float(furthest)


@torch.no_grad()
def validate(model: AvatarDiT, windows: Windows, mouth: Lips, batches: int, size: int, device: str) -> dict[str, float]:
    generator = torch.Generator().manual_seed(1)
    sums: dict[str, float] = {}
    for _ in range(batches):
        batch = {name: value.to(device) for name, value in windows.batch(size).items()}
        for name, value in flow_loss(model, batch, mouth, generator).items():
            sums[name] = sums.get(name, 0.0) + float(value) / batches
    return {f"val_{name}": round(value, 4) for name, value in sums.items()}


def known_weights(path: Path) -> dict[str, Any]:
    """`ema` and `statistics` of a checkpoint file, or of a folder that `export.motion_onnx` wrote."""
    if path.is_dir():
        return {"ema": read_weights(path), "statistics": asdict(MotionStatistics.load(path / "statistics.json"))}
    return torch.load(path, map_location="cpu", weights_only=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="written by export.train.cache")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", default="portrait", choices=CONFIGS)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=0.0, help="stop (and finish the schedule) after so long, if given")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1.2e-3)
    parser.add_argument("--shift", type=float, default=2.2, help="of the sampling schedule, noted in the statistics")
    parser.add_argument("--real-share", type=float, default=0.4, help="of windows that are cut from real clips")
    parser.add_argument("--save-every", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--from", dest="start_from", type=Path, help="begin with this checkpoint, or with exported weights (a folder)"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    shared = "WORLD_SIZE" in os.environ
    if shared:
        distributed.init_process_group("nccl" if args.device == "cuda" else "gloo")
        if args.device == "cuda":
            args.device = f"cuda:{os.environ['LOCAL_RANK']}"
    rank = distributed.get_rank() if shared else 0
    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint = args.out / "last.pt"
    torch.manual_seed(args.seed)
    torch.set_flush_denormal(True)

    clips = load_clips(args.cache, "train")
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True) if checkpoint.exists() else None
    first = known_weights(args.start_from) if args.start_from and not saved else None
    known = saved or first
    statistics = MotionStatistics(**known["statistics"]) if known else statistics_of(clips, args.shift)
    model = AvatarDiT(CONFIGS[args.config]).to(args.device)
    ema = AvatarDiT(CONFIGS[args.config]).to(args.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, betas=(0.9, 0.98), weight_decay=0.01)
    step, spent_s = 0, 0.0
    if first:
        model.load_state_dict(first["ema"])
    ema.load_state_dict(model.state_dict())
    if saved:
        model.load_state_dict(saved["model"])
        ema.load_state_dict(saved["ema"])
        optimizer.load_state_dict(saved["optimizer"])
        step, spent_s = saved["step"], saved["spent_s"]
    windows = Windows(clips, statistics, args.seed + step, args.real_share, rank=rank)
    mouth = Lips.of(statistics, args.device)
    generator = torch.Generator().manual_seed(args.seed + step + 1_000_003 * rank)
    began = time.monotonic() - spent_s
    seconds = sum(len(clip.motion) for clip in clips) / 50
    print(f"{len(clips)} clips, {seconds / 3600:.2f} h; {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters")

    bar = tqdm(total=args.steps, initial=step, unit="step", mininterval=5, disable=rank > 0)
    losses: dict[str, float] = {}
    while step < args.steps:
        progress = max(step / args.steps, (time.monotonic() - began) / 60 / args.minutes if args.minutes else 0.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, progress, args.lr)
        batch = {name: value.to(args.device) for name, value in windows.batch(args.batch).items()}
        loss = flow_loss(model, batch, mouth, generator)
        optimizer.zero_grad(set_to_none=True)
        loss["total"].backward()
        if shared:
            progress = average_gradients(model, progress)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        with torch.no_grad():
            keep = min(0.998, (1 + step) / (10 + step))
            torch._foreach_lerp_(list(ema.parameters()), list(model.parameters()), 1 - keep)
        for name, value in loss.items():
            losses[name] = 0.98 * losses.get(name, value.item()) + 0.02 * value.item()
        bar.update()
        last = step == args.steps or progress >= 1
        if rank == 0 and (step % args.save_every == 0 or last):
            spent_s = time.monotonic() - began
            record = {"step": step, "minutes": round(spent_s / 60, 1), **{k: round(v, 4) for k, v in losses.items()}}
            with (args.out / "log.jsonl").open("a") as log:
                log.write(json.dumps(record) + "\n")
            bar.write(str(record))
            state = {
                "model": model.state_dict(), "ema": ema.state_dict(), "optimizer": optimizer.state_dict(),
                "step": step, "spent_s": spent_s, "statistics": asdict(statistics),
            }  # fmt: skip
            torch.save(state, checkpoint.with_suffix(".partial"))
            checkpoint.with_suffix(".partial").rename(checkpoint)
        if last:
            break
    if rank > 0:
        return
    held_out = Windows(load_clips(args.cache, "val"), statistics, 1, drop=False)
    print(validate(ema, held_out, mouth, batches=20, size=32, device=args.device))


if __name__ == "__main__":
    main()
