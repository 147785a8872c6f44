"""VideoDiT: Wan 2.1 at any size, with the ears of InfiniteTalk (MultiTalk, FlashTalk) or of EchoMimicV3.

Parameter names are those of the published checkpoints, so that these load without renaming.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.catalog import FrameAudio, VideoDiTConfig
from engines.models.attention import FrameAudioAttention, LayerNorm, SightedAttention
from engines.models.dit import Block, DiT, sinusoids
from engines.models.rope import Turn, rope_3d, turn_by

#: What `condition` takes and, for each of them, what `denoise` is given: keys and values of all blocks, stacked before b.
CONDITIONS = {"text": ("text_k", "text_v"), "images": ("image_k", "image_v"), "audio": ("audio_k", "audio_v")}


class VideoBlock(Block):
    def __init__(self, config: VideoDiTConfig) -> None:
        super().__init__(config)
        style = config.audio.style if config.audio else None
        self.cross_attn = SightedAttention(
            config.dim, config.num_heads, config.eps, sees=config.image_dim > 0, hears=style == "echomimic"
        )
        if config.audio and style == "infinitetalk":
            self.norm_x = LayerNorm(config.dim, config.eps)
            self.audio_cross_attn = FrameAudioAttention(config.dim, config.audio.token_dim, config.num_heads)
        self.hears_apart = style == "infinitetalk"

    def of_text(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """Embedded words [b, m, dim] to keys and values [b, m, heads, d]."""
        return self.cross_attn.keys_and_values(words)

    def of_images(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Embedded pictures [b, m, dim] to keys and values [b, m, heads, d]."""
        return self.cross_attn.of_images(seen)

    def of_audio(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens [b, f, m, token_dim] to keys and values [b, f, m, heads, d]."""
        return self.audio_cross_attn.of_audio(audio) if self.hears_apart else self.cross_attn.of_audio(audio)

    def cross(self, x: Tensor, turn: Turn, *known: Tensor | None) -> Tensor:
        text_k, text_v, image_k, image_v, audio_k, audio_v, audio_scale = known
        assert text_k is not None and text_v is not None
        images = None if image_k is None or image_v is None else (image_k, image_v)
        audio = None if audio_k is None or audio_v is None else (audio_k, audio_v)
        x = x + self.cross_attn(
            self.norm3(x), (text_k, text_v), images, None if self.hears_apart else audio, audio_scale
        )  # fmt: skip
        if audio is not None and self.hears_apart:
            x = x + audio_scale * self.audio_cross_attn(self.norm_x(x), audio)
        return x


class ImageEmbedding(nn.Module):
    """CLIP's tokens [b, m, image_dim] to [b, m, dim]; with places where first and last frame are told apart by them."""

    def __init__(self, config: VideoDiTConfig) -> None:
        super().__init__()
        d, dim = config.image_dim, config.dim
        self.proj = nn.Sequential(LayerNorm(d), nn.Linear(d, d), nn.GELU(), nn.Linear(d, dim), LayerNorm(dim))
        self.num_positions = config.image_positions
        if config.image_positions:
            self.emb_pos = nn.Parameter(torch.zeros(1, config.image_positions, d))

    def forward(self, images: Tensor) -> Tensor:
        if self.num_positions:
            images = images + self.emb_pos
        return self.proj(images)


class AudioTokens(nn.Module):
    """Windows of speech features to tokens of each latent frame (MultiTalk's `AudioProjModel`)."""

    def __init__(self, config: FrameAudio) -> None:
        super().__init__()
        self.config = config
        first, later = (window * config.feature_dim for window in config.windows)
        self.proj1 = nn.Linear(first, config.hidden_dim)
        self.proj1_vf = nn.Linear(later, config.hidden_dim)
        self.proj2 = nn.Linear(config.hidden_dim, config.hidden_dim)
        self.proj3 = nn.Linear(config.hidden_dim, config.num_tokens * config.token_dim)
        self.norm = LayerNorm(config.token_dim) if config.has_norm else nn.Identity()

    def forward(self, first: Tensor, later: Tensor) -> Tensor:
        """first [b, 5, d] of latent frame 0, later [b, f - 1, 8, d] of the others; gives [b, f, num_tokens, token_dim]."""
        heard = torch.cat([self.proj1(first.flatten(1))[:, None], self.proj1_vf(later.flatten(2))], dim=1)
        tokens = self.proj3(F.relu(self.proj2(F.relu(heard))))
        return self.norm(tokens.unflatten(-1, (self.config.num_tokens, self.config.token_dim)))


def keeps_float32(name: str) -> bool:
    """Whether Wan keeps the parameter in float32 whatever the others are."""
    kept = ("time_embedding.", "img_emb.proj.0", "img_emb.proj.4", "head.")
    return "modulation" in name or "norm" in name or name.startswith(kept)


class VideoDiT(DiT):
    """Velocity of noisy video latents."""

    block_class = VideoBlock

    def __init__(self, config: VideoDiTConfig) -> None:
        super().__init__(config)
        self.config = config
        if config.image_dim:
            self.img_emb = ImageEmbedding(config)
        if config.audio:
            setattr(self, self.audio_name, AudioTokens(config.audio))

    @property
    def audio_name(self) -> str:
        """What checkpoints call the `AudioTokens`."""
        assert self.config.audio
        return "audio_proj" if self.config.audio.style == "infinitetalk" else "audio_injection"

    def to_precision(self, dtype: torch.dtype) -> None:
        """Weights to `dtype`, but for those that keep float32: modulation, norms, the timestep's embedding, the head."""
        for name, parameter in self.named_parameters():
            parameter.data = parameter.data.to(torch.float32 if keeps_float32(name) else dtype)

    def condition_text(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """text [b, m, text_dim] to text_k, text_v [blocks, b, m, heads, d]: once a prompt."""
        words = self.text_embedding(text.to(self.patch_embedding.weight.dtype))
        return self._stacked([block.of_text(words) for block in self._own_blocks()])

    def condition_images(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """CLIP's tokens [b, m, image_dim] to image_k, image_v [blocks, b, m, heads, d]: once an anchor."""
        seen = self.img_emb(images.to(self.patch_embedding.weight.dtype))
        return self._stacked([block.of_images(seen) for block in self._own_blocks()])

    def condition_audio(self, audio_first: Tensor, audio_later: Tensor) -> tuple[Tensor, Tensor]:
        """As `AudioTokens` takes them; to audio_k, audio_v [blocks, b, f, m, heads, d]: once a clip."""
        project = getattr(self, self.audio_name)
        dtype = project.proj1.weight.dtype
        tokens = project(audio_first.to(dtype), audio_later.to(dtype))
        return self._stacked([block.of_audio(tokens) for block in self._own_blocks()])

    def denoise(
        self, latents: Tensor, timestep: Tensor, text_k: Tensor, text_v: Tensor,
        image_k: Tensor | None = None, image_v: Tensor | None = None,
        audio_k: Tensor | None = None, audio_v: Tensor | None = None, audio_scale: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """Velocity [b, 16, f, h, w], float32 whatever the weights are.

        latents [b, in_channels, f, h, w]: noise, mask, known frames. timestep [b], 0–1000. audio_scale [b]: how loud the sound
        is to the picture. The rest is of `condition_…`; without images or audio the model neither sees nor hears.
        """
        config = self.config
        f, h, w = latents.shape[2:]
        rows, columns = h // config.patch_size[1], w // config.patch_size[2]
        x = self.patchify(latents.to(self.patch_embedding.weight.dtype))
        frames = torch.arange(f, device=latents.device)[None]
        turn = turn_by(rope_3d(frames, rows, columns, config.rope_split, config.rope_theta))
        embedded = self.time_embedding(sinusoids(timestep, config.frequency_dim))
        projected = self.time_projection(embedded.to(self.patch_embedding.weight.dtype))
        modulation = projected.float().unflatten(1, (6, config.dim))
        scale = None if audio_scale is None else audio_scale.to(x.dtype)[:, None, None]
        for i, block in enumerate(self.blocks):
            known = (None if every is None else every[i] for every in (text_k, text_v, image_k, image_v, audio_k, audio_v))
            x = block(x, modulation, turn, *known, scale)
        return self.unpatchify(self.head(x, embedded), f, rows, columns).float()

    def forward(self, latents: Tensor, timestep: Tensor, **conditions: Tensor) -> Tensor:
        """All at once: latents and timestep with text, images, audio_first, audio_later, audio_scale."""
        return self.denoise(latents, timestep, **self.condition(conditions))

    def condition(self, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What `denoise` is told besides latents and timestep, of the raw conditions that are there."""
        known = dict(zip(CONDITIONS["text"], self.condition_text(given["text"]), strict=True))
        if "images" in given:
            known |= zip(CONDITIONS["images"], self.condition_images(given["images"]), strict=True)
        if "audio_first" in given:
            audio = self.condition_audio(given["audio_first"], given["audio_later"])
            known |= zip(CONDITIONS["audio"], audio, strict=True)
            known["audio_scale"] = given["audio_scale"]
        return known

    def _own_blocks(self) -> list[VideoBlock]:
        return [block for block in self.blocks if isinstance(block, VideoBlock)]

    @staticmethod
    def _stacked(pairs: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        keys, values = (torch.stack(parts) for parts in zip(*pairs, strict=True))
        return keys, values
