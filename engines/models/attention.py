"""The three attentions of a block: among frames, to words, to sound. Parameter names follow Wan 2.1 and InfiniteTalk."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.models.rope import rotate


class RMSNorm(nn.Module):
    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """Softmax attention of q [b, n, heads, d] on k, v [b, m, heads, d], with a bias [b, 1, n, m]; gives [b, n, heads * d]."""
    out = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=bias)
    return out.transpose(1, 2).flatten(2)


def visible(mask: Tensor) -> Tensor:
    """A mask [b, n, m] (1 sees, 0 does not) as an additive bias [b, 1, n, m]."""
    return ((mask - 1.0) * 1e4).unsqueeze(1)


class SelfAttention(nn.Module):
    def __init__(self, dim: int, num_heads: int, eps: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q = nn.Linear(dim, dim)
        self.k = nn.Linear(dim, dim)
        self.v = nn.Linear(dim, dim)
        self.o = nn.Linear(dim, dim)
        self.norm_q = RMSNorm(dim, eps)
        self.norm_k = RMSNorm(dim, eps)

    def heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.num_heads, -1))

    def forward(self, x: Tensor, angle: Tensor) -> Tensor:
        q = rotate(self.heads(self.norm_q(self.q(x))), angle)
        k = rotate(self.heads(self.norm_k(self.k(x))), angle)
        return self.o(attend(q, k, self.heads(self.v(x))))


class TextAttention(SelfAttention):
    """Queries from frames, keys and values from words."""

    def keys_and_values(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """text [b, m, dim] to k and v [b, m, heads, d]: the same at every timestep."""
        return self.heads(self.norm_k(self.k(text))), self.heads(self.v(text))

    def forward(self, x: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:  # type: ignore[override]
        return self.o(attend(self.heads(self.norm_q(self.q(x))), k, v, bias))


class AudioAttention(nn.Module):
    """Queries from frames, keys and values from the sound around each frame; both carry their time."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q_linear = nn.Linear(dim, dim)
        self.kv_linear = nn.Linear(dim, 2 * dim)
        self.proj = nn.Linear(dim, dim)

    def keys_and_values(self, audio: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
        """audio [b, n, dim] at angle [b, n, d / 2] to k and v [b, n, heads, d]: the same at every timestep."""
        k, v = self.kv_linear(audio).unflatten(-1, (2, self.num_heads, -1)).unbind(2)
        return rotate(k, angle), v

    def forward(self, x: Tensor, angle: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
        q = rotate(self.q_linear(x).unflatten(-1, (self.num_heads, -1)), angle)
        return self.proj(attend(q, k, v, bias))
