"""The encoders of the published layouts, tiny and random, written as folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace


def _quiet(model: Any, folder: Path) -> Path:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    model.save_pretrained(folder)
    return folder


def write_umt5(folder: Path, dim: int = 20) -> Path:
    torch.manual_seed(1)
    config = transformers.UMT5Config(vocab_size=64, d_model=dim, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
    return _quiet(transformers.UMT5EncoderModel(config), folder)


def write_tokenizer(folder: Path) -> Path:
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((letter, -3.0) for letter in "▁abcdefghijklmnopqrstuvwxyz;")]
    made = Tokenizer(Unigram(pieces, unk_id=2))
    made.pre_tokenizer = Metaspace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="</s>").save_pretrained(folder)
    return folder


def write_clip(folder: Path, dim: int = 12) -> Path:
    """Of 224 pixels by patches of 14, as the published one, so that it gives 257 tokens."""
    torch.manual_seed(2)
    config = transformers.CLIPVisionConfig(
        hidden_size=dim, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=224, patch_size=14
    )
    return _quiet(transformers.CLIPVisionModel(config), folder)


def write_wav2vec2(folder: Path, layers: int = 3, dim: int = 8) -> Path:
    torch.manual_seed(3)
    config = transformers.Wav2Vec2Config(
        hidden_size=dim, num_hidden_layers=layers, num_attention_heads=2, intermediate_size=16, conv_dim=(8,) * 7,
        num_conv_pos_embedding_groups=2, num_conv_pos_embeddings=16,
    )  # fmt: skip
    return _quiet(transformers.Wav2Vec2Model(config), folder)


def write_whisper(folder: Path, layers: int = 4, dim: int = 8) -> Path:
    torch.manual_seed(4)
    config = transformers.WhisperConfig(
        d_model=dim, encoder_layers=layers, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=16, decoder_ffn_dim=16, vocab_size=64, pad_token_id=0, bos_token_id=1, eos_token_id=1,
        decoder_start_token_id=1,
    )  # fmt: skip
    return _quiet(transformers.WhisperModel(config), folder)
