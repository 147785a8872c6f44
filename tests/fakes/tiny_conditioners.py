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


def write_original_umt5(source: Path, file: Path) -> None:
    """A folder of `write_umt5` as Wan's own repositories hold it."""
    theirs = {}
    for name, tensor in transformers.UMT5EncoderModel.from_pretrained(source).state_dict().items():
        for ours, original in (
            ("encoder.block.", "blocks."), ("layer.0.SelfAttention.relative_attention_bias", "pos_embedding.embedding"),
            ("layer.0.SelfAttention", "attn"), ("layer.0.layer_norm", "norm1"), ("layer.1.layer_norm", "norm2"),
            ("layer.1.DenseReluDense.wi_0", "ffn.gate.0"), ("layer.1.DenseReluDense.wi_1", "ffn.fc1"),
            ("layer.1.DenseReluDense.wo", "ffn.fc2"), ("encoder.final_layer_norm", "norm"), ("shared", "token_embedding"),
        ):  # fmt: skip
            name = name.replace(ours, original)
        if "embed_tokens" not in name:
            theirs[name] = tensor.clone()
    torch.save(theirs, file)


def write_original_clip(source: Path, file: Path) -> None:
    """A folder of `write_clip` as Wan's own repositories hold it: with the half that reads words, and its head."""
    ours = transformers.CLIPVisionModel.from_pretrained(source).state_dict()
    theirs = {
        "visual.cls_embedding": ours["embeddings.class_embedding"][None, None],
        "visual.pos_embedding": ours["embeddings.position_embedding.weight"][None],
        "visual.patch_embedding.weight": ours["embeddings.patch_embedding.weight"],
        "visual.head": torch.zeros(4, 4), "textual.token_embedding.weight": torch.zeros(3, 4), "log_scale": torch.zeros(()),
    }  # fmt: skip
    for end in ("weight", "bias"):
        theirs |= {
            f"visual.{n}.{end}": ours[f"{m}.{end}"] for n, m in (("pre_norm", "pre_layrnorm"), ("post_norm", "post_layernorm"))
        }
        for i in range(2):
            layer, to = f"encoder.layers.{i}", f"visual.transformer.{i}"
            theirs[f"{to}.attn.to_qkv.{end}"] = torch.cat([ours[f"{layer}.self_attn.{part}_proj.{end}"] for part in "qkv"])
            for name, original in (
                ("self_attn.out_proj", "attn.proj"), ("layer_norm1", "norm1"), ("layer_norm2", "norm2"), ("mlp.fc1", "mlp.0"),
                ("mlp.fc2", "mlp.2"),
            ):  # fmt: skip
                theirs[f"{to}.{original}.{end}"] = ours[f"{layer}.{name}.{end}"]
    torch.save(theirs, file)


def write_tokenizer(folder: Path) -> Path:
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((letter, -3.0) for letter in "▁abcdefghijklmnopqrstuvwxyz;")]
    made = Tokenizer(Unigram(pieces, unk_id=2))
    made.pre_tokenizer = Metaspace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="</s>").save_pretrained(folder)
    return folder


def write_clip(folder: Path, dim: int = 12, heads: int = 2) -> Path:
    """Of 224 pixels by patches of 14, as the published one, so that it gives 257 tokens."""
    torch.manual_seed(2)
    config = transformers.CLIPVisionConfig(
        hidden_size=dim,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=heads,
        image_size=224,
        patch_size=14,
        hidden_act="gelu",
    )
    return _quiet(transformers.CLIPVisionModel(config), folder)


def write_wav2vec2(folder: Path, layers: int = 3, dim: int = 8, stable: bool = False) -> Path:
    torch.manual_seed(3)
    config = transformers.Wav2Vec2Config(
        hidden_size=dim, num_hidden_layers=layers, num_attention_heads=2, intermediate_size=16, conv_dim=(8,) * 7,
        num_conv_pos_embedding_groups=2, num_conv_pos_embeddings=16, do_stable_layer_norm=stable,
        feat_extract_norm="layer" if stable else "group",
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
