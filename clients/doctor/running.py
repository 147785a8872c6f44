"""Does a server that runs already serve? A broadcast is made on it, watched as a viewer watches it, and ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from clients.doctor.finding import Finding
from clients.python.server import Server, ServerError, request
from clients.python.viewer import Viewer
from streamer.webrtc import offer_loopback

_WATCH_S = 3.0
_WARM_S = 20.0


async def server(url: str) -> AsyncIterator[Finding]:
    """Its key, where it asks for one, is $ROSTRUM_KEY, or the one it keeps on this machine."""
    try:
        await _ready(f"{url.rstrip('/')}/readyz")
        yield Finding("server", "good", f"{url} is ready")
    except ServerError as error:
        if error.status == 503:
            yield Finding("server", "bad", f"{url} takes no broadcast now: {error}", "wait till one ends, or end it")
        else:
            out = "start it (`rostrum serve`), and see that its port is open and its name one of its --origin"
            yield Finding("server", "bad", f"{url} does not answer: {error}", out)
        return
    offer_loopback(None)
    there = Server(url)
    try:
        broadcast = await there.make_broadcast()
    except ServerError as error:
        yield Finding("server", "bad", f"no broadcast can be made: {error}", "where it asks for its key: set ROSTRUM_KEY")
        return
    try:
        began = time.monotonic()
        async with Viewer(broadcast.whep_url) as viewer:
            async with asyncio.timeout(15):
                await viewer.picture()
            first_ms = 1e3 * (time.monotonic() - began)
            before = viewer.tally["video"].frames
            await asyncio.sleep(_WATCH_S)
            rate = (viewer.tally["video"].frames - before) / _WATCH_S
        yield Finding("server", "good", f"a viewer here sees it: first picture after {first_ms:.0f} ms, {rate:.0f} a second")
    except (ServerError, TimeoutError) as error:
        out = "its UDP does not reach this machine: see the findings on udp and ice-server there, and the firewalls between"
        yield Finding("server", "bad", f"no picture comes from it ({error or 'within 15 s'})", out)
    finally:
        await there.end(broadcast)


async def _ready(url: str) -> None:
    """Wait a while for a server that is warming up. Raises ServerError."""
    until = time.monotonic() + _WARM_S
    while True:
        try:
            await request("GET", url)
            return
        except ServerError as error:
            if error.status != 503 or time.monotonic() > until:
                raise
        await asyncio.sleep(0.3)
