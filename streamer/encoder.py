"""One encode for everybody: pictures to H.264, sound to Opus (and to AAC, where an output wants it), in one thread."""

from __future__ import annotations

import asyncio
import fractions
import functools
import logging
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

import av
import cv2
import numpy as np
from av.video.frame import PictureType

from streamer import colours
from streamer.config import bitrate_for
from streamer.media import SAMPLES_PER_PACKET, AudioPacket, Picture, Rendition, Sound, VideoPacket
from streamer.plan import TIME_BASE_HZ

log = logging.getLogger(__name__)

_TICK = fractions.Fraction(1, TIME_BASE_HZ)
_INTRA_EVERY_S = 10
_LEAST_INTRA_GAP_S = 0.3
AAC_SAMPLES = 1024  # of one packet
AAC_BITS_PER_S = 128_000

SoundCodec = Literal["libopus", "aac"]
_EVERYBODYS: tuple[Rendition, ...] = ("h264",)

#: H.264 Table A-1: level, macroblocks a frame, macroblocks a second.
_LEVELS = (
    ("3.0", 1620, 40_500),
    ("3.1", 3600, 108_000),
    ("3.2", 5120, 216_000),
    ("4.0", 8192, 245_760),
    ("4.2", 8704, 522_240),
)


def level_for(width: int, height: int, fps: int) -> str:
    """The lowest H.264 level that allows it."""
    blocks = -(-width // 16) * -(-height // 16)
    return next((level for level, size, rate in _LEVELS if blocks <= size and blocks * fps <= rate), "5.1")


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
    """One rendition without delay: H.264, constrained baseline, or VP8. Not thread-safe: one thread at a time.

    bitrate_bps: what it takes; None: what the pictures need, at most `bitrate_for` them.
    """

    def __init__(
        self, width: int, height: int, fps: int, bitrate_bps: int | None = None, rendition: Rendition = "h264"
    ) -> None:
        self.size = (width, height)
        rate = bitrate_bps or bitrate_for(width, height, fps)
        name = "libvpx" if rendition == "vp8" else h264_encoder()
        codec = av.CodecContext.create(name, "w")
        codec.width, codec.height = width, height
        codec.pix_fmt = "yuv420p"
        codec.framerate = fractions.Fraction(fps)
        codec.time_base = _TICK
        codec.gop_size = _INTRA_EVERY_S * fps
        codec.max_b_frames = 0
        colours.tag(codec)
        codec.thread_count = 1
        if name != "libx264" or bitrate_bps:
            codec.bit_rate = rate
        if name != "libvpx":
            codec.profile = "Baseline"  # without FMO and the like, which neither encoder writes, this is constrained baseline
        codec.options = _OPTIONS[name](rate, level_for(width, height, fps))
        if name == "libx264" and not bitrate_bps:
            codec.options |= {"crf": "23"}
        self._codec = codec

    def encode(self, picture: Picture, tick: int, intra: bool) -> list[VideoPacket]:
        """I420 [height * 3 // 2, width] shown at wall tick `tick`."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="yuv420p")
        frame.pts, frame.time_base = tick, _TICK
        frame.pict_type = PictureType.I if intra else PictureType.NONE
        return [VideoPacket(packet.pts or 0, bytes(packet), packet.is_keyframe) for packet in self._codec.encode(frame)]


def _x264(rate: int, level: str) -> dict[str, str]:
    return {
        "preset": "superfast",
        "tune": "zerolatency",
        "maxrate": str(rate),
        "bufsize": str(rate // 2),
        "level": level,
        "forced-idr": "1",
        "sc_threshold": "0",  # a scene cut is no reason for one
    }


def _nvenc(rate: int, level: str) -> dict[str, str]:
    return {
        "preset": "p3", "tune": "ull", "zerolatency": "1", "delay": "0", "rc": "vbr", "maxrate": str(rate),
        "bufsize": str(rate // 2), "level": level, "forced-idr": "1", "no-scenecut": "1",
    }  # fmt: skip


def _vp8(rate: int, level: str) -> dict[str, str]:
    return {
        "deadline": "realtime", "cpu-used": "12", "lag-in-frames": "0", "error-resilient": "default",
        "maxrate": str(rate), "bufsize": str(rate // 2), "undershoot-pct": "95",
    }  # fmt: skip


_OPTIONS = {"libx264": _x264, "h264_nvenc": _nvenc, "libvpx": _vp8}


@functools.cache
def h264_encoder() -> Literal["libx264", "h264_nvenc"]:
    """NVENC where this machine has it, tried once; else x264. Logged, as they look and cost differently."""
    codec = av.CodecContext.create("h264_nvenc", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = 256, 256, "yuv420p", fractions.Fraction(1, 25)
    try:
        codec.open()
    except av.FFmpegError as error:
        log.info("pictures are encoded by x264: this machine has no NVENC (%s)", error)
        return "libx264"
    log.info("pictures are encoded by NVENC")
    return "h264_nvenc"


def half_size(picture: Picture) -> Picture:
    """I420 at half the width and height, both rounded down to even."""
    height, width = picture.shape[0] * 2 // 3, picture.shape[1]
    new_width, new_height = half(width), half(height)
    luma = cv2.resize(picture[:height], (new_width, new_height), interpolation=cv2.INTER_AREA)
    colours = picture[height:].reshape(2, height // 2, width // 2)
    halves = [cv2.resize(plane, (new_width // 2, new_height // 2), interpolation=cv2.INTER_AREA) for plane in colours]
    return np.concatenate([luma, np.stack(halves).reshape(-1, new_width)]).astype(np.uint8, copy=False)


def half(side: int) -> int:
    """Of a side of the picture, even."""
    return side // 4 * 2


class AudioEncoder:
    """Mono sound in packets of one length, from blocks of any length. Not thread-safe."""

    def __init__(self, codec_name: SoundCodec = "libopus") -> None:
        codec = av.CodecContext.create(codec_name, "w")
        codec.layout, codec.sample_rate, codec.time_base = "mono", TIME_BASE_HZ, _TICK
        codec.thread_count = 1
        if codec_name == "libopus":
            codec.format, codec.bit_rate = "s16", 48_000
            # Half the complexity is 0.25 ms a packet, not 0.6; it is what browsers' own take on phones.
            codec.options = {"application": "audio", "frame_duration": "20", "compression_level": "5"}
            self._length = SAMPLES_PER_PACKET
        else:
            codec.format, codec.bit_rate = "fltp", AAC_BITS_PER_S
            self._length = AAC_SAMPLES
        self._codec = codec
        self._waiting = np.zeros(0, np.int16)
        self._tick = 0

    def encode(self, sound: Sound, tick: int) -> Iterator[AudioPacket]:
        """The packets that are whole now. `tick` is that of the first sample; where it does not follow on, a new start."""
        if tick != self._tick + len(self._waiting):
            self._waiting, self._tick = np.zeros(0, np.int16), tick
        self._waiting = np.concatenate([self._waiting, sound])
        while len(self._waiting) >= self._length:
            block, self._waiting = self._waiting[: self._length], self._waiting[self._length :]
            for packet in self._codec.encode(self._frame(block)):
                # AAC comes a packet late and says of itself when it is heard; RTP has no word for what Opus needs to get going.
                yield AudioPacket(self._tick if self._length == SAMPLES_PER_PACKET else packet.pts or 0, bytes(packet))
            self._tick += self._length

    def _frame(self, block: Sound) -> av.AudioFrame:
        if self._codec.format.name == "fltp":
            frame = av.AudioFrame.from_ndarray((block / 32768).astype(np.float32)[None], format="fltp", layout="mono")
        else:
            frame = av.AudioFrame.from_ndarray(block[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = TIME_BASE_HZ, self._tick, _TICK
        return frame


@dataclass(frozen=True, slots=True)
class Encoded:
    """One turn's packets; no video when the picture was skipped, and nothing of what nobody wants."""

    video: list[VideoPacket]
    audio: list[AudioPacket]
    aac: list[AudioPacket] = field(default_factory=list)
    low: list[VideoPacket] = field(default_factory=list)
    vp8: list[VideoPacket] = field(default_factory=list)

    def video_of(self, rendition: Rendition) -> list[VideoPacket]:
        return {"h264": self.video, "h264_low": self.low, "vp8": self.vp8}[rendition]

    def payloads(self) -> list[bytes]:
        """What goes to most WebRTC viewers."""
        return [packet.data for packet in self.video] + [packet.data for packet in self.audio]

    def contained(self) -> list[bytes]:
        """What goes into a file, or any other container."""
        return [packet.data for packet in self.video] + [packet.data for packet in self.aac]


class Encoder:
    """The encoders behind one thread, so that nothing blocks the event loop and aiortc's own executor stays free.

    The low rendition, VP8 and AAC are made only while somebody wants them.
    """

    def __init__(self, width: int, height: int, fps: int, bitrate_bps: int | None = None) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._width, self._height, self._fps, self._bitrate_bps = width, height, fps, bitrate_bps
        self._video: dict[Rendition, VideoEncoder] = {"h264": VideoEncoder(width, height, fps, bitrate_bps)}
        self._opus = AudioEncoder("libopus")
        self._aac: AudioEncoder | None = None
        self._intra: dict[Rendition, IntraRequests] = {name: IntraRequests() for name in ("h264", "h264_low", "vp8")}

    def want_intra(self, rendition: Rendition = "h264") -> None:
        """A viewer of it has joined, or has lost a picture."""
        self._intra[rendition].want()

    async def encode(
        self,
        picture: Picture | None,
        sound: Sound,
        tick: int,
        with_aac: bool = False,
        renditions: Collection[Rendition] = _EVERYBODYS,
    ) -> Encoded:
        """One turn. Without a picture only the sound goes on, as it must not have gaps."""
        wanted = renditions if picture is not None else ()
        intra = {name: self._intra[name].take(tick / TIME_BASE_HZ) for name in wanted}
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._encode, picture, sound, tick, intra, with_aac)

    def _encode(
        self, picture: Picture | None, sound: Sound, tick: int, intra: dict[Rendition, bool], with_aac: bool
    ) -> Encoded:
        packets: dict[Rendition, list[VideoPacket]] = {}
        for rendition, is_intra in intra.items():
            assert picture is not None
            shown = half_size(picture) if rendition == "h264_low" else picture
            packets[rendition] = self._encoder(rendition).encode(shown, tick, is_intra)
        if picture is not None:
            self._video = {name: encoder for name, encoder in self._video.items() if name in intra or name == "h264"}
        self._aac = (self._aac or AudioEncoder("aac")) if with_aac else None
        aac = list(self._aac.encode(sound, tick)) if self._aac else []
        opus = list(self._opus.encode(sound, tick))
        return Encoded(packets.get("h264", []), opus, aac, packets.get("h264_low", []), packets.get("vp8", []))

    def _encoder(self, rendition: Rendition) -> VideoEncoder:
        if rendition not in self._video:
            log.info("the %s rendition is encoded from now on", rendition)
            if rendition == "h264_low":
                width, height = half(self._width), half(self._height)
                most = self._bitrate_bps and min(self._bitrate_bps // 2, bitrate_for(width, height, self._fps))
                made = VideoEncoder(width, height, self._fps, most)
            else:
                made = VideoEncoder(self._width, self._height, self._fps, self._bitrate_bps, rendition)
            self._video[rendition] = made
        return self._video[rendition]

    def close(self) -> None:
        """The codecs go at once, their threads and megabytes with them, and not with whatever still refers to this."""
        self._executor.submit(self._let_go)
        self._executor.shutdown(wait=False)

    def _let_go(self) -> None:
        self._video.clear()
        self._aac = None
        del self._opus
