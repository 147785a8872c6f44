"""One packetising for everybody: RTP payloads are cut once, and each peer's sender only writes headers, encrypts and sends.

An aiortc sender is adopted for it, so that descriptions, reports, statistics and retransmission stay aiortc's. Its own way, a
task and a queue a track and everything done anew for each packet and peer, takes three times the processor.
"""

from __future__ import annotations

import asyncio
import fractions
import secrets
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import av
from aiortc import RTCRtpSender
from aiortc import clock as rtc_clock
from aiortc.codecs import get_encoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RTP_HISTORY_SIZE, RtcpReceiverInfo, RtpPacket, wrap_rtx

from streamer.media import VIDEO_CLOCK_HZ, AudioPacket, VideoPacket
from streamer.plan import TIME_BASE_HZ

_TICK = fractions.Fraction(1, TIME_BASE_HZ)
_ONE_BYTE_EXTENSIONS = 0xBEDE  # RFC 8285 §4.2


@dataclass(frozen=True, slots=True)
class Payloads:
    """One encoded packet as RTP carries it. `timestamp` counts in the RTP clock of its kind, from the broadcast's start."""

    payloads: Sequence[bytes]
    timestamp: int
    is_intra: bool = False


class Packetiser:
    """One encoded stream cut to the size of network packets (RFC 6184, 7741, 7587), by aiortc."""

    def __init__(self, mime_type: str) -> None:
        clock_hz = TIME_BASE_HZ if mime_type.startswith("audio") else VIDEO_CLOCK_HZ
        self._packer: Any = get_encoder(RTCRtpCodecParameters(mimeType=mime_type, clockRate=clock_hz))

    def cut(self, packet: VideoPacket | AudioPacket) -> Payloads:
        whole = av.Packet(packet.data)
        whole.pts, whole.time_base = packet.tick, _TICK
        payloads, timestamp = self._packer.pack(whole)
        return Payloads(payloads, timestamp, isinstance(packet, VideoPacket) and packet.is_intra)


class DirectSender(RTCRtpSender):
    """A sender without a track: `send_payloads` sends at once. Made from one of aiortc's by `adopt`.

    Its reports carry the media clock, not the time of sending.
    """

    _ntp_of_timestamp: Callable[[int], int]
    _on_ready: Callable[[], None]
    _on_keyframe_wanted: Callable[[], None]
    _on_report: Callable[[RtcpReceiverInfo], None]
    is_ready: bool  # the peer is connected
    _last_timestamp: int | None

    async def _run_rtp(self, codec: RTCRtpCodecParameters) -> None:
        """aiortc runs this from when the peer is connected until the sender stops."""
        mangled = vars(self)
        mangled["_RTCRtpSender__rtp_started"].set()
        assert codec.payloadType is not None
        self._payload_type: int = codec.payloadType
        self._sequence_number = secrets.randbits(15)  # with 16 bits it might wrap too early to be decrypted
        self._origin = secrets.randbits(32)
        self._history: list[bytes] = [b""] * RTP_HISTORY_SIZE
        self._before_time, self._after_time, self._is_timed = self._extensions(mangled)
        self.is_ready = True
        self._on_ready()
        try:
            await asyncio.Event().wait()
        finally:
            self.is_ready = False
            mangled["_RTCRtpSender__rtp_exited"].set()

    def _extensions(self, mangled: dict[str, Any]) -> tuple[bytes, bytes, bool]:
        """The header extensions: (up to the time of sending, after it, whether it is among them); empty where none is."""
        ids = mangled["_RTCRtpSender__rtp_header_extensions_map"]._HeaderExtensionsMap__ids
        mid, is_timed = (mangled["_RTCRtpSender__mid"] or "").encode(), bool(ids.abs_send_time)
        value = bytes([ids.mid << 4 | len(mid) - 1]) + mid if ids.mid and mid else b""
        value += bytes([ids.abs_send_time << 4 | 2]) if is_timed else b""
        length = len(value) + 3 * is_timed
        padding = bytes(-length % 4)
        header = struct.pack("!HH", _ONE_BYTE_EXTENSIONS, (length + len(padding)) // 4) if length else b""
        return header + value, padding, is_timed

    @property
    def round_trip_s(self) -> float | None:
        """To the receiver and back, smoothed, by its reports; None before the first."""
        known: float | None = getattr(self, "_RTCRtpSender__rtt", None)
        return known

    def send_payloads(self, data: Payloads, send_time: bytes) -> None:
        """To the network, or nowhere while the peer is not connected. `send_time`: 24 bits of NTP, `send_time_now()`."""
        transport = self.transport
        pair = transport.transport._connection._nominated.get(1) if self.is_ready and transport.state == "connected" else None
        if pair is None:
            return
        protect, sendto, address = transport._tx_srtp.protect, pair.protocol.transport.sendto, pair.remote_addr
        timestamp = (self._origin + data.timestamp) & 0xFFFFFFFF
        extensions = self._before_time + (send_time if self._is_timed else b"") + self._after_time
        first = 0x90 if extensions else 0x80
        sequence_number, last = self._sequence_number, len(data.payloads) - 1
        for i, payload in enumerate(data.payloads):
            kind = self._payload_type | (0x80 if i == last else 0)
            packet = struct.pack("!BBHII", first, kind, sequence_number, timestamp, self._ssrc) + extensions + payload
            self._history[sequence_number % RTP_HISTORY_SIZE] = packet
            sendto(protect(packet), address)
            sequence_number = (sequence_number + 1) & 0xFFFF
        self._sequence_number, self._last_timestamp = sequence_number, data.timestamp
        mangled = vars(self)
        mangled["_RTCRtpSender__rtp_timestamp"] = timestamp
        mangled["_RTCRtpSender__packet_count"] += last + 1
        mangled["_RTCRtpSender__octet_count"] += sum(map(len, data.payloads))

    async def _retransmit(self, sequence_number: int) -> None:
        kept = self._history[sequence_number % RTP_HISTORY_SIZE] if self.is_ready else b""
        if not kept or int.from_bytes(kept[2:4], "big") != sequence_number:
            return
        mangled = vars(self)
        if (payload_type := mangled["_RTCRtpSender__rtx_payload_type"]) is not None:
            extensions = mangled["_RTCRtpSender__rtp_header_extensions_map"]
            number = mangled["_RTCRtpSender__rtx_sequence_number"]
            mangled["_RTCRtpSender__rtx_sequence_number"] = (number + 1) & 0xFFFF
            kept = wrap_rtx(RtpPacket.parse(kept, extensions), payload_type, number, self._rtx_ssrc).serialize(extensions)
        await self.transport._send_rtp(kept)

    async def _handle_rtcp_packet(self, packet: Any) -> None:
        await super()._handle_rtcp_packet(packet)
        for report in getattr(packet, "reports", ()):
            if report.ssrc == self._ssrc:
                self._on_report(report)

    def _send_keyframe(self) -> None:
        self._on_keyframe_wanted()

    @property
    def _RTCRtpSender__ntp_timestamp(self) -> int:
        """What the next report says of the packet sent last: when its media time was, not when it left."""
        return 0 if self._last_timestamp is None else self._ntp_of_timestamp(self._last_timestamp)

    @_RTCRtpSender__ntp_timestamp.setter
    def _RTCRtpSender__ntp_timestamp(self, sent_at: int) -> None:
        pass


def adopt(
    sender: RTCRtpSender,
    ntp_of_timestamp: Callable[[int], int],
    on_ready: Callable[[], None] = lambda: None,
    on_keyframe_wanted: Callable[[], None] = lambda: None,
    on_report: Callable[[RtcpReceiverInfo], None] = lambda _: None,
) -> DirectSender:
    """Make `sender` a direct one: it reports `ntp_of_timestamp(timestamp)`, in its own RTP clock, and passes requests on."""
    vars(sender).pop("_RTCRtpSender__ntp_timestamp", None)
    sender.__class__ = DirectSender
    assert isinstance(sender, DirectSender)
    sender._ntp_of_timestamp = ntp_of_timestamp
    sender._on_ready, sender._on_keyframe_wanted, sender._on_report = on_ready, on_keyframe_wanted, on_report
    sender.is_ready, sender._last_timestamp = False, None
    return sender


def send_time_now() -> bytes:
    """Bits 14 to 37 of the NTP time now: the abs-send-time header extension."""
    return ((rtc_clock.current_ntp_time() >> 14) & 0xFFFFFF).to_bytes(3, "big")
