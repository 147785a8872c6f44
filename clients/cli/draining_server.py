"""Uvicorn that drains: at SIGTERM broadcasts may come to their end first, for a while. A second one ends them at once."""

from __future__ import annotations

import asyncio
import signal
import socket
from types import FrameType

import uvicorn

from streamer.server import Server


class DrainingServer(uvicorn.Server):
    """drain_s: how long broadcasts may go on after SIGTERM; 0: not at all. SIGINT (Ctrl-C) never waits."""

    def __init__(self, config: uvicorn.Config, server: Server, drain_s: float) -> None:
        super().__init__(config)
        self._server = server
        self._drain_s = drain_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None
        self._is_asked = False

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig != signal.SIGTERM or self._is_asked or not self._drain_s or self._loop is None:
            return super().handle_exit(sig, frame)
        self._is_asked = True
        self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._draining = asyncio.create_task(self._drain(), name="drain")

    async def _drain(self) -> None:
        await self._server.drain(self._drain_s)
        self.should_exit = True
