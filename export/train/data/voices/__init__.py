"""Speech engines that say when each phone is spoken. All are for training only (the ``speech`` extra, and Debian's
``espeak-ng`` and ``flite``); one that is missing raises EngineMissing, which names what to install.

An engine has ``cast()``, the voices it offers, and ``speak(voice, text, rng)``, which gives an ``Utterance``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from export.train.data.speech import Utterance


class EngineMissing(RuntimeError):
    """A speech engine is not installed. The message says how to install it."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice and a language it speaks. ``name`` is the engine's own; voices held out for validation have split ``val``."""

    engine: str
    name: str
    language: str
    split: str = "train"


class Engine(Protocol):
    def cast(self) -> list[Voice]: ...

    def speak(self, voice: Voice, text: str, rng: np.random.Generator) -> Utterance: ...
