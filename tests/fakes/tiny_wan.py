"""Wan 2.1 made tiny, with random weights: in its own naming, in diffusers' and as files."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from engines.catalog import FrameAudio, VideoDiTConfig, wan_rope_split
from engines.models.video_dit import VideoDiT
from engines.models.wan_vae import WanVae, WanVaeConfig
from tests.fakes.tiny_conditioners import (
    write_clip,
    write_original_clip,
    write_original_umt5,
    write_tokenizer,
    write_umt5,
    write_wav2vec2,
)

Module = TypeVar("Module", bound=torch.nn.Module)

TINY = VideoDiTConfig(
    dim=48, ffn_dim=64, num_heads=2, num_blocks=2, text_dim=20, image_dim=12, frequency_dim=16, rope_split=wan_rope_split(24)
)
TEXT_ONLY = replace(TINY, image_dim=0, condition_channels=0)
FIRST_AND_LAST = replace(TINY, image_positions=2 * 257)
INFINITETALK = FrameAudio(feature_dim=3 * 8, hidden_dim=10, num_tokens=4, token_dim=14)
SPEAKING = replace(FIRST_AND_LAST, audio=INFINITETALK)
ECHOMIMIC = replace(INFINITETALK, style="echomimic", token_dim=TINY.dim)


TINY_VAE = WanVaeConfig(dim=4)


def randomised(model: Module, seed: int = 0) -> Module:
    """Every parameter moved, so that none is 0 or 1 and no two are equal."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += torch.randn(parameter.shape, generator=generator) * 0.1
    return model


def tiny_model(config: VideoDiTConfig = TINY, seed: int = 0) -> VideoDiT:
    """Every parameter random, biases and norms too."""
    model = VideoDiT(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator) * 0.3
            parameter.copy_(1 + noise if "norm" in name and name.endswith("weight") else noise)
    return model


def tiny_inputs(config: VideoDiTConfig, b: int = 2, f: int = 3, h: int = 4, w: int = 6, seed: int = 1) -> dict[str, Tensor]:
    """Random inputs of `VideoDiT.forward`."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    inputs = {"latents": normal(b, config.in_channels, f, h, w), "timestep": torch.tensor([999.0, 250.0])[:b]}
    inputs["text"] = normal(b, 512, config.text_dim)
    if config.image_dim:
        inputs["images"] = normal(b, config.image_positions or 257, config.image_dim)
    if config.audio:
        d, (first, later) = config.audio.feature_dim, config.audio.windows
        inputs |= {"audio_first": normal(b, first, d), "audio_later": normal(b, f - 1, later, d)}
        inputs["audio_scale"] = torch.ones(b)
    return inputs


def write_weights(folder: Path, config: VideoDiTConfig = SPEAKING) -> Path:
    """A whole folder of weights, as `rostrum serve --model wan --weights` takes it."""
    for name in ("transformer", "vae"):
        (folder / name).mkdir(parents=True)
    save_file(tiny_model(config).state_dict(), folder / "transformer" / "diffusion_pytorch_model.safetensors")
    (folder / "transformer" / "config.json").write_text(json.dumps({"num_heads": config.num_heads}))
    save_file(randomised(WanVae(TINY_VAE)).state_dict(), folder / "vae" / "Wan2.1_VAE.safetensors")
    write_umt5(folder / "text_encoder", config.text_dim)
    write_tokenizer(folder / "tokenizer")
    write_clip(folder / "image_encoder", config.image_dim, heads=16 if config.image_dim % 16 == 0 else 2)
    write_wav2vec2(folder / "audio_encoder")
    return folder


def write_original(diffusers: Path, folder: Path) -> Path:
    """A folder of `write_weights` (whose CLIP has 16 heads) in the layout of Wan's own repositories."""
    folder.mkdir()
    for name in ("diffusion_pytorch_model.safetensors", "config.json"):
        shutil.copy(diffusers / "transformer" / name, folder)
    torch.save(load_file(diffusers / "vae" / "Wan2.1_VAE.safetensors"), folder / "Wan2.1_VAE.pth")
    write_original_umt5(diffusers / "text_encoder", folder / "models_t5_umt5-xxl-enc-bf16.pth")
    shutil.copytree(diffusers / "tokenizer", folder / "google" / "umt5-xxl")
    write_original_clip(
        diffusers / "image_encoder", folder / "models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth"
    )  # fmt: skip
    return folder
