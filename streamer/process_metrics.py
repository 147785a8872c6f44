"""What Prometheus is told about the process itself, under the names every exporter uses, and how late its event loop is."""

from __future__ import annotations

import asyncio
import os
import resource
from collections import deque
from pathlib import Path

from streamer.clock import Clock
from streamer.metrics import Sample

_EVERY_S = 0.1
_REMEMBERED = 150  # turns: fifteen seconds, the usual interval between two scrapes


class LoopLag:
    """How much later than asked for the event loop woke: the worst of the last fifteen seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late_s: deque[float] = deque(maxlen=_REMEMBERED)

    async def run(self) -> None:
        """For ever."""
        while True:
            asked_s = self._clock.now_s() + _EVERY_S
            await asyncio.sleep(_EVERY_S)
            self._late_s.append(max(0.0, self._clock.now_s() - asked_s))

    @property
    def worst_s(self) -> float:
        return max(self._late_s, default=0.0)

    @property
    def p95_s(self) -> float:
        """95th percentile of the same."""
        return sorted(self._late_s)[int(0.95 * len(self._late_s))] if self._late_s else 0.0


def samples(lag: LoopLag) -> list[Sample]:
    """CPU time, with that of workers that have ended; memory; open files; the loop's lag."""
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime
    found = [
        Sample("process_cpu_seconds_total", "counter", "CPU time of the server, and of workers that have ended.", cpu_s, {}),
        Sample("rostrum_event_loop_lag_seconds", "gauge", "The latest the event loop woke in 15 s.", lag.worst_s, {}),
        Sample("rostrum_event_loop_lag_p95_seconds", "gauge", "How late it woke, 95th percentile of 15 s.", lag.p95_s, {}),
    ]
    statm, files = Path("/proc/self/statm"), Path("/proc/self/fd")
    if statm.exists():
        resident = int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        found += [
            Sample("process_resident_memory_bytes", "gauge", "Memory of the server, its workers left out.", resident, {}),
            Sample("process_open_fds", "gauge", "Files and sockets that are open.", len(list(files.iterdir())), {}),
        ]
    return found
