"""One broadcast that things are done to: host and viewer through relays, and everything that either is told."""

from __future__ import annotations

import asyncio
import bisect
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import av
import numpy as np

from clients.bench import live_figures
from clients.bench.impaired import ImpairedNetwork, Impairment
from clients.bench.processes import resident_mb
from clients.bench.silent_director import SilentDirector
from clients.python.host import Host
from clients.python.server import Broadcast, Server, ServerError
from clients.python.sound import SoundMicrophone
from clients.python.viewer import Received, Viewer

_ON_AIR_S = 180.0  # models load, and the machine may be busy
_AS_BEFORE = 0.85  # of the usual rate counts as well
_SETTLED = 0.7  # of the pictures of one half of a while must come in the other
_SETTLE_WITHIN_S = 90.0  # a broadcast that has just begun on a busy machine may take its time


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of each fault."""

    seconds: float = 6.0  # that a bad network lasts
    outage_s: float = 5.0
    messages: int = 50  # of each malformed kind
    viewers: int = 200  # that leave without a word
    settle_s: float = 3.0  # after the first sub-clip has been on air
    usual_s: float = 3.0  # what is usual is measured for so long
    after_s: float = 3.0  # and so is what it is like when all is well again


@dataclass(frozen=True, slots=True)
class Usual:
    """What a second was like before: pictures at the viewer, sub-clips put on air, and how many watched."""

    pictures: float
    clips: float
    viewers: int


class Scene:
    """`async with Scene(...) as scene`: on air inside the block. Times are time.monotonic()."""

    def __init__(
        self,
        url: str,
        server_pid: int,
        api: Server,
        broadcast: Broadcast,
        microphone: SoundMicrophone,
        sizes: Sizes,
        fps: int,
        director: SilentDirector | None = None,
    ) -> None:
        self.url = url
        self.server_pid = server_pid
        self.api = api
        self.broadcast = broadcast
        self.sizes = sizes
        self.director = director
        self.host_network, self.viewer_network = ImpairedNetwork(seed=1), ImpairedNetwork(seed=2)
        self.host = Host(api, broadcast, microphone, detour=self.host_network, on_event=self._hear)
        self.viewer = Viewer(broadcast.whep_url, on_frame=self._see, detour=self.viewer_network)
        self._fps = fps
        self._received = live_figures.Received()
        self._arrivals: list[float] = []  # of pictures
        self._clips: list[float] = []
        self._states: list[tuple[float, str]] = []
        self._metrics: dict[str, Any] = {}
        self._holds_before = 0
        self._told: list[str] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Scene:
        for part in (self.host_network, self.viewer_network, self.host, self.viewer):
            await self._stack.enter_async_context(part)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.impair(Impairment())
        await self._stack.aclose()

    def now_s(self) -> float:
        return time.monotonic()

    def impair(self, impairment: Impairment) -> None:
        """Both ways, host's and viewer's."""
        self.host_network.impairment = self.viewer_network.impairment = impairment

    # -- what happens ---------------------------------------------------------------------------------------------------

    def _see(self, received: Received) -> None:
        if isinstance(received.frame, av.VideoFrame):
            self._received.pictures.append((received.media_s, received.arrived_at))
            self._arrivals.append(received.arrived_at)
        else:
            silence = np.zeros(received.frame.samples, np.int16)  # only how long it lasts matters
            self._received.voice.append((received.media_s, received.arrived_at, silence))

    def _hear(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "aired":
                self._clips.append(self.now_s())
            case "state":
                self._states.append((self.now_s(), message["state"]))
                self._note(f"{message['state']}: {message['reason']}")
            case "metrics":
                self._metrics = message
            case "error":
                self._note(message["message"])
            case "director" if message["reason"] or message["note"]:
                self._note(message["note"] or message["reason"])

    def _note(self, words: str) -> None:
        if words not in self._told and len(self._told) < 12:
            self._told.append(words)

    # -- how it goes ----------------------------------------------------------------------------------------------------

    async def is_on_air(self) -> None:
        """Until the host's voice is on air and a while after. Raises ServerError."""
        await self.viewer.picture(_ON_AIR_S)
        await self.host.control.wait_for("metrics", lambda message: message["delay_ms"] is not None, _ON_AIR_S)
        until_s = self.now_s() + _ON_AIR_S
        while not (self._arrivals and self._received.voice):  # both have their times once the first reports are here
            if self.now_s() > until_s:
                raise ServerError("pictures or sound did not reach the viewer")
            await asyncio.sleep(0.05)
        await asyncio.sleep(self.sizes.settle_s)

    async def usual(self) -> Usual:
        """What seconds are like now: a while in which pictures come evenly, or the last one before patience ends.

        Raises ServerError where nothing comes in that either.
        """
        since, for_s = self.now_s(), self.sizes.usual_s
        give_up_s = since + _SETTLE_WITHIN_S
        await asyncio.sleep(for_s)
        while not self._is_even(since, for_s) and self.now_s() < give_up_s:
            await asyncio.sleep(0.2)
            since = self.now_s() - for_s
        pictures, clips = (_count(times, since, since + for_s) / for_s for times in (self._arrivals, self._clips))
        if not pictures or not clips:
            what = f"{pictures:.1f} pictures and {clips:.1f} sub-clips a second"
            raise ServerError(
                f"the broadcast did not run within {_SETTLE_WITHIN_S:.0f} s, before anything was done to it: {what}"
            )
        return Usual(pictures, clips, self._metrics["viewers"])

    def _is_even(self, since: float, for_s: float) -> bool:
        middle, until = since + for_s / 2, since + for_s
        halves = [_count(self._arrivals, *half) for half in ((since, middle), (middle, until))]
        return min(halves) > _SETTLED * max(halves) and _count(self._clips, since, until) > 0

    def begin(self) -> float:
        """The fault begins: what was told and held before does not count."""
        self._told.clear()
        self._holds_before = self._num_holds()
        return self.now_s()

    async def is_well_again(self, usual: Usual, since_s: float, within_s: float) -> float | None:
        """When the first second after `since_s` begins in which all is as it was; None where none does `within_s`."""
        start_s = since_s
        while self.now_s() < since_s + within_s:
            await asyncio.sleep(0.1)
            while start_s + 1.0 <= self.now_s():
                if self._is_well(usual, start_s) and self._metrics["viewers"] <= usual.viewers:
                    return start_s
                start_s += 0.05
        return None

    def _is_well(self, usual: Usual, start_s: float) -> bool:
        rates = ((self._arrivals, usual.pictures), (self._clips, usual.clips))
        state = next((state for at, state in reversed(self._states) if at <= start_s), "live")
        return state == "live" and all(
            _count(times, start_s, start_s + 1.0) >= _AS_BEFORE * rate - 1e-9 for times, rate in rates
        )

    # -- figures --------------------------------------------------------------------------------------------------------

    def _num_holds(self) -> int:
        return sum(self._metrics.get("holds", {}).values())

    def holds(self) -> int:
        """Pictures repeated since the fault began."""
        return self._num_holds() - self._holds_before

    def frames_lost(self, since_s: float, until_s: float, usual: Usual) -> int:
        """What is missing at the usual rate, from the last picture before `since_s` to the last one before `until_s`."""
        rate = min(float(self._fps), usual.pictures)
        media = [at for at, arrived in self._received.pictures if arrived < until_s]
        first = sum(arrived < since_s for _, arrived in self._received.pictures)
        if not 0 < first < len(media):
            return round((until_s - since_s) * rate)
        return max(0, round((max(media) - media[first - 1]) * rate) - (len(media) - first))

    def skew_ms(self, since_s: float) -> float | None:
        """How much later pictures arrive than their own sound: the median of its size."""
        media = [at for at, arrived in self._received.pictures if arrived >= since_s]
        skews = live_figures.skews_ms(self._received, media[0]) if media else np.zeros(0)
        return round(float(np.median(np.abs(skews))), 1) if len(skews) else None

    def delay_ms(self) -> float | None:
        """Mic to viewer, as the server says."""
        delay = self._metrics.get("delay_ms")
        return delay["total"] if delay else None

    def fps_since(self, since_s: float) -> float:
        """Pictures a second that reached the viewer."""
        return _count(self._arrivals, since_s, self.now_s()) / (self.now_s() - since_s)

    def forget_before(self, at_s: float) -> None:
        """Of what has arrived; for those who are on air for hours."""
        received = self._received
        received.pictures[:] = [pair for pair in received.pictures if pair[1] >= at_s]
        received.voice[:] = [packet for packet in received.voice if packet[1] >= at_s]
        for times in (self._arrivals, self._clips):
            del times[: bisect.bisect_left(times, at_s)]
        del self._states[:-1]

    def rss_mb(self) -> float:
        """The server's, and its workers'."""
        return resident_mb(self.server_pid)

    def host_was_told(self) -> str:
        return " | ".join(self._told)


def _count(times: list[float], start: float, end: float) -> int:
    return bisect.bisect_left(times, end) - bisect.bisect_left(times, start)
