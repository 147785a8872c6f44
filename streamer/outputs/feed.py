"""Sound and picture to one WebRTC peer, of one rendition, from an intra frame on: a viewer's, or another server's."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence

from aiortc import RTCPeerConnection

from streamer import webrtc
from streamer.encoder import Encoded
from streamer.media import VIDEO_CLOCK_HZ, AudioPacket, Rendition, VideoPacket
from streamer.outputs.link import Link
from streamer.outputs.sender import DirectSender, Packetiser, Payloads, adopt, send_time_now
from streamer.plan import TIME_BASE_HZ

CODECS: dict[Rendition, str] = {"h264": "video/h264", "h264_low": "video/h264", "vp8": "video/vp8"}
WantIntra = Callable[[Rendition], None]
SILENT_S = 3.0  # without a datagram from a peer that is connected: longer than two checks of consent, should one be lost


class Packetised:
    """One turn's packets as every peer is sent them. A rendition is cut when the first peer of it comes by."""

    def __init__(self, encoded: Encoded, cutters: dict[str, Packetiser]) -> None:
        self.send_time = send_time_now()
        self._encoded = encoded
        self._cutters = cutters
        self._video: dict[Rendition, list[Payloads]] = {}
        self.audio = self._cut("audio/opus", encoded.audio)
        self.now_s = encoded.video[0].tick / TIME_BASE_HZ if encoded.video else None

    def video(self, rendition: Rendition) -> list[Payloads]:
        if rendition not in self._video:
            self._video[rendition] = self._cut(CODECS[rendition], self._encoded.video_of(rendition))
        return self._video[rendition]

    def _cut(self, mime_type: str, packets: Sequence[VideoPacket | AudioPacket]) -> list[Payloads]:
        if packets and mime_type not in self._cutters:
            self._cutters[mime_type] = Packetiser(mime_type)
        return [self._cutters[mime_type].cut(packet) for packet in packets]


class Feed:
    """Both tracks of one peer. They begin together, once the peer is connected, with an intra frame that is asked for.

    A peer that loses too much for its link is sent the low rendition, for as long as that is so. One that falls silent is sent
    nothing until it is heard again: long before it is known to be gone, it costs as good as nothing.
    """

    def __init__(
        self, clock: webrtc.WallTicks, want_intra: WantIntra, rendition: Rendition = "h264", may_lower: bool = True
    ) -> None:
        self.rendition: Rendition = rendition
        self.wished: Rendition = rendition  # what is sent from its next intra frame on
        self._clock = clock
        self._want_intra = want_intra
        self._may_lower = may_lower and rendition == "h264"
        self._senders: dict[str, DirectSender] = {}
        self._link = Link()
        self._is_started = False
        self._now_s = 0.0
        self._heard_s = math.inf  # of the loop's clock; it is not expected before it is connected

    def attach(self, pc: RTCPeerConnection, kind: str) -> None:
        """Add what sends "video" or "audio", before the description is made."""
        rate_hz = VIDEO_CLOCK_HZ if kind == "video" else TIME_BASE_HZ
        transceiver = pc.addTransceiver(kind, direction="sendonly")
        webrtc.prefer(transceiver, kind, (CODECS[self.rendition] if kind == "video" else "audio/opus",))

        def ntp(timestamp: int) -> int:
            return self._clock.ntp(timestamp, rate_hz)

        if kind == "video":
            sender = adopt(
                transceiver.sender, ntp, self._begin, self._ask, lambda report: self._judge(report.fraction_lost / 256)
            )
        else:
            sender = adopt(transceiver.sender, ntp)
        self._senders[kind] = sender

    @property
    def renditions(self) -> set[Rendition]:
        """Those that must be encoded for it."""
        return {self.rendition, self.wished}

    @property
    def round_trip_s(self) -> float | None:
        """To the peer and back; None while it has reported nothing."""
        trips = [sender.round_trip_s for sender in self._senders.values()]
        return next((trip for trip in trips if trip is not None), None)

    @property
    def is_silent(self) -> bool:
        """Whether nothing has come from the peer for a while."""
        return asyncio.get_running_loop().time() - self._heard_s > SILENT_S

    def put(self, turn: Packetised) -> None:
        """This turn's packets."""
        video = self._senders["video"]
        if not video.is_ready:
            return
        if self.is_silent:
            self._is_started = False
            return
        if turn.now_s is not None:
            self._now_s = turn.now_s
        if self.wished != self.rendition or not self._is_started:
            if any(payloads.is_intra for payloads in turn.video(self.wished)):
                self.rendition, self._is_started = self.wished, True
            elif not self._is_started:
                return self._ask()
        for payloads in turn.video(self.rendition):
            video.send_payloads(payloads, turn.send_time)
        if audio := self._senders.get("audio"):
            for payloads in turn.audio:
                audio.send_payloads(payloads, turn.send_time)

    def _begin(self) -> None:
        webrtc.note_arrivals(self._senders["video"].transport, self._hear)
        self._hear()
        self._ask()

    def _hear(self) -> None:
        self._heard_s = asyncio.get_running_loop().time()

    def _ask(self) -> None:
        self._want_intra(self.wished)

    def _judge(self, lost: float) -> None:
        if not self._may_lower:
            return
        wished: Rendition = "h264_low" if self._link.note(lost, self._now_s) else "h264"
        if wished != self.wished:
            self.wished = wished
            self._ask()
