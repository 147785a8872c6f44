"""What is measured on air, and the text Prometheus reads. The exposition format is a dozen lines, hence no client library."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from streamer.plan import Pts, SubClip, SubClipJob
from streamer.protocol import Delay


@dataclass(slots=True)
class Flight:
    """One sub-clip's way, in seconds of the clock: first sample heard, job cut, first picture drawn, aired, sent."""

    job: SubClipJob
    heard_s: float
    cut_s: float
    drawn_s: float = 0.0
    aired_s: float = 0.0
    sent_s: float = 0.0
    late_pictures: int = 0
    clip: SubClip | None = None  # when all of it is drawn

    def parts_ms(self) -> tuple[float, float, float, float]:
        """(collect, render, playout, encode)."""
        times = (self.heard_s, self.cut_s, self.drawn_s, self.aired_s, self.sent_s)
        a, b, c, d = (round((after - before) * 1e3, 1) for before, after in pairwise(times))
        return a, b, c, d


class Arrivals:
    """When each piece of voice arrived: the newest 20 s, in steps of a packet."""

    def __init__(self) -> None:
        self._ends: deque[tuple[Pts, float]] = deque(maxlen=1000)

    def note(self, end: Pts, now_s: float) -> None:
        """Voice up to `end` is here."""
        self._ends.append((end, now_s))

    def when(self, pts: Pts) -> float | None:
        """When the sample at `pts` arrived; None where it has not, or long ago."""
        found = None
        for end, at_s in reversed(self._ends):
            if end <= pts:
                break
            found = at_s
        return found


class DelayMeter:
    """Medians of the delay's parts over the last sub-clips."""

    def __init__(self, last: int = 25) -> None:
        self._parts: deque[tuple[float, float, float, float]] = deque(maxlen=last)

    def note(self, flight: Flight) -> None:
        self._parts.append(flight.parts_ms())

    def delay(self) -> Delay | None:
        if not self._parts:
            return None
        collect, render, playout, encode = (round(median(column), 1) for column in zip(*self._parts, strict=True))
        return Delay(
            collect=collect, render=render, playout=playout, encode=encode, total=round(collect + render + playout + encode, 1)
        )


class RateMeter:
    """How much of something there was in the last second. Times in seconds, passed in."""

    def __init__(self) -> None:
        self._events: deque[tuple[float, float]] = deque(maxlen=4096)

    def note(self, amount: float, now_s: float) -> None:
        self._events.append((now_s, amount))

    def rate(self, now_s: float) -> float:
        while self._events and self._events[0][0] < now_s - 1.0:
            self._events.popleft()
        return sum(amount for _, amount in self._events)


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of /metrics; `kind` is counter or gauge."""

    name: str
    kind: str
    help: str
    value: float
    labels: Mapping[str, str]


def exposition(samples: Iterable[Sample]) -> str:
    """Prometheus text format 0.0.4; samples of one name are grouped under its help and type."""
    grouped: dict[str, list[Sample]] = {}
    for sample in samples:
        grouped.setdefault(sample.name, []).append(sample)
    lines: list[str] = []
    for name, group in grouped.items():
        lines += [f"# HELP {name} {group[0].help}", f"# TYPE {name} {group[0].kind}"]
        for sample in group:
            labels = ",".join(f'{key}="{_escape(value)}"' for key, value in sample.labels.items())
            lines.append(f"{name}{{{labels}}} {sample.value:g}" if labels else f"{name} {sample.value:g}")
    return "\n".join(lines) + "\n"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
