"""Faces rigged by hand-placed points."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engines.codecs.portrait.detect import Face, find_face, yaw_degrees
from engines.codecs.portrait.points import LANDMARK_OF, REQUIRED, BadPoints, check_points, face_from_points, read_points
from tests.engines.portrait_pictures import photo

SIZE = (512, 600)


@pytest.fixture(scope="module")
def detected() -> Face:
    return find_face(photo())


@pytest.fixture
def points(detected: Face) -> dict[str, tuple[float, float]]:
    return {
        name: (float(x), float(y)) for name, (x, y, _) in zip(REQUIRED, detected.landmarks[[*REQUIRED.values()]], strict=True)
    }


def test_a_dozen_points_give_nearly_the_mesh_a_detector_gives(detected: Face, points: dict[str, tuple[float, float]]) -> None:
    face = face_from_points(points, SIZE, SIZE)
    apart = np.linalg.norm((face.landmarks - detected.landmarks)[:, :2], axis=1) / detected.eye_distance_px
    assert apart.mean() < 0.06
    assert apart[[*REQUIRED.values()]].max() < 0.01
    assert np.corrcoef(face.landmarks[:, 2], detected.landmarks[:, 2])[0, 1] > 0.8
    assert abs(yaw_degrees(face) - yaw_degrees(detected)) < 8


def test_more_points_come_closer(detected: Face, points: dict[str, tuple[float, float]]) -> None:
    every = {name: (float(detected.landmarks[i, 0]), float(detected.landmarks[i, 1])) for name, i in LANDMARK_OF.items()}

    def apart(given: dict[str, tuple[float, float]]) -> float:
        return float(np.abs((face_from_points(given, SIZE, SIZE).landmarks - detected.landmarks)[:, :2]).mean())

    assert apart(every) < apart(points)
    pupil = face_from_points(every, SIZE, SIZE).landmarks[468, :2]
    assert np.allclose(pupil, every["pupil_right"], atol=0.01)


def test_points_on_a_larger_picture_land_in_the_smaller_one(points: dict[str, tuple[float, float]]) -> None:
    doubled = {name: (2 * x, 2 * y) for name, (x, y) in points.items()}
    assert np.allclose(
        face_from_points(doubled, (1024, 1200), SIZE).landmarks, face_from_points(points, SIZE, SIZE).landmarks, atol=0.01
    )


def test_a_tilted_face_keeps_its_tilt(points: dict[str, tuple[float, float]]) -> None:
    turn = np.radians(25)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = np.array([256, 250])
    tilted = {name: tuple(rotation @ (np.array(place) - middle) + middle) for name, place in points.items()}
    upright = face_from_points(points, SIZE, SIZE).landmarks[:, :2]
    landmarks = face_from_points(tilted, SIZE, SIZE).landmarks[:, :2]
    assert np.allclose((upright - middle) @ rotation.T + middle, landmarks, atol=0.5)


def test_a_point_not_yet_placed_is_named(points: dict[str, tuple[float, float]]) -> None:
    del points["chin"]
    with pytest.raises(BadPoints, match="chin"):
        check_points(points, *SIZE)


def test_a_point_outside_the_picture_is_named(points: dict[str, tuple[float, float]]) -> None:
    with pytest.raises(BadPoints, match=r"outside.*nose_tip"):
        check_points(points | {"nose_tip": (700, 200)}, *SIZE)


def test_an_unknown_point_is_named(points: dict[str, tuple[float, float]]) -> None:
    with pytest.raises(BadPoints, match="beard"):
        check_points(points | {"beard": (10, 10)}, *SIZE)


def test_crossed_corners_are_named(points: dict[str, tuple[float, float]]) -> None:
    crossed = points | {"mouth_left": points["mouth_right"], "mouth_right": points["mouth_left"]}
    with pytest.raises(BadPoints, match=r"mouth_right.*mouth_left"):
        check_points(crossed, *SIZE)


def test_left_and_right_exchanged_throughout_is_explained(points: dict[str, tuple[float, float]]) -> None:
    exchanged = {
        name.replace("right", "?").replace("left", "right").replace("?", "left"): place for name, place in points.items()
    }
    with pytest.raises(BadPoints, match="the face's own"):
        check_points(exchanged, *SIZE)


def test_points_on_one_line_are_refused(points: dict[str, tuple[float, float]]) -> None:
    flat = {name: (x, 200 + 0.1 * (y - 200)) for name, (x, y) in points.items()}
    with pytest.raises(BadPoints, match="one line"):
        check_points(flat, *SIZE)


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"[1, 2]", b'{"chin": [1]}', b'{"chin": "here"}', b'{"chin": [1, NaN]}', b'{"chin": [1, true]}', b"\xff\xfe"],
)
def test_points_that_are_not_points_are_refused(document: bytes) -> None:
    with pytest.raises(BadPoints):
        read_points(document)


def test_points_are_read_from_json(points: dict[str, tuple[float, float]]) -> None:
    assert read_points(json.dumps(points).encode()) == points
