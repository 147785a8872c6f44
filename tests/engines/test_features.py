"""Speech features: the same bits live and offline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.features import LEAD_S, SpeechEncoder, first_time
from engines.specs import FEATURE_DIM, RIGHT_CONTEXT_S, SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def encoder() -> SpeechEncoder:
    return SpeechEncoder()


def buzz(seconds: float, level: float = 0.3) -> NDArray[np.float32]:
    """A buzz of gliding pitch that comes and goes like syllables."""
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(3 * time)) / SAMPLE_RATE_HZ
    tone = sum(np.sin(k * phase) / k for k in range(1, 12))
    return (level * tone * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * time))).astype(np.float32)


@pytest.mark.parametrize("cut_s", [2.0, 2.137, 2.4])
def test_a_clip_cut_from_a_broadcast_has_the_features_of_the_whole(cut_s: float) -> None:
    sound = buzz(4.0)
    whole = SpeechEncoder().encode(sound, 0.0, 4.0, final=True)
    first, last = round((cut_s - LEAD_S) * SAMPLE_RATE_HZ), round((cut_s + 1.0) * SAMPLE_RATE_HZ)
    cut = SpeechEncoder().encode(sound[first:last], cut_s, cut_s + 1.0, origin_s=first / SAMPLE_RATE_HZ)
    begin = round(first_time(cut_s) * 50)
    settled = int((cut_s + 1.0 - RIGHT_CONTEXT_S) / 0.32) * 16 - begin
    np.testing.assert_array_equal(cut[:settled], whole[begin : begin + settled])


def test_at_the_live_edge_there_is_a_feature_for_all_sound_that_has_arrived(encoder: SpeechEncoder) -> None:
    arrived = encoder.encode(buzz(1.5), 1.0, 9.0)
    assert arrived.shape == (25, FEATURE_DIM)


def test_asking_again_with_more_sound_keeps_what_was_settled(encoder: SpeechEncoder) -> None:
    sound = buzz(3.0)
    early, late = encoder.encode(sound[:24_000], 0.0, 1.5), encoder.encode(sound, 0.0, 3.0)
    settled = int((1.5 - RIGHT_CONTEXT_S) / 0.32) * 16
    np.testing.assert_array_equal(early[:settled], late[:settled])


def test_a_quiet_microphone_gives_nearly_the_same_features(encoder: SpeechEncoder) -> None:
    loud, quiet = (encoder.encode(buzz(1.0, level), 0.0, 1.0, final=True) for level in (0.4, 0.04))
    assert np.abs(loud - quiet).mean() < 0.02 * np.abs(loud).mean()


def test_int16_and_float_sound_agree(encoder: SpeechEncoder) -> None:
    pcm = (buzz(0.6) * 20_000).astype(np.int16)
    as_float = (pcm / np.float32(32_768)).astype(np.float32)
    np.testing.assert_array_equal(encoder.encode(pcm, 0, 0.6, final=True), encoder.encode(as_float, 0, 0.6, final=True))


def test_nothing_is_given_before_any_sound_has_arrived(encoder: SpeechEncoder) -> None:
    assert encoder.encode(np.zeros(0, np.int16), 0.0, 1.0).shape == (0, FEATURE_DIM)


@pytest.mark.parametrize("wrong", [np.zeros((100, 2), np.int16), np.zeros(100, np.float64)])
def test_sound_of_another_kind_is_refused(encoder: SpeechEncoder, wrong: NDArray[np.int16]) -> None:
    with pytest.raises(ValueError, match="sound must be"):
        encoder.encode(wrong, 0.0, 1.0)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.onnx is missing: reinstall"):
        SpeechEncoder(tmp_path / "nothing.onnx")
