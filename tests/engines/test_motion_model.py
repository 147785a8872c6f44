"""The shipped motion model, as the worker uses it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines.catalog import STATISTICS, WEIGHTS, load_motion_model
from engines.motion import ANCHOR_MASK, NUM_CHANNELS, rest
from engines.sampler import SampledMotion
from engines.specs import FEATURE_DIM, BeatCondition, MotionRequest


@pytest.fixture(scope="module")
def model() -> SampledMotion:
    return load_motion_model("portrait")


def request(num_frames: int = 11, seed: int = 1, num_features: int = 40) -> MotionRequest:
    condition = rest(num_frames)
    condition[0, ANCHOR_MASK] = 0.02
    mask = np.zeros((num_frames, NUM_CHANNELS), np.bool_)
    mask[0] = True
    mask[-1] = ANCHOR_MASK
    audio = np.random.default_rng(0).standard_normal((num_features, FEATURE_DIM)).astype(np.float32)
    beats = (BeatCondition(0.0, 9.0, "very joyful; nods"),)
    return MotionRequest(num_frames, 0.04, condition, mask, audio, -0.12, beats, seed)


def test_the_same_request_and_seed_give_the_same_motion(model: SampledMotion) -> None:
    np.testing.assert_array_equal(model.generate([request()])[0], model.generate([request()])[0])


def test_another_seed_gives_another_motion(model: SampledMotion) -> None:
    assert not np.array_equal(model.generate([request(seed=1)])[0], model.generate([request(seed=2)])[0])


def test_known_channels_come_back_as_given(model: SampledMotion) -> None:
    asked = request()
    (motion,) = model.generate([asked])
    np.testing.assert_array_equal(motion[asked.mask], asked.condition[asked.mask])


def test_requests_of_all_lengths_come_back_in_order(model: SampledMotion) -> None:
    lengths = [5, 11, 64, 11, 2, 38]
    motions = model.generate([request(n) for n in lengths])
    assert [motion.shape for motion in motions] == [(n, NUM_CHANNELS) for n in lengths]
    assert all(np.isfinite(motion).all() for motion in motions)


def test_a_batch_gives_what_each_request_would_alone(model: SampledMotion) -> None:
    asked = [request(seed=3), replace(request(seed=4, num_features=20), beats=())]
    for together, alone in zip(model.generate(asked), (model.generate([one])[0] for one in asked), strict=True):
        np.testing.assert_allclose(together, alone, atol=1e-4)


def test_a_blueprint_may_run_ahead_of_all_sound(model: SampledMotion) -> None:
    ahead = replace(request(30, num_features=0), interval_s=0.16)
    assert np.isfinite(model.generate([ahead])[0]).all()


def test_an_unknown_model_is_refused_with_the_known_names() -> None:
    with pytest.raises(ValueError, match="take one of portrait"):
        load_motion_model("giant")


def test_a_folder_without_weights_names_the_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"statistics\.json is missing"):
        load_motion_model(str(tmp_path))
    (tmp_path / STATISTICS).write_text((WEIGHTS / "portrait" / STATISTICS).read_text())
    with pytest.raises(FileNotFoundError, match=r"conditions\.onnx is missing"):
        load_motion_model(str(tmp_path))
