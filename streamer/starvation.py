"""How long a process has waited for a processor: what tells one that is starved from one that hangs."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

Waits = Mapping[int, float]  # seconds by thread


def waits(*pids: int | None) -> Waits:
    """How long each thread of these processes has been ready to run and was not let, since it began.

    Empty where the system does not tell: it is Linux that counts it (Documentation/scheduler/sched-stats.rst), a container's
    share of the processors included.
    """
    found: dict[int, float] = {}
    for thread in (thread for pid in pids for thread in Path("/proc").glob(f"{pid}/task/*")):
        with contextlib.suppress(OSError, ValueError, IndexError):  # it may end while we look
            found[int(thread.name)] = int((thread / "schedstat").read_text().split()[1]) / 1e9
    return found


def starved_s(before: Waits, after: Waits) -> float:
    """Between two looks, in seconds: of the thread that waited longest, for the others may wait for it."""
    return max((waited_s - before.get(thread, 0.0) for thread, waited_s in after.items()), default=0.0)
