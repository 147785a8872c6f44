"""Lips that follow timed phones."""

from __future__ import annotations

import numpy as np
import pytest

from engines.lips import inner_lip_aperture
from engines.motion import INDEX, Motion
from export.train.data.coarticulation import Articulation, lip_motion
from export.train.data.phones import target
from export.train.data.speech import SILENCE, Phone


def spoken(symbols: str, each_s: float = 0.09) -> Motion:
    """Motion of ``symbols`` said one after the other between silences of 0.4 s."""
    edges = np.cumsum([0.0, 0.4, *[each_s] * len(symbols), 0.4])
    phones = [Phone(s, a, b) for s, a, b in zip([SILENCE, *symbols, SILENCE], edges[:-1], edges[1:], strict=True)]
    audio = 0.1 * np.random.default_rng(0).standard_normal(round(edges[-1] * 16000)).astype(np.float32)
    return lip_motion(phones, audio, Articulation())


def at(motion: Motion, time_s: float) -> Motion:
    return motion[int(time_s * 50)]


@pytest.mark.parametrize("stop", ["p", "b", "m"])
def test_lips_meet_in_a_bilabial_between_open_vowels_for_two_frames_at_25(stop: str) -> None:
    opening = inner_lip_aperture(spoken(f"a{stop}a"))
    middle = opening[int(0.44 * 50) : int(0.64 * 50)]
    assert np.sum(middle < 0.004) >= 3
    assert opening.max() > 0.1


def test_a_vowel_opens_the_mouth_and_silence_shuts_it() -> None:
    opening = inner_lip_aperture(spoken("aaaa"))
    assert 0.12 < opening.max() < 0.3
    assert opening[:10].max() == 0.0 and opening[-10:].max() == 0.0


def test_round_vowels_pucker_and_spread_vowels_stretch() -> None:
    round_, spread = at(spoken("uuu"), 0.54), at(spoken("iii"), 0.54)
    assert round_[INDEX["mouthPucker"]] > 0.4 > 5 * spread[INDEX["mouthPucker"]]
    assert spread[INDEX["mouthStretchLeft"]] > 0.15 > 5 * round_[INDEX["mouthStretchLeft"]]


def test_rounding_begins_before_the_vowel_it_is_for() -> None:
    motion = spoken("tuuu")
    assert at(motion, 0.45)[INDEX["mouthPucker"]] > 0.15  # within the t


def test_teeth_show_in_hisses_with_the_jaw_nearly_closed() -> None:
    frame = at(spoken("sss"), 0.54)
    assert frame[INDEX["jawOpen"]] < 0.1
    assert frame[INDEX["mouthLowerDownLeft"]] > 0.25


def test_a_symbol_that_is_no_phone_is_refused() -> None:
    with pytest.raises(KeyError):
        target("7")
