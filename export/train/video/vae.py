"""Train the small video VAE.

python -m export.train.video.clips CACHE --out CLIPS
rostrum train vae CLIPS --out RUN --steps 4000
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.backends.torch import torch_graphs
from engines.catalog import MINI, MiniVaeConfig
from engines.codecs.mini import MiniCodec
from engines.mini import AREA, Listener, Reader
from engines.models.mini_vae import MiniVae, moved
from engines.models.video_dit import VideoDiT
from engines.video import VideoModel
from engines.video_sampler import Sampling
from export.train.video.clips import HELD_OUT
from export.train.video.run import Pace, joined, train
from export.train.video.windows import Harm, Pieces

NOISE = 0.1  # standard deviation; what a decoder must bear from a sampler
EDGE_WEIGHT = 1.0
CROP = 128  # pixels a side round the face: a quarter of the work, and all that moves much
VAE_PACE = Pace(steps=4000, lr=1.2e-3, warm_steps=40, ema=0.99)


def split(folder: Path) -> tuple[list[Path], list[Path]]:
    """Clips to train on, and those of portraits or voices that are kept apart. Raises ValueError where there are none."""
    paths = sorted(path for path in folder.glob("*.npz") if ".partial" not in path.name)
    if not paths:
        raise ValueError(f"{folder} holds no clips: write some with `python -m export.train.video.clips`")
    apart = []
    for path in paths:
        with np.load(path) as clip:
            apart.append(str(clip["split"]) == "val" or str(clip["avatar"]) in HELD_OUT)
    return [p for p, kept in zip(paths, apart, strict=True) if not kept], [
        p for p, kept in zip(paths, apart, strict=True) if kept
    ]


def edges(x: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the right and downwards."""
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def reconstruction(seen: Tensor, wanted: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted L1 of pixels and of edges; videos [b, 3, f, h, w], weight [b, f, h, w]."""
    weight = (weight / weight.mean())[:, None]
    pixels = (weight * (seen - wanted).abs()).mean()
    right, down = (a - b for a, b in zip(edges(seen), edges(wanted), strict=True))
    return pixels, (weight[..., 1:] * right.abs()).mean() + (weight[..., 1:, :] * down.abs()).mean()


def misplaced(flow: Tensor, known: Tensor, video: Tensor) -> Tensor:
    """Mean L1 between small pictures moved by the flow and those that they should be: light changes with flow over more than a
    pixel there, so that a flow finds far places."""
    wanted = video.transpose(1, 2).flatten(0, 1)
    size = known.shape[2], known.shape[3]
    errors = [
        (moved(F.avg_pool2d(known, scale), flow, size) - F.avg_pool2d(wanted, scale)).abs().mean() for scale in (4, 8, 16)
    ]
    return torch.stack(errors).sum()


def vae_loss(model: nn.Module, video: Tensor, weight: Tensor) -> dict[str, Tensor]:
    """A known frame and those after it, coded and decoded."""
    assert isinstance(model, MiniVae)
    latents, _ = model.encode(video, video[:, :, 0])
    known = video[:, :, 0]
    seen, flow, _ = model.moved_and_drawn(latents + NOISE * torch.randn_like(latents), known)
    pixels, edge = reconstruction(seen[:, :, 1:], video[:, :, 1:], weight[:, 1:])
    coarse = misplaced(flow, known, video)
    return {"total": pixels + EDGE_WEIGHT * edge + coarse, "pixels": pixels, "edges": edge, "coarse": coarse}


def train_vae(clips: Path, out: Path, pace: Pace = VAE_PACE, batch: int = 2, seed: int = 0, device: str = "cpu") -> MiniVae:
    """Gives the averaged model."""
    torch.manual_seed(seed)
    model = MiniVae(MiniVaeConfig()).to(device)
    pieces = Pieces(split(clips)[0], seed, joined()[0])

    def loss_of(trained: nn.Module) -> dict[str, Tensor]:
        video, weight = pieces.video(batch, Harm(), CROP)
        return vae_loss(trained, video.to(device), weight.to(device))

    model.load_state_dict(train(model, loss_of, out, pace, device=device), strict=False)
    mean, std = spread(model, clips, device=device)
    torch.save({"model": model.state_dict(), "mean": mean.cpu(), "std": std.cpu()}, out / "vae.pt")
    return model


@torch.no_grad()
def psnr(model: MiniVae, clips: Path, count: int = 16, device: str = "cpu") -> dict[str, float]:
    """On clips kept apart: of whole pictures and of mouths, beside what standing still would give. dB."""
    pieces = Pieces(split(clips)[1], seed=1)
    sums: dict[str, list[float]] = {}
    for _ in range(count):
        video, weight = (part.to(device) for part in pieces.video(1, Harm(0, 0, 0)))
        latents, _ = model.encode(video, video[:, :, 0])
        seen, _ = model.decode(latents, video[:, :, 0])
        mouth = (weight[:, None, 1:] > 5).float()
        for name, shown in (("coded", seen), ("still", video[:, :, :1].expand_as(video))):
            error = ((shown - video)[:, :, 1:] / 2).square()
            sums.setdefault(name, []).append(float(error.mean()))
            sums.setdefault(f"{name} mouth", []).append(float((error * mouth).sum() / mouth.sum() / 3))
    return {name: round(float(-10 * np.log10(np.mean(values))), 2) for name, values in sums.items()}


@torch.no_grad()
def spread(model: MiniVae, clips: Path, count: int = 48, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """Mean and standard deviation [c] of its latents."""
    pieces = Pieces(split(clips)[0], seed=2)
    latents = torch.cat([_encoded(model, pieces.video(1, Harm())[0].to(device)) for _ in range(count)])
    return latents.mean((0, 2, 3, 4)), latents.std((0, 2, 3, 4)).clamp(min=1e-3)


def _encoded(model: MiniVae, video: Tensor) -> Tensor:
    return model.encode(video, video[:, :, 0])[0]


def mini_with(run: Path, device: str = "cpu") -> VideoModel:
    """`mini` with a run's VAE and a transformer that knows nothing. Raises ValueError for a folder without `vae.pt`."""
    if not (run / "vae.pt").is_file():
        raise ValueError(f"{run} holds no vae.pt: has `rostrum train vae` ended?")
    saved = torch.load(run / "vae.pt", map_location=device, weights_only=True)
    vae = MiniVae(MiniVaeConfig())
    vae.load_state_dict(saved["model"])
    codec = MiniCodec(vae, saved["mean"], saved["std"], device)
    graphs = torch_graphs(VideoDiT(MINI).to(device).eval())
    return VideoModel(MINI, graphs, codec, Reader(), None, Listener(), Sampling(), device=device, area=AREA)
