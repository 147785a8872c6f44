"""Hand-placed points to a whole face mesh, for faces the detector does not see: drawings, animals, masks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.avatar_library import NUM_BLENDSHAPES, NUM_LANDMARKS, AvatarError
from engines.codecs.portrait.detect import WEIGHTS, Face

Points = Mapping[str, tuple[float, float]]

#: The points that must be placed, and the landmark each one is. Left and right are the face's own: its right eye is on the left
#: of the picture.
REQUIRED: dict[str, int] = {
    "eye_right_outer": 33,
    "eye_right_inner": 133,
    "eye_left_inner": 362,
    "eye_left_outer": 263,
    "nose_tip": 4,
    "mouth_right": 61,
    "mouth_left": 291,
    "lip_top": 0,
    "lip_bottom": 17,
    "chin": 152,
    "face_right": 234,
    "face_left": 454,
}
#: Points that make the fit closer.
OPTIONAL: dict[str, int] = {
    "eye_right_top": 159,
    "eye_right_bottom": 145,
    "eye_left_top": 386,
    "eye_left_bottom": 374,
    "brow_right_outer": 70,
    "brow_right_inner": 107,
    "brow_left_inner": 336,
    "brow_left_outer": 300,
    "nose_right": 129,
    "nose_left": 358,
    "lip_inner_top": 13,
    "lip_inner_bottom": 14,
    "forehead": 10,
    "pupil_right": 468,
    "pupil_left": 473,
}
LANDMARK_OF = REQUIRED | OPTIONAL
#: Iris centre: outer corner, inner corner, upper and lower lid of its eye.
_EYES = {468: (33, 133, 159, 145), 473: (263, 362, 386, 374)}
#: Iris radius over eye width, as the landmarker finds it in photographs.
_IRIS_RADIUS = 0.23

#: Pairs where the first must lie left of the second in the picture, along the line of the eyes.
_LEFT_OF = (
    ("eye_right_outer", "eye_right_inner"),
    ("eye_right_inner", "eye_left_inner"),
    ("eye_left_inner", "eye_left_outer"),
    ("mouth_right", "mouth_left"),
    ("face_right", "face_left"),
    ("brow_right_outer", "brow_right_inner"),
    ("brow_left_inner", "brow_left_outer"),
    ("nose_right", "nose_left"),
)
#: Pairs where the first must lie above the second, across the line of the eyes.
_ABOVE = (
    ("eyes", "nose_tip"),
    ("nose_tip", "lip_top"),
    ("lip_top", "lip_bottom"),
    ("lip_bottom", "chin"),
    ("forehead", "eyes"),
)
#: Likewise, but these may touch.
_MAY_TOUCH = (
    ("eye_right_top", "eye_right_bottom"),
    ("eye_left_top", "eye_left_bottom"),
    ("lip_inner_top", "lip_inner_bottom"),
)
MIN_EYE_DISTANCE_PX = 24
#: Mean squared misfit, in eye distances, that a turn of one radian must save to be believed.
_SHYNESS = 0.002
#: MediaPipe's virtual camera for the face transform: vertical field of view.
_FIELD_OF_VIEW_DEGREES = 63.0


class BadPoints(AvatarError):
    code = "bad_points"


def read_points(data: bytes | Path) -> dict[str, tuple[float, float]]:
    """Points from JSON, `{"nose_tip": [x, y], ...}`, in pixels of the upright picture. Raises BadPoints."""
    try:
        document = json.loads(data.read_bytes() if isinstance(data, Path) else data)
    except OSError as error:
        raise BadPoints(f"{data!s} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise BadPoints(f"The points are not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise BadPoints('The points must be one JSON object: {"nose_tip": [x, y], ...}.')
    points = {}
    for name, place in document.items():
        numbers = isinstance(place, list) and len(place) == 2 and all(type(v) in (int, float) for v in place)
        if not numbers or not np.isfinite(place).all():
            raise BadPoints(f"The point {name!r} must be [x, y], two numbers of pixels.")
        points[name] = (float(place[0]), float(place[1]))
    return points


def check_points(points: Points, width: int, height: int) -> None:
    """Raises BadPoints where a point is unknown, missing, outside the picture, on the wrong side, or all lie on one line."""
    if unknown := sorted(set(points) - set(LANDMARK_OF)):
        raise BadPoints(f"Unknown points: {', '.join(unknown)}. Known are: {', '.join(LANDMARK_OF)}.")
    if missing := [name for name in REQUIRED if name not in points]:
        raise BadPoints(f"These points are still to be placed: {', '.join(missing)}.")
    if outside := [name for name, (x, y) in points.items() if not (0 <= x < width and 0 <= y < height)]:
        raise BadPoints(f"These points lie outside the picture of {width} x {height} pixels: {', '.join(outside)}.")
    places = {name: np.array(place, float) for name, place in points.items()}
    right = (places["eye_right_outer"] + places["eye_right_inner"]) / 2
    left = (places["eye_left_outer"] + places["eye_left_inner"]) / 2
    places["eyes"] = (right + left) / 2
    eye_distance = float(np.linalg.norm(places["eye_left_outer"] - places["eye_right_outer"]))
    if eye_distance < MIN_EYE_DISTANCE_PX:
        raise BadPoints(
            f"The outer corners of the eyes are only {eye_distance:.0f} pixels apart, {MIN_EYE_DISTANCE_PX} are needed: "
            "use a larger picture."
        )
    across = (left - right) / max(float(np.linalg.norm(left - right)), 1e-6)
    down = np.array([-across[1], across[0]])
    if down @ (places["chin"] - places["eyes"]) < 0:
        raise BadPoints(
            "Left and right seem to be exchanged: they are the face's own, so its right eye is on the left of the picture."
        )
    for first, second in _LEFT_OF:
        if first in places and second in places and across @ (places[second] - places[first]) <= 0.01 * eye_distance:
            raise BadPoints(f"{first} must lie left of {second} in the picture: the two are crossed or on top of each other.")
    for first, second in _ABOVE + _MAY_TOUCH:
        least = -0.03 if (first, second) in _MAY_TOUCH else 0.01
        if first in places and second in places and down @ (places[second] - places[first]) <= least * eye_distance:
            raise BadPoints(f"{first} must lie above {second}: the two are crossed or on top of each other.")
    spread = np.array([down @ (places[name] - places["eyes"]) for name in REQUIRED])
    if np.ptp(spread) < 0.5 * eye_distance:
        raise BadPoints("The points lie almost on one line: place the chin and the mouth below the eyes.")


def face_from_points(points: Points, points_size: tuple[int, int], picture_size: tuple[int, int]) -> Face:
    """The canonical face bent so that its landmarks meet the points; expression neutral.

    points: pixels of a picture of `points_size` (width, height); the face comes back in pixels of `picture_size`.
    The canonical face is turned to the side, then rotated and scaled to fit the points best; a thin-plate spline (Bookstein
    1989) takes x and y the rest of the way, and depth stays the canonical face's. Raises BadPoints.
    """
    check_points(points, *points_size)
    scale = np.array(picture_size, float) / np.array(points_size, float)
    goals = {LANDMARK_OF[name]: np.array(place, float) * scale for name, place in points.items()}
    pupils = {iris: goals.pop(iris) for iris in _EYES if iris in goals}
    given, goal = list(goals), np.array(list(goals.values()))
    yaw = _fitted_yaw(given, goal)
    template = _turned(canonical_face()[0], yaw)
    rotation, size, shift = similarity(template[given, :2], goal)
    placed = size * template[:, :2] @ rotation.T + shift
    mesh = np.column_stack([placed + thin_plate(placed[given], goal, placed), size * template[:, 2]])
    landmarks = np.vstack([mesh, _irises(mesh, rotation, pupils)]).astype(np.float32)
    assert len(landmarks) == NUM_LANDMARKS
    transform = _transform(rotation, size, yaw, landmarks, picture_size)
    return Face(landmarks, np.zeros(NUM_BLENDSHAPES, np.float32), transform)


@lru_cache(maxsize=1)
def canonical_face() -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Google's canonical face, centimetres, picture axes (x right, y down, z away): float64 [468, 3], triangles [n, 3]."""
    with np.load(WEIGHTS / "canonical_face.npz", allow_pickle=False) as file:
        vertices = file["vertices"].astype(float) * [1, -1, -1]
        triangles = file["triangles"].astype(np.int32)
    vertices[:, 2] -= vertices[:, 2].mean()
    return vertices, triangles


def _fitted_yaw(given: list[int], goal: NDArray[np.float64]) -> float:
    """How far the face is turned, in radians: the angle whose canonical face fits the points best, shy of large ones."""
    vertices, _ = canonical_face()
    eye_distance = float(np.linalg.norm(vertices[263] - vertices[33]))

    def misfit(yaw: float) -> float:
        template = _turned(vertices, yaw)[given, :2]
        rotation, size, shift = similarity(template, goal)
        apart = (size * template @ rotation.T + shift - goal) / (size * eye_distance)
        return float((apart**2).mean() + _SHYNESS * yaw**2)

    return min(np.radians(np.arange(-45.0, 46.0, 1.5)), key=misfit)


def _turned(vertices: NDArray[np.float64], yaw: float) -> NDArray[np.float64]:
    """Vertices [n, 3] (picture axes) turned about the vertical; a positive yaw looks to the right of the picture."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    return vertices @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])


def _irises(
    mesh: NDArray[np.float64], rotation: NDArray[np.float64], pupils: Mapping[int, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Both irises [10, 3]: centre, then right, top, left, bottom as the head is tilted; mid-eye unless a pupil is given."""
    ring = np.zeros((5, 3))
    ring[1:, :2] = np.array([(1, 0), (0, -1), (-1, 0), (0, 1)]) @ rotation.T
    irises = []
    for iris, around in _EYES.items():
        outer, inner, _, _ = mesh[list(around)]
        centre = mesh[list(around)].mean(0)
        centre[:2] = pupils.get(iris, centre[:2])
        irises.append(centre + _IRIS_RADIUS * float(np.linalg.norm(outer - inner)) * ring)
    return np.vstack(irises)


def similarity(
    source: NDArray[np.float64], goal: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
    """Rotation [2, 2], scale and shift [2] that best take source [n, 2] to goal (Umeyama 1991), never mirrored."""
    source_mean, goal_mean = source.mean(0), goal.mean(0)
    a, b = source - source_mean, goal - goal_mean
    u, singular, vt = np.linalg.svd(b.T @ a)
    flip = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * flip) @ vt
    scale = float((singular * flip).sum() / (a**2).sum())
    return rotation, scale, goal_mean - scale * rotation @ source_mean


def thin_plate(
    source: NDArray[np.float64], goal: NDArray[np.float64], at: NDArray[np.float64], smoothing: float = 1e-3
) -> NDArray[np.float64]:
    """Displacement [m, 2] at `at` [m, 2] of the smoothest bend that takes source [n, 2] to goal."""
    unit = 2 * float(np.sqrt(source.var(0).sum()))
    source, at, offset = source / unit, at / unit, (goal - source) / unit
    num = len(source)
    system = np.zeros((num + 3, num + 3))
    system[:num, :num] = _radial(source, source) + smoothing * np.eye(num)
    system[:num, num:] = np.column_stack([np.ones(num), source])
    system[num:, :num] = system[:num, num:].T
    weights = np.linalg.solve(system, np.vstack([offset, np.zeros((3, 2))]))
    return unit * (_radial(at, source) @ weights[:num] + np.column_stack([np.ones(len(at)), at]) @ weights[num:])


def _radial(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    square = ((a[:, None] - b[None]) ** 2).sum(-1)
    return 0.5 * square * np.log(np.maximum(square, 1e-12))


def _transform(
    rotation: NDArray[np.float64], size: float, yaw: float, landmarks: NDArray[np.float32], picture_size: tuple[int, int]
) -> NDArray[np.float32]:
    """Canonical centimetres (y up, z to the camera) to camera space: turn and roll, at the distance that gives this size."""
    width, height = picture_size
    focal_px = height / 2 / np.tan(np.radians(_FIELD_OF_VIEW_DEGREES) / 2)
    flip = np.diag([1.0, -1.0, -1.0])
    roll = np.eye(3)
    roll[:2, :2] = rotation
    turn = _turned(np.eye(3), yaw).T
    transform = np.eye(4, dtype=np.float32)
    transform[:3, :3] = flip @ roll @ turn @ flip
    middle = landmarks[:, :2].mean(0) - np.array([width, height]) / 2
    transform[:3, 3] = (middle[0] / size, -middle[1] / size, -focal_px / size)
    return transform
