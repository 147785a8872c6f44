"""Sampling, with a transformer that always knows the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.catalog import MotionStatistics
from engines.conditions import frame_times, sound, words
from engines.motion import ANCHOR_MASK, INDEX, NUM_CHANNELS
from engines.sampler import sample, seeded_noise, sigmas
from engines.specs import AUDIO_OFFSETS, FEATURE_DIM, BeatCondition, MotionRequest
from engines.text import TextEncoder

Array = NDArray[np.float32]
STATISTICS = MotionStatistics([0.1] * NUM_CHANNELS, [0.2] * NUM_CHANNELS, shift=2.0)
TEXT = TextEncoder()


class Straight:
    """Velocity from the present latents straight to `target`, whatever the conditions."""

    def __init__(self, target: float) -> None:
        self.target = target
        self.calls: list[dict[str, Array]] = []

    def condition(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        return {}

    def denoise(self, inputs: Mapping[str, Array]) -> Array:
        self.calls.append(dict(inputs))
        latents = inputs["latents"][:, :NUM_CHANNELS]
        sigma = inputs["timestep"][:, None, None, None, None] / 1000.0
        return ((latents - self.target) / sigma).astype(np.float32)


def request(num_frames: int = 9, seed: int = 1) -> MotionRequest:
    condition = np.full((num_frames, NUM_CHANNELS), 0.25, np.float32)
    mask = np.zeros((num_frames, NUM_CHANNELS), np.bool_)
    mask[:2] = True
    mask[-1] = ANCHOR_MASK
    beats = (BeatCondition(-1.0, 0.1, "calm"), BeatCondition(0.1, 5.0, "very joyful; nods"))
    return MotionRequest(num_frames, 0.04, condition, mask, np.zeros((20, FEATURE_DIM), np.float32), -0.1, beats, seed)


def test_sampling_arrives_at_the_target_and_keeps_what_is_known() -> None:
    (motion,) = sample(Straight(1.0), [request()], TEXT, STATISTICS)
    known = request().mask
    assert np.all(motion[known] == 0.25)
    np.testing.assert_allclose(motion[~known], 0.3, atol=1e-5)


def test_known_channels_are_shown_at_every_step_at_that_steps_noise() -> None:
    transformer = Straight(1.0)
    sample(transformer, [request()], TEXT, STATISTICS)
    noise = seeded_noise(1, 9)
    for call, sigma in zip(transformer.calls, sigmas(4, 2.0), strict=False):
        expected = (1 - sigma) * (0.25 - 0.1) / 0.2 + sigma * noise[:, :2]
        np.testing.assert_allclose(call["latents"][0, :NUM_CHANNELS, :2, 0, 0], expected, atol=1e-5)


def test_blendshapes_stay_within_their_range() -> None:
    (motion,) = sample(Straight(50.0), [request()], TEXT, STATISTICS)
    assert motion[:, INDEX["jawOpen"]].max() == 1.0
    assert motion[:, INDEX["headYaw"]].max() > 1.0


def test_requests_that_differ_in_frames_cannot_share_a_batch() -> None:
    with pytest.raises(ValueError, match="must agree"):
        sample(Straight(0.0), [request(9), request(10)], TEXT, STATISTICS)


def test_a_longer_request_begins_with_the_same_noise() -> None:
    np.testing.assert_array_equal(seeded_noise(7, 20)[:, :12], seeded_noise(7, 12))


@pytest.mark.parametrize(("scales", "branches"), [((1.0, 1.0), 1), ((1.5, 1.0), 2), ((1.5, 2.5), 3)])
def test_guidance_that_the_weights_want_takes_more_evaluations_a_step(scales: tuple[float, float], branches: int) -> None:
    transformer, (text, audio) = Straight(0.0), scales
    sample(transformer, [request()], TEXT, replace(STATISTICS, text_guidance_scale=text, audio_guidance_scale=audio))
    assert [len(call["latents"]) for call in transformer.calls] == [branches] * 4


def test_a_schedule_runs_from_noise_to_data_and_shift_holds_it_near_noise() -> None:
    plain, shifted = sigmas(4, 1.0), sigmas(4, 3.0)
    np.testing.assert_allclose(plain, [1, 0.75, 0.5, 0.25, 0])
    assert shifted[0] == 1 and shifted[-1] == 0 and np.all(shifted[1:-1] > plain[1:-1])
    with pytest.raises(ValueError, match="at least one step"):
        sigmas(0, 1.0)


def test_a_frame_hears_the_features_around_its_own_time() -> None:
    features = np.arange(50, dtype=np.float32)[:, None].repeat(FEATURE_DIM, axis=1)
    heard = sound(features, -0.2, frame_times(5, 0.04))
    for frame in range(5):
        mine = heard.mask[frame] > 0
        near = heard.time[mine] - frame * 0.04
        assert len(near) == len(AUDIO_OFFSETS)
        np.testing.assert_allclose([near.min(), near.max()], [-0.12, 0.10], atol=1e-5)
        np.testing.assert_allclose(heard.audio[mine][:, 0], (heard.time[mine] + 0.2) * 50, atol=1e-3)


def test_sound_that_has_not_arrived_is_marked_unknown() -> None:
    heard = sound(np.ones((5, FEATURE_DIM), np.float32), 0.0, frame_times(10, 0.04))
    assert heard.known.sum() == 5
    assert not heard.known[heard.time > 0.09].any()


def test_a_frame_reads_the_words_of_its_own_beat_only() -> None:
    said = words(request().beats, frame_times(9, 0.04), TEXT)
    per_beat = said.mask.sum(axis=2) > 0
    assert per_beat[:3].tolist() == [[True, False]] * 3
    assert per_beat[3:].tolist() == [[False, True]] * 6
