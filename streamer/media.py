"""Values of the media path: voice chunks, pictures, encoded packets, and the ring that voice is read from by PTS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamer.plan import Pts

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
    """The newest `size` samples of an endless mono sound, addressed by their number from 0. What is older is forgotten."""

    def __init__(self, size: int) -> None:
        self._ring = np.zeros(size, np.int16)
        self.end = 0  # samples pushed

    @property
    def size(self) -> int:
        return len(self._ring)

    def push(self, sound: Sound) -> None:
        """Append int16 [n] right behind what came before."""
        kept = sound[-len(self._ring) :]
        self.end += len(sound)
        for part, place in self._pieces(self.end - len(kept), self.end):
            self._ring[place] = kept[part]

    def silence(self, start: int) -> None:
        """What was pushed from `start` on becomes silence."""
        for _, place in self._pieces(max(start, 0, self.end - len(self._ring)), self.end):
            self._ring[place] = 0

    def read(self, start: int, end: int) -> Sound:
        """A copy of [start, end); silence where nothing was pushed or it is forgotten."""
        out = np.zeros(max(0, end - start), np.int16)
        first = max(start, 0, self.end - len(self._ring))
        for part, place in self._pieces(first, min(end, self.end)):
            out[part.start + first - start : part.stop + first - start] = self._ring[place]
        return out

    def _pieces(self, first: int, last: int) -> Iterator[tuple[slice, slice]]:
        """Samples [first, last), all of them kept, as parts of that range and where each lies in the ring."""
        begin = first
        while first < last:
            at = first % len(self._ring)
            num = min(last - first, len(self._ring) - at)
            yield slice(first - begin, first - begin + num), slice(at, at + num)
            first += num
