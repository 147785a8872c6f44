"""What a face does, frame by frame, as plain numbers read off its landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float32]  # [T]

EYE_RIGHT, EYE_LEFT = 33, 263  # outer corners
LIP_TOP, LIP_BOTTOM = 13, 14  # inner edge, middle
MOUTH_RIGHT, MOUTH_LEFT = 61, 291
NOSE_BRIDGE, NOSE_TIP, CHIN = 6, 4, 152
LIDS = ((159, 145, 33, 133), (386, 374, 263, 362))  # upper, lower, outer corner, inner corner
BROWS = ((105, 159), (334, 386))  # brow, the lid below it
IRISES = ((468, 33, 133), (473, 362, 263))  # centre, the eye's corners: the one left in the picture first
BROW_RIGHT, BROW_LEFT = 55, 285  # inner ends
NOSE_BASE = 2
_SHOULDERS_FROM = 0.7  # of the picture's height


@dataclass(frozen=True, slots=True, eq=False)
class FaceTrack:
    """Series of [T]; lengths are in eye distances (outer corner to outer corner), angles in radians, signs of `engines.motion`.
    Only `size`, `x` and `y` are in the unit of the landmarks.

    Frames where no face was found hold what the nearest frames make likely; `found` says which.
    """

    aperture: Series  # between the inner lips
    jaw: Series  # bridge of the nose to chin
    mouth_width: Series
    smile: Series  # mouth corners above the middle of the lips
    eye_opening: Series  # lids apart over the eye's width, mean of both
    brow: Series  # brow above the upper lid
    yaw: Series
    pitch: Series
    roll: Series
    gaze_left: Series  # irises off the middle of their eyes, over the eyes' widths, to the speaker's left
    gaze_up: Series
    wink: Series  # how much wider one eye is open than the other
    brow_tilt: Series  # how much higher one brow is than the other
    brow_gap: Series  # between the brows' inner ends
    smirk: Series  # how much higher one corner of the mouth is than the other
    nose: Series  # its bridge to its base
    size: Series  # the eye distance itself
    x: Series  # middle of the eyes, picture right
    y: Series  # picture down
    shoulders: Series  # how far they have risen since the first frame; 0 throughout where only landmarks are known
    found: NDArray[np.bool_]

    @property
    def lips(self) -> NDArray[np.float32]:
        """Aperture and jaw, [T, 2]: what the lip predictor predicts."""
        return np.stack([self.aperture, self.jaw], axis=1)

    def at(self, frames: NDArray[np.float64]) -> FaceTrack:
        """The track at these places [n], in frames: between two frames what lies between them. A frame is found where the
        nearest is."""
        index = np.arange(len(self.found))
        nearest = np.clip(np.round(frames).astype(int), 0, len(index) - 1)
        series = {f.name: np.interp(frames, index, getattr(self, f.name)).astype(np.float32) for f in fields(self)}
        return FaceTrack(**series | {"found": self.found[nearest]})

    def held(self, num_frames: int) -> FaceTrack:
        """The first frame, so many times."""
        return self.at(np.zeros(num_frames))


def from_landmarks(landmarks: NDArray[np.float32], found: NDArray[np.bool_], shoulders_up: Sequence[float] = ()) -> FaceTrack:
    """landmarks: [T, 478, 3] in any isotropic unit, y down; `shoulders_up` [T] likewise. ValueError without any face."""
    if not found.any():
        raise ValueError("no face in any frame")
    index = np.arange(len(landmarks))
    points = landmarks.astype(np.float64)

    def filled(series: NDArray[np.float64]) -> Series:
        return np.interp(index, index[found], series[found]).astype(np.float32)

    def distance(a: int, b: int) -> NDArray[np.float64]:
        return np.asarray(np.linalg.norm(points[:, a, :2] - points[:, b, :2], axis=1))

    across = points[:, EYE_LEFT] - points[:, EYE_RIGHT]  # picture right
    eye = np.maximum(np.hypot(across[:, 0], across[:, 1]), 1e-9)
    up = np.stack([across[:, 1], -across[:, 0]], axis=1) / eye[:, None]  # of the face, in the picture

    def above(a: int, b: int) -> NDArray[np.float64]:
        return np.asarray(np.einsum("tk,tk->t", points[:, a, :2] - points[:, b, :2], up)) / eye

    lips_middle = points[:, [LIP_TOP, LIP_BOTTOM], :2].mean(1)
    corners = points[:, [MOUTH_RIGHT, MOUTH_LEFT], :2].mean(1)
    lids = [distance(top, bottom) / np.maximum(distance(outer, inner), 1e-9) for top, bottom, outer, inner in LIDS]
    eyes = points[:, [EYE_RIGHT, EYE_LEFT]].mean(1)
    nose = points[:, NOSE_TIP] - eyes
    along = across[:, :2] / eye[:, None]
    gaze = np.zeros((len(points), 2))
    for iris, one, other in IRISES:
        off = points[:, iris, :2] - points[:, [one, other], :2].mean(1)
        width = np.maximum(distance(one, other), 1e-9)
        gaze += np.stack([np.einsum("tk,tk->t", off, axis) / width / 2 for axis in (along, up)], axis=1)
    brows = [above(brow, lid) for brow, lid in BROWS]
    down = points[:, CHIN] - points[:, NOSE_BRIDGE]
    return FaceTrack(
        aperture=filled(distance(LIP_TOP, LIP_BOTTOM) / eye),
        jaw=filled(distance(NOSE_BRIDGE, CHIN) / eye),
        mouth_width=filled(distance(MOUTH_RIGHT, MOUTH_LEFT) / eye),
        smile=filled(np.einsum("tk,tk->t", corners - lips_middle, up) / eye),
        eye_opening=filled(np.mean(lids, axis=0)),
        brow=filled(np.mean(brows, axis=0)),
        yaw=filled(np.arcsin(np.clip((nose[:, 0] * across[:, 0] + nose[:, 1] * across[:, 1]) / eye**2, -1, 1))),
        pitch=filled(np.arctan2(-down[:, 2], np.hypot(down[:, 0], down[:, 1]))),
        roll=filled(np.arctan2(across[:, 1], across[:, 0])),
        gaze_left=filled(gaze[:, 0]),
        gaze_up=filled(gaze[:, 1]),
        wink=filled(np.abs(lids[0] - lids[1])),
        brow_tilt=filled(np.abs(brows[0] - brows[1])),
        brow_gap=filled(distance(BROW_RIGHT, BROW_LEFT) / eye),
        smirk=filled(np.abs(above(MOUTH_LEFT, MOUTH_RIGHT))),
        nose=filled(distance(NOSE_BRIDGE, NOSE_BASE) / eye),
        size=filled(eye),
        x=filled(eyes[:, 0]),
        y=filled(eyes[:, 1]),
        shoulders=(np.asarray(shoulders_up or np.zeros(len(points))) / np.median(eye[found])).astype(np.float32),
        found=found,
    )


def from_video(path: Path) -> FaceTrack:
    """Landmarks of every frame of a video, by MediaPipe's face landmarker.

    Raises ValueError where there is no video, or no face in it.
    """
    import av

    with FaceReader() as reader, av.open(str(path)) as container:
        if not container.streams.video:
            raise ValueError(f"{path} has no video")
        for frame in container.decode(video=0):
            picture = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
            reader.read(picture)
        return reader.track()


class FaceReader:
    """Reads faces off pictures that follow each other, each by itself: the landmarker's own tracking smooths its landmarks over
    time, and so puts the lips half a frame late. A context manager, as the landmarker holds threads."""

    def __init__(self) -> None:
        from mediapipe.tasks.python import BaseOptions, vision

        from engines.codecs.portrait.detect import landmarker_path

        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(landmarker_path())), running_mode=vision.RunningMode.IMAGE
        )
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._landmarker = vision.FaceLandmarker.create_from_options(options)
        self._points: list[Any] = []
        self._first: NDArray[np.uint8] | None = None
        self._shoulders: list[float] = []

    def __enter__(self) -> FaceReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._landmarker.close()

    def read(self, picture: NDArray[np.uint8]) -> bool:
        """The next picture, RGB [h, w, 3]. True when a face is in it."""
        import mediapipe as mp

        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
        faces = self._landmarker.detect(image).face_landmarks
        height, width = picture.shape[:2]
        self._shoulders.append(self._shoulders_up(picture))
        self._points.append(np.array([(p.x * width, p.y * height, p.z * width) for p in faces[0]]) if faces else None)
        return bool(faces)

    @property
    def landmarks(self) -> NDArray[np.float32] | None:
        """Of the last picture read, [478, 3] in pixels; None without a face."""
        points = self._points[-1]
        return None if points is None else points.astype(np.float32)

    def mesh(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Everything read so far: landmarks [T, 478, 3] in pixels, 0 where no face was found, and where one was [T]."""
        found = np.array([points is not None for points in self._points], bool)
        blank = np.zeros((478, 3))
        landmarks = np.array([blank if points is None else points for points in self._points], np.float32)
        return landmarks.reshape(-1, 478, 3), found

    def track(self) -> FaceTrack:
        """Everything read so far. ValueError without any face."""
        return from_landmarks(*self.mesh(), self._shoulders)

    def _shoulders_up(self, picture: NDArray[np.uint8]) -> float:
        """How far what lies beside and below the neck has risen since the first picture, in pixels: by optical flow."""
        scale = 192 / len(picture)
        grey = cv2.cvtColor(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        lower = np.ascontiguousarray(grey[round(_SHOULDERS_FROM * len(grey)) :])
        if self._first is None:
            self._first = lower
        if self._first.shape != lower.shape:
            return 0.0
        up = -self._flow.calc(self._first, lower, None)[..., 1]
        third = up.shape[1] // 3
        sides = np.concatenate([up[:, :third], up[:, -third:]], axis=1)
        return float(np.sort(sides.ravel())[-sides.size // 4 :].mean() if sides.mean() > 0 else sides.mean()) / scale
