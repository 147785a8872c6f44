"""Train the motion transformer by flow matching.

python -m export.train.cache DATA --out CACHE --copies 3
python -m export.train.motion --cache CACHE --out RUN --steps 20000

Stop it whenever you like: `RUN/last.pt` is written every `--save-every` steps and taken up again by the same command.
Weights trained so are guided by words and sound when they are sampled, which takes three evaluations a step. Then
`--distil --from WEIGHTS` teaches them to draw at once what they draw when guided (guidance distillation, Meng et al. 2023).
Several processes or GPUs share a run by `torchrun --nproc-per-node N -m export.train.motion …`; the batch is N times as large.
`python -m export.motion_onnx RUN/last.pt engines/weights/portrait` makes it servable. What was run and what came of it: LOG.md.
"""

from __future__ import annotations

import argparse
import os
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from engines.catalog import CONFIGS, MotionStatistics
from engines.conditions import no_beat
from engines.guidance import combine
from engines.lips import APERTURE_GAIN
from engines.models.avatar_dit import AvatarDiT
from engines.motion import HEAD, INDEX, NUM_CHANNELS, SPEECH_CHANNELS
from engines.schedules import Euler, sigmas
from export.motion_onnx import weights_of
from export.train.run import Pace, begun, joined, sharded, train
from export.train.windows import Windows, load_clips, statistics_of

INPUTS = ("interval", "time", "frame_scalars", "text", "text_mask", "audio", "audio_known", "audio_time", "audio_mask")
SPEECH_WEIGHT = 2.0
POSE_WEIGHT = 4.0  # six channels of 64, and the stage on which most actions play
SPEED_WEIGHT = 1.0  # of the change from frame to frame of lips and jaw
APERTURE_WEIGHT = 3.0
APERTURE_UNIT = 0.06  # eye distances
SHUT_APERTURE = 0.25  # of the unit; nearer together, lips are shut
SHUT_WEIGHT = 3.0  # of the aperture of shut lips: they are few, and a gap in a p, b or m is seen at once
OWN_STATES_SHARE = 0.5  # of a student's batches: states of its own, not noised data


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


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """Weights that are guided by words and sound; `shift` of the schedule by which a student is sampled."""

    model: AvatarDiT
    text_scale: float
    audio_scale: float
    shift: float

    @torch.no_grad()
    def velocity(self, noisy: Tensor, sigma: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """The guided velocity [b, 64, f]."""
        no_text = {**batch, "text_mask": torch.zeros_like(batch["text_mask"])}
        no_text["frame_scalars"] = torch.from_numpy(no_beat(noisy.shape[2])).to(noisy).expand_as(batch["frame_scalars"])
        neither = {**no_text, "audio_known": torch.zeros_like(batch["audio_known"])}
        told = {name: torch.cat([each[name] for each in (batch, no_text, neither)]) for name in (*INPUTS, "x0", "mask")}
        velocity = velocity_of(self.model, noisy.repeat(3, 1, 1), sigma.repeat(3), told)
        return torch.as_tensor(combine(velocity.chunk(3), self.text_scale, self.audio_scale))

    @torch.no_grad()
    def state_on_the_way(
        self, student: nn.Module, noise: Tensor, batch: dict[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Latents [b, 64, f] and noise levels [b] that a student comes to while it is sampled, in two steps or four."""
        schedule = sigmas(int(torch.randint(1, 3, (1,), generator=generator)) * 2, self.shift)
        num_steps = int(torch.randint(0, len(schedule) - 1, (1,), generator=generator))
        latents, levels, solver = noise, torch.as_tensor(schedule, device=noise.device), Euler(schedule.tolist())
        for i in range(num_steps + 1):
            known = (1 - levels[i]) * batch["x0"] + levels[i] * noise
            latents = torch.where(batch["mask"] > 0.5, known, latents)
            if i < num_steps:
                latents = solver.step(i, latents, velocity_of(student, latents, levels[i].expand(len(noise)), batch))
        return latents, levels[num_steps].expand(len(noise))


def draw_sigma(b: int, generator: torch.Generator) -> Tensor:
    """Noise levels [b]: mostly logit-normal (Esser et al. 2024), leaning to the noisy side where a few-step sampler begins."""
    logit = torch.sigmoid(torch.randn(b, generator=generator) * 1.2 + 0.4)
    uniform = torch.rand(b, generator=generator)
    return torch.where(torch.rand(b, generator=generator) < 0.7, logit, uniform)


def velocity_of(model: nn.Module, noisy: Tensor, sigma: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """[b, 64, f], of noisy latents [b, 64, f] at noise levels [b]; what is known is taken from the batch."""
    latents = torch.cat([noisy, batch["mask"], batch["x0"] * batch["mask"]], dim=1)[..., None, None]
    return model(latents=latents, timestep=sigma * 1000, **{name: batch[name] for name in INPUTS})[..., 0, 0]


def flow_loss(
    model: nn.Module, batch: dict[str, Tensor], mouth: Lips, generator: torch.Generator, teacher: Teacher | None = None
) -> dict[str, Tensor]:
    """Losses of one batch; `total` is what is minimised. The data is what is to be drawn, or what the teacher draws."""
    x0, weight = batch["x0"], batch["weight"]
    noise = torch.randn(x0.shape, generator=generator).to(x0.device)
    sigma = draw_sigma(len(x0), generator).to(x0.device)
    noisy, target = (1 - sigma[:, None, None]) * x0 + sigma[:, None, None] * noise, noise - x0
    if teacher:
        if torch.rand(1, generator=generator) < OWN_STATES_SHARE:
            noisy, sigma = teacher.state_on_the_way(model, noise, batch, generator)
        target = teacher.velocity(noisy, sigma, batch)
    s = sigma[:, None, None]
    velocity = velocity_of(model, noisy, sigma, batch)
    error = velocity - target  # of the velocity; of x0 it is −σ times this
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


@torch.no_grad()
def validate(
    model: nn.Module, windows: Windows, mouth: Lips, batches: int, size: int, device: str, teacher: Teacher | None = None
) -> dict[str, float]:
    generator = torch.Generator().manual_seed(1)
    sums: dict[str, float] = {}
    for _ in range(batches):
        batch = {name: value.to(device) for name, value in windows.batch(size).items()}
        for name, value in flow_loss(model, batch, mouth, generator, teacher).items():
            sums[name] = sums.get(name, 0.0) + float(value) / batches
    return {f"val_{name}": round(value, 4) for name, value in sums.items()}


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
    parser.add_argument(
        "--guidance",
        nargs=2,
        type=float,
        default=(1.5, 2.5),
        metavar=("TEXT", "AUDIO"),
        help="by words and sound, noted in the statistics (default 1.5 2.5)",
    )
    parser.add_argument("--distil", action="store_true", help="teach --from to do without that guidance")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    if args.distil and not args.start_from:
        parser.error("--distil needs the weights that are to be guided: --from")
    rank, processes = joined()
    if processes > 1 and args.device == "cuda":
        args.device = f"cuda:{os.environ['LOCAL_RANK']}"
    torch.manual_seed(args.seed)
    torch.set_flush_denormal(True)

    clips = load_clips(args.cache, "train")
    step, notes = begun(args.out)
    given, known = weights_of(args.start_from) if args.start_from else (None, None)
    statistics = MotionStatistics(**notes["statistics"]) if notes else known or statistics_of(clips, args.shift)
    text_scale, audio_scale = args.guidance
    statistics = replace(statistics, text_guidance_scale=text_scale, audio_guidance_scale=audio_scale)
    model = AvatarDiT(CONFIGS[args.config]).to(args.device)
    if given:
        model.load_state_dict(given)
    teacher = None
    if args.distil:
        guided = deepcopy(model).requires_grad_(False)
        teacher = Teacher(guided, text_scale, audio_scale, statistics.shift)
        statistics = replace(statistics, text_guidance_scale=1.0, audio_guidance_scale=1.0)
    windows = Windows(clips, statistics, args.seed + step, args.real_share, drop=not teacher, rank=rank)
    mouth = Lips.of(statistics, args.device)
    generator = torch.Generator().manual_seed(args.seed + step + 1_000_003 * rank)
    seconds = sum(len(clip.motion) for clip in clips) / 50
    print(f"{len(clips)} clips, {seconds / 3600:.2f} h; {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters")

    def loss_of(trained: nn.Module) -> dict[str, Tensor]:
        batch = {name: value.to(args.device) for name, value in windows.batch(args.batch).items()}
        return flow_loss(trained, batch, mouth, generator, teacher)

    pace = Pace(args.steps, args.minutes, args.lr, warm_steps=200, ema=0.998, save_every=args.save_every, in_half=False)
    learnt = train(sharded(model), loss_of, args.out, pace, {"statistics": asdict(statistics)}, args.device)
    if rank > 0:
        return
    averaged = AvatarDiT(CONFIGS[args.config]).to(args.device)
    averaged.load_state_dict(learnt)
    held_out = Windows(load_clips(args.cache, "val"), statistics, 1, drop=False)
    print(validate(averaged, held_out, mouth, batches=20, size=32, device=args.device, teacher=teacher))


if __name__ == "__main__":
    main()
