"""How long to wait between tries: longer each time, and never in step with everybody else."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

FIRST_S = 0.4
LONGEST_S = 4.0


async def tries(for_s: float = float("inf")) -> AsyncIterator[int]:
    """1, 2, 3 …: the first at once, each later one after a pause, until `for_s` seconds are over."""
    loop = asyncio.get_running_loop()
    until, number, pause_s = loop.time() + for_s, 1, FIRST_S
    while True:
        yield number
        if loop.time() >= until:
            return
        await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))
        number, pause_s = number + 1, min(1.6 * pause_s, LONGEST_S)
