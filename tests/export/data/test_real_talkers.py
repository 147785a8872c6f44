"""Landmarks of real talkers turned into motion. The face here is a made-up one: few of its points matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.lips import inner_lip_aperture
from engines.motion import INDEX, Motion
from export.train.data.real import PERMITTED, motion_of, permitted, permitted_clips

ASPECT = 1.25
POINTS = NDArray[np.float64]
#: x to the picture's right, y down, z away, in eye distances from the bridge of the nose.
PLACES = {
    33: (-0.5, 0, 0.15), 263: (0.5, 0, 0.15), 133: (-0.18, 0, 0.1), 362: (0.18, 0, 0.1), 159: (-0.34, -0.07, 0.1),
    145: (-0.34, 0.07, 0.1),
    386: (0.34, -0.07, 0.1), 374: (0.34, 0.07, 0.1), 468: (-0.34, 0, 0.1), 473: (0.34, 0, 0.1), 13: (0, 0.85, -0.1),
    14: (0, 0.85, -0.1),
    0: (0, 0.76, -0.12), 17: (0, 0.96, -0.1), 61: (-0.28, 0.86, 0), 291: (0.28, 0.86, 0), 152: (0, 1.4, 0), 2: (0, 0.6, -0.2),
    10: (0, -0.8, 0.1), 67: (-0.3, -0.7, 0.15), 297: (0.3, -0.7, 0.15), 109: (-0.15, -0.78, 0.1), 338: (0.15, -0.78, 0.1),
    168: (0, 0, -0.1),
    6: (0, 0.1, -0.15), 197: (0, 0.2, -0.2), 127: (-0.75, 0, 0.7), 356: (0.75, 0, 0.7), 234: (-0.75, 0.3, 0.7), 454: (0.75,
    0.3, 0.7),
    151: (0, -0.5, 0), 9: (0, -0.25, -0.03), 107: (-0.12, -0.25, 0), 336: (0.12, -0.25, 0), 70: (-0.5, -0.22, 0.1),
    300: (0.5, -0.22, 0.1),
}  # fmt: skip


def face(num_frames: int) -> POINTS:
    points = np.zeros((num_frames, 478, 3))
    for index, place in PLACES.items():
        points[:, index] = place
    return points


def measured(points: POINTS, mask: NDArray[np.bool_] | None = None) -> Motion:
    """As a landmark file has it, a face a fifth of the picture wide in the middle of it."""
    landmarks = (points * 0.2 + 0.5) * np.array([1.0, ASPECT, 1.0])
    return motion_of(landmarks, np.ones(len(points), bool) if mask is None else mask, ASPECT)


def talking(num_frames: int = 100) -> tuple[POINTS, NDArray[np.float64]]:
    opening = 0.12 * np.maximum(0.0, np.sin(np.arange(num_frames) / 4.0))
    points = face(num_frames)
    points[:, (14, 17, 152), 1] += opening[:, None]
    return points, opening


def test_the_opening_of_the_lips_is_the_measured_one() -> None:
    points, opening = talking()
    got = inner_lip_aperture(measured(points)).reshape(-1, 2).mean(axis=1)
    assert np.corrcoef(got, opening)[0, 1] > 0.98
    assert 0.85 < np.percentile(got, 90) / np.percentile(opening, 90) < 1.15


def test_a_head_that_moves_does_not_move_the_lips() -> None:
    points, _ = talking()
    still = measured(points)
    angle = 0.2 * np.sin(np.arange(len(points)) / 15.0)  # turn towards the picture's right, the speaker's left
    turned = points.copy()
    turned[..., 0] = np.cos(angle)[:, None] * points[..., 0] - np.sin(angle)[:, None] * points[..., 2]
    turned[..., 2] = np.sin(angle)[:, None] * points[..., 0] + np.cos(angle)[:, None] * points[..., 2]
    motion = measured(turned)
    assert np.abs(inner_lip_aperture(motion) - inner_lip_aperture(still)).max() < 0.02
    yaw = motion[::2, INDEX["headYaw"]]
    assert np.corrcoef(yaw, angle)[0, 1] > 0.98
    assert yaw.max() == pytest.approx(0.2, abs=0.04)


def test_lids_that_fall_are_a_blink() -> None:
    points = face(60)
    points[30:33, (159, 386), 1] = 0.06
    blink = measured(points)[:, INDEX["eyeBlinkLeft"]]
    assert blink[60:66].max() > 0.9 and blink[:50].max() < 0.05


def test_frames_without_a_face_are_bridged() -> None:
    points, _ = talking()
    mask = np.ones(len(points), bool)
    mask[40:43] = False
    points[40:43] = 0.0
    assert np.abs(np.diff(measured(points, mask), axis=0)).max() < 0.3


def test_only_recordings_that_may_be_used_are_trained_on(tmp_path: Path) -> None:
    assert permitted("lipnet_bbaf2n") and not permitted("lipvoicer_clip1_gt")
    assert all(PERMITTED.values())  # each with its reason
    (tmp_path / "lipvoicer_x.npz").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="lipnet_"):
        next(permitted_clips(tmp_path))
