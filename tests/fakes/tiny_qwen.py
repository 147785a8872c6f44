"""Qwen2.5-Omni and Qwen2.5-VL checkpoints of the published layout, of a hundred thousand random weights."""

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers.pre_tokenizers import ByteLevel
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

TEMPLATE = """{% for m in messages %}<|im_start|>{{ m.role }}
{% for p in m.content -%}
{% if p.type == 'text' %}{{ p.text }}{% elif p.type == 'image' %}START_IMAGE{% else %}START_AUDIO{% endif %}
{%- endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
_OMNI = {
    "image_token": "<|IMAGE|>", "audio_token": "<|AUDIO|>", "video_token": "<|VIDEO|>", "vision_bos_token": "<|vision_bos|>",
    "vision_eos_token": "<|vision_eos|>", "audio_bos_token": "<|audio_bos|>", "audio_eos_token": "<|audio_eos|>",
}  # fmt: skip
_VL = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")


def write_omni(folder: Path) -> transformers.PreTrainedModel:
    """A whole Omni without its talker, named as the published one is: `thinker.…`."""
    tokenizer = _tokenizer(tuple(_OMNI.values()), extra_special_tokens=_OMNI)
    of = tokenizer.convert_tokens_to_ids
    thinker = {
        "text_config": _text(len(tokenizer)),
        "vision_config": _vision(),
        "audio_config": {
            "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 32, "d_model": 32, "output_dim": 32,
            "num_mel_bins": 128,
        },
        "audio_token_index": of("<|AUDIO|>"), "image_token_index": of("<|IMAGE|>"), "video_token_index": of("<|VIDEO|>"),
        "audio_start_token_id": of("<|audio_bos|>"), "audio_end_token_id": of("<|audio_eos|>"),
        "vision_start_token_id": of("<|vision_bos|>"), "vision_end_token_id": of("<|vision_eos|>"),
    }  # fmt: skip
    config = transformers.Qwen2_5OmniConfig(thinker_config=thinker, enable_audio_output=False)
    template = TEMPLATE.replace("START_IMAGE", "<|vision_bos|><|IMAGE|><|vision_eos|>")
    template = template.replace("START_AUDIO", "<|audio_bos|><|AUDIO|><|audio_eos|>")
    model = _write(folder, transformers.Qwen2_5OmniForConditionalGeneration, config, tokenizer, template)
    settings = folder / "preprocessor_config.json"
    hearing = transformers.WhisperFeatureExtractor(feature_size=128).to_dict()
    settings.write_text(json.dumps(json.loads(settings.read_text()) | hearing))
    return model


def write_vl(folder: Path) -> transformers.PreTrainedModel:
    """A whole VL."""
    tokenizer = _tokenizer(_VL)
    of = tokenizer.convert_tokens_to_ids
    config = transformers.Qwen2_5_VLConfig(
        text_config=_text(len(tokenizer)),
        vision_config=_vision(),
        image_token_id=of("<|image_pad|>"),
        video_token_id=of("<|video_pad|>"),
        vision_start_token_id=of("<|vision_start|>"),
        vision_end_token_id=of("<|vision_end|>"),
    )
    template = TEMPLATE.replace("START_IMAGE", "<|vision_start|><|image_pad|><|vision_end|>").replace("START_AUDIO", "")
    return _write(folder, transformers.Qwen2_5_VLForConditionalGeneration, config, tokenizer, template)


def _tokenizer(special: tuple[str, ...], **settings: Any) -> Any:
    """Bytes, and what marks the turns and the media."""
    words = [*sorted(ByteLevel.alphabet()), "<|endoftext|>", "<|im_start|>", "<|im_end|>", *special]
    made = transformers.Qwen2Tokenizer(
        vocab={word: i for i, word in enumerate(words)}, merges=[], eos_token="<|im_end|>", **settings
    )
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>", *special]})
    return made


def _text(vocab_size: int) -> dict[str, Any]:
    return {
        "vocab_size": vocab_size + 3,  # the published ones, too, have rows that no token uses
        "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2,
        "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6},
        "eos_token_id": None, "bos_token_id": None,
    }  # fmt: skip


def _vision() -> dict[str, Any]:
    return {
        "depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2, "patch_size": 14, "out_hidden_size": 32,
        "fullatt_block_indexes": [0],
    }  # fmt: skip


def _write(folder: Path, model_class: Any, config: Any, tokenizer: Any, template: str) -> Any:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(7)
    model = model_class(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    Qwen2VLImageProcessorPil().save_pretrained(folder)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": template}))
    return model
