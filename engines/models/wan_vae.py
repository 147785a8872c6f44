"""Wan 2.1's video VAE: 8 × 8 pixels and 4 frames to one latent, causal in time, so that it streams. Names are Wan's own.

The first frame of a video has a latent of its own; after it, every latent is four frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.models.streaming import Memory

FRAMES_A_LATENT = 4
PIXELS_A_LATENT = 8

#: Mean and standard deviation of each latent channel over Wan's training data; the transformer sees (latent − mean) / std.
LATENT_MEAN = (
    -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
    0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
)  # fmt: skip
LATENT_STD = (
    2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
    3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WanVaeConfig:
    dim: int = 96
    latent_channels: int = 16
    multiples: tuple[int, ...] = (1, 2, 4, 4)
    num_res_blocks: int = 2
    halves_time: tuple[bool, ...] = (False, True, True)  # each stage of the encoder but the last


class CausalConv3d(nn.Conv3d):
    """Sees the frames before, never those after."""

    def __init__(self, dim_in: int, dim_out: int, kernel: tuple[int, int, int] | int) -> None:
        super().__init__(dim_in, dim_out, kernel)
        self.spatial = (self.kernel_size[2] // 2, self.kernel_size[2] // 2, self.kernel_size[1] // 2, self.kernel_size[1] // 2)

    def forward(self, x: Tensor, memory: Memory) -> Tensor:  # type: ignore[override]
        if self.kernel_size[0] > 1:
            x = memory.extend(x, self.kernel_size[0] - 1)
        return super().forward(F.pad(x, (*self.spatial, 0, 0)))


class ChannelNorm(nn.Module):
    """Root mean square over channels; of videos [b, c, f, h, w] or pictures [b, c, h, w]."""

    def __init__(self, dim: int, ndim: int) -> None:
        super().__init__()
        self.scale = dim**0.5
        self.gamma = nn.Parameter(torch.ones(dim, *(1,) * ndim))

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x, dim=1) * self.scale * self.gamma


class ResidualBlock(nn.Module):
    def __init__(self, dim_in: int, dim_out: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            ChannelNorm(dim_in, 3), nn.SiLU(), CausalConv3d(dim_in, dim_out, 3),
            ChannelNorm(dim_out, 3), nn.SiLU(), nn.Dropout(0.0), CausalConv3d(dim_out, dim_out, 3),
        )  # fmt: skip
        self.shortcut = CausalConv3d(dim_in, dim_out, 1) if dim_in != dim_out else None

    def forward(self, x: Tensor, memory: Memory) -> Tensor:
        return run(self.residual, x, memory) + (self.shortcut(x, memory) if self.shortcut else x)


class FrameAttention(nn.Module):
    """Self-attention within each frame, one head."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(dim, 2)
        self.to_qkv = nn.Conv2d(dim, 3 * dim, 1)
        self.proj = nn.Conv2d(dim, dim, 1)

    def forward(self, x: Tensor, memory: Memory) -> Tensor:
        b, _, f, h, w = x.shape
        frames = x.transpose(1, 2).flatten(0, 1)
        q, k, v = self.to_qkv(self.norm(frames)).flatten(2).transpose(1, 2)[:, None].chunk(3, dim=-1)
        seen = F.scaled_dot_product_attention(q, k, v).squeeze(1).transpose(1, 2).unflatten(2, (h, w))
        return x + self.proj(seen).unflatten(0, (b, f)).transpose(1, 2)


class Resample(nn.Module):
    """Twice or half the height and width, and with a `time_conv` the frames too; the first frame of all stays one."""

    def __init__(self, dim: int, way: Literal["up", "down"], in_time: bool) -> None:
        super().__init__()
        self.way, self.in_time = way, in_time
        if way == "up":
            twice = nn.Upsample(scale_factor=2.0, mode="nearest-exact")
            self.resample = nn.Sequential(twice, nn.Conv2d(dim, dim // 2, 3, padding=1))
        else:
            self.resample = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(dim, dim, 3, stride=2))
        if in_time:
            self.time_conv = nn.Conv3d(dim, 2 * dim, (3, 1, 1)) if way == "up" else nn.Conv3d(dim, dim, (3, 1, 1), (2, 1, 1))

    def forward(self, x: Tensor, memory: Memory) -> Tensor:
        if self.way == "up" and self.in_time:
            if memory.is_fresh:
                memory.forget(x, 2)
            else:
                pairs = self.time_conv(memory.extend(x, 2)).unflatten(1, (2, -1))
                x = pairs.permute(0, 2, 3, 1, 4, 5).flatten(2, 3)
        b, _, f, _, _ = x.shape
        x = self.resample(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (b, f)).transpose(1, 2)
        if self.way == "down" and self.in_time:
            if memory.is_fresh:
                memory.skip(x, 1)
            else:
                x = self.time_conv(memory.extend(x, 1))
        return x


def run(layers: nn.Module, x: Tensor, memory: Memory) -> Tensor:
    """A row of layers, of which those that are causal take the memory."""
    for layer in layers.children():
        x = layer(x, memory) if isinstance(layer, (CausalConv3d, ResidualBlock, FrameAttention, Resample)) else layer(x)
    return x


class Encoder(nn.Module):
    def __init__(self, config: WanVaeConfig) -> None:
        super().__init__()
        widths = [config.dim * m for m in (1, *config.multiples)]
        self.conv1 = CausalConv3d(3, widths[0], 3)
        layers: list[nn.Module] = []
        for i, (dim_in, dim) in enumerate(pairwise(widths)):
            layers += [ResidualBlock(dim_in if j == 0 else dim, dim) for j in range(config.num_res_blocks)]
            if i < len(config.halves_time):
                layers.append(Resample(dim, "down", config.halves_time[i]))
        self.downsamples = nn.Sequential(*layers)
        self.middle = nn.Sequential(ResidualBlock(dim, dim), FrameAttention(dim), ResidualBlock(dim, dim))
        self.head = nn.Sequential(ChannelNorm(dim, 3), nn.SiLU(), CausalConv3d(dim, 2 * config.latent_channels, 3))

    def forward(self, x: Tensor, memory: Memory) -> Tensor:
        x = run(self.downsamples, self.conv1(x, memory), memory)
        return run(self.head, run(self.middle, x, memory), memory)


class Decoder(nn.Module):
    def __init__(self, config: WanVaeConfig) -> None:
        super().__init__()
        widths = [config.dim * m for m in (config.multiples[-1], *reversed(config.multiples))]
        doubles_time = tuple(reversed(config.halves_time))
        dim = widths[0]
        self.conv1 = CausalConv3d(config.latent_channels, dim, 3)
        self.middle = nn.Sequential(ResidualBlock(dim, dim), FrameAttention(dim), ResidualBlock(dim, dim))
        layers: list[nn.Module] = []
        for i, width in enumerate(widths[1:]):
            before = widths[0] if i == 0 else dim // 2  # an upsampler halves the channels
            layers += [ResidualBlock(before if j == 0 else width, width) for j in range(config.num_res_blocks + 1)]
            if i < len(doubles_time):
                layers.append(Resample(width, "up", doubles_time[i]))
            dim = width
        self.upsamples = nn.Sequential(*layers)
        self.head = nn.Sequential(ChannelNorm(dim, 3), nn.SiLU(), CausalConv3d(dim, 3, 3))

    def forward(self, x: Tensor, memory: Memory) -> Tensor:
        x = run(self.middle, self.conv1(x, memory), memory)
        return run(self.head, run(self.upsamples, x, memory), memory)


class WanVae(nn.Module):
    """Videos [b, 3, 1 + 4k, 8h, 8w] of −1 to 1 to latents [b, 16, 1 + k, h, w] and back.

    `encode` and `decode` go on from where the pasts that they are given ended; without, the first frame or latent is the first
    of a video, which must then come alone. The latents are raw; `normalised` and `raw` lie between them and a transformer.
    """

    def __init__(self, config: WanVaeConfig | None = None) -> None:
        super().__init__()
        self.config = config or WanVaeConfig()
        c = self.config.latent_channels
        self.encoder = Encoder(self.config)
        self.conv1 = nn.Conv3d(2 * c, 2 * c, 1)
        self.conv2 = nn.Conv3d(c, c, 1)
        self.decoder = Decoder(self.config)

    def encode(self, frames: Tensor, past: tuple[Tensor, ...] = ()) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The first frame alone, or any number of whole fours after it; gives their latents' means, and the pasts."""
        memory = Memory(past)
        if frames.shape[2] != 1 if memory.is_fresh else frames.shape[2] % FRAMES_A_LATENT:
            raise ValueError(f"{frames.shape[2]} frames: a video begins with one alone, and goes on by fours")
        moments = self.conv1(self.encoder(frames, memory))
        return moments.chunk(2, dim=1)[0], memory.after()

    def decode(self, latents: Tensor, past: tuple[Tensor, ...] = ()) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The first latent alone (one frame), or any number after it (four frames each); gives the frames, and the pasts."""
        memory = Memory(past)
        if memory.is_fresh and latents.shape[2] != 1:
            raise ValueError(f"{latents.shape[2]} latents: a video begins with one alone")
        return self.decoder(self.conv2(latents), memory), memory.after()


def normalised(latents: Tensor) -> Tensor:
    """As the transformer sees them."""
    mean, std = (latents.new_tensor(values)[:, None, None, None] for values in (LATENT_MEAN, LATENT_STD))
    return (latents - mean) / std


def raw(latents: Tensor) -> Tensor:
    """As the VAE made them."""
    mean, std = (latents.new_tensor(values)[:, None, None, None] for values in (LATENT_MEAN, LATENT_STD))
    return latents * std + mean
