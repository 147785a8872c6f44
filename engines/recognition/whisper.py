"""Whisper (Radford et al. 2022) in CTranslate2's format, by faster-whisper: the extra `transcript`."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

WHISPER = "engines.recognition.whisper:Whisper"
INSTALL = "pip install 'rostrum[transcript]'"
_SURE = 0.8  # of a language, from which it is kept
_LEAST_S = 2.0  # of voice to tell a language by
_STYLE = {"zh": "以下是普通话的句子。"}  # else Mandarin comes in traditional characters half of the time


class RecogniserError(RuntimeError):
    """No words can be had. The message says why and the way out."""


@dataclass(frozen=True, slots=True)
class HeardWord:
    """One word as it is written, with the space before it where there is one; in seconds from the start of the voice."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class HeardSpeech:
    """What is said, and in which language ("en"), with how sure that is."""

    text: str
    language: str
    probability: float


class Recogniser(Protocol):
    """What a class that writes down voices offers; `Whisper` is the real one. Voice is int16 [n] at 16 kHz."""

    def text(self, voice: NDArray[np.int16]) -> str: ...
    def words(self, voice: NDArray[np.int16]) -> list[HeardWord]: ...


class Whisper:
    """A model by its folder, or by a name that faster-whisper downloads, such as `base` or `Systran/faster-whisper-small`.

    language: "en", "zh" and so on; None: that of the first voice it is sure of.
    """

    def __init__(self, model: str, language: str | None = None, threads: int = 1) -> None:
        """Raises RecogniserError."""
        try:
            package: Any = importlib.import_module("faster_whisper")
        except ImportError as error:
            raise RecogniserError(f"faster-whisper is not installed ({error}): {INSTALL}") from None
        if Path(model).is_dir() and not (Path(model) / "model.bin").is_file():
            raise RecogniserError(f"{model} is not a Whisper model in CTranslate2's format: it has no model.bin")
        try:
            self._model: Any = package.WhisperModel(model, device="auto", compute_type="auto", cpu_threads=threads)
        except Exception as error:
            raise RecogniserError(f"the Whisper model {model} cannot be loaded: {error}") from error
        self._language = language if self._model.model.is_multilingual else "en"

    def text(self, voice: NDArray[np.int16]) -> str:
        """One utterance, at half the cost of `words`."""
        return "".join(segment.text for segment in self._segments(voice)).strip()

    def words(self, voice: NDArray[np.int16]) -> list[HeardWord]:
        """A voice of any length."""
        segments = self._segments(voice, word_timestamps=True, vad_filter=True, beam_size=5)
        return [HeardWord(word.word, float(word.start), float(word.end)) for each in segments for word in each.words or ()]

    def heard(self, voice: NDArray[np.int16]) -> HeardSpeech:
        """A voice by itself, whatever was spoken before. A model of one language hears no other."""
        segments, about = self._model.transcribe(voice.astype(np.float32) / 32768, beam_size=1, temperature=0.0)
        text = "".join(each.text for each in segments if each.no_speech_prob < 0.6).strip()
        return HeardSpeech(text, about.language, float(about.language_probability))

    def _segments(self, voice: NDArray[np.int16], **options: Any) -> list[Any]:
        """What is repeated over and over or thought not to be speech is left out by the model's own measures."""
        options = {"beam_size": 1, "temperature": 0.0, "condition_on_previous_text": False} | options
        language = self._language
        segments, about = self._model.transcribe(
            voice.astype(np.float32) / 32768, language=language, initial_prompt=_STYLE.get(language or ""), **options
        )
        if language is None and len(voice) >= _LEAST_S * 16_000 and about.language_probability >= _SURE:
            self._language = about.language
        return [each for each in segments if each.compression_ratio < 2.4 and each.no_speech_prob < 0.6]
