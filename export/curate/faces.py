"""The face of every frame of a clip: where it is, how it is turned, how many there are; and pictures cut out around it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.codecs.portrait.detect import Face, FaceLandmarker, roll_degrees, yaw_degrees

Picture = NDArray[np.uint8]  # RGB [h, w, 3]

NUM_LANDMARKS = 478
EYE_CORNERS = (33, 263)
LIPS = (61, 291, 0, 17)  # corners, top, bottom
MOUTH_SIDE = 1.3  # of a mouth's picture, in eye distances
#: A face counts when its area is this share of the largest one's.
COUNTS_FROM = 0.25


class NoFaceFound(ValueError):
    """A clip in which no face is seen. The message says in how many frames it was looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceTrack:
    """The largest face of T frames.

    landmarks: float32 [T, 478, 3], picture pixels, y down; zeros where none is found. found: bool [T]. num_faces: int [T].
    pose: float32 [T, 3], yaw, pitch and roll in degrees, 0 straight into the camera. blendshapes: float32 [T, 52].
    """

    landmarks: NDArray[np.float32]
    found: NDArray[np.bool_]
    num_faces: NDArray[np.int64]
    pose: NDArray[np.float32]
    blendshapes: NDArray[np.float32]

    @property
    def eye_distance_px(self) -> float:
        """Median over the frames with a face; 0 without any."""
        if not self.found.any():
            return 0.0
        corners = self.landmarks[self.found][:, EYE_CORNERS]
        return float(np.median(np.linalg.norm(corners[:, 0] - corners[:, 1], axis=1)))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels: the median face. Raises NoFaceFound."""
        if not self.found.any():
            raise NoFaceFound(f"no face in any of {len(self.found)} frames")
        points = self.landmarks[self.found][:, :, :2]
        (left, top), (right, bottom) = np.median(points.min(1), axis=0), np.median(points.max(1), axis=0)
        return float(left), float(top), float(right), float(bottom)


class FaceReader:
    """Reads faces off pictures, each by itself: tracking would smooth the lips over time. Close it, or use it as a context."""

    def __init__(self) -> None:
        self._landmarker = FaceLandmarker()
        self._faces: list[Face | None] = []
        self._num_faces: list[int] = []

    def __enter__(self) -> FaceReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._landmarker.close()

    def read(self, picture: Picture) -> Face | None:
        """The next picture's largest face."""
        faces = self._landmarker.faces(picture)
        self._num_faces.append(sum(face.area >= COUNTS_FROM * faces[0].area for face in faces))
        self._faces.append(faces[0] if faces else None)
        return self._faces[-1]

    def track(self) -> FaceTrack:
        """Everything read so far."""
        num = len(self._faces)
        landmarks, pose = np.zeros((num, NUM_LANDMARKS, 3), np.float32), np.zeros((num, 3), np.float32)
        blendshapes = np.zeros((num, 52), np.float32)
        for i, face in enumerate(self._faces):
            if face is not None:
                landmarks[i], blendshapes[i] = face.landmarks, face.blendshapes
                pose[i] = yaw_degrees(face), pitch_degrees(face), roll_degrees(face)
        found = np.array([face is not None for face in self._faces], bool)
        return FaceTrack(landmarks, found, np.array(self._num_faces, np.int64), pose, blendshapes)


def read_faces(frames: Iterable[Picture]) -> FaceTrack:
    """The faces of pictures that follow each other; about 20 ms of a core for each."""
    with FaceReader() as reader:
        for frame in frames:
            reader.read(frame)
        return reader.track()


def pitch_degrees(face: Face) -> float:
    """How far the head is raised; 0 looks straight into the camera."""
    forward = face.transform[:3, 2]
    return float(np.degrees(np.arcsin(np.clip(-forward[1] / max(1e-9, float(np.linalg.norm(forward))), -1, 1))))


def mouth_picture(picture: Picture, landmarks: NDArray[np.float32], side: int) -> NDArray[np.uint8]:
    """The mouth upright in grey, uint8 [side, side], `MOUTH_SIDE` eye distances wide. landmarks: [478, 3] in pixels.

    Made from the picture's own pixels: what is smaller in it is enlarged, and so looks as unclear as it is.
    """
    across = landmarks[EYE_CORNERS[1], :2] - landmarks[EYE_CORNERS[0], :2]
    # Turning the head shortens the eyes' distance in the picture, not the mouth's height.
    unit = max(1.0, float(np.linalg.norm(landmarks[EYE_CORNERS[1]] - landmarks[EYE_CORNERS[0]])))
    angle = float(np.arctan2(across[1], across[0]))
    centre = landmarks[list(LIPS), :2].mean(axis=0)
    return upright(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), centre, MOUTH_SIDE * unit, angle, side)


def upright(picture: NDArray[np.uint8], centre: NDArray[np.float32], width: float, angle: float, side: int) -> Picture:
    """A square of the picture, `width` pixels wide and turned by `angle` (radians), as [side, side, …]."""
    step = max(1.0, width / side)  # average before taking fewer pixels, so that nothing folds over
    scale = side * round(step) / width
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    half = side * round(step) / 2
    turned = np.array(
        [[cos, sin, half - cos * centre[0] - sin * centre[1]], [-sin, cos, half + sin * centre[0] - cos * centre[1]]]
    )
    size = (side * round(step), side * round(step))
    large = cv2.warpAffine(picture, turned, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
