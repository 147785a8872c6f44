"""The host's voice, from a WebRTC track to chunks on the media clock.

The media clock counts samples: PTS 0 is the first one ever heard, and every chunk begins where the last one ended. What the
network loses is filled by RTP time; while there is no host at all, silence is filled in by wall time, so that the avatar idles.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from streamer.clock import Clock
from streamer.media import AudioChunk, Sound
from streamer.plan import TIME_BASE_HZ, Pts

log = logging.getLogger(__name__)

_FILL_BLOCK_S = 0.04
_FADE = 480  # samples over which a concealed gap fades out
_TAPS = 97
_LOW_PASS = np.sinc((np.arange(_TAPS) - _TAPS // 2) * 2 * 7200 / TIME_BASE_HZ) * np.kaiser(_TAPS, 7.86)
_LOW_PASS = (_LOW_PASS / _LOW_PASS.sum()).astype(np.float32)

Over = Callable[[Pts, Sound], Sound]


@dataclass(slots=True)
class IngestCounts:
    """In samples of 48 kHz, since the start."""

    received: int = 0
    concealed: int = 0  # lost on the network, or while no host was there
    dropped: int = 0  # came after their place was filled


class VoiceTimeline:
    """Places pieces of sound on the media clock: fills gaps, drops what comes twice or too late. No I/O, no clock.

    A piece that lies more than `max_gap_s` off is taken as a new beginning, not as a gap. over: what is heard at a PTS in place
    of a piece of sound, and as long.
    """

    def __init__(self, max_gap_s: float = 5.0, over: Over | None = None) -> None:
        self._over = over
        self._max_gap = int(max_gap_s * TIME_BASE_HZ)
        self._offset: int | None = None  # media pts - RTP pts
        self._tail = np.zeros(_FADE, np.int16)
        self._decimator = Decimator()
        self.end = Pts(0)
        self.counts = IngestCounts()

    def restart(self) -> None:
        """A new track: its RTP time has nothing to do with the last one's."""
        self._offset = None

    def place(self, rtp_pts: int, sound: Sound) -> AudioChunk | None:
        """One decoded packet; None when nothing of it is new."""
        self.counts.received += len(sound)
        if self._offset is None or abs(rtp_pts + self._offset - self.end) > self._max_gap:
            self._offset = self.end - rtp_pts
        gap = rtp_pts + self._offset - self.end
        if gap < 0:
            self.counts.dropped += min(-gap, len(sound))
            sound = sound[-gap:]
        if not len(sound):
            return None
        return self._emit(sound, max(gap, 0))

    def fill(self, samples: int) -> AudioChunk:
        """Silence for sound that does not come."""
        return self._emit(np.zeros(0, np.int16), samples)

    def _emit(self, sound: Sound, gap: int) -> AudioChunk:
        whole = np.concatenate([self._conceal(gap), sound]) if gap else sound
        self._tail = whole[-_FADE:] if len(whole) >= _FADE else np.concatenate([self._tail, whole])[-_FADE:]
        if self._over:
            whole = self._over(self.end, whole)
        chunk = AudioChunk(self.end, whole, self._decimator.push(whole), gap)
        self.end = Pts(self.end + len(whole))
        self.counts.concealed += gap
        return chunk

    def _conceal(self, gap: int) -> Sound:
        """What was heard last, played backwards and faded out, then silence: no click."""
        out = np.zeros(gap, np.int16)
        n = min(gap, len(self._tail))
        fade = np.linspace(1, 0, len(self._tail), dtype=np.float32)[:n]
        out[:n] = self._tail[::-1][:n] * fade
        return out


class Decimator:
    """48 kHz to 16 kHz, piece by piece, a millisecond behind: a Kaiser-windowed low-pass, every third value of it.

    FFmpeg's resampler takes as long alone, but lets other threads in at every step, and then waits for them.
    """

    def __init__(self) -> None:
        self._kept = np.zeros(_TAPS // 2, np.float32)

    def push(self, sound: Sound) -> Sound:
        """int16 [n] right behind what came before, to the samples [n / 3] that it completes."""
        self._kept = np.concatenate([self._kept, sound.astype(np.float32)])
        num = max(0, (len(self._kept) - _TAPS) // 3 + 1)
        out = np.zeros(num, np.float32)
        for phase in range(3) if num else ():
            taps = _LOW_PASS[phase::3]
            out += np.convolve(self._kept[phase::3][: num + len(taps) - 1], taps[::-1], "valid")
        self._kept = self._kept[3 * num :]
        return np.rint(out).clip(-32768, 32767).astype(np.int16)


class Ingest:
    """An endless stream of `AudioChunk`s, whoever the host is just now.

    Bounded: chunks are made as they are asked for, from a track whose packets are read at once; at most `backlog` wait, beyond
    which the oldest are dropped and later filled as a gap.
    """

    def __init__(self, clock: Clock, patience_s: float = 0.4, backlog: int = 100, over: Over | None = None) -> None:
        self._clock = clock
        self._patience_s = patience_s
        self._packets: asyncio.Queue[tuple[int, Sound] | None] = asyncio.Queue(backlog)
        self._reader: asyncio.Task[None] | None = None
        self._timeline = VoiceTimeline(over=over)
        self._last_heard_s: float | None = None
        self._covered_until_s = clock.now_s()
        self._is_filling = False
        self._has_begun = False

    @property
    def counts(self) -> IngestCounts:
        return self._timeline.counts

    @property
    def backlog(self) -> int:
        """Packets that have come and have not been asked for."""
        return self._packets.qsize()

    def silent_for_s(self) -> float:
        """How long nothing has come from the host; infinite before the first packet."""
        return float("inf") if self._last_heard_s is None else self._clock.now_s() - self._last_heard_s

    def begin(self) -> None:
        """Without a host: silence from now on, as if one had been heard and lost."""
        if not self._has_begun:
            self._has_begun = self._is_filling = True
            self._covered_until_s = self._clock.now_s()
            self._put(None)  # whoever waits looks again

    def attach(self, track: MediaStreamTrack) -> None:
        """Hear this track from now on; the one before is left."""
        self.detach()
        self._reader = asyncio.create_task(self._read(track), name="ingest-read")

    def detach(self) -> None:
        """Hear nobody."""
        if self._reader:
            self._reader.cancel()
            self._reader = None

    async def _read(self, track: MediaStreamTrack) -> None:
        self._put(None)
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame) and frame.pts is not None
                self._last_heard_s = self._clock.now_s()
                self._has_begun = True
                self._put((frame.pts, mono(frame)))
        except MediaStreamError:
            log.info("the host's track has ended")

    def _put(self, item: tuple[int, Sound] | None) -> None:
        if self._packets.full():
            self._packets.get_nowait()
        self._packets.put_nowait(item)

    async def __aiter__(self) -> AsyncIterator[AudioChunk]:
        while True:
            try:
                # not wait_for: Python 3.11's can swallow the cancellation that ends a broadcast
                async with asyncio.timeout(self._wait_s()):
                    item = await self._packets.get()
            except TimeoutError:
                yield self._fill()
                continue
            if item is None:
                self._timeline.restart()
            elif chunk := self._timeline.place(*item):
                self._covered_until_s, self._is_filling = self._clock.now_s(), False
                yield chunk

    def _wait_s(self) -> float | None:
        """Until silence is due: long after a packet, a block's time when filling already; None before the first."""
        if not self._has_begun:
            return None
        patience_s = _FILL_BLOCK_S if self._is_filling else self._patience_s
        return max(0.0, self._covered_until_s + patience_s - self._clock.now_s())

    def _fill(self) -> AudioChunk:
        """The silence that is due by now."""
        owed = round((self._clock.now_s() - self._covered_until_s) * TIME_BASE_HZ)
        self._covered_until_s += owed / TIME_BASE_HZ
        self._is_filling = True
        return self._timeline.fill(owed)


def mono(frame: av.AudioFrame) -> Sound:
    """A decoded s16 frame at 48 kHz, its channels averaged."""
    if frame.format.name != "s16" or frame.sample_rate != TIME_BASE_HZ:
        raise ValueError(f"voice must be s16 at {TIME_BASE_HZ} Hz, not {frame.format.name} at {frame.sample_rate} Hz")
    num_channels = frame.layout.nb_channels
    samples = np.frombuffer(memoryview(frame.planes[0]), np.int16)[: frame.samples * num_channels]
    return np.asarray(sum(samples[i::num_channels] // num_channels for i in range(num_channels)), np.int16)
