"""Many viewers in one process, as light as can be: they join by WHEP, decrypt what comes, and count it. Nothing is decoded.

    python -m clients.bench.counting_viewers WHEP_URL COUNT SECONDS

They join ten a second. Once all have a picture, they count for SECONDS; then one line of JSON says what each of them got.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import pylibsrtp
import uvloop
from aiortc import RTCConfiguration, RTCPeerConnection

from clients.python.server import connected, exchange
from streamer.webrtc import offer_loopback, raise_socket_buffers

JOIN_EVERY_S = 0.1
SETTLE_S = 1.0
LAST_PICTURE_S = 30.0  # for the last one to see something
FREEZE_S = 0.2


@dataclass
class Counted:
    """What one viewer got. A picture counts when all its packets are there."""

    first_picture_ms: float | None = None
    pictures: int = 0
    packets_lost: int = 0
    freezes: int = 0  # more than 200 ms without a new picture
    _last_sequence: int | None = None
    _is_whole: bool = False  # all packets of this picture so far, from its first
    _last_at: float | None = None

    def begin(self) -> None:
        """Count from here."""
        self.pictures = self.packets_lost = self.freezes = 0

    def take(self, packet: bytes, now: float, asked_at: float) -> None:
        """One RTP packet of the picture, decrypted."""
        sequence, marker = packet[2] << 8 | packet[3], packet[1] & 0x80
        if self._last_sequence is not None:
            gap = (sequence - self._last_sequence - 1) & 0xFFFF
            if gap > 0x7FFF:
                return  # it comes late, or twice
            self.packets_lost += gap
            self._is_whole = self._is_whole and not gap
        self._last_sequence = sequence
        if marker:
            if self._is_whole or self.first_picture_ms is None:
                self._picture(now, asked_at)
            self._is_whole = True

    def _picture(self, now: float, asked_at: float) -> None:
        self.pictures += 1
        if self.first_picture_ms is None:
            self.first_picture_ms = 1e3 * (now - asked_at)
        if self._last_at is not None and now - self._last_at > FREEZE_S:
            self.freezes += 1
        self._last_at = now


@dataclass
class CountingViewer:
    """One viewer."""

    counted: Counted = field(default_factory=Counted)

    async def join(self, whep_url: str) -> None:
        """Ask, connect, and count from then on."""
        asked_at = time.monotonic()
        self._pc = pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for kind in ("video", "audio"):
            pc.addTransceiver(kind, direction="recvonly")
        await exchange(pc, whep_url)
        await connected(pc)
        raise_socket_buffers(pc)
        video = next(transceiver for transceiver in pc.getTransceivers() if transceiver.kind == "video")
        dtls: Any = video.receiver.transport
        payload_types = {codec.payloadType for codec in video._codecs if codec.name != "rtx"}
        connection = dtls.transport._connection
        hand_on = connection.data_received

        def receive(data: bytes, component: int) -> None:
            if 127 < data[0] < 192 and not 191 < data[1] < 224:  # RTP, and not RTCP (RFC 7983, RFC 5761)
                try:
                    plain = dtls._rx_srtp.unprotect(data)
                except pylibsrtp.Error:
                    return
                if plain[1] & 0x7F in payload_types:
                    self.counted.take(plain, time.monotonic(), asked_at)
            else:
                hand_on(data, component)

        connection.data_received = receive

    async def picture(self, timeout_s: float) -> None:
        """Until the first one is there. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while self.counted.first_picture_ms is None:  # noqa: ASYNC110, nothing tells
                await asyncio.sleep(0.1)

    async def leave(self) -> None:
        await self._pc.close()


async def watch(whep_url: str, count: int, seconds: float) -> dict[str, Any]:
    """All of them, from the first to join to the last to leave."""
    viewers = [CountingViewer() for _ in range(count)]
    joining = []
    for viewer in viewers:
        joining.append(asyncio.create_task(viewer.join(whep_url)))
        await asyncio.sleep(JOIN_EVERY_S)
    await asyncio.gather(*joining)
    await asyncio.gather(*(viewer.picture(LAST_PICTURE_S) for viewer in viewers))
    await asyncio.sleep(SETTLE_S)
    for viewer in viewers:
        viewer.counted.begin()
    print(json.dumps({"counting": count}), flush=True)
    began, began_cpu_s = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    lasted_s, cpu_s = time.monotonic() - began, time.process_time() - began_cpu_s
    found = {
        "first_picture_ms": [viewer.counted.first_picture_ms for viewer in viewers],
        "fps": [viewer.counted.pictures / lasted_s for viewer in viewers],
        "packets_lost": sum(viewer.counted.packets_lost for viewer in viewers),
        "freezes": sum(viewer.counted.freezes for viewer in viewers),
        "cpu_percent": 100 * cpu_s / lasted_s,
    }
    await asyncio.gather(*(viewer.leave() for viewer in viewers))
    return found


if __name__ == "__main__":
    offer_loopback(None)
    print(json.dumps(uvloop.run(watch(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))), flush=True)
