"""Viewers over WebRTC: the encoder's packets, cut once and sent to each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from statistics import median

from streamer import webrtc
from streamer.media import Rendition
from streamer.outputs.feed import Feed, Packetised, WantIntra
from streamer.peer import Peer

_CONNECT_S = 20.0


class Viewer:
    """One viewer. H.264 where it takes it, else VP8."""

    def __init__(
        self,
        clock: webrtc.WallTicks,
        want_intra: WantIntra,
        on_gone: Callable[[], None],
        ice_servers: tuple[str, ...] = (),
    ) -> None:
        self._clock = clock
        self._want_intra = want_intra
        self.feed: Feed | None = None
        self.peer = Peer(webrtc.connection(ice_servers), on_gone)

    async def answer(self, offer: str) -> str:
        """Raises OfferError: 406 where the viewer takes neither of what is sent."""
        offered = webrtc.kinds_and_codecs(webrtc.parse_offer(offer))
        video = offered.get("video", set())
        if not video & {"video/h264", "video/vp8"}:
            raise webrtc.OfferError("the offer takes neither H.264 nor VP8 video, and nothing else is sent", 406)
        if "audio" in offered and "audio/opus" not in offered["audio"]:
            raise webrtc.OfferError("the offer does not take Opus audio, and nothing else is sent", 406)
        self.feed = Feed(self._clock, self._want_intra, "h264" if "video/h264" in video else "vp8")
        for kind in ("video", "audio") if "audio" in offered else ("video",):
            self.feed.attach(self.peer.pc, kind)
        return await self.peer.answer(offer)

    @property
    def round_trip_s(self) -> float | None:
        """To the viewer and back; None while it has reported nothing."""
        return self.feed.round_trip_s if self.feed else None

    @property
    def is_silent(self) -> bool:
        """Whether it has gone without a word, as far as can be told; it is kept for a while, as it may come back."""
        return self.feed is not None and self.feed.is_silent

    def put(self, turn: Packetised) -> None:
        """This turn's packets."""
        if self.feed:
            self.feed.put(turn)

    async def close(self) -> None:
        await self.peer.close()


class Viewers:
    """Everybody who watches one broadcast, at most `limit`. Nothing waits for a viewer: what its network drops is lost.

    Those who have fallen silent are among the `limit`, and not counted as watching.
    """

    def __init__(self, clock: webrtc.WallTicks, want_intra: WantIntra, limit: int, ice_servers: tuple[str, ...]) -> None:
        self._clock = clock
        self._want_intra = want_intra
        self._limit = limit
        self._ice_servers = ice_servers
        self._viewers: dict[str, Viewer] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return sum(not viewer.is_silent for viewer in self._viewers.values())

    @property
    def renditions(self) -> set[Rendition]:
        """Those that somebody watches, or waits for."""
        feeds = [viewer.feed for viewer in self._viewers.values() if viewer.feed and not viewer.is_silent]
        return {rendition for feed in feeds for rendition in feed.renditions}

    def network_ms(self) -> float:
        """One way to the viewer in the middle; 0 while nobody has reported."""
        trips = [trip for viewer in self._viewers.values() if (trip := viewer.round_trip_s) is not None]
        return 500 * median(trips) if trips else 0.0

    def get(self, peer_id: str) -> Peer | None:
        viewer = self._viewers.get(peer_id)
        return viewer.peer if viewer else None

    async def add(self, offer: str) -> tuple[Peer, str]:
        """A new viewer and the answer to its offer. Raises OfferError: 503 when there are too many."""
        if len(self._viewers) >= self._limit:
            raise webrtc.OfferError(f"this broadcast has its {self._limit} viewers already; try again later", 503)
        viewer = Viewer(self._clock, self._want_intra, lambda: self._forget(viewer.peer.id), self._ice_servers)
        answer = await viewer.answer(offer)
        self._viewers[viewer.peer.id] = viewer
        asyncio.get_running_loop().call_later(_CONNECT_S, self._give_up, viewer)
        return viewer.peer, answer

    def put(self, turn: Packetised) -> None:
        for viewer in self._viewers.values():
            viewer.put(turn)

    async def remove(self, peer_id: str) -> None:
        if viewer := self._viewers.pop(peer_id, None):
            await viewer.close()

    async def close(self) -> None:
        await asyncio.gather(*(self.remove(peer_id) for peer_id in list(self._viewers)), *self._leaving)

    def _forget(self, peer_id: str) -> None:
        task = asyncio.get_running_loop().create_task(self.remove(peer_id), name="viewer-leaves")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _give_up(self, viewer: Viewer) -> None:
        if viewer.peer.id in self._viewers and not viewer.peer.is_connected:
            self._forget(viewer.peer.id)
