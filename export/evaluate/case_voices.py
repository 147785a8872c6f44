"""Voices for cases that nobody gave a recording for: their lines, spoken or sung by whichever engine is installed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engines.specs import SAMPLE_RATE_HZ
from export.evaluate.suite import Case
from export.train.data.singing import sung
from export.train.data.voices import Engine, EngineMissing, Voice
from export.train.data.voices.espeak import Espeak
from export.train.data.voices.hibari import Hibari
from export.train.data.voices.kokoro import Kokoro

_PAUSE_S = 0.3  # between sentences
_FADE_S = 0.05  # where the case's time is up in the middle of one
_LEVEL = 0.1  # RMS
_LOUDEST = 0.97
#: Natural voices first; espeak-ng speaks all of them.
_PREFERRED: dict[str, Callable[[], Engine]] = {"kokoro": Kokoro, "hibari": Hibari, "espeak": Espeak}


class Speakers:
    """All that is installed of `engines`, the earlier ones preferred. Raises EngineMissing where none is."""

    def __init__(self, engines: Sequence[str] = tuple(_PREFERRED)) -> None:
        self._engines: list[Engine] = []
        why = ""
        for name in engines:
            try:
                self._engines.append(_PREFERRED[name]())
            except EngineMissing as error:
                why = str(error)
        if not self._engines:
            raise EngineMissing(why)

    def say(self, case: Case) -> tuple[NDArray[np.int16], str]:
        """A case's lines until its seconds are over, 16 kHz mono, and in words whose voice it is. The case's id decides which.

        Raises EngineMissing where nobody speaks the language.
        """
        rng = np.random.default_rng(zlib.crc32(case.id.encode()))
        engine, voice = self._speaker(case.language, rng)
        lines = case.spoken if voice.engine == "espeak" and case.spoken else case.lines
        num = case.seconds * SAMPLE_RATE_HZ
        pieces: list[NDArray[np.float32]] = []
        for line in lines:
            utterance = engine.speak(voice, line, rng)
            if case.voice == "song":
                utterance = sung(replace(utterance, text=line), rng)
            pieces += [utterance.audio, np.zeros(round(_PAUSE_S * SAMPLE_RATE_HZ), np.float32)]
            if sum(map(len, pieces)) >= num:
                break
        audio = np.concatenate(pieces)[:num]
        audio[-round(_FADE_S * SAMPLE_RATE_HZ) :] *= np.linspace(1, 0, round(_FADE_S * SAMPLE_RATE_HZ))
        gain = min(_LEVEL / max(float(np.sqrt(np.mean(audio**2))), 1e-6), _LOUDEST / max(float(np.abs(audio).max()), 1e-6))
        return np.round(audio * gain * 32767).astype(np.int16), f"{voice.engine} {voice.name}" + (
            "*sung" if case.voice == "song" else ""
        )

    def _speaker(self, language: str, rng: np.random.Generator) -> tuple[Engine, Voice]:
        for engine in self._engines:
            if cast := [voice for voice in engine.cast() if voice.language == language]:
                return engine, cast[int(rng.integers(len(cast)))]
        raise EngineMissing(
            f"no engine that is installed speaks {language}: install espeak-ng (`sh deploy/system-packages.sh voice`)"
        )
