"""Viewers in a process of their own, to be killed: so they leave without a word. It says `watching` once all are connected.

python -m clients.bench.ghost_viewers WHEP_URL NUMBER
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection

from clients.python.backoff import tries
from clients.python.server import ServerError, connected, exchange
from streamer.webrtc import offer_loopback


async def _watch(url: str) -> RTCPeerConnection:
    async for _ in tries(60.0):
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for kind in ("video", "audio"):
            receiver = pc.addTransceiver(kind, direction="recvonly").receiver
            vars(receiver)["_handle_rtp_packet"] = _ignore  # nothing is decoded: what counts is that it is sent
        try:
            await exchange(pc, url)
            await connected(pc)
            return pc
        except ServerError:  # too many in a short time, or there is no room yet
            await pc.close()
    raise SystemExit("a viewer was not let in within a minute")


async def _ignore(*_: Any, **__: Any) -> None:
    pass


async def _main(url: str, number: int) -> None:
    watching = [await _watch(url) for _ in range(number)]
    print("watching", len(watching), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    offer_loopback(None)
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
