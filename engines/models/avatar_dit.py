"""AvatarDiT: the diffusion transformer of every size, from motion latents to video latents.

Flow matching; a block is self-attention → text cross-attention → audio cross-attention → feed-forward, modulated by timestep
and frame interval. Parameter names follow the published Wan 2.1 (and InfiniteTalk, for audio) naming.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.catalog import AvatarDiTConfig
from engines.models.attention import AudioAttention, SelfAttention, TextAttention, visible
from engines.models.rope import angles, rope_3d

#: Keys and values of text and of audio, [b, m, heads, d] each; or of all blocks, stacked before b.
Conditions = tuple[Tensor, Tensor, Tensor, Tensor]

TIME_UNITS_PER_S = 25.0  # temporal positions are seconds × 25, whatever the frame interval


def sinusoids(values: Tensor, dim: int) -> Tensor:
    """Values [b] (0–1000) to cosines and sines [b, dim] (Vaswani et al. 2017, as Wan orders them)."""
    half = dim // 2
    frequencies = torch.exp(-math.log(10_000.0) / half * torch.arange(half, dtype=torch.float32, device=values.device))
    angle = values.float()[:, None] * frequencies
    return torch.cat([torch.cos(angle), torch.sin(angle)], dim=1)


class Block(nn.Module):
    def __init__(self, config: AvatarDiTConfig) -> None:
        super().__init__()
        dim, heads, eps = config.dim, config.num_heads, config.eps
        self.norm1 = nn.LayerNorm(dim, eps, elementwise_affine=False)
        self.self_attn = SelfAttention(dim, heads, eps)
        self.norm3 = nn.LayerNorm(dim, eps)
        self.cross_attn = TextAttention(dim, heads, eps)
        self.norm_x = nn.LayerNorm(dim, eps)
        self.audio_cross_attn = AudioAttention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps, elementwise_affine=False)
        self.ffn = nn.Sequential(nn.Linear(dim, config.ffn_dim), nn.GELU(approximate="tanh"), nn.Linear(config.ffn_dim, dim))
        self.modulation = nn.Parameter(torch.randn(1, 6, dim) / dim**0.5)

    def initialise(self) -> None:
        """What is heard and read begins as a whisper."""
        nn.init.normal_(self.audio_cross_attn.proj.weight, std=0.02)
        nn.init.normal_(self.cross_attn.o.weight, std=0.02)

    def forward(
        self, x: Tensor, time: Tensor, angle: Tensor, known: Conditions, text_bias: Tensor, audio_bias: Tensor
    ) -> Tensor:  # fmt: skip
        """x [b, n, dim]; time [b, 6, dim]: shift, scale, gate for self-attention and for the feed-forward."""
        text_k, text_v, audio_k, audio_v = known
        shift1, scale1, gate1, shift2, scale2, gate2 = (self.modulation + time).unsqueeze(2).unbind(1)
        x = x + gate1 * self.self_attn(self.norm1(x) * (1 + scale1) + shift1, angle)
        x = x + self.cross_attn(self.norm3(x), text_k, text_v, text_bias)
        x = x + self.audio_cross_attn(self.norm_x(x), angle, audio_k, audio_v, audio_bias)
        return x + gate2 * self.ffn(self.norm2(x) * (1 + scale2) + shift2)


class AudioProjection(nn.Module):
    """Speech features to the model's width; a learned vector stands for what has not been heard."""

    def __init__(self, config: AvatarDiTConfig) -> None:
        super().__init__()
        self.proj1 = nn.Linear(config.audio_dim, config.audio_hidden_dim)
        self.proj2 = nn.Linear(config.audio_hidden_dim, config.dim)
        self.norm = nn.LayerNorm(config.dim)
        self.unknown = nn.Parameter(torch.randn(config.dim) * 0.02)

    def forward(self, audio: Tensor, known: Tensor) -> Tensor:
        """audio [b, m, audio_dim], known [b, m] (1 heard, 0 not) to [b, m, dim]."""
        heard = self.norm(self.proj2(F.gelu(self.proj1(audio))))
        return torch.where(known[..., None] > 0.5, heard, self.unknown)


class Head(nn.Module):
    def __init__(self, config: AvatarDiTConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.dim, config.eps, elementwise_affine=False)
        self.head = nn.Linear(config.dim, config.latent_channels * math.prod(config.patch_size))
        self.modulation = nn.Parameter(torch.randn(1, 2, config.dim) / config.dim**0.5)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        shift, scale = (self.modulation + time[:, None]).unsqueeze(2).unbind(1)
        return self.head(self.norm(x) * (1 + scale) + shift)


class AvatarDiT(nn.Module):
    """Velocity of noisy latents. All masks are float, 1 for yes."""

    def __init__(self, config: AvatarDiTConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.dim
        self.patch_embedding = nn.Conv3d(config.in_channels, dim, config.patch_size, config.patch_size)
        self.text_embedding = nn.Sequential(nn.Linear(config.text_dim, dim), nn.GELU(approximate="tanh"), nn.Linear(dim, dim))
        if config.text_context:
            self.text_context = nn.Conv1d(
                config.text_dim, config.text_dim, config.text_context, padding=config.text_context // 2
            )
        self.text_null = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.time_embedding = nn.Sequential(nn.Linear(config.frequency_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.interval_embedding = nn.Sequential(nn.Linear(config.frequency_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.time_projection = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.audio_proj = AudioProjection(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_blocks))
        self.head = Head(config)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.xavier_uniform_(self.patch_embedding.weight.flatten(1))
        nn.init.zeros_(self.head.head.weight)
        for module in self.modules():
            if isinstance(module, Block):
                module.initialise()

    def embed_text(self, text: Tensor) -> Tensor:
        """text [b, k, l, text_dim] (k beats) to [b, 1 + k * l, dim]; the first is a learned token that every frame sees."""
        b, k, length, _ = text.shape
        words = text.flatten(0, 1)
        if self.config.text_context:
            words = words + self.text_context(words.transpose(1, 2)).transpose(1, 2)
        words = self.text_embedding(words).reshape(b, k * length, -1)
        return torch.cat([self.text_null.expand(b, 1, -1), words], dim=1)

    def condition(self, text: Tensor, audio: Tensor, audio_known: Tensor, audio_time: Tensor) -> Conditions:
        """What does not change from step to step, all blocks stacked: see `Conditions`.

        text [b, k, l, d]; audio [b, n, d] with audio_known [b, n] and audio_time [b, n] in seconds.
        """
        config = self.config
        words, heard = self.embed_text(text), self.audio_proj(audio, audio_known)
        angle = angles(audio_time * TIME_UNITS_PER_S, config.rope_split[0], config.rope_theta)
        angle = F.pad(angle, (0, config.dim // config.num_heads // 2 - angle.shape[-1]))
        blocks = [block for block in self.blocks if isinstance(block, Block)]
        of_text = [block.cross_attn.keys_and_values(words) for block in blocks]
        of_audio = [block.audio_cross_attn.keys_and_values(heard, angle) for block in blocks]
        text_k, text_v = (torch.stack(parts) for parts in zip(*of_text, strict=True))
        audio_k, audio_v = (torch.stack(parts) for parts in zip(*of_audio, strict=True))
        return text_k, text_v, audio_k, audio_v

    def denoise(
        self, latents: Tensor, timestep: Tensor, interval: Tensor, time: Tensor, frame_scalars: Tensor,
        text_mask: Tensor, audio_mask: Tensor, text_k: Tensor, text_v: Tensor, audio_k: Tensor, audio_v: Tensor,
    ) -> Tensor:  # fmt: skip
        """Velocity [b, c, f, h, w].

        latents [b, 2c + m, f, h, w]: noisy latents, mask, condition. timestep [b], 0–1000. interval [b], seconds a frame.
        time [b, f], seconds. frame_scalars [b, s, f]. text_mask [b, f, k * l] and audio_mask [b, f, n]: which words and which
        features a frame attends to. The rest is of `condition`.
        """
        config = self.config
        b, _, f, h, w = latents.shape
        if config.frame_scalars:
            latents = torch.cat([latents, frame_scalars[..., None, None].expand(b, -1, f, h, w)], dim=1)
        if config.patch_size == (1, 1, 1):  # a linear layer in convolution's clothing
            weight = self.patch_embedding.weight.flatten(1)
            x = F.linear(latents.flatten(2).transpose(1, 2), weight, self.patch_embedding.bias)
        else:
            x = self.patch_embedding(latents).flatten(2).transpose(1, 2)
        rows, columns = h // config.patch_size[1], w // config.patch_size[2]
        angle = rope_3d(time * TIME_UNITS_PER_S, rows, columns, config.rope_split, config.rope_theta)
        embedded = self.time_embedding(sinusoids(timestep, config.frequency_dim))
        embedded = embedded + self.interval_embedding(sinusoids(interval * 1000.0, config.frequency_dim))
        modulation = self.time_projection(embedded).unflatten(1, (6, config.dim))
        text_bias, audio_bias = visible(F.pad(text_mask, (1, 0), value=1.0)), visible(audio_mask)
        if rows * columns > 1:
            text_bias = text_bias.repeat_interleave(rows * columns, dim=2)
            audio_bias = audio_bias.repeat_interleave(rows * columns, dim=2)
        for i, block in enumerate(self.blocks):
            x = block(x, modulation, angle, (text_k[i], text_v[i], audio_k[i], audio_v[i]), text_bias, audio_bias)
        return self.unpatchify(self.head(x, embedded), f, rows, columns)

    def forward(
        self, latents: Tensor, timestep: Tensor, interval: Tensor, time: Tensor, frame_scalars: Tensor,
        text: Tensor, text_mask: Tensor, audio: Tensor, audio_known: Tensor, audio_time: Tensor, audio_mask: Tensor,
    ) -> Tensor:  # fmt: skip
        """Both at once, as in training."""
        known = self.condition(text, audio, audio_known, audio_time)
        return self.denoise(latents, timestep, interval, time, frame_scalars, text_mask, audio_mask, *known)

    def unpatchify(self, x: Tensor, frames: int, rows: int, columns: int) -> Tensor:
        """Tokens [b, n, p1 * p2 * p3 * c] to latents [b, c, f, h, w]."""
        pf, ph, pw = self.config.patch_size
        c = self.config.latent_channels
        if self.config.patch_size == (1, 1, 1):
            return x.transpose(1, 2).reshape(x.shape[0], c, frames, rows, columns)
        x = x.reshape(x.shape[0], frames // pf, rows, columns, pf, ph, pw, c)
        return x.permute(0, 7, 1, 4, 2, 5, 3, 6).reshape(x.shape[0], c, frames, rows * ph, columns * pw)
