"""The host's end of the broadcast: one Opus track in, by WHIP. Any other track is refused, not left unread."""

from __future__ import annotations

from collections.abc import Callable

from aiortc import MediaStreamTrack

from streamer import webrtc
from streamer.peer import Peer


class Host:
    """A host's connection. `on_track` gets the microphone; `on_gone` is called when the host closes or is lost."""

    def __init__(
        self, on_track: Callable[[MediaStreamTrack], None], on_gone: Callable[[], None], ice_servers: tuple[str, ...] = ()
    ) -> None:
        self.peer = Peer(webrtc.connection(ice_servers), on_gone)
        self.peer.pc.on("track", lambda track: on_track(track) if track.kind == "audio" else None)

    async def answer(self, offer: str) -> str:
        """Raises OfferError: 406 where the offer has no Opus audio."""
        offered = webrtc.kinds_and_codecs(webrtc.parse_offer(offer))
        if "audio/opus" not in offered.get("audio", ()):
            raise webrtc.OfferError("the offer has no Opus audio: add a microphone track", 406)
        microphone = self.peer.pc.addTransceiver("audio", direction="recvonly")
        webrtc.prefer(microphone, "audio", ("audio/opus",))
        webrtc.pass_audio_through(microphone.receiver)
        if "video" in offered:
            self.peer.pc.addTransceiver("video", direction="inactive")
        return await self.peer.answer(offer)

    async def close(self) -> None:
        await self.peer.close()
