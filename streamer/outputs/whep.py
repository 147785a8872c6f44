"""Viewers over WebRTC: the encoder's packets, handed to each viewer's tracks as they are."""

from __future__ import annotations

import asyncio
import fractions
from collections.abc import Callable
from statistics import median

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from streamer import webrtc
from streamer.encoder import Encoded
from streamer.media import VIDEO_CLOCK_HZ, AudioPacket, VideoPacket
from streamer.peer import Peer
from streamer.plan import TIME_BASE_HZ

_TICK = fractions.Fraction(1, TIME_BASE_HZ)
_QUEUE_S = 1.0
_CONNECT_S = 20.0


class PacketTrack(MediaStreamTrack):
    """A track of packets made elsewhere. Bounded: `put` says False when it is full, and takes nothing."""

    def __init__(self, kind: str, capacity: int, on_read: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.kind = kind
        self._packets: asyncio.Queue[VideoPacket | AudioPacket | None] = asyncio.Queue(capacity + 1)
        self._capacity = capacity
        self._on_read = on_read

    def put(self, packet: VideoPacket | AudioPacket) -> bool:
        if self._packets.qsize() >= self._capacity:
            return False
        self._packets.put_nowait(packet)
        return True

    def drop_queued(self) -> None:
        while not self._packets.empty():
            self._packets.get_nowait()

    async def recv(self) -> av.Packet:
        if self.readyState != "live":
            raise MediaStreamError
        if self._on_read:
            on_read, self._on_read = self._on_read, None
            on_read()
        packet = await self._packets.get()
        if packet is None:
            raise MediaStreamError
        out = av.Packet(packet.data)
        out.pts, out.time_base = packet.tick, _TICK
        return out

    def stop(self) -> None:
        super().stop()
        self.drop_queued()
        self._packets.put_nowait(None)


class Viewer:
    """One viewer. Sound and picture begin together, with an intra frame; a viewer too slow for its queue begins anew."""

    def __init__(
        self,
        fps: int,
        clock: webrtc.WallTicks,
        want_intra: Callable[[], None],
        on_gone: Callable[[], None],
        ice_servers: tuple[str, ...] = (),
    ) -> None:
        self._want_intra = want_intra
        self._clock = clock
        self._is_reading = False
        self._is_started = False
        self._video = PacketTrack("video", round(_QUEUE_S * fps), self._reading)
        self._audio = PacketTrack("audio", round(_QUEUE_S * 50))
        self.restarts = 0
        self.peer = Peer(webrtc.connection(ice_servers), on_gone)

    async def answer(self, offer: str) -> str:
        """Raises OfferError: 406 where the viewer takes neither of what is sent."""
        offered = webrtc.kinds_and_codecs(webrtc.parse_offer(offer))
        if "video/h264" not in offered.get("video", ()):
            raise webrtc.OfferError("the offer does not take H.264 video, and this broadcast is sent in nothing else", 406)
        if "audio" in offered and "audio/opus" not in offered["audio"]:
            raise webrtc.OfferError("the offer does not take Opus audio, and this broadcast is sent in nothing else", 406)
        self._send(self._video, "video/h264", VIDEO_CLOCK_HZ, self._want_intra)
        if "audio" in offered:
            self._send(self._audio, "audio/opus", TIME_BASE_HZ, None)
        return await self.peer.answer(offer)

    def _send(self, track: PacketTrack, codec: str, rate_hz: int, on_keyframe_wanted: Callable[[], None] | None) -> None:
        transceiver = self.peer.pc.addTransceiver(track, direction="sendonly")
        webrtc.prefer(transceiver, track.kind, (codec,))
        webrtc.adopt_sender(transceiver.sender, lambda timestamp: self._clock.ntp(timestamp, rate_hz), on_keyframe_wanted)

    @property
    def round_trip_s(self) -> float | None:
        """To the viewer and back; None while it has reported nothing."""
        trips = [sender.round_trip_s for sender in self.peer.pc.getSenders() if isinstance(sender, webrtc.MediaClockSender)]
        return next((trip for trip in trips if trip is not None), None)

    def put(self, encoded: Encoded) -> None:
        """This turn's packets."""
        if not self._is_reading:
            return
        if not self._is_started:
            if not any(packet.is_intra for packet in encoded.video):
                return
            self._is_started = True
        taken = [self._video.put(packet) for packet in encoded.video] + [self._audio.put(packet) for packet in encoded.audio]
        if not all(taken):
            self.restarts += 1
            self._video.drop_queued()
            self._audio.drop_queued()
            self._is_started = False
            self._want_intra()

    def _reading(self) -> None:
        self._is_reading = True
        self._want_intra()

    async def close(self) -> None:
        await self.peer.close()
        self._video.stop()
        self._audio.stop()


class Viewers:
    """Everybody who watches one broadcast, at most `limit`."""

    def __init__(
        self, fps: int, clock: webrtc.WallTicks, want_intra: Callable[[], None], limit: int, ice_servers: tuple[str, ...]
    ) -> None:
        self._fps = fps
        self._clock = clock
        self._want_intra = want_intra
        self._limit = limit
        self._ice_servers = ice_servers
        self._viewers: dict[str, Viewer] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._viewers)

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
        viewer = Viewer(self._fps, self._clock, self._want_intra, lambda: self._forget(viewer.peer.id), self._ice_servers)
        answer = await viewer.answer(offer)
        self._viewers[viewer.peer.id] = viewer
        asyncio.get_running_loop().call_later(_CONNECT_S, self._give_up, viewer)
        return viewer.peer, answer

    def put(self, encoded: Encoded) -> None:
        for viewer in self._viewers.values():
            viewer.put(encoded)

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
