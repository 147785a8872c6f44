"""How the server listens: uvicorn, with patience that ends."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from streamer.config import Limits

_MAX_FRAME_BYTES = 64 * 1024  # of a websocket; a message that is too large by less is answered with an error
_MAX_HEADER_BYTES = 32 * 1024


def config(app: Starlette, limits: Limits, **where: Any) -> uvicorn.Config:
    """`where`: uvicorn's host, port, log_level and the like."""

    class Protocol(_EndingPatience):
        header_s = limits.header_s

    return uvicorn.Config(
        app,
        http=Protocol,
        ws="websockets-sansio",
        ws_max_size=_MAX_FRAME_BYTES,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        limit_concurrency=limits.connections,
        server_header=False,
        access_log=False,
        timeout_graceful_shutdown=5,
        **where,
    )


class _EndingPatience(H11Protocol):
    """Closes a connection whose next request has not arrived, headers and all, within `header_s` of its first byte.

    uvicorn times nothing but the pause between requests; a client that sends a byte a minute would be waited for for ever.
    """

    header_s: float
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.header_s, transport.close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.header_s, self.transport.close)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._stop_waiting()  # the pause between requests is uvicorn's to time

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
