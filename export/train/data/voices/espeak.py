"""espeak-ng through its library: any language, formant voices, exact phone times."""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import subprocess
from typing import Any

import numpy as np

from export.train.data.speech import SILENCE, Utterance, from_segments, to_16k
from export.train.data.voices import EngineMissing, Voice
from export.train.data.voices.pinyin import numbered_pinyin

#: Our language code → espeak's.
ESPEAK_LANGUAGES = {
    "en": "en-us", "zh": "cmn-latn-pinyin", "ja": "ja", "ko": "ko", "de": "de", "fr": "fr", "es": "es", "it": "it",
    "pt": "pt-br", "hi": "hi", "ar": "ar",
}  # fmt: skip
_VARIANTS = ("f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8")
_VAL_VARIANTS = ("f4", "m7")
_SYNCHRONOUS, _PHONEME_EVENTS_IPA = 2, 3
_RATE, _PITCH, _RANGE = 1, 3, 4
_PHONEME, _TERMINATED = 7, 0
_STOPS = frozenset("ptkbdɡqcʈɟ")
_CLOSURE_S = 0.03
_MISSING = "espeak-ng is not installed: apt-get install espeak-ng libespeak-ng1"


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_void_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", _EventId),
    ]  # fmt: skip


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def espeak_text(text: str, language: str) -> str:
    """What to hand espeak: Chinese as numbered pinyin (Debian's build reads no characters), the rest as it is, pinyin too."""
    return numbered_pinyin(text) if language == "zh" and not text.isascii() else text


def ipa(text: str, language: str) -> str:
    """The phones espeak would speak, as one IPA string. Raises EngineMissing."""
    command = ["espeak-ng", "-q", "--ipa", "-v", ESPEAK_LANGUAGES[language], espeak_text(text, language)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise EngineMissing(_MISSING) from error
    return re.sub(r"\([a-z-]+\)", "", ", ".join(line.strip() for line in done.stdout.splitlines() if line.strip()))


class Espeak:
    """One engine a process: the library keeps global state. Raises EngineMissing."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as error:
            raise EngineMissing(_MISSING) from error
        self._rate_hz = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS_IPA)
        self._pcm: list[Any] = []
        self._events: list[tuple[str, float]] = []
        self._callback = _CALLBACK(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def cast(self) -> list[Voice]:
        return [
            Voice("espeak", f"{code}+{variant}", language, "val" if variant in _VAL_VARIANTS else "train")
            for language, code in ESPEAK_LANGUAGES.items()
            for variant in _VARIANTS
        ]

    def speak(self, voice: Voice, text: str, rng: np.random.Generator) -> Utterance:
        """Speed 120–220 words a minute, pitch and its range at random."""
        self._pcm, self._events = [], []
        if self._library.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise EngineMissing(f"espeak-ng has no voice {voice.name!r}")
        self._library.espeak_SetParameter(_RATE, int(rng.integers(120, 220)), 0)
        self._library.espeak_SetParameter(_PITCH, int(rng.integers(25, 75)), 0)
        self._library.espeak_SetParameter(_RANGE, int(rng.integers(35, 85)), 0)
        data = espeak_text(text, voice.language).encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 0, 0, 1, None, None)
        self._library.espeak_Synchronize()
        audio = to_16k(np.concatenate([*self._pcm, np.zeros(1, np.int16)]) / np.float32(32768), self._rate_hz)
        duration_s = len(audio) / 16000
        times = [*(t for _, t in self._events), duration_s]
        # the silent closure of a stop comes before its event
        early = [_CLOSURE_S if name.strip("ˈˌ")[:1] in _STOPS else 0.0 for name, _ in self._events] + [0.0]
        times = [max(0.0, time - lead) for time, lead in zip(times, early, strict=True)]
        segments = [
            (SILENCE if not name or name.startswith("_") else name, start, max(start, end), 2 * ("ˈ" in name) + ("ˌ" in name))
            for (name, _), start, end in zip(self._events, times[:-1], times[1:], strict=True)
        ]
        return Utterance(audio, from_segments(segments, duration_s), f"espeak:{voice.name}", voice.language, text)

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._pcm.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while events[i].type != _TERMINATED:
            if events[i].type == _PHONEME:
                name = bytes(events[i].id.string).split(b"\0")[0].decode("utf8", "ignore")
                self._events.append((name, events[i].sample / self._rate_hz))
            i += 1
        return 0
