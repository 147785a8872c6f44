"""Classifier-free guidance with words, sound and known frames (InfiniteTalk's formula, after Ho & Salimans 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, TypeVar

Velocity = TypeVar("Velocity", bound=Any)


class Branch(IntEnum):
    """What one evaluation of the transformer is told."""

    FULL = 0
    NO_TEXT = 1  # sound only
    NEITHER = 2
    DRIFTED = 3  # all of it, but the known frames look as they do after minutes of drift
    NO_AUDIO = 4  # words only


#: Those that are told the words, and those that hear.
WITH_TEXT = (Branch.FULL, Branch.DRIFTED, Branch.NO_AUDIO)
WITH_AUDIO = (Branch.FULL, Branch.DRIFTED, Branch.NO_TEXT)


def branches(text_scale: float, audio_scale: float, hears: bool, frame_scale: float = 0.0) -> tuple[Branch, ...]:
    """The evaluations that these scales need. hears: whether any sound is known; without, dropping it changes nothing."""
    if text_scale < 0 or audio_scale < 0 or frame_scale < 0:
        raise ValueError(f"guidance scales must not be negative: text {text_scale}, audio {audio_scale}, frames {frame_scale}")
    others: tuple[Branch, ...] = ()
    if text_scale != 1.0:
        others = (Branch.NO_TEXT, Branch.NEITHER) if audio_scale != 1.0 and hears else (Branch.NO_TEXT,)
    elif audio_scale != 1.0 and hears:
        others = (Branch.NO_AUDIO,)
    return (Branch.FULL, *others, *((Branch.DRIFTED,) if frame_scale else ()))


def combine(velocities: Sequence[Velocity], text_scale: float, audio_scale: float, frame_scale: float = 0.0) -> Velocity:
    """Velocities in the order of `branches`, all of numpy or of torch.

    neither + s_text (full − no_text) + s_audio (no_text − neither) + s_frame (full − drifted); the last is Kling-Avatar's
    negative-frame guidance. Where words are not guided by, no_audio + s_audio (full − no_audio) in place of the first three.
    """
    full, *others = velocities
    drifted = others.pop() if frame_scale else full
    guided = full
    if others:
        scale = audio_scale if text_scale == 1.0 and len(others) == 1 else text_scale
        guided = others[0] + scale * (full - others[0])
    if len(others) == 2:
        guided = guided + (audio_scale - 1.0) * (others[0] - others[1])
    return guided + frame_scale * (full - drifted) if frame_scale else guided
