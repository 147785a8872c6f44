"""Qwen2.5-Omni and Qwen2.5-VL from a local checkpoint, answering one question at a time in JSON.

The answer is decoded under a grammar made of the question's JSON Schema (llguidance), so that it fits, whatever the weights
are. Needs the `director` extra. Nothing is fetched: the checkpoint is a folder.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher
from llguidance.hf import from_tokenizer
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask
from PIL import Image
from safetensors import SafetensorError
from transformers import (
    AutoFeatureExtractor,
    AutoImageProcessor,
    AutoTokenizer,
    LogitsProcessor,
    LogitsProcessorList,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2_5OmniProcessor,
    Qwen2_5OmniThinkerForConditionalGeneration,
    StoppingCriteria,
    StoppingCriteriaList,
)

from engines.mllm.chat import SOUND_RATE_HZ, CannotPerceive, ChatError, ChatRequest, Picture, Sound

log = logging.getLogger(__name__)


class _Stills:
    """A processor without its video part, which alone needs torchvision; no video is ever shown to it."""

    def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
        if argument_name == "video_processor" and argument is None:
            return None
        return super().check_argument_for_proper_class(argument_name, argument)  # type: ignore[misc]


class _OmniProcessor(_Stills, Qwen2_5OmniProcessor):
    pass


class _VLProcessor(_Stills, Qwen2_5_VLProcessor):
    pass


#: model_type of config.json → the classes it needs. Of Omni only the thinker is loaded: the talker's voice is not wanted.
_CLASSES = {
    "qwen2_5_omni": (Qwen2_5OmniThinkerForConditionalGeneration, _OmniProcessor),
    "qwen2_5_vl": (Qwen2_5_VLForConditionalGeneration, _VLProcessor),
}


class QwenChat:
    """One checkpoint in memory. `hears` and `sees` say what it may be shown. Raises ChatError where it cannot be loaded."""

    def __init__(self, folder: Path, device: str | None = None) -> None:
        kind = _kind(folder)
        if kind not in _CLASSES:
            known = " or ".join(_CLASSES)
            raise ChatError(f"{folder} holds a {kind} model; give one of type {known}", is_lasting=True)
        model_class, processor_class = _CLASSES[kind]
        self.hears, self.sees = kind == "qwen2_5_omni", True
        torch.set_num_threads(max(1, torch.get_num_threads() // 2))  # the other half is for frames
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        try:
            self._processor = _processor(processor_class, folder)
            model, loading = model_class.from_pretrained(folder, dtype="auto", local_files_only=True, output_loading_info=True)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise ChatError(f"{folder} cannot be loaded: {error}", is_lasting=True) from error
        if missing := sorted(loading["missing_keys"]):
            raise ChatError(f"{folder} lacks {len(missing)} of its weights, such as {missing[0]}", is_lasting=True)
        self._model = model.to(self.device).eval()
        self._tokenizer = from_tokenizer(self._processor.tokenizer)
        self._eos = self._processor.tokenizer.eos_token_id

    def answer(self, request: ChatRequest, is_cancelled: Callable[[], bool] = lambda: False) -> str:
        """JSON text that fits the request's schema. Raises ChatError: CannotPerceive, cut off at its longest, or cancelled."""
        if request.has_sound and not self.hears:
            raise CannotPerceive("this checkpoint takes no sound; give a Qwen2.5-Omni one", is_lasting=True)
        inputs = self._inputs(request)
        grammar = _Grammar(self._tokenizer, request.schema, inputs["input_ids"].shape[1])
        with torch.inference_mode():
            tokens = self._model.generate(
                **inputs,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                repetition_penalty=1.0,
                max_new_tokens=request.max_tokens,
                eos_token_id=self._eos,
                pad_token_id=self._eos,
                logits_processor=LogitsProcessorList([grammar]),
                stopping_criteria=StoppingCriteriaList([_Cancelled(is_cancelled)]),
            )
        if is_cancelled():
            raise ChatError("cancelled")
        new = tokens[0, inputs["input_ids"].shape[1] :]
        if new[-1] != self._eos:
            raise ChatError("the model's answer was cut off at its longest")
        return str(self._processor.tokenizer.decode(new, skip_special_tokens=True))

    def _inputs(self, request: ChatRequest) -> Any:
        parts = [part for message in request.messages for part in message.parts]
        conversation = [
            {"role": message.role, "content": [_describe(part) for part in message.parts]} for message in request.messages
        ]
        text = self._processor.apply_chat_template(conversation, tokenize=False, add_generation_prompt=True)
        sounds = [part.samples.astype(np.float32) / 32768 for part in parts if isinstance(part, Sound)]
        pictures = [_open(part) for part in parts if isinstance(part, Picture)]
        media: dict[str, Any] = {}
        if sounds:
            # padded to its own length, not to the longest that the model may ever hear
            length = max(map(len, sounds))
            media |= {"audio": sounds, "audio_kwargs": {"sampling_rate": SOUND_RATE_HZ, "max_length": length}}
        if pictures:
            media["images"] = pictures
        inputs = self._processor(text=[text], return_tensors="pt", **media)
        return inputs.to(self.device, self._model.dtype)


class _Grammar(LogitsProcessor):
    """Leaves only tokens that keep the answer on the way to an object of the schema; `prompt_length` tokens come before it."""

    def __init__(self, tokenizer: Any, schema: dict[str, Any], prompt_length: int) -> None:
        grammar = LLMatcher.grammar_from_json_schema(schema, overrides={"whitespace_flexible": False})
        self._matcher = LLMatcher(tokenizer, grammar)
        if error := self._matcher.get_error():
            raise ChatError(f"the schema cannot be followed: {error}", is_lasting=True)
        self._seen = prompt_length
        self._mask = allocate_token_bitmask(1, tokenizer.vocab_size)

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        for token in input_ids[0, self._seen :].tolist():
            self._matcher.consume_token(token)
        self._seen = input_ids.shape[1]
        fill_next_token_bitmask(self._matcher, self._mask)
        allowed = np.unpackbits(self._mask.view(np.uint8), bitorder="little")[: scores.shape[1]].astype(bool)
        forbidden = np.ones(scores.shape[1], bool)  # an embedding may have rows beyond the vocabulary
        forbidden[: len(allowed)] = ~allowed
        return scores.masked_fill(torch.from_numpy(forbidden).to(scores.device), float("-inf"))  # type: ignore[return-value]


class _Cancelled(StoppingCriteria):
    def __init__(self, is_cancelled: Callable[[], bool]) -> None:
        self._is_cancelled = is_cancelled

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: Any) -> torch.BoolTensor:
        return torch.full((len(input_ids),), self._is_cancelled(), dtype=torch.bool, device=input_ids.device)  # type: ignore[return-value]


def _kind(folder: Path) -> str:
    try:
        config = json.loads((folder / "config.json").read_text())
    except OSError as error:
        raise ChatError(f"{folder} is not a checkpoint: {error}", is_lasting=True) from error
    except ValueError as error:
        raise ChatError(f"{folder / 'config.json'} is not JSON: {error}", is_lasting=True) from error
    return str(config.get("model_type")) if isinstance(config, dict) else "nameless"


def _processor(processor_class: Any, folder: Path) -> Any:
    """As `from_pretrained` makes it, without the video part."""
    settings, _ = processor_class.get_processor_dict(folder, local_files_only=True)
    parts: dict[str, Any] = {
        "tokenizer": AutoTokenizer.from_pretrained(folder, local_files_only=True),
        "image_processor": AutoImageProcessor.from_pretrained(folder, local_files_only=True),
        "video_processor": None,
    }
    if "feature_extractor" in processor_class.get_attributes():
        parts["feature_extractor"] = AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
    template = settings.get("chat_template") or parts["tokenizer"].chat_template
    if not template:
        raise ChatError(f"{folder} has no chat template", is_lasting=True)
    return processor_class(**parts, chat_template=template)


def _describe(part: str | Sound | Picture) -> dict[str, str]:
    """A part as chat templates see it; sound and pictures themselves go to the processor."""
    match part:
        case str():
            return {"type": "text", "text": part}
        case Sound():
            return {"type": "audio", "audio": ""}
        case Picture():
            return {"type": "image", "image": ""}


def _open(picture: Picture) -> Image.Image:
    return Image.open(BytesIO(picture.data)).convert("RGB")
