"""A Whisper model in CTranslate2's format, of a few thousand random weights: it loads and runs as published ones do."""

import json
from pathlib import Path

import ctranslate2
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.pre_tokenizers import ByteLevel

_LANGUAGES = ("en", "zh", "de")


def write_whisper(folder: Path) -> None:
    """Multilingual, and it says something of any sound."""
    special = [
        "<|endoftext|>", "<|startoftranscript|>", *(f"<|{language}|>" for language in _LANGUAGES), "<|translate|>",
        "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
        *(f"<|{i * 0.02:.2f}|>" for i in range(1501)),
    ]  # fmt: skip
    letters = sorted(ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    of = {token: tokenizer.token_to_id(token) for token in special}
    torch.manual_seed(3)
    config = transformers.WhisperConfig(
        vocab_size=len(letters) + len(special), d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, pad_token_id=of["<|endoftext|>"],
        bos_token_id=of["<|endoftext|>"], eos_token_id=of["<|endoftext|>"],
        decoder_start_token_id=of["<|startoftranscript|>"], begin_suppress_tokens=None, suppress_tokens=None,
    )  # fmt: skip
    source = folder.with_name(folder.name + "-source")
    model = transformers.WhisperForConditionalGeneration(config)
    model.generation_config = transformers.GenerationConfig.from_dict(
        {
            "suppress_tokens": [],
            "begin_suppress_tokens": [],
            "lang_to_id": {f"<|{language}|>": of[f"<|{language}|>"] for language in _LANGUAGES},
            "alignment_heads": [[0, 0]],
            "no_timestamps_token_id": of["<|notimestamps|>"],
            "eos_token_id": of["<|endoftext|>"],
            "pad_token_id": of["<|endoftext|>"],
        }
    )
    model.save_pretrained(source)
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(source)
    ctranslate2.converters.TransformersConverter(str(source)).convert(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "preprocessor_config.json").write_text(json.dumps(transformers.WhisperFeatureExtractor().to_dict()))
