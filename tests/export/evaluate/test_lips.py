"""The lip predictor on people made up from noise: their lips are a linear function of the features, and something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.lips import inner_lip_aperture
from engines.motion import INDEX
from engines.specs import FEATURE_DIM
from export.evaluate import talking
from export.evaluate.lips import CONTEXT, LipRegression, agreement, without_slow_part
from export.evaluate.ridge_face import motion_from_lips

WIDTH = len(CONTEXT) * FEATURE_DIM
NUM_FRAMES = 200


def people(num: int, noise: float = 0.6) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Features [200, 1152] of ten lively dimensions, and lips [200, 2] that follow them."""
    rng = np.random.default_rng(0)
    spread = rng.standard_normal((10, WIDTH)).astype(np.float32)
    lips_of = rng.standard_normal((10, 2)) / 50
    found = {}
    for i in range(num):
        hidden = rng.standard_normal((NUM_FRAMES, 10))
        lips = 0.1 + hidden @ lips_of + noise * rng.standard_normal((NUM_FRAMES, 2)) / 16
        found[f"person{i}"] = ((hidden @ spread).astype(np.float32), lips.astype(np.float32))
    return found


@pytest.fixture(scope="module")
def crowd() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return people(8)


@pytest.fixture(scope="module")
def regression(crowd: dict[str, tuple[np.ndarray, np.ndarray]]) -> LipRegression:
    fitted = LipRegression()
    for name, (features, lips) in crowd.items():
        fitted.add(name, features, lips)
    return fitted


def test_somebody_left_out_is_predicted_and_a_stranger_is_not(
    crowd: dict[str, tuple[np.ndarray, np.ndarray]], regression: LipRegression
) -> None:
    predictor = regression.fit(leave_out=["person3"])
    own = agreement(predictor.predict(crowd["person3"][0]), crowd["person3"][1])
    strangers = agreement(predictor.predict(crowd["person4"][0]), crowd["person3"][1])
    assert own.r > 0.6 and own.lag_frames == 0
    assert strangers.r < 0.25


@pytest.mark.parametrize("late_by", [-3, 2, 5])
def test_lips_that_are_late_show_by_how_much(
    crowd: dict[str, tuple[np.ndarray, np.ndarray]], regression: LipRegression, late_by: int
) -> None:
    features, lips = crowd["person0"]
    predicted = regression.fit(["person0"]).predict(features)
    assert agreement(predicted, np.roll(lips, late_by, axis=0)).lag_frames == late_by


def test_frames_without_a_face_do_not_count(crowd: dict[str, tuple[np.ndarray, np.ndarray]], regression: LipRegression) -> None:
    features, lips = crowd["person1"]
    predicted = regression.fit(["person1"]).predict(features)
    seen = np.ones(NUM_FRAMES, bool)
    seen[50:90] = False
    spoilt = lips.copy()
    spoilt[50:90] += np.random.default_rng(3).standard_normal((40, 2)) * 0.5
    assert agreement(predicted, spoilt, seen).r > agreement(predicted, spoilt).r + 0.1


def test_a_still_face_agrees_with_nothing(crowd: dict[str, tuple[np.ndarray, np.ndarray]], regression: LipRegression) -> None:
    predicted = regression.fit().predict(crowd["person2"][0])
    assert agreement(predicted, np.full((NUM_FRAMES, 2), 0.1, np.float32)).r == 0.0


def test_pose_and_loudness_of_a_phrase_are_taken_away() -> None:
    slow = np.linspace(0, 3, 200)[:, None] ** 2
    fast = 0.1 * np.sin(2 * np.pi * np.arange(200) / 6)[:, None]
    left = without_slow_part((slow + fast).astype(np.float32))[20:-20]
    assert np.abs(left - fast[20:-20]).max() < 0.03


def test_the_ridge_face_opens_its_lips_as_predicted() -> None:
    aperture = 0.05 * np.sin(2 * np.pi * np.arange(120) / 9)
    jaw = 0.03 * np.sin(2 * np.pi * np.arange(120) / 9 + 0.7)
    motion = motion_from_lips(np.stack([aperture, jaw], axis=1).astype(np.float32))
    opened = inner_lip_aperture(motion)
    assert np.corrcoef(opened, aperture)[0, 1] > 0.95
    assert opened.min() < 0.02 < 0.1 < opened.max() < 0.2
    assert (motion[:, INDEX["headYaw"]] == 0).all()


def test_a_folder_of_clips_is_read_in_units_that_do_not_depend_on_the_pictures_shape(tmp_path: Path) -> None:
    landmarks = np.full((30, 478, 3), 0.5, np.float32)
    clip = {"mask": np.ones(30, bool), "fps": 25, "aspect": 2.0, "audio": np.zeros(30 * 640, np.int16)}
    for name in "abc":
        np.savez(tmp_path / f"{name}.npz", landmarks=landmarks, **clip)
    clips = talking.read_folder(tmp_path)
    assert [clip.name for clip in clips] == ["a", "b", "c"]
    np.testing.assert_allclose(clips[0].landmarks[0, 0], [0.5, 0.25, 0.5])


def test_a_folder_without_clips_says_what_a_clip_is(tmp_path: Path) -> None:
    with pytest.raises(talking.ClipError, match=r"at least 3 are needed.*"):
        talking.read_folder(tmp_path)
    (tmp_path / "x.npz").write_bytes(b"not a zip")
    with pytest.raises(talking.ClipError, match=r"x\.npz is not a talking clip"):
        talking.read_clip(tmp_path / "x.npz")
