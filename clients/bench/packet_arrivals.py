"""When pictures reach a viewer's network, apart from what the receiving library adds.

aiortc takes a picture for complete only when the first packet of the next one comes, so a decoded picture is a frame's time
older than it need be. Browsers go by the marker bit of its last packet (RFC 6184 §5.1), and so does this.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from fractions import Fraction
from typing import Any

from aiortc import RTCRtpReceiver

VIDEO_RATE_HZ = 90_000
_KEPT = 500


class PacketArrivals:
    """Listens to one video receiver; keeps the arrival of the last 500 pictures."""

    def __init__(self, receiver: RTCRtpReceiver) -> None:
        self._receiver = receiver
        self._take = receiver._handle_rtp_packet
        self._arrived: OrderedDict[int, float] = OrderedDict()
        vars(receiver)["_handle_rtp_packet"] = self._listen

    async def _listen(self, packet: Any, *arguments: Any, **named: Any) -> None:
        if packet.marker:
            self._arrived.setdefault(packet.timestamp, time.monotonic())
            if len(self._arrived) > _KEPT:
                self._arrived.popitem(last=False)
        await self._take(packet, *arguments, **named)

    def of(self, pts: int, time_base: Fraction) -> float | None:
        """time.monotonic() when the last packet of a decoded frame came; None when it was lost, or is long gone."""
        origin = vars(self._receiver)["_RTCRtpReceiver__timestamp_mapper"]._origin
        return self._arrived.get((int(pts * time_base * VIDEO_RATE_HZ) + origin) & 0xFFFFFFFF)
