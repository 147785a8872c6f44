"""The encoders of words and of pictures, of transformers' folders or of the files that Wan's own repositories hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from engines.checkpoint_files import CheckpointError, State, listed, read_state
from engines.checkpoint_names import CLIP, UMT5, renamed

_CLIP_HEADS = 16  # of the one that Wan was trained with; no tensor tells
_CLIP_PIXELS = 224


def load_text_encoder(source: Path, dtype: torch.dtype = torch.float32) -> Any:
    """A transformers `UMT5EncoderModel` of its folder, or of `models_t5_umt5-xxl-enc-bf16.pth`. Raises CheckpointError."""
    from transformers import UMT5Config, UMT5EncoderModel

    if source.is_dir():
        return _of_folder(UMT5EncoderModel, source, dtype)
    state = read_state(source, lambda name: renamed(name, UMT5), lambda _, tensor: tensor.to(dtype))
    first = "encoder.block.0.layer.0.SelfAttention"
    _need(state, source, "no UMT5", "shared.weight", f"{first}.q.weight", f"{first}.relative_attention_bias.weight")
    vocabulary, width = state["shared.weight"].shape
    buckets, heads = state[f"{first}.relative_attention_bias.weight"].shape
    config = UMT5Config(
        vocab_size=vocabulary, d_model=width, d_kv=state[f"{first}.q.weight"].shape[0] // heads, num_heads=heads,
        d_ff=state["encoder.block.0.layer.1.DenseReluDense.wi_0.weight"].shape[0], relative_attention_num_buckets=buckets,
        num_layers=1 + max(int(name.split(".")[2]) for name in state if name.startswith("encoder.block.")),
    )  # fmt: skip
    return _filled(UMT5EncoderModel, config, state, source, dtype)


def load_image_encoder(source: Path, dtype: torch.dtype = torch.float32) -> Any:
    """A transformers `CLIPVisionModel` of its folder, or of `models_clip_open-clip-….pth`. Raises CheckpointError."""
    from transformers import CLIPVisionConfig, CLIPVisionModel

    if source.is_dir():
        return _of_folder(CLIPVisionModel, source, dtype)
    state: State = {}
    read = read_state(source, cast=lambda _, tensor: tensor.to(dtype))
    _need(read, source, "no CLIP of Wan's", "visual.patch_embedding.weight", "visual.cls_embedding", "visual.pos_embedding")
    for name, tensor in read.items():
        if not name.startswith("visual.") or name == "visual.head":
            continue  # of the words, and what compares them with pictures
        ours = renamed(name, CLIP)
        if ".to_qkv." in ours:
            for part, third in zip("qkv", tensor.chunk(3), strict=True):
                state[ours.replace("to_qkv", f"{part}_proj")] = third
        else:
            state[ours] = (
                tensor.flatten() if "class_embedding" in ours else tensor[0] if "position_embedding" in ours else tensor
            )
    width, _, patch, _ = read["visual.patch_embedding.weight"].shape
    config = CLIPVisionConfig(
        hidden_size=width, intermediate_size=read["visual.transformer.0.mlp.0.weight"].shape[0], hidden_act="gelu",
        num_hidden_layers=1 + max(int(name.split(".")[2]) for name in read if name.startswith("visual.transformer.")),
        num_attention_heads=_CLIP_HEADS, image_size=_CLIP_PIXELS, patch_size=patch,
    )  # fmt: skip
    return _filled(CLIPVisionModel, config, state, source, dtype)


def load_audio_encoder(source: Path, dtype: torch.dtype = torch.float32) -> Any:
    """wav2vec2, or Whisper's encoder, of a transformers folder. Raises CheckpointError."""
    from transformers import AutoModel

    model = _of_folder(AutoModel, source, dtype)
    return getattr(model, "encoder", model) if model.config.model_type == "whisper" else model


def load_tokenizer(folder: Path) -> Any:
    """Of a transformers folder. Raises CheckpointError."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder)
    except Exception as error:  # of many kinds
        raise CheckpointError(f"{folder} cannot be read as a tokenizer: {error}") from None


def _of_folder(kind: Any, source: Path, dtype: torch.dtype) -> Any:
    try:
        return kind.from_pretrained(source, dtype=dtype)
    except Exception as error:  # of many kinds
        raise CheckpointError(f"{source} cannot be read as a {kind.__name__}: {error}") from None


def _need(state: State, source: Path, what: str, *names: str) -> None:
    if missing := [name for name in names if name not in state]:
        raise CheckpointError(f"{source} is {what}: it has no {listed(missing)}")


def _filled(kind: Any, config: Any, state: State, source: Path, dtype: torch.dtype) -> Any:
    model, info = kind.from_pretrained(None, config=config, state_dict=state, dtype=dtype, output_loading_info=True)
    wrong = {*info["missing_keys"], *info["unexpected_keys"], *(name for name, *_ in info["mismatched_keys"])}
    if wrong:
        raise CheckpointError(f"{source} is not what its first tensors say: {listed(wrong)}")
    return model.eval()
