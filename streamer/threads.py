"""Threads for what would hold up the event loop: loading, hearing, starting processes.

Asyncio's default executor is left to aiortc, whose encoding and name look-ups run there: work of ours would stand in their way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: Calls beyond this many wait their turn.
_THREADS = ThreadPoolExecutor(8, thread_name_prefix="rostrum")


async def in_thread(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """What `work` returns or raises, run in a thread of ours."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, partial(work, *args, **kwargs))
