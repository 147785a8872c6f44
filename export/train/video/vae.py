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
from engines.models.mini_vae import FINE, MiniVae
from engines.models.video_dit import VideoDiT
from engines.video import VideoModel
from engines.video_sampler import Sampling
from export.train.run import Pace, begun, joined, train
from export.train.video.clips import HELD_OUT
from export.train.video.windows import Harm, Pieces, Videos

NOISE = 0.1  # of the latents' spread: what a decoder must bear from a sampler
EDGE_WEIGHT = 1.0
CROP = 128  # pixels a side round the face: a quarter of the work, and all that moves much
VAE_PACE = Pace(steps=4000, lr=1.5e-3, warm_steps=40, ema=0.99)


def split(folder: Path) -> tuple[list[Path], list[Path]]:
    """Clips to train on, and those of portraits or voices that are kept apart. Raises ValueError where there are none."""
    paths = sorted(folder.glob("*.npz"))
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


def principal(x: Tensor, weight: Tensor, channels: int) -> tuple[Tensor, Tensor]:
    """Of samples [n, 8, d, 32, 32] with weights [n, 32, 32]: the basis [channels, 8 d, 8, 8] of their cells, and its spread.

    Principal components of a latent's cells, where mouths weigh more.
    """
    cells = F.unfold(x.flatten(1, 2), 8, stride=8).transpose(1, 2).flatten(0, 1)
    importance = F.avg_pool2d(weight[:, None], 8).flatten()
    weighted = cells * (importance / importance.mean()).sqrt()[:, None]
    values, vectors = torch.linalg.eigh((weighted.T @ weighted / len(cells)).double())
    basis = vectors[:, -channels:].flip(1).T.float().reshape(channels, -1, 8, 8)
    return basis.contiguous(), values[-channels:].flip(0).clamp(min=1e-8).sqrt().float()


@torch.no_grad()
def learn_codes(model: MiniVae, pieces: Pieces, count: int = 400) -> None:
    """Puts into the model how flow and light are coded, by so many crops."""
    batches = [pieces.video(1, Harm(), CROP) for _ in range(count)]
    weight = torch.cat([F.avg_pool2d(piece.weight[:, 1:].mean(1), FINE) for piece in batches])
    flow = torch.cat([piece.flow[:, 1:] for piece in batches])
    channels = model.config.flow_channels
    basis, size = principal(flow, weight, channels)
    model.flow_basis.copy_(basis)
    model.flow_spread.copy_(size)
    light = []
    for piece in batches:
        known = piece.video[:, :, 0].to(model.flow_basis.device)
        frames, seen = (part.to(known.device) for part in (piece.video, piece.flow))
        light.append(model.unforeseen(frames, known, model.coded_flow(seen))[:, 1:].cpu())
    basis, size = principal(torch.cat(light), weight, model.config.latent_channels - channels)
    model.light_basis.copy_(basis)
    model.light_spread.copy_(size)


def vae_loss(model: nn.Module, piece: Videos) -> dict[str, Tensor]:
    """A known frame and those after it, coded and decoded."""
    assert isinstance(model, MiniVae)
    video, known = piece.video, piece.video[:, :, 0]
    latents = model.encode(video, known, piece.flow)
    noise = NOISE * latents[:, :, 1:].detach().std((0, 2, 3, 4), keepdim=True) * torch.randn_like(latents)
    seen, _ = model.decode(latents + noise, known)
    pixels, edge = reconstruction(seen[:, :, 1:], video[:, :, 1:], piece.weight[:, 1:])
    return {"total": pixels + EDGE_WEIGHT * edge, "pixels": pixels, "edges": edge}


def train_vae(clips: Path, out: Path, pace: Pace = VAE_PACE, batch: int = 2, seed: int = 0, device: str = "cpu") -> MiniVae:
    """Gives the averaged model."""
    seed += begun(out)[0]  # gone on with, it sees other pieces than before
    torch.manual_seed(seed)
    model = MiniVae(MiniVaeConfig()).to(device)
    pieces = Pieces(split(clips)[0], seed, joined()[0])
    learn_codes(model, pieces, min(400, 10 * pace.steps))

    def loss_of(trained: nn.Module) -> dict[str, Tensor]:
        drawn = pieces.video(batch, Harm(), CROP)
        return vae_loss(trained, Videos(*(getattr(drawn, part).to(device) for part in Videos.__slots__)))

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
        piece = pieces.video(1, Harm(0, 0, 0))
        video, weight = piece.video.to(device), piece.weight.to(device)
        latents = _encoded(model, piece, device)
        seen, _ = model.decode(latents, video[:, :, 0])
        mouth = (weight[:, None, 1:] > 5).float()
        for name, shown in (("coded", seen), ("still", video[:, :, :1].expand_as(video))):
            error = ((shown - video)[:, :, 1:] / 2).square()
            sums.setdefault(name, []).append(float(error.mean()))
            sums.setdefault(f"{name} mouth", []).append(float((error * mouth).sum() / mouth.sum() / 3))
    return {name: round(float(-10 * np.log10(np.mean(values))), 2) for name, values in sums.items()}


@torch.no_grad()
def spread(model: MiniVae, clips: Path, count: int = 48, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """What its latents round faces are normalised by, mean and deviation [c].

    A component that moves pixels less stays smaller, by the root of it, so that noise covers it sooner and a transformer cares
    less for it.
    """
    pieces = Pieces(split(clips)[0], seed=2)
    latents = torch.cat([_encoded(model, pieces.video(1, Harm(), CROP), device) for _ in range(count)])
    return latents.mean((0, 2, 3, 4)), latents.std((0, 2, 3, 4)).clamp(min=1e-3) / prominence(model)


def prominence(model: MiniVae) -> Tensor:
    """How large each channel [c] of the normalised latents is to be; of mean square 1 in flow and in light."""
    roots = [(size / size.mean()).sqrt() for size in (model.flow_spread, model.light_spread)]
    return torch.cat([root / root.square().mean().sqrt() for root in roots])


def _encoded(model: MiniVae, piece: Videos, device: str) -> Tensor:
    video = piece.video.to(device)
    return model.encode(video, video[:, :, 0], piece.flow.to(device))


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
