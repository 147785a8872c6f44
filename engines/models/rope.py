"""Rotary positions in three dimensions, in real arithmetic (complex numbers do not export)."""

from __future__ import annotations

import torch
from torch import Tensor

#: Of each channel the cosine, and the sine by which its partner comes to it, [b, n, 1, d]: made once, used by every block.
Turn = tuple[Tensor, Tensor]


def angles(positions: Tensor, channels: int, theta: float) -> Tensor:
    """Positions [...] (any unit, fractions welcome) to angles [..., channels / 2]. Su et al. 2021."""
    frequencies = theta ** (-torch.arange(0, channels, 2, dtype=torch.float32, device=positions.device) / max(channels, 1))
    return positions[..., None].float() * frequencies


def rope_3d(time: Tensor, height: int, width: int, split: tuple[int, int, int], theta: float) -> Tensor:
    """Angles [b, f * h * w, d / 2] for frames at `time` [b, f], rows and columns counted from 0."""
    b, f = time.shape
    rows = torch.arange(height, device=time.device)
    columns = torch.arange(width, device=time.device)
    parts = [
        angles(time, split[0], theta)[:, :, None, None, :].expand(b, f, height, width, split[0] // 2),
        angles(rows, split[1], theta)[None, None, :, None, :].expand(b, f, height, width, split[1] // 2),
        angles(columns, split[2], theta)[None, None, None, :, :].expand(b, f, height, width, split[2] // 2),
    ]
    return torch.cat([part for part, channels in zip(parts, split, strict=True) if channels], dim=-1).flatten(1, 3)


def turn_by(angle: Tensor) -> Turn:
    """Angles [b, n, d / 2] as `rotate` takes them."""
    cos, sin = torch.cos(angle), torch.sin(angle)
    return torch.stack((cos, cos), dim=-1).flatten(-2)[:, :, None], torch.stack((-sin, sin), dim=-1).flatten(-2)[:, :, None]


def rotate(x: Tensor, turn: Turn) -> Tensor:
    """Turn interleaved pairs of x [b, n, heads, d]; float32 inside, the type of x outside."""
    cos, sin = turn
    wide = x.float()
    partners = wide.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)
    return (wide * cos + partners * sin).to(x.dtype)
