"""Values of the media path: voice chunks, pictures, encoded packets, and the ring that voice is read from by PTS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamer.plan import TIME_BASE_HZ, Pts

#: What the picture is encoded as: for everybody; at half the size, for links that carry no more; for peers without H.264.
Rendition = Literal["h264", "h264_low", "vp8"]

Sound = NDArray[np.int16]  # mono [n], 48 kHz: one sample a tick
Picture = NDArray[np.uint8]  # I420 [height * 3 // 2, width]

SAMPLES_PER_PACKET = 960  # 20 ms of Opus
VIDEO_CLOCK_HZ = 90_000


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """A piece of the host's voice, contiguous with the one before it.

    `sound` is 48 kHz from `pts`. `voice` is the same piece at 16 kHz, up to a millisecond behind. `concealed` says how many of
    the samples in `sound` stand for something that never arrived.
    """

    pts: Pts
    sound: Sound
    voice: NDArray[np.int16]
    concealed: int = 0


@dataclass(frozen=True, slots=True)
class VideoPacket:
    """One encoded picture. `tick` is the wall tick (1/48000 s) at which it is shown."""

    tick: int
    data: bytes
    is_intra: bool


@dataclass(frozen=True, slots=True)
class AudioPacket:
    """20 ms of Opus, or 1024 samples of AAC. `tick` is the wall tick of its first sample."""

    tick: int
    data: bytes


class SampleRing:
    """The newest `capacity_s` seconds of 48 kHz mono sound, addressed by PTS. What is older is forgotten."""

    def __init__(self, capacity_s: float) -> None:
        self._ring = np.zeros(int(capacity_s * TIME_BASE_HZ), np.int16)
        self._end = 0

    @property
    def end(self) -> Pts:
        """The PTS up to which sound has been pushed."""
        return Pts(self._end)

    def push(self, sound: Sound) -> None:
        """Append right behind what came before."""
        size = len(self._ring)
        kept = sound[-size:]
        at = (self._end + len(sound) - len(kept)) % size
        head = min(len(kept), size - at)
        self._ring[at : at + head] = kept[:head]
        self._ring[: len(kept) - head] = kept[head:]
        self._end += len(sound)

    def silence(self, start: Pts) -> None:
        """What was pushed from `start` on becomes silence."""
        self._ring[np.arange(max(start, 0, self._end - len(self._ring)), self._end) % len(self._ring)] = 0

    def read(self, start: int, end: int) -> Sound:
        """A copy of [start, end); silence where nothing was pushed or it is forgotten."""
        out = np.zeros(max(0, end - start), np.int16)
        first, last = max(start, 0, self._end - len(self._ring)), min(end, self._end)
        if last > first:
            out[first - start : last - start] = self._ring[np.arange(first, last) % len(self._ring)]
        return out
