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


def branches(text_scale: float, audio_scale: float, hears: bool, frame_scale: float = 0.0) -> tuple[Branch, ...]:
    """The evaluations that these scales need. hears: whether any sound is known; without, dropping it changes nothing."""
    if text_scale < 0 or audio_scale < 0 or frame_scale < 0:
        raise ValueError(f"guidance scales must not be negative: text {text_scale}, audio {audio_scale}, frames {frame_scale}")
    drifted = (Branch.DRIFTED,) if frame_scale else ()
    if audio_scale != 1.0 and hears:
        return (Branch.FULL, Branch.NO_TEXT, Branch.NEITHER, *drifted)
    return (Branch.FULL, Branch.NO_TEXT, *drifted) if text_scale != 1.0 else (Branch.FULL, *drifted)


def combine(velocities: Sequence[Velocity], text_scale: float, audio_scale: float, frame_scale: float = 0.0) -> Velocity:
    """Velocities in the order of `branches`, all of numpy or of torch.

    neither + s_text (full − no_text) + s_audio (no_text − neither) + s_frame (full − drifted); the last is Kling-Avatar's
    negative-frame guidance.
    """
    full, *others = velocities
    drifted = others.pop() if frame_scale else full
    guided = full
    if others:
        guided = others[0] + text_scale * (full - others[0])
    if len(others) == 2:
        guided = guided + (audio_scale - 1.0) * (others[0] - others[1])
    return guided + frame_scale * (full - drifted) if frame_scale else guided
