"""Whisper itself, by faster-whisper, with random weights: what is tested is the way in and out."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.recognition.whisper import RecogniserError, Whisper
from tests.fakes.tiny_whisper import write_whisper

HISS = np.random.default_rng(0).normal(0, 3000, 48_000).astype(np.int16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("whisper") / "tiny"
    write_whisper(made)
    return made


def test_a_model_folder_is_loaded_and_writes_text_without_a_network(folder: Path) -> None:
    whisper = Whisper(str(folder))
    assert isinstance(whisper.text(HISS), str)
    assert whisper.words(np.zeros(32_000, np.int16)) == []


def test_words_carry_their_times_and_the_space_before_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whisper = Whisper(str(folder))
    loops = _segment(" and and and", compression_ratio=5.0)
    monkeypatch.setattr(whisper, "_model", _Says([_segment(" Good evening", compression_ratio=1.1), loops]))
    assert [(word.text, word.start_s) for word in whisper.words(HISS)] == [(" Good", 0.0), (" evening", 0.5)]
    assert whisper.text(HISS) == "Good evening"


def test_a_language_is_kept_once_it_is_sure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whisper = Whisper(str(folder))
    says = _Says([])
    monkeypatch.setattr(whisper, "_model", says)
    monkeypatch.setattr(whisper, "_language", None)
    whisper.text(HISS[:16_000])  # a second is too short to tell by
    whisper.text(HISS)
    whisper.text(HISS)
    assert says.languages == [None, None, "zh"]


def test_what_cannot_be_loaded_says_why_and_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecogniserError, match=r"no model\.bin"):
        Whisper(str(tmp_path))
    (tmp_path / "model.bin").write_bytes(b"not a model")
    with pytest.raises(RecogniserError, match="cannot be loaded"):
        Whisper(str(tmp_path))

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(RecogniserError, match=r"pip install 'rostrum\[transcript\]'"):
        Whisper(str(tmp_path))


class _Named:
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def _segment(text: str, compression_ratio: float) -> _Named:
    words = [_Named(word=f" {word}", start=0.5 * i, end=0.5 * i + 0.4) for i, word in enumerate(text.split())]
    return _Named(text=text, words=words, compression_ratio=compression_ratio, no_speech_prob=0.1)


class _Says:
    def __init__(self, segments: list[_Named]) -> None:
        self._segments = segments
        self.languages: list[str | None] = []

    def transcribe(self, audio: Any, language: str | None, **_: Any) -> tuple[list[_Named], _Named]:
        self.languages.append(language)
        return self._segments, _Named(language="zh", language_probability=0.95)
