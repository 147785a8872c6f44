"""The trunk that diffusion transformers of every size share, from motion latents to video latents.

Flow matching; a block is self-attention → cross-attention to words → cross-attention to sound → feed-forward, modulated by
the timestep. Parameter names follow the published Wan 2.1 naming.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.catalog import DiTConfig
from engines.models.attention import LayerNorm, SelfAttention
from engines.models.rope import Turn


def sinusoids(values: Tensor, dim: int) -> Tensor:
    """Values [b] (0–1000) to cosines and sines [b, dim] (Vaswani et al. 2017, as Wan orders them)."""
    half = dim // 2
    frequencies = torch.exp(-math.log(10_000.0) / half * torch.arange(half, dtype=torch.float32, device=values.device))
    angle = values.float()[:, None] * frequencies
    return torch.cat([torch.cos(angle), torch.sin(angle)], dim=1)


class Block(nn.Module):
    """What a size adds is how it reads and hears: `cross` gives both, added to x, between self-attention and feed-forward."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        dim, heads, eps = config.dim, config.num_heads, config.eps
        self.norm1 = LayerNorm(dim, eps, elementwise_affine=False)
        self.self_attn = SelfAttention(dim, heads, eps)
        self.norm3 = LayerNorm(dim, eps)
        self.norm2 = LayerNorm(dim, eps, elementwise_affine=False)
        self.ffn = nn.Sequential(nn.Linear(dim, config.ffn_dim), nn.GELU(approximate="tanh"), nn.Linear(config.ffn_dim, dim))
        self.modulation = nn.Parameter(torch.randn(1, 6, dim) / dim**0.5)

    def cross(self, x: Tensor, turn: Turn, *known: Tensor | None) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor, time: Tensor, turn: Turn, *known: Tensor | None) -> Tensor:
        """x [b, n, dim]; time [b, 6, dim]: shift, scale, gate for self-attention and for the feed-forward."""
        shift1, scale1, gate1, shift2, scale2, gate2 = (self.modulation.float() + time).to(x.dtype).chunk(6, dim=1)
        x = x + gate1 * self.self_attn(self.norm1(x) * (1 + scale1) + shift1, turn)
        x = self.cross(x, turn, *known)
        return x + gate2 * self.ffn(self.norm2(x) * (1 + scale2) + shift2)


class Head(nn.Module):
    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.norm = LayerNorm(config.dim, config.eps, elementwise_affine=False)
        self.head = nn.Linear(config.dim, config.latent_channels * math.prod(config.patch_size))
        self.modulation = nn.Parameter(torch.randn(1, 2, config.dim) / config.dim**0.5)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        shift, scale = (self.modulation.float() + time[:, None]).chunk(2, dim=1)
        return self.head((self.norm(x.float()) * (1 + scale) + shift).to(self.head.weight.dtype))


class DiT(nn.Module):
    """Embeddings, blocks and head. A size is a subclass that says what is known besides the latents, and its `block_class`."""

    block_class: type[Block] = Block

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        dim = config.dim
        self.patch_embedding = nn.Conv3d(config.in_channels, dim, config.patch_size, config.patch_size)
        self.text_embedding = nn.Sequential(nn.Linear(config.text_dim, dim), nn.GELU(approximate="tanh"), nn.Linear(dim, dim))
        self.time_embedding = nn.Sequential(nn.Linear(config.frequency_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.time_projection = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.blocks = nn.ModuleList(self.block_class(config) for _ in range(config.num_blocks))
        self.head = Head(config)

    def initialise(self) -> None:
        """From nothing: xavier for what is linear, and a head that says nothing yet."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.xavier_uniform_(self.patch_embedding.weight.flatten(1))
        nn.init.zeros_(self.head.head.weight)

    def patchify(self, latents: Tensor) -> Tensor:
        """Latents [b, c, f, h, w] to tokens [b, n, dim]."""
        if self.patch_embedding.kernel_size == (1, 1, 1):  # a linear layer in convolution's clothing
            weight = self.patch_embedding.weight.flatten(1)
            return F.linear(latents.flatten(2).transpose(1, 2), weight, self.patch_embedding.bias)
        return self.patch_embedding(latents).flatten(2).transpose(1, 2)

    def unpatchify(self, x: Tensor, frames: int, rows: int, columns: int) -> Tensor:
        """Tokens [b, n, p1 * p2 * p3 * c] to latents [b, c, f, h, w]."""
        pf, ph, pw = self.patch_embedding.kernel_size
        c = x.shape[-1] // (pf * ph * pw)
        if (pf, ph, pw) == (1, 1, 1):
            return x.transpose(1, 2).reshape(x.shape[0], c, frames, rows, columns)
        x = x.reshape(x.shape[0], frames, rows, columns, pf, ph, pw, c)
        return x.permute(0, 7, 1, 4, 2, 5, 3, 6).reshape(x.shape[0], c, frames * pf, rows * ph, columns * pw)
