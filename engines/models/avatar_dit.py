"""AvatarDiT: the diffusion transformer of motion latents. The trunk is `engines.models.dit`'s; what it hears, reads and is told
of time is here."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.catalog import AvatarDiTConfig
from engines.models.attention import AudioAttention, LayerNorm, TextAttention, visible
from engines.models.dit import Block, DiT, sinusoids
from engines.models.rope import Turn, angles, rope_3d, turn_by

#: Keys and values of text and of audio, [b, m, heads, d] each; or of all blocks, stacked before b.
Conditions = tuple[Tensor, Tensor, Tensor, Tensor]

TIME_UNITS_PER_S = 25.0  # temporal positions are seconds × 25, whatever the frame interval


class AvatarBlock(Block):
    """Masks say which words and which features each frame attends to; sound carries its time, as frames do."""

    def __init__(self, config: AvatarDiTConfig) -> None:
        super().__init__(config)
        self.cross_attn = TextAttention(config.dim, config.num_heads, config.eps)
        self.norm_x = LayerNorm(config.dim, config.eps)
        self.audio_cross_attn = AudioAttention(config.dim, config.num_heads)

    def initialise(self) -> None:
        """What is heard and read begins as a whisper."""
        nn.init.normal_(self.audio_cross_attn.proj.weight, std=0.02)
        nn.init.normal_(self.cross_attn.o.weight, std=0.02)

    def cross(self, x: Tensor, turn: Turn, *known: Tensor | None) -> Tensor:
        text_k, text_v, audio_k, audio_v, text_bias, audio_bias = known
        assert text_k is not None and text_v is not None and audio_k is not None and audio_v is not None
        assert audio_bias is not None
        x = x + self.cross_attn(self.norm3(x), text_k, text_v, text_bias)
        return x + self.audio_cross_attn(self.norm_x(x), turn, audio_k, audio_v, audio_bias)


class AudioProjection(nn.Module):
    """Speech features to the model's width; a learned vector stands for what has not been heard."""

    def __init__(self, config: AvatarDiTConfig) -> None:
        super().__init__()
        self.proj1 = nn.Linear(config.audio_dim, config.audio_hidden_dim)
        self.proj2 = nn.Linear(config.audio_hidden_dim, config.dim)
        self.norm = LayerNorm(config.dim)
        self.unknown = nn.Parameter(torch.randn(config.dim) * 0.02)

    def forward(self, audio: Tensor, known: Tensor) -> Tensor:
        """audio [b, m, audio_dim], known [b, m] (1 heard, 0 not) to [b, m, dim]."""
        heard = self.norm(self.proj2(F.gelu(self.proj1(audio))))
        return torch.where(known[..., None] > 0.5, heard, self.unknown)


class AvatarDiT(DiT):
    """Velocity of noisy motion latents. All masks are float, 1 for yes."""

    block_class = AvatarBlock

    def __init__(self, config: AvatarDiTConfig) -> None:
        super().__init__(config)
        self.config = config
        dim = config.dim
        if config.text_context:
            self.text_context = nn.Conv1d(
                config.text_dim, config.text_dim, config.text_context, padding=config.text_context // 2
            )
        self.text_null = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.interval_embedding = nn.Sequential(nn.Linear(config.frequency_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.audio_proj = AudioProjection(config)
        self.initialise()

    def initialise(self) -> None:
        """What is heard and read begins as a whisper, too."""
        super().initialise()
        for module in self.modules():
            if isinstance(module, AvatarBlock):
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
        turn = turn_by(F.pad(angle, (0, config.dim // config.num_heads // 2 - angle.shape[-1])))
        blocks = [block for block in self.blocks if isinstance(block, AvatarBlock)]
        of_text = [block.cross_attn.keys_and_values(words) for block in blocks]
        of_audio = [block.audio_cross_attn.keys_and_values(heard, turn) for block in blocks]
        text_k, text_v = (torch.stack(parts) for parts in zip(*of_text, strict=True))
        audio_k, audio_v = (torch.stack(parts) for parts in zip(*of_audio, strict=True))
        return text_k, text_v, audio_k, audio_v

    def denoise(
        self, latents: Tensor, timestep: Tensor, interval: Tensor, time: Tensor, frame_scalars: Tensor,
        text_mask: Tensor, audio_mask: Tensor, text_k: Tensor, text_v: Tensor, audio_k: Tensor, audio_v: Tensor,
    ) -> Tensor:  # fmt: skip
        """Velocity [b, c, f, 1, 1].

        latents [b, 2c + m, f, 1, 1]: noisy latents, mask, condition. timestep [b], 0–1000. interval [b], seconds a frame.
        time [b, f], seconds. frame_scalars [b, s, f]. text_mask [b, f, k * l] and audio_mask [b, f, n]: which words and which
        features a frame attends to. The rest is of `condition`.
        """
        config = self.config
        b, _, f, h, w = latents.shape
        if config.frame_scalars:
            latents = torch.cat([latents, frame_scalars[..., None, None].expand(b, -1, f, h, w)], dim=1)
        x = self.patchify(latents)
        turn = turn_by(rope_3d(time * TIME_UNITS_PER_S, h, w, config.rope_split, config.rope_theta))
        embedded = self.time_embedding(sinusoids(timestep, config.frequency_dim))
        embedded = embedded + self.interval_embedding(sinusoids(interval * 1000.0, config.frequency_dim))
        modulation = self.time_projection(embedded).unflatten(1, (6, config.dim))
        text_bias, audio_bias = visible(F.pad(text_mask, (1, 0), value=1.0)), visible(audio_mask)
        for i, block in enumerate(self.blocks):
            x = block(x, modulation, turn, text_k[i], text_v[i], audio_k[i], audio_v[i], text_bias, audio_bias)
        return self.unpatchify(self.head(x, embedded), f, h, w)

    def forward(
        self, latents: Tensor, timestep: Tensor, interval: Tensor, time: Tensor, frame_scalars: Tensor,
        text: Tensor, text_mask: Tensor, audio: Tensor, audio_known: Tensor, audio_time: Tensor, audio_mask: Tensor,
    ) -> Tensor:  # fmt: skip
        """Both at once, as in training."""
        known = self.condition(text, audio, audio_known, audio_time)
        return self.denoise(latents, timestep, interval, time, frame_scalars, text_mask, audio_mask, *known)
