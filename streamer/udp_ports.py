"""A fixed range of UDP ports for ICE, which firewalls can be opened for. aioice 0.13 takes whatever port the system gives.

Each peer takes one port on each of the machine's addresses. Where none is free any more, the peer has no candidate of its own:
that is logged as an error, and the peer fails to connect unless a TURN server helps.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import logging
import re
from types import ModuleType
from typing import Any

import aioice.ice

from streamer.config import ConfigError

log = logging.getLogger(__name__)


def parse_range(text: str) -> range:
    """``40000-40199`` to its ports. Raises ConfigError."""
    match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text.strip())
    if not match:
        raise ConfigError(f"udp-ports: {text!r} is not of the form 40000-40199")
    first, last = int(match[1]), int(match[2])
    if not 1024 <= first < last <= 65535:
        raise ConfigError(f"udp-ports: {text} does not rise from 1024 or more to 65535 or less")
    return range(first, last + 1)


def bind_in(ports: range) -> None:
    """From now on ICE binds within `ports`. Process-wide."""
    aioice.ice.asyncio = _Asyncio(ports)


class _Asyncio(ModuleType):
    """asyncio as aioice sees it: the running loop binds datagram sockets within a range."""

    def __init__(self, ports: range) -> None:
        super().__init__("asyncio")
        self._ports = ports
        self._turn = itertools.count()

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def get_running_loop(self) -> Any:
        return _Loop(asyncio.get_running_loop(), self._ports, next(self._turn))


class _Loop:
    """The running loop; where port 0 is asked for, the first free one of the range is taken, each time from another on."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ports: range, turn: int) -> None:
        self._loop, self._ports, self._turn = loop, ports, turn

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_datagram_endpoint(self, factory: Any, local_addr: Any = None, **wish: Any) -> Any:
        if local_addr is None or local_addr[1]:
            return await self._loop.create_datagram_endpoint(factory, local_addr=local_addr, **wish)
        count = len(self._ports)
        for i in range(count):
            port = self._ports[(self._turn + i) % count]
            try:
                return await self._loop.create_datagram_endpoint(factory, local_addr=(local_addr[0], port), **wish)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        text = f"no UDP port between {self._ports[0]} and {self._ports[-1]} is free on {local_addr[0]}: widen --udp-ports"
        log.error("%s", text)
        raise OSError(errno.EADDRINUSE, text)
