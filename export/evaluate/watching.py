"""One video watched once, from its first frame to its last: all that the figures of `export.evaluate.judging` need of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from export.evaluate.face_track import FaceReader, FaceTrack
from export.evaluate.identity import FaceMeasure, Picture, Points
from export.evaluate.steadiness import Flicker, detail
from export.evaluate.talking import FPS

EVERY = 5  # frames from one look at identity and sharpness to the next
_LUMA_HEIGHT = 160  # of the pictures that seams are looked for in


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """The picture that a video was made from: its face standing still, described, and its detail. None: no face is found in
    it."""

    track: FaceTrack | None
    description: NDArray[np.float32] | None
    detail: float


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """track: at 25 fps whatever the video's rate; None where no frame has a face. distances, details: of each look, NaN
    without a face. luma: uint8 [frames, h, w], small. landmarks, found: [frames, 478, 3] in pixels and [frames], as the video
    has them."""

    fps: float
    size: tuple[int, int]
    num_frames: int
    track: FaceTrack | None
    distances: NDArray[np.float32]
    details: NDArray[np.float32]
    flicker: float
    luma: NDArray[np.uint8]
    landmarks: Points
    found: NDArray[np.bool_]


def look_at(picture: Picture, measure: FaceMeasure) -> Portrait:
    """A still picture, RGB [h, w, 3]."""
    with FaceReader() as reader:
        if not reader.read(picture):
            return Portrait(None, None, 0.0)
        points = reader.landmarks
        assert points is not None
        grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
        return Portrait(reader.track(), measure.describe(picture, points), detail(grey, _box(points)))


def watch(path: Path, portrait: Portrait, measure: FaceMeasure) -> Watched:
    """Raises ValueError for a file that holds no video that FFmpeg can read."""
    flicker, distances, details = Flicker(), [], []
    luma: list[NDArray[np.uint8]] = []
    times: list[float] = []
    size = 0, 0
    try:
        with FaceReader() as reader, av.open(str(path)) as container:
            if not container.streams.video:
                raise ValueError(f"{path} has no video")
            stream = container.streams.video[0]
            rate = float(stream.average_rate or FPS)
            for i, frame in enumerate(container.decode(stream)):
                picture = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
                size = picture.shape[1], picture.shape[0]
                grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
                times.append(frame.time if frame.time is not None else i / rate)
                shown = reader.read(picture)
                flicker.see(grey)
                scale = _LUMA_HEIGHT / len(grey)
                luma.append(np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8))
                if i % EVERY == 0:
                    points = reader.landmarks if shown else None
                    described = None if points is None else measure.describe(picture, points)
                    known = described is not None and portrait.description is not None
                    distances.append(measure.distance(described, portrait.description) if known else np.nan)  # type: ignore[arg-type]
                    details.append(np.nan if points is None else detail(grey, _box(points)))
            landmarks, found = reader.mesh()
            track = reader.track() if found.any() else None
    except av.FFmpegError as error:
        raise ValueError(f"{path} is not a video that FFmpeg can read ({error})") from None
    if not times:
        raise ValueError(f"{path} has no frames")
    return Watched(
        fps=rate,
        size=size,
        num_frames=len(times),
        track=_at_25(track, np.array(times)),
        distances=np.array(distances, np.float32),
        details=np.array(details, np.float32),
        flicker=flicker.level,
        luma=np.stack(luma),
        landmarks=landmarks,
        found=found,
    )


def save_track(track: FaceTrack | None, path: Path) -> None:
    """As `load_track` reads it."""
    np.savez_compressed(path, **({} if track is None else {f.name: getattr(track, f.name) for f in fields(track)}))


def load_track(path: Path) -> FaceTrack | None:
    """None where it was None. Raises OSError or ValueError for a file of another kind."""
    with np.load(path, allow_pickle=False) as arrays:
        series: dict[str, Any] = dict(arrays)
    try:
        return FaceTrack(**series) if series else None
    except TypeError as error:
        raise ValueError(f"{path} holds no face track ({error})") from None


def _at_25(track: FaceTrack | None, times: NDArray[np.float64]) -> FaceTrack | None:
    """The track, one entry a frame at `times`, at 25 a second from the first frame on."""
    if track is None:
        return None
    times = times - times[0]
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1 / FPS
    wanted = np.arange(round((times[-1] + step) * FPS)) / FPS
    return track.at(np.interp(wanted, times, np.arange(len(times))))


def _box(points: Points) -> tuple[float, float, float, float]:
    (left, top), (right, bottom) = points[:, :2].min(0), points[:, :2].max(0)
    return float(left), float(top), float(right), float(bottom)
