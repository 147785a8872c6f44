"""A tiny video VAE of the TAEHV architecture (taew2_1 for Wan 2.1): a twentieth of the work, a little less detail.

Convolutions within frames; blocks that also see the frame before, so that it streams. Its latents are those the transformer
sees (normalised). Names are those of the published files: an index in a row of layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.models.streaming import Memory


class Clamp(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3) * 3


class MemoryBlock(nn.Module):
    """A residual block that sees the frame before as well. x [b, f, c, h, w]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(_conv(2 * dim, dim), nn.ReLU(), _conv(dim, dim), nn.ReLU(), _conv(dim, dim))

    def forward(self, x: Tensor, memory: Memory) -> Tensor:
        before = memory.extend(x, 1)[:, :-1]
        seen = self.conv(torch.cat([x, before], dim=2).flatten(0, 1)).unflatten(0, x.shape[:2])
        return F.relu(seen + x)


class TimePool(nn.Module):
    """`stride` frames to one."""

    def __init__(self, dim: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(dim * stride, dim, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        grouped = x.unflatten(1, (-1, self.stride)).flatten(2, 3)
        return self.conv(grouped.flatten(0, 1)).unflatten(0, grouped.shape[:2])


class TimeGrow(nn.Module):
    """One frame to `stride`."""

    def __init__(self, dim: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(dim, dim * stride, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        grown = self.conv(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        return grown.unflatten(2, (self.stride, -1)).flatten(1, 2)


def _conv(dim_in: int, dim_out: int, bias: bool = True, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(dim_in, dim_out, 3, stride, 1, bias=bias)


def run(layers: nn.Sequential, x: Tensor, memory: Memory) -> Tensor:
    """A row of layers on x [b, f, c, h, w]."""
    for layer in layers:
        if isinstance(layer, MemoryBlock):
            x = layer(x, memory)
        elif isinstance(layer, (TimePool, TimeGrow)):
            x = layer(x)
        else:
            x = layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])
    return x


class TinyVae(nn.Module):
    """Videos [b, 3, f, 8h, 8w] of −1 to 1 to latents [b, 16, f / 4, h, w] and back, streaming as `WanVae` does."""

    def __init__(self, latent_channels: int = 16, dim: int = 64, decoder_dims: tuple[int, ...] = (256, 128, 64, 64)) -> None:
        super().__init__()
        layers: list[nn.Module] = [_conv(3, dim), nn.ReLU()]
        for stride in (2, 2, 1):
            layers += [TimePool(dim, stride), _conv(dim, dim, bias=False, stride=2), *(MemoryBlock(dim) for _ in range(3))]
        self.encoder = nn.Sequential(*layers, _conv(dim, latent_channels))
        layers = [Clamp(), _conv(latent_channels, decoder_dims[0]), nn.ReLU()]
        for here, there, stride in zip(decoder_dims, decoder_dims[1:], (1, 2, 2), strict=False):
            layers += [*(MemoryBlock(here) for _ in range(3)), nn.Upsample(scale_factor=2.0)]
            layers += [TimeGrow(here, stride), _conv(here, there, bias=False)]
        self.decoder = nn.Sequential(*layers, nn.ReLU(), _conv(decoder_dims[-1], 3))

    def encode(self, frames: Tensor) -> Tensor:
        """A whole video; its last frame stands for those that are missing to a four."""
        missing = -frames.shape[2] % 4
        padded = torch.cat([frames, frames[:, :, -1:].expand(-1, -1, missing, -1, -1)], dim=2)
        return run(self.encoder, (padded.transpose(1, 2) + 1) / 2, Memory(dim=1)).transpose(1, 2)

    def decode(self, latents: Tensor, past: tuple[Tensor, ...] = ()) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Latents of a video's beginning (1 + 4k frames) or, with pasts, of its going on (4k); gives frames, and the pasts."""
        memory = Memory(past, dim=1)
        frames = run(self.decoder, latents.transpose(1, 2), memory)
        if memory.is_fresh:  # the first three stand for times before the first frame
            frames = frames[:, 3:]
        return frames.transpose(1, 2).clamp(0, 1) * 2 - 1, memory.after()
