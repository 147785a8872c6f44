"""Guidance: its algebra, and that no evaluation is made in vain."""

from __future__ import annotations

import numpy as np
import pytest

from engines.guidance import Branch, branches, combine

FULL, NO_TEXT, NEITHER = (np.random.default_rng(i).standard_normal((2, 3)).astype(np.float32) for i in range(3))


def test_scales_of_one_give_the_conditional_velocity() -> None:
    np.testing.assert_allclose(combine(np.stack([FULL, NO_TEXT, NEITHER]), 1.0, 1.0), FULL, rtol=1e-5, atol=1e-6)


def test_scales_of_zero_give_the_unconditional_velocity() -> None:
    np.testing.assert_allclose(combine(np.stack([FULL, NO_TEXT, NEITHER]), 0.0, 0.0), NEITHER, rtol=1e-5, atol=1e-6)


def test_each_scale_pushes_along_its_own_condition() -> None:
    stacked = np.stack([FULL, NO_TEXT, NEITHER])
    more_text = combine(stacked, 3.0, 1.0) - combine(stacked, 2.0, 1.0)
    more_audio = combine(stacked, 1.0, 3.0) - combine(stacked, 1.0, 2.0)
    np.testing.assert_allclose(more_text, FULL - NO_TEXT, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(more_audio, NO_TEXT - NEITHER, rtol=1e-4, atol=1e-5)


def test_where_words_do_not_guide_sound_is_weighed_against_words_alone() -> None:
    no_audio = NEITHER
    np.testing.assert_allclose(combine([FULL, no_audio], 1.0, 3.0), no_audio + 3 * (FULL - no_audio), rtol=1e-5)
    np.testing.assert_allclose(combine([FULL, no_audio, NO_TEXT], 1.0, 1.0, 0.5), FULL + 0.5 * (FULL - NO_TEXT), rtol=1e-5)


def test_only_the_branches_that_matter_are_evaluated() -> None:
    assert branches(1.0, 1.0, hears=True) == (Branch.FULL,)
    assert branches(2.0, 1.0, hears=True) == (Branch.FULL, Branch.NO_TEXT)
    assert branches(1.5, 1.5, hears=False) == (Branch.FULL, Branch.NO_TEXT)
    assert branches(1.0, 2.0, hears=True) == (Branch.FULL, Branch.NO_AUDIO)
    assert branches(1.0, 2.0, hears=False) == (Branch.FULL,)
    assert branches(1.5, 1.5, hears=True) == (Branch.FULL, Branch.NO_TEXT, Branch.NEITHER)


def test_a_negative_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        branches(-1.0, 1.0, hears=True)
