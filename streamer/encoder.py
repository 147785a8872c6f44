"""One encode for everybody: pictures to H.264, sound to Opus, in one thread of the broadcast's own."""

from __future__ import annotations

import asyncio
import fractions
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import av
import numpy as np
from av.video.frame import PictureType

from streamer.media import SAMPLES_PER_PACKET, AudioPacket, Picture, Sound, VideoPacket
from streamer.plan import TIME_BASE_HZ, ticks_per_frame

_TICK = fractions.Fraction(1, TIME_BASE_HZ)
_INTRA_EVERY_S = 10
_LEAST_INTRA_GAP_S = 0.3
#: H.264 Table A-1: level, macroblocks a frame, macroblocks a second.
_LEVELS = (
    ("3.0", 1620, 40_500),
    ("3.1", 3600, 108_000),
    ("3.2", 5120, 216_000),
    ("4.0", 8192, 245_760),
    ("4.2", 8704, 522_240),
)


def bitrate_for(width: int, height: int, fps: int) -> int:
    """Bits a second for a talking head: 2.0 Mb/s at 512x512@25, 9.6 at 1920x1080@48; what it does not need it does not take."""
    return int(min(12e6, max(0.6e6, 2.0e6 * (width * height / 512**2) ** 0.75 * (fps / 25) ** 0.5)))


def level_for(width: int, height: int, fps: int) -> str:
    """The lowest H.264 level that allows it."""
    blocks = -(-width // 16) * -(-height // 16)
    table = (
        ("3.0", 1620, 40_500),
        ("3.1", 3600, 108_000),
        ("3.2", 5120, 216_000),
        ("4.0", 8192, 245_760),
        ("4.2", 8704, 522_240),
    )
    return next((level for level, size, rate in table if blocks <= size and blocks * fps <= rate), "5.1")


class IntraRequests:
    """When the next picture is to be an intra frame: on demand, but not twice within 300 ms. Times in seconds, passed in."""

    def __init__(self, least_gap_s: float = _LEAST_INTRA_GAP_S) -> None:
        self._least_gap_s = least_gap_s
        self._wanted = True
        self._last_s = -float("inf")

    def want(self) -> None:
        """A viewer has joined, or has lost a picture."""
        self._wanted = True

    def take(self, now_s: float) -> bool:
        """Whether the picture to be encoded now is to be one."""
        if not self._wanted or now_s - self._last_s < self._least_gap_s:
            return False
        self._wanted, self._last_s = False, now_s
        return True


class VideoEncoder:
    """H.264, constrained baseline, no delay. Not thread-safe: one thread at a time."""

    def __init__(self, width: int, height: int, fps: int, bitrate_bps: int | None = None) -> None:
        self._fps = fps
        rate = bitrate_bps or bitrate_for(width, height, fps)
        codec = av.CodecContext.create("libx264", "w")
        codec.width, codec.height = width, height
        codec.pix_fmt = "yuv420p"
        codec.framerate = fractions.Fraction(fps)
        codec.time_base = _TICK
        codec.gop_size = _INTRA_EVERY_S * fps
        codec.max_b_frames = 0
        codec.thread_count = 1
        codec.profile = "Baseline"  # without FMO and the like, which x264 never writes, this is constrained baseline
        codec.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "crf": "23",
            "maxrate": str(rate),
            "bufsize": str(rate // 2),
            "level": level_for(width, height, fps),
            "forced-idr": "1",
        }
        self._codec = codec

    def encode(self, picture: Picture, tick: int, intra: bool) -> list[VideoPacket]:
        """I420 [height * 3 // 2, width] shown at wall tick `tick`."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="yuv420p")
        frame.pts, frame.time_base = tick, _TICK
        frame.pict_type = PictureType.I if intra else PictureType.NONE
        return [VideoPacket(packet.pts or 0, bytes(packet), packet.is_keyframe) for packet in self._codec.encode(frame)]


class AudioEncoder:
    """Opus, mono, 20 ms a packet, from blocks of any length. Not thread-safe."""

    def __init__(self, bitrate_bps: int = 48_000) -> None:
        codec = av.CodecContext.create("libopus", "w")
        codec.bit_rate = bitrate_bps
        codec.format, codec.layout, codec.sample_rate = "s16", "mono", TIME_BASE_HZ
        codec.time_base = _TICK
        codec.options = {"application": "audio", "frame_duration": "20"}
        self._codec = codec
        self._waiting = np.zeros(0, np.int16)
        self._tick = 0

    def encode(self, sound: Sound, tick: int) -> Iterator[AudioPacket]:
        """The packets that are whole now. `tick` is that of the first sample; where it does not follow on, a new start."""
        if tick != self._tick + len(self._waiting):
            self._waiting, self._tick = np.zeros(0, np.int16), tick
        self._waiting = np.concatenate([self._waiting, sound])
        while len(self._waiting) >= SAMPLES_PER_PACKET:
            block, self._waiting = self._waiting[:SAMPLES_PER_PACKET], self._waiting[SAMPLES_PER_PACKET:]
            frame = av.AudioFrame.from_ndarray(block[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = TIME_BASE_HZ, self._tick, _TICK
            for packet in self._codec.encode(frame):
                yield AudioPacket(self._tick, bytes(packet))
            self._tick += SAMPLES_PER_PACKET


@dataclass(frozen=True, slots=True)
class Encoded:
    """One turn's packets; no video when the picture was skipped."""

    video: list[VideoPacket]
    audio: list[AudioPacket]

    def payloads(self) -> list[bytes]:
        return [packet.data for packet in self.video] + [packet.data for packet in self.audio]


class Encoder:
    """Both encoders behind one thread, so that nothing blocks the event loop and aiortc's own executor stays free."""

    def __init__(self, width: int, height: int, fps: int) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._video = VideoEncoder(width, height, fps)
        self._audio = AudioEncoder()
        self._intra = IntraRequests()
        self._frame_s = ticks_per_frame(fps) / TIME_BASE_HZ

    def want_intra(self) -> None:
        """A viewer has joined, or has lost a picture."""
        self._intra.want()

    async def encode(self, picture: Picture | None, sound: Sound, tick: int) -> Encoded:
        """One turn. Without a picture only the sound goes on, as it must not have gaps."""
        intra = picture is not None and self._intra.take(tick / TIME_BASE_HZ)
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._encode, picture, sound, tick, intra)

    def _encode(self, picture: Picture | None, sound: Sound, tick: int, intra: bool) -> Encoded:
        video = [] if picture is None else self._video.encode(picture, tick, intra)
        return Encoded(video, list(self._audio.encode(sound, tick)))

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
