"""The bench's event loop in virtual time, for tests: deadlines are kept exactly, and no test sleeps."""

from clients.bench.virtual_time import LoopClock, VirtualTimeLoop, run

__all__ = ["LoopClock", "VirtualTimeLoop", "run"]
