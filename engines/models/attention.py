"""The attentions of a block: among frames, to words and pictures, to sound. Names follow Wan 2.1, InfiniteTalk, EchoMimicV3.

Arithmetic is the inputs' own but for norms and rotations, which are float32 inside: with bfloat16 weights that is Wan's recipe.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.models.rope import Turn, rotate


class RMSNorm(nn.Module):
    """Over the full width, before the heads are split."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        # A quotient, not a product with rsqrt: so ONNX Runtime knows it for what it is, and takes one node for it.
        return (wide / torch.sqrt(wide.square().mean(-1, keepdim=True) + self.eps) * self.weight.float()).to(x.dtype)


class LayerNorm(nn.LayerNorm):
    """float32 inside, the type of x outside."""

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = (None if p is None else p.float() for p in (self.weight, self.bias))
        return F.layer_norm(x.float(), self.normalized_shape, weight, bias, self.eps).to(x.dtype)


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """Softmax attention of q [b, n, heads, d] on k, v [b, m, heads, d], with a bias [b, 1, n, m]; gives [b, n, heads * d]."""
    out = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=bias)
    return out.transpose(1, 2).flatten(2)


def attend_by_frame(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Each latent frame attends to its own tokens: q [b, f * s, heads, d] to k and v [b, f, m, heads, d]."""
    b, f = k.shape[:2]
    by_frame = q.unflatten(1, (f, -1)).flatten(0, 1)
    return attend(by_frame, k.flatten(0, 1), v.flatten(0, 1)).reshape(b, -1, q.shape[2] * q.shape[3])


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

    def forward(self, x: Tensor, turn: Turn) -> Tensor:
        q = rotate(self.heads(self.norm_q(self.q(x))), turn)
        k = rotate(self.heads(self.norm_k(self.k(x))), turn)
        return self.o(attend(q, k, self.heads(self.v(x))))


class TextAttention(SelfAttention):
    """Queries from frames, keys and values from words."""

    def keys_and_values(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """text [b, m, dim] to k and v [b, m, heads, d]: the same at every timestep."""
        return self.heads(self.norm_k(self.k(text))), self.heads(self.v(text))

    def forward(self, x: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:  # type: ignore[override]
        return self.o(attend(self.heads(self.norm_q(self.q(x))), k, v, bias))


class AudioAttention(nn.Module):
    """Queries from frames, keys and values from the sound around each frame; both carry their time."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q_linear = nn.Linear(dim, dim)
        self.kv_linear = nn.Linear(dim, 2 * dim)
        self.proj = nn.Linear(dim, dim)

    def keys_and_values(self, audio: Tensor, turn: Turn) -> tuple[Tensor, Tensor]:
        """audio [b, n, dim] to k and v [b, n, heads, d]: the same at every timestep."""
        k, v = self.kv_linear(audio).unflatten(-1, (2, self.num_heads, -1)).unbind(2)
        return rotate(k, turn), v

    def forward(self, x: Tensor, turn: Turn, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
        q = rotate(self.q_linear(x).unflatten(-1, (self.num_heads, -1)), turn)
        return self.proj(attend(q, k, v, bias))


class SightedAttention(TextAttention):
    """Of video models: to words; where the model sees, to CLIP's tokens; in EchoMimicV3 also to each frame's sound.

    All with the query of the text. EchoMimicV3's files hold a `q_audio` as well, which nothing uses.
    """

    def __init__(self, dim: int, num_heads: int, eps: float, sees: bool, hears: bool) -> None:
        super().__init__(dim, num_heads, eps)
        if sees:
            self.k_img = nn.Linear(dim, dim)
            self.v_img = nn.Linear(dim, dim)
            self.norm_k_img = RMSNorm(dim, eps)
        if hears:
            self.k_audio = nn.Linear(dim, dim)
            self.v_audio = nn.Linear(dim, dim)
            self.norm_k_audio = RMSNorm(dim, eps)

    def of_images(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """images [b, m, dim] to k and v [b, m, heads, d]."""
        return self.heads(self.norm_k_img(self.k_img(images))), self.heads(self.v_img(images))

    def of_audio(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """audio [b, f, m, dim] to k and v [b, f, m, heads, d]."""
        return self.heads(self.norm_k_audio(self.k_audio(audio))), self.heads(self.v_audio(audio))

    def forward(  # type: ignore[override]
        self, x: Tensor, text: tuple[Tensor, Tensor], images: tuple[Tensor, Tensor] | None,
        audio: tuple[Tensor, Tensor] | None, audio_scale: Tensor | None,
    ) -> Tensor:  # fmt: skip
        """x [b, n, dim]; keys and values as above."""
        q = self.heads(self.norm_q(self.q(x)))
        seen = attend(q, *text)
        if images is not None:
            seen = seen + attend(q, *images)
        if audio is not None and audio_scale is not None:
            seen = seen + audio_scale * attend_by_frame(q, *audio)
        return self.o(seen)


class FrameAudioAttention(nn.Module):
    """Each latent frame to its own audio tokens, of their own width: the schema of MultiTalk, InfiniteTalk and FlashTalk."""

    def __init__(self, dim: int, audio_dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q_linear = nn.Linear(dim, dim)
        self.kv_linear = nn.Linear(audio_dim, 2 * dim)
        self.proj = nn.Linear(dim, dim)

    def of_audio(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """audio [b, f, m, audio_dim] to k and v [b, f, m, heads, d]."""
        k, v = self.kv_linear(audio).unflatten(-1, (2, self.num_heads, -1)).unbind(3)
        return k, v

    def forward(self, x: Tensor, audio: tuple[Tensor, Tensor]) -> Tensor:
        return self.proj(attend_by_frame(self.q_linear(x).unflatten(-1, (self.num_heads, -1)), *audio))
