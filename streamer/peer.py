"""One end of a WebRTC session made by WHIP or WHEP: its address, its entity tag, its connection."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from aiortc import RTCPeerConnection

from streamer import webrtc

log = logging.getLogger(__name__)


class Peer:
    """A peer connection and what RFC 9725 says of it. `on_gone` is called once, when the peer closes or is lost."""

    def __init__(self, pc: RTCPeerConnection, on_gone: Callable[[], None]) -> None:
        self.id = secrets.token_urlsafe(9)
        self.etag = f'"{secrets.token_hex(6)}"'
        self.pc = pc
        self.ufrag: str | None = None
        self._num_trickled = 0
        self._on_gone: Callable[[], None] | None = on_gone
        pc.on("connectionstatechange", self._state_changed)

    @property
    def is_connected(self) -> bool:
        return self.pc.connectionState == "connected"

    async def answer(self, offer: str) -> str:
        """The answer to `offer`. Raises OfferError, having closed the connection."""
        try:
            self.ufrag = webrtc.ice_ufrag(offer)
            return await webrtc.answer(self.pc, offer)
        except webrtc.OfferError:
            await self.close()
            raise

    async def trickle(self, fragment: str) -> None:
        """Add the peer's later candidates. Raises OfferError for a malformed fragment or an ICE restart."""
        ufrag = webrtc.ice_ufrag(fragment)
        if ufrag is not None and ufrag != self.ufrag:
            raise webrtc.OfferError("ICE restarts are not taken; send a new offer by POST", status=422)
        candidates = webrtc.candidates_in(fragment)
        self._num_trickled += len(candidates)
        if self._num_trickled > webrtc.MAX_CANDIDATES:
            raise webrtc.OfferError(f"this session has had its {webrtc.MAX_CANDIDATES} candidates", status=429)
        for candidate in candidates:
            await self.pc.addIceCandidate(candidate)

    async def close(self) -> None:
        self._on_gone = None
        await webrtc.close(self.pc)

    def _state_changed(self) -> None:
        log.debug("peer %s is %s", self.id, self.pc.connectionState)
        if self.pc.connectionState in ("failed", "closed") and self._on_gone:
            on_gone, self._on_gone = self._on_gone, None
            on_gone()
