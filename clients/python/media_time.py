"""When a received frame is of, on the sender's clock: RTP timestamps set against the sender reports (RFC 3550 §6.4.1)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from aiortc import RTCRtpReceiver
from aiortc.rtp import RtcpSrPacket


class MediaTime:
    """Listens to one receiver's sender reports. Times are seconds of the sender's clock, the same for sound and picture."""

    def __init__(self, receiver: RTCRtpReceiver, rate_hz: int) -> None:
        self._receiver = receiver
        self._rate_hz = rate_hz
        self._report: tuple[int, int] | None = None  # NTP, RTP timestamp
        self._take = receiver._handle_rtcp_packet
        vars(receiver)["_handle_rtcp_packet"] = self._listen

    async def _listen(self, packet: Any) -> None:
        if isinstance(packet, RtcpSrPacket) and packet.sender_info.rtp_timestamp:
            self._report = (packet.sender_info.ntp_timestamp, packet.sender_info.rtp_timestamp)
        await self._take(packet)

    @property
    def is_known(self) -> bool:
        """True once a report has come."""
        return self._report is not None

    def of(self, pts: int, time_base: Fraction) -> float:
        """Seconds for a decoded frame's `pts`, which aiortc counts from the first packet. Raises ValueError before a report."""
        if self._report is None:
            raise ValueError("no sender report has come yet")
        ntp, reported = self._report
        origin = vars(self._receiver)["_RTCRtpReceiver__timestamp_mapper"]._origin
        ticks = (int(pts * time_base * self._rate_hz) + origin - reported) & 0xFFFFFFFF
        if ticks >= 1 << 31:
            ticks -= 1 << 32
        return ntp / (1 << 32) + ticks / self._rate_hz
