"""Reading and writing video: frames at the rate that all filters work at, sound at 16 kHz, clips cut out of a film."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from engines.specs import SAMPLE_RATE_HZ
from export.curate.faces import Picture

FPS = 25  # of the filters
SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".mts", ".flv", ".wmv"})
_CLIP_CRF = "14"  # as good as lossless to the eye: training reads these


class UnreadableVideo(ValueError):
    """A file that is no video, or a broken one. The message names it and says why."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the container says. duration_s counts from the first picture."""

    width: int
    height: int
    fps: float
    duration_s: float
    has_sound: bool


def videos_in(folder: Path) -> list[Path]:
    """Every video file below a folder, by name."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def facts_of(path: Path) -> Facts:
    """Raises UnreadableVideo."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UnreadableVideo(f"{path.name} has no picture in it")
            stream = container.streams.video[0]
            rate = stream.average_rate or stream.guessed_rate
            if not rate or not stream.codec_context.width:
                raise UnreadableVideo(f"{path.name}: its picture has no size or rate")
            length = (stream.duration or 0) * (stream.time_base or 0) or Fraction(container.duration or 0, av.time_base)
            return Facts(
                stream.codec_context.width,
                stream.codec_context.height,
                float(rate),
                float(length),
                bool(container.streams.audio),
            )
    except (av.FFmpegError, UnicodeDecodeError) as error:
        raise UnreadableVideo(f"{path.name} is not a video that FFmpeg can read ({_why(error)})") from error


def _why(error: Exception) -> str:
    """FFmpeg's own words, without the path."""
    return getattr(error, "strerror", None) or str(error)


def frames_between(path: Path, start_s: float, end_s: float, fps: float = FPS) -> Iterator[Picture]:
    """The frames shown at start_s, + 1/fps, … before end_s, RGB. Raises UnreadableVideo where decoding fails."""
    wanted_s, step_s = start_s, 1 / fps
    last: Picture | None = None
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            tick_s = stream.time_base or Fraction(1, 90_000)
            first_s = float((stream.start_time or 0) * tick_s)
            if start_s > 2:
                container.seek(int((start_s + first_s) / tick_s), stream=stream)
            for frame in container.decode(stream):
                at_s = float(frame.pts * tick_s) - first_s if frame.pts is not None else wanted_s
                while last is not None and wanted_s < end_s and at_s > wanted_s + step_s / 2:
                    yield last
                    wanted_s += step_s
                if wanted_s >= end_s - step_s / 2:
                    return
                if at_s > wanted_s - step_s:  # else it is not needed
                    last = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    except (av.FFmpegError, IndexError) as error:
        raise UnreadableVideo(f"{path.name} cannot be decoded at {wanted_s:.2f} s ({_why(error)})") from error
    if last is not None and wanted_s < end_s - step_s / 2:
        yield last


def sound_of(path: Path) -> NDArray[np.int16]:
    """All of the first sound track, mono at 16 kHz, sample 0 at the first picture; empty where there is none.

    Raises UnreadableVideo.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                return np.zeros(0, np.int16)
            stream, picture = container.streams.audio[0], container.streams.video[0]
            resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE_HZ)
            pieces: list[NDArray[np.int16]] = []
            begins_s: float | None = None
            for frame in container.decode(stream):
                if begins_s is None:
                    begins_s = frame.time or 0.0
                pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
            sound = np.concatenate([*pieces, np.zeros(0, np.int16)]).astype(np.int16)
            shown_s = float((picture.start_time or 0) * (picture.time_base or 0))
            late = round(((begins_s or 0.0) - shown_s) * SAMPLE_RATE_HZ)
    except (av.FFmpegError, IndexError) as error:
        raise UnreadableVideo(f"the sound of {path.name} cannot be decoded ({_why(error)})") from error
    return np.concatenate([np.zeros(late, np.int16), sound]) if late > 0 else sound[-late:]


def write_clip(
    path: Path,
    frames: Iterator[Picture],
    fps: float,
    sound: NDArray[np.int16],
    *,
    crf: str = _CLIP_CRF,
    preset: str = "veryfast",
) -> int:
    """An MP4 of frames [h, w, 3] (cut to even sizes) and 16 kHz sound; the number of frames. It appears when it is whole."""
    partial = path.with_suffix(".part")
    rate = Fraction(fps).limit_denominator(1001)
    count = 0
    with av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        picture = container.add_stream("libx264", rate=rate, options={"crf": crf, "preset": preset, "threads": "1"})
        track = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono") if len(sound) else None
        for rgb in frames:
            rgb = np.ascontiguousarray(rgb[: len(rgb) // 2 * 2, : rgb.shape[1] // 2 * 2])
            if not count:
                picture.width, picture.height, picture.pix_fmt = rgb.shape[1], rgb.shape[0], "yuv420p"
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = count, 1 / rate
            container.mux(picture.encode(frame))
            count += 1
        container.mux(picture.encode(None) if count else [])
        if track is not None:
            whole = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
            whole.sample_rate, whole.pts, whole.time_base = SAMPLE_RATE_HZ, 0, Fraction(1, SAMPLE_RATE_HZ)
            resampler = av.AudioResampler("fltp", "mono", SAMPLE_RATE_HZ, frame_size=1024)
            for piece in [*resampler.resample(whole), *resampler.resample(None)]:
                container.mux(track.encode(piece))
            container.mux(track.encode(None))
    partial.replace(path)
    return count


def through_h264(frames: NDArray[np.uint8], crf: int) -> list[Picture]:
    """RGB [T, h, w, 3] at 25 a second, encoded at a constant rate factor (cut to even sizes) and decoded again."""
    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": str(crf), "preset": "veryfast", "threads": "1"})
        stream.height, stream.width, stream.pix_fmt = frames.shape[1] // 2 * 2, frames.shape[2] // 2 * 2, "yuv420p"
        for rgb in frames:
            rgb = np.ascontiguousarray(rgb[: stream.height, : stream.width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as source:
        return [frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False) for frame in source.decode(video=0)]
