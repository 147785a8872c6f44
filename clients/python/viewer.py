"""A viewer without a screen: receives a broadcast by WHEP, counts, measures, records."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError

from clients.python.backoff import tries
from clients.python.media_time import MediaTime
from clients.python.recorder import Recorder
from clients.python.server import Detour, ServerError, connected, exchange, request
from streamer.webrtc import pass_audio_through

STALLED_S = 4.0
_REPORT_WAIT_S = 3.0
_RECONNECT_S = 5.0  # for one try
_KEPT_SOUND_S = 120.0
_RATE_HZ = {"video": 90_000, "audio": 48_000}


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """A decoded frame; `media_s` is its time on the sender's clock, `arrived_at` is time.monotonic()."""

    frame: av.VideoFrame | av.AudioFrame
    media_s: float
    arrived_at: float


@dataclass(slots=True)
class Tally:
    """What came of one kind."""

    frames: int = 0
    first_at: float | None = None
    last_at: float | None = None
    gaps_ms: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))

    def add(self, arrived_at: float) -> None:
        if self.last_at is not None:
            self.gaps_ms.append(1000 * (arrived_at - self.last_at))
        self.first_at = self.first_at or arrived_at
        self.last_at = arrived_at
        self.frames += 1

    @property
    def per_s(self) -> float:
        """Frames a second, from the first to the last."""
        if self.frames < 2 or self.first_at is None or self.last_at is None:
            return 0.0
        return (self.frames - 1) / (self.last_at - self.first_at)


class Viewer:
    """`async with Viewer(whep_url) as viewer`. Frames go to `on_frame` and the recording as soon as their media time is known.

    `sound` keeps the last two minutes as (arrived_at, mono int16 samples), for measuring. `tally` has "video" and "audio".
    Leaving the block closes the connection and finishes the recording. A connection that breaks, or brings no picture for 4 s,
    is made again until then, and `on_link` is told so in words; times of a recording go on, for they are the sender's.
    """

    def __init__(
        self,
        whep_url: str,
        record: Path | None = None,
        on_frame: Callable[[Received], None] | None = None,
        on_link: Callable[[str], None] = lambda words: None,
        detour: Detour | None = None,
    ) -> None:
        self._url = whep_url
        self._record = record
        self._on_frame = on_frame
        self._on_link = on_link
        self._detour = detour
        self._pc: RTCPeerConnection | None = None
        self._resource: str | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._keeping: asyncio.Task[None] | None = None
        self._recorder: Recorder | None = None
        self._moving = asyncio.Event()
        self.asked_at = 0.0
        self.reconnects = 0
        self.tally = {"video": Tally(), "audio": Tally()}
        self.sound: deque[tuple[float, np.ndarray]] = deque(maxlen=round(_KEPT_SOUND_S * 50))

    async def __aenter__(self) -> Viewer:
        self.asked_at = time.monotonic()
        try:
            await self._connect()
            self._recorder = Recorder(self._record) if self._record else None
        except BaseException:
            await self._leave()
            raise
        self._keeping = asyncio.create_task(self._keep(), name="viewer link")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._leave()
        if self._recorder:
            await asyncio.to_thread(self._recorder.close)

    async def _connect(self, timeout_s: float = 15.0) -> None:
        self._pc = pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        reports: dict[str, MediaTime] = {}
        for kind in ("video", "audio"):
            receiver = pc.addTransceiver(kind, direction="recvonly").receiver
            reports[kind] = MediaTime(receiver, _RATE_HZ[kind])
            if kind == "audio":
                pass_audio_through(receiver)

        def follow(track: MediaStreamTrack) -> None:
            self._tasks.append(asyncio.create_task(self._receive(track, reports[track.kind]), name=f"viewer {track.kind}"))

        pc.on("track", follow)
        self._resource = await exchange(pc, self._url, detour=self._detour)
        await connected(pc, timeout_s)

    async def _keep(self) -> None:
        while True:
            await self._broken()
            self._on_link("the picture is lost; trying again")
            async for _ in tries():
                await self._disconnect()
                with contextlib.suppress(ServerError):
                    await self._connect(_RECONNECT_S)
                    break
            self.reconnects += 1
            self._on_link("the picture is back")

    async def _broken(self) -> None:
        assert self._pc
        since = time.monotonic()
        while self._pc.connectionState == "connected":
            if time.monotonic() - max(since, self.tally["video"].last_at or 0.0) > STALLED_S:
                return
            await asyncio.sleep(0.25)

    async def picture(self, timeout_s: float = 10.0) -> None:
        """Wait for the first picture. Raises ServerError."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._moving.wait()
        except TimeoutError:
            raise ServerError(f"no picture came within {timeout_s:g} s", "no_picture") from None

    def receivers(self, kind: str) -> list[RTCRtpReceiver]:
        """Of "video" or "audio", inside the block; for measurements on packets."""
        assert self._pc
        return [transceiver.receiver for transceiver in self._pc.getTransceivers() if transceiver.kind == kind]

    @property
    def num_dropped(self) -> int:
        """Frames that were not recorded, because encoding could not keep up."""
        return self._recorder.num_dropped if self._recorder else 0

    @property
    def first_frame_ms(self) -> float | None:
        """From asking for the broadcast to its first picture."""
        first = self.tally["video"].first_at
        return None if first is None else 1000 * (first - self.asked_at)

    @property
    def frame_gap_ms_p95(self) -> float | None:
        """95th percentile of the time between pictures as they came."""
        gaps = sorted(self.tally["video"].gaps_ms)
        return statistics.quantiles(gaps, n=20)[-1] if len(gaps) > 20 else None

    async def _receive(self, track: MediaStreamTrack, reports: MediaTime) -> None:
        waiting: list[tuple[av.VideoFrame | av.AudioFrame, float]] = []
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, av.VideoFrame | av.AudioFrame)
            now = time.monotonic()
            self.tally[track.kind].add(now)
            if track.kind == "video":
                self._moving.set()
            else:
                self.sound.append((now, _mono(frame)))
            waiting.append((frame, now))
            if reports.is_known:
                for early, arrived_at in waiting:
                    self._deliver(early, arrived_at, reports)
                waiting = []
            elif now - waiting[0][1] > _REPORT_WAIT_S:
                waiting.pop(0)

    def _deliver(self, frame: av.VideoFrame | av.AudioFrame, arrived_at: float, reports: MediaTime) -> None:
        assert frame.pts is not None and frame.time_base is not None
        media_s = reports.of(frame.pts, frame.time_base)
        if self._on_frame:
            self._on_frame(Received(frame, media_s, arrived_at))
        if self._recorder:
            self._recorder.add(frame, media_s)

    async def _leave(self) -> None:
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._disconnect()

    async def _disconnect(self) -> None:
        if self._pc:
            await self._pc.close()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        resource, self._resource = self._resource, None
        if resource:
            try:
                await request("DELETE", resource)
            except ServerError as error:
                if error.status not in (0, 404):  # the broadcast, or the server, is gone already
                    raise


def _mono(frame: av.VideoFrame | av.AudioFrame) -> np.ndarray:
    """The left channel, int16 [n]; aiortc decodes Opus to packed s16 stereo."""
    assert isinstance(frame, av.AudioFrame)
    return frame.to_ndarray().reshape(-1, frame.layout.nb_channels)[:, 0]
