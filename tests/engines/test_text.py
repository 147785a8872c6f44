"""Prompt features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.prompts import ACTIONS, CAMERA_MOVES, EMOTIONS, beat_prompt
from engines.specs import NUM_TEXT_TOKENS, TEXT_DIM
from engines.text import TextEncoder


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder()


def test_every_line_a_director_can_write_fits_and_is_understood(encoder: TextEncoder) -> None:
    for emotion in EMOTIONS:
        for action in ACTIONS:
            tokens, mask = encoder.encode(beat_prompt(emotion, 0.95, action, CAMERA_MOVES[-2], 0.9))
            assert tokens.shape == (NUM_TEXT_TOKENS, TEXT_DIM)
            assert 4 <= mask.sum() < NUM_TEXT_TOKENS
            assert np.all(np.abs(tokens[mask]).max(axis=1) > 0)


def test_no_words_are_no_tokens(encoder: TextEncoder) -> None:
    tokens, mask = encoder.encode("")
    assert not mask.any() and not tokens.any()


def test_a_long_prompt_is_cut(encoder: TextEncoder) -> None:
    assert encoder.encode("smile " * 100)[1].all()


def test_words_outside_the_table_are_left_out(encoder: TextEncoder) -> None:
    np.testing.assert_array_equal(encoder.encode("smiles \U0001fae8")[0], encoder.encode("smiles")[0])


def test_like_words_lie_near_each_other(encoder: TextEncoder) -> None:
    def direction(word: str) -> np.ndarray:
        tokens, mask = encoder.encode(word)
        mean = tokens[mask].mean(axis=0)
        return mean / np.linalg.norm(mean)

    assert direction("joyful") @ direction("happy") > direction("joyful") @ direction("camera") + 0.1


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"table\.npz is missing"):
        TextEncoder(tmp_path)
