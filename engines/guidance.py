"""Classifier-free guidance with two conditions, words and sound (the formula of InfiniteTalk, after Ho & Salimans 2022)."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Branch(IntEnum):
    """What one evaluation of the transformer is told."""

    FULL = 0
    NO_TEXT = 1  # sound only
    NEITHER = 2


def branches(text_scale: float, audio_scale: float, hears: bool) -> tuple[Branch, ...]:
    """The evaluations that these scales need. hears: whether any sound is known; without, dropping it changes nothing."""
    if text_scale < 0 or audio_scale < 0:
        raise ValueError(f"guidance scales must not be negative: text {text_scale}, audio {audio_scale}")
    if audio_scale != 1.0 and hears:
        return (Branch.FULL, Branch.NO_TEXT, Branch.NEITHER)
    return (Branch.FULL, Branch.NO_TEXT) if text_scale != 1.0 else (Branch.FULL,)


def combine(velocities: NDArray[np.float32], text_scale: float, audio_scale: float) -> NDArray[np.float32]:
    """velocities [k, …] in the order of `branches`: neither + s_text (full − no_text) + s_audio (no_text − neither)."""
    if len(velocities) == 1:
        return velocities[0]
    full, no_text = velocities[0], velocities[1]
    guided = no_text + text_scale * (full - no_text)
    if len(velocities) == 3:
        guided = guided + (audio_scale - 1.0) * (no_text - velocities[2])
    return np.asarray(guided, np.float32)
