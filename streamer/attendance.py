"""Who is heard in one broadcast, a host's microphone or somebody who types or pushes sound; and what follows when nobody is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from streamer.clock import Clock
from streamer.config import ServerSettings
from streamer.host import Host
from streamer.ingest import Ingest
from streamer.peer import Peer
from streamer.protocol import State
from streamer.webrtc import OfferError

_LOST_S = 2.0  # without a packet for so long, the host is taken for lost


class Attendance:
    """Holds one host's connection at most. Who comes back within `resume_s` goes on where the broadcast is."""

    def __init__(
        self, broadcast: str, ingest: Ingest, server: ServerSettings, clock: Clock, is_attended: Callable[[], bool]
    ) -> None:
        """is_attended: whether somebody is there who may type or push sound."""
        self._broadcast = broadcast
        self._ingest = ingest
        self._server = server
        self._clock = clock
        self._is_attended = is_attended
        self._host: Host | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._started_s = clock.now_s()
        self._attended_s: float | None = None  # when somebody who may type or push was last there; None: nobody ever was

    async def host(self, offer: str) -> tuple[Peer, str]:
        """A host's connection and the answer to its offer. Raises OfferError: 409 while another host is heard."""
        if self._host and self._ingest.silent_for_s() < _LOST_S:
            raise OfferError("this broadcast has a host already; end it first, or make another broadcast", 409)
        host = Host(self._ingest.attach, lambda: self._lose(host), self._server.ice_servers)
        answer = await host.answer(offer)
        previous, self._host = self._host, host
        if previous:
            await previous.close()
        return host.peer, answer

    def peer(self, peer_id: str) -> Peer | None:
        """The host's, where it has that id."""
        return self._host.peer if self._host and self._host.peer.id == peer_id else None

    def begin_without_host(self) -> None:
        """From now on nobody needs to send a microphone."""
        self._attended_s = self._clock.now_s()
        self._ingest.begin()

    def verdict(self, state: State) -> tuple[State, str] | None:
        """The state that follows `state` now, and why; None while it stays."""
        silent_s = min(self._ingest.silent_for_s(), self._unattended_s())
        if state == "connecting" and self._clock.now_s() - self._started_s > self._server.connect_timeout_s:
            if silent_s == float("inf"):
                return "ended", f"no host came within {self._server.connect_timeout_s:.0f} s"
        elif state != "live" and silent_s < _LOST_S:
            return "live", "the host is heard"
        elif state == "live" and silent_s >= _LOST_S:
            return "idle", "the host's connection is lost; waiting for it to come back"
        elif state == "idle" and silent_s > self._server.resume_s:
            return "ended", f"the host did not come back within {self._server.resume_s:.0f} s"
        return None

    def _unattended_s(self) -> float:
        """How long nobody who types or pushes has been there; infinite where nobody ever was."""
        if self._attended_s is None:
            return float("inf")
        if self._is_attended():
            self._attended_s = self._clock.now_s()
        return self._clock.now_s() - self._attended_s

    def _lose(self, host: Host) -> None:
        """It closed without a word, or its network did: the avatar idles until it comes back, or for `resume_s`."""
        if self._host is host:
            self._host = None
            self._ingest.detach()
            task = asyncio.get_running_loop().create_task(host.close(), name=f"{self._broadcast}-host-leaves")
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Let the host go."""
        self._ingest.detach()
        if self._host:
            await self._host.close()
        await asyncio.gather(*self._leaving)
