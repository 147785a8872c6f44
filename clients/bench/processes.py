"""A process and all that descend from it, as Linux's /proc shows them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def family(pid: int) -> dict[int, int]:
    """Processor ticks of a process and of each living descendant, by pid; empty where there is no /proc."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it may end while we look
            fields = stat.read_text().rpartition(")")[2].split()
            parents[int(stat.parent.name)] = int(fields[1])
            ticks[int(stat.parent.name)] = int(fields[11]) + int(fields[12])
    members = {pid}
    while children := {p for p, parent in parents.items() if parent in members} - members:
        members |= children
    return {member: ticks[member] for member in members if member in ticks}


def processor_s(pid: int) -> float:
    """User and system seconds of a process and all its descendants that live; NaN where there is no /proc."""
    ticks = family(pid)
    return sum(ticks.values()) / os.sysconf("SC_CLK_TCK") if ticks else float("nan")


def resident_mb(pid: int, *, alone: bool = False) -> float:
    """Memory in use by a process and its descendants, pages that they share counted in each; NaN where there is no /proc."""
    pages = 0
    for member in [pid] if alone else family(pid):
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{member}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20 if pages else float("nan")


def own_resident_mb() -> float:
    """Of this process alone."""
    return resident_mb(os.getpid(), alone=True)


def is_worker(pid: int) -> bool:
    """Whether it is a process that Python's multiprocessing has started to work."""
    with contextlib.suppress(OSError):
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False
