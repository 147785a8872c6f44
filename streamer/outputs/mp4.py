"""MP4 files from groups of pictures that were encoded apart, in parallel: each begins with an IDR, all share their settings.

Pictures with an alpha plane go into QuickTime files as ProRes 4444, each an intra frame, which editing programs and OBS read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from numpy.typing import NDArray

from streamer import colours

AUDIO_RATE_HZ = 48_000
_AAC_FRAME = 1024
_AAC_BITS_PER_S = 192_000


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What every group of a file shares. crf: x264's constant rate factor, lower is better and larger. is_clear: with alpha."""

    width: int
    height: int
    fps: int
    crf: int = 18
    preset: str = "superfast"
    is_clear: bool = False


def encode_group(pictures: Iterable[NDArray[np.uint8]], video: VideoFormat) -> list[bytes]:
    """I420 pictures [h * 3 // 2, w] to H.264 access units, the first an IDR, in the order they are shown (no B-frames).

    Where the format is clear: I420 with the alpha plane below, [h * 5 // 2, w], to ProRes.
    """
    codec = av.CodecContext.create("prores_ks" if video.is_clear else "libx264", "w")
    _configure(codec, video)
    units: list[bytes] = []
    for i, picture in enumerate(pictures):
        frame = _with_alpha(picture, video) if video.is_clear else av.VideoFrame.from_numpy_buffer(picture, format="yuv420p")
        frame.pts, frame.time_base = i, Fraction(1, video.fps)
        units += [bytes(packet) for packet in codec.encode(frame)]
    return units + [bytes(packet) for packet in codec.encode(None)]


def _with_alpha(picture: NDArray[np.uint8], video: VideoFormat) -> av.VideoFrame:
    frame = av.VideoFrame(video.width, video.height, "yuva420p")
    rest = picture.reshape(-1)
    for plane in frame.planes:
        own, rest = np.split(rest, [plane.width * plane.height])
        padded = np.zeros((plane.height, plane.line_size), np.uint8)
        padded[:, : plane.width] = own.reshape(plane.height, plane.width)
        plane.update(padded.tobytes())
    return frame.reformat(format="yuva444p10le")


def _configure(codec: av.VideoCodecContext, video: VideoFormat) -> None:
    codec.width, codec.height, codec.pix_fmt = video.width, video.height, "yuv420p"
    codec.framerate, codec.time_base = Fraction(video.fps), Fraction(1, video.fps)
    colours.tag(codec)
    if video.is_clear:
        codec.pix_fmt, codec.options = "yuva444p10le", {"profile": "4444", "alpha_bits": "8"}
        return
    codec.options = {
        "preset": video.preset, "crf": str(video.crf), "bf": "0", "threads": "1", "g": "600", "sc_threshold": "0",
        "profile": "high",
    }  # fmt: skip


class Mp4Writer:
    """Writes groups in order beside the sound; the file appears under its name only when it is whole."""

    def __init__(self, path: Path, video: VideoFormat) -> None:
        self._path, self._part = path, path.with_name(path.name + ".part")
        self._video = video
        self._num_frames = self._num_samples = 0
        container = "mov" if video.is_clear else "mp4"
        self._container = av.open(str(self._part), "w", format=container, options={"movflags": "+faststart"})
        self._picture = self._container.add_stream("prores_ks" if video.is_clear else "libx264", rate=video.fps)
        _configure(self._picture.codec_context, video)
        self._picture.codec_context.open()
        self._sound = self._container.add_stream("aac", rate=AUDIO_RATE_HZ, layout="stereo")
        self._sound.codec_context.bit_rate = _AAC_BITS_PER_S
        self._tail = np.zeros((0, 2), np.int16)

    def write(self, units: list[bytes], sound: NDArray[np.int16]) -> None:
        """One group of access units, and the sound [n, 2] at 48 kHz that belongs to it."""
        for i, unit in enumerate(units):
            packet = av.Packet(unit)
            packet.stream, packet.time_base = self._picture, Fraction(1, self._video.fps)
            packet.pts = packet.dts = self._num_frames
            packet.duration, packet.is_keyframe = 1, i == 0 or self._video.is_clear
            self._container.mux_one(packet)
            self._num_frames += 1
        sound = np.concatenate([self._tail, sound])
        whole = len(sound) // _AAC_FRAME * _AAC_FRAME
        for at in range(0, whole, _AAC_FRAME):
            self._encode(sound[at : at + _AAC_FRAME])
        self._tail = sound[whole:]

    def _encode(self, samples: NDArray[np.int16]) -> None:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.reshape(1, -1)), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = AUDIO_RATE_HZ, self._num_samples, Fraction(1, AUDIO_RATE_HZ)
        self._num_samples += len(samples)
        self._container.mux(self._sound.encode(frame))

    def __enter__(self) -> Mp4Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            if len(self._tail):
                self._encode(self._tail)
            self._container.mux(self._sound.encode(None))
        self._container.close()
        if kind is None:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)
