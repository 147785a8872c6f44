"""What a video transformer is told, made by transformers' own encoders: words (UMT5), faces (CLIP), speech (wav2vec2, Whisper).

What does not change is made once: embeddings are kept per prompt and per picture, the least used ones forgotten.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from engines.catalog import FrameAudio
from engines.checkpoint_encoders import load_audio_encoder, load_image_encoder, load_text_encoder, load_tokenizer
from engines.recent import Recent

SAMPLE_RATE_HZ = 16_000
NUM_TEXT_TOKENS = 512
FRAMES_A_LATENT = 4
_WHISPER_GROUPS = 4
_CLIP_MEAN, _CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)

Rgb = NDArray[np.uint8]  # [h, w, 3]


def picture_key(picture: Rgb) -> str:
    """Equal pictures, equal keys."""
    return hashlib.blake2b(picture.tobytes(), digest_size=16).hexdigest() + str(picture.shape)


class TextConditioner:
    """Prompts to UMT5's last hidden states, zeros after the last word, as Wan was trained."""

    def __init__(self, source: Path, tokenizer_folder: Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
        """Raises CheckpointError for files that are not those of a UMT5 and its tokenizer."""
        self._tokenizer = load_tokenizer(tokenizer_folder)
        self._encoder = load_text_encoder(source, dtype).eval().to(device)
        self._device = device
        self._kept: Recent[str, Tensor] = Recent(64)

    @property
    def dim(self) -> int:
        return int(self._encoder.config.d_model)

    def encode(self, prompt: str) -> Tensor:
        """[1, 512, dim] of the encoder's type."""
        return self._kept.get(prompt, lambda: self._encode(" ".join(prompt.split())))

    @torch.inference_mode()
    def _encode(self, prompt: str) -> Tensor:
        tokens = self._tokenizer([prompt], max_length=NUM_TEXT_TOKENS, truncation=True, return_tensors="pt").to(self._device)
        if not tokens.input_ids.shape[1]:
            return torch.zeros(1, NUM_TEXT_TOKENS, self.dim, device=self._device, dtype=self._encoder.dtype)
        hidden = self._encoder(tokens.input_ids).last_hidden_state  # padding, masked, would only take time
        return F.pad(hidden, (0, 0, 0, NUM_TEXT_TOKENS - hidden.shape[1]))


class ImageConditioner:
    """Pictures to CLIP's hidden states before its last layer; `emb_pos` models see those of the first and the last frame."""

    def __init__(self, encoder: Any, device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
        """encoder: a transformers `CLIPVisionModel`."""
        self._encoder = encoder.eval().to(device, dtype)
        self._device, self._dtype = device, dtype
        self._kept: Recent[str, Tensor] = Recent(64)

    @classmethod
    def of(cls, source: Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> ImageConditioner:
        """Of a checkpoint. Raises CheckpointError."""
        return cls(load_image_encoder(source, dtype), device, dtype)

    @property
    def dim(self) -> int:
        return int(self._encoder.config.hidden_size)

    def encode(self, picture: Rgb) -> Tensor:
        """[1, 257, dim] (257: of 224 pixels by patches of 14)."""
        return self._kept.get(picture_key(picture), lambda: self._encode(picture))

    @torch.inference_mode()
    def _encode(self, picture: Rgb) -> Tensor:
        side = self._encoder.config.image_size
        pixels = torch.from_numpy(picture).to(self._device).permute(2, 0, 1)[None].float() / 255
        pixels = F.interpolate(pixels, (side, side), mode="bicubic", align_corners=False)
        mean, std = (pixels.new_tensor(values)[:, None, None] for values in (_CLIP_MEAN, _CLIP_STD))
        hidden: Tensor = self._encoder(((pixels - mean) / std).to(self._dtype), output_hidden_states=True).hidden_states[-2]
        return hidden


def audio_dim(config: Any) -> int:
    """Layers × channels that an `AudioConditioner` gives of a transformers wav2vec2 or Whisper of this config."""
    if config.model_type == "wav2vec2":
        return int(config.num_hidden_layers * config.hidden_size)
    return int((_WHISPER_GROUPS + 1) * config.d_model)


class AudioConditioner:
    """Speech to features at the video's rate: wav2vec2's layers (MultiTalk), or Whisper's in five groups (HuMo)."""

    def __init__(self, model: Any, device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
        """model: a transformers `Wav2Vec2Model`, or the encoder of a `WhisperModel`. Raises ValueError for any other."""
        self.kind = str(model.config.model_type)
        if self.kind not in ("wav2vec2", "whisper"):
            raise ValueError(f"{self.kind} is no encoder of speech that is known here: take wav2vec2 or Whisper")
        self._model, self._device, self._dtype = model.eval().to(device, dtype), device, dtype
        if self.kind == "whisper":
            from transformers import WhisperFeatureExtractor

            self._mel: Any = WhisperFeatureExtractor(feature_size=model.config.num_mel_bins)

    @classmethod
    def of(cls, folder: Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> AudioConditioner:
        """Of a checkpoint folder. Raises CheckpointError, and ValueError as the constructor."""
        return cls(load_audio_encoder(folder, dtype), device, dtype)

    @property
    def dim(self) -> int:
        """As `audio_dim`."""
        return audio_dim(self._model.config)

    @property
    def silence(self) -> Tensor:
        """What a model is told that is to hear nothing, features [dim] of a frame: zeros, as MultiTalk and EchoMimicV3 do."""
        return torch.zeros(self.dim, device=self._device)

    @torch.inference_mode()
    def encode(self, voice: NDArray[np.float32], num_frames: int) -> Tensor:
        """Voice [n] (16 kHz, −1 to 1) that lasts `num_frames` frames, to features [num_frames, dim]."""
        layers = self._of_wav2vec2(voice, num_frames) if self.kind == "wav2vec2" else self._of_whisper(voice, num_frames)
        return layers.transpose(0, 1).flatten(1)

    def _of_wav2vec2(self, voice: NDArray[np.float32], num_frames: int) -> Tensor:
        """[layers, num_frames, channels]: brought to the video's rate before the transformer, as MultiTalk has it."""
        sound = torch.from_numpy((voice - voice.mean()) / np.sqrt(voice.var() + 1e-7)).to(self._device, self._dtype)
        at_the_rate = self._model.feature_extractor.register_forward_hook(
            lambda _module, _args, heard: F.interpolate(heard.float(), num_frames, mode="linear", align_corners=True).to(heard)
        )
        with at_the_rate:
            heard = self._model(sound[None], output_hidden_states=True)
        return torch.cat([*heard.hidden_states[1:-1], heard.last_hidden_state])  # of which the last is normalised in all sizes

    def _of_whisper(self, voice: NDArray[np.float32], num_frames: int) -> Tensor:
        """[5, num_frames, channels]: four means over quarters of the layers, and the last."""
        mel = self._mel(voice, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt").input_features
        layers = torch.stack(self._model(mel.to(self._device, self._dtype), output_hidden_states=True).hidden_states)[:, 0]
        inner = layers[:-1].unflatten(0, (_WHISPER_GROUPS, -1)).mean(dim=1)
        heard = torch.cat([inner, layers[-1:]])[:, : max(1, round(len(voice) / SAMPLE_RATE_HZ * 50))]
        return F.interpolate(heard.transpose(1, 2).float(), num_frames, mode="linear").transpose(1, 2).to(self._dtype)


def audio_windows(
    features: Tensor, start: int, num_frames: int, config: FrameAudio, frames_a_latent: int = FRAMES_A_LATENT
) -> tuple[Tensor, Tensor]:
    """Features [n, d] of a longer stretch to what a clip of 1 + 4k frames from `start` hears: [1, 5, d] and [1, k, 8, d].

    Latent 0 hears the frames around the first, from 2 before it; a later one those around its four. Before the beginning and
    after the end, what is nearest stands in.
    """
    around = config.windows[0] // 2
    later = torch.arange(1, num_frames, frames_a_latent)[:, None] - around + torch.arange(config.windows[1])
    first = torch.arange(config.windows[0]) - around
    index = [(start + each).clamp(0, len(features) - 1).to(features.device) for each in (first, later)]
    return features[index[0]][None], features[index[1]][None]
