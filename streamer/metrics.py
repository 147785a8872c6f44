"""What is measured on air, and the text Prometheus reads. The exposition format is a dozen lines, hence no client library."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from engines.specs import RIGHT_CONTEXT_S
from streamer.plan import Pts, SubClip, SubClipJob, pts_from_s, s_from_pts
from streamer.protocol import Delay


@dataclass(slots=True)
class Flight:
    """One sub-clip's way, in seconds of the clock.

    heard_s: its first sample arrived. due_s: all of the voice that it needs had. cut_s: its job was made. moved_s: its motion
    was there. drawn_s: its first picture was. aired_s, sent_s: that went on air, and out.
    """

    job: SubClipJob
    heard_s: float
    due_s: float
    cut_s: float
    moved_s: float = 0.0
    drawn_s: float = 0.0
    aired_s: float = 0.0
    sent_s: float = 0.0
    decode_s: float = 0.0  # of all its pictures
    drawn: int = 0
    late_pictures: int = 0
    undrawn_spans: int = 1  # of its frames that are still to be drawn
    notes: tuple[str, ...] = ()
    clip: SubClip | None = None  # when all of it is drawn

    def parts_ms(self) -> dict[str, float]:
        """The delay from its first sample's arrival to its being sent, in the order in which it comes about; adds up."""
        length_s, context_s = s_from_pts(self.job.end - self.job.start), RIGHT_CONTEXT_S
        collect_s = self.due_s - self.heard_s
        jitter_s = max(0.0, collect_s - length_s - context_s)
        parts = {
            "jitter": jitter_s,
            "segment": collect_s - jitter_s - context_s,
            "right_context": context_s,
            "render": self.drawn_s - self.due_s,
            "playout": self.aired_s - self.drawn_s,
            "encode": self.sent_s - self.aired_s,
        }
        return {part: round(1e3 * seconds, 1) for part, seconds in parts.items()}


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

    def flight(self, job: SubClipJob, now_s: float) -> Flight:
        """Of a job that is cut now."""
        heard_s, due_s = (self.when(pts) or now_s for pts in (job.start, Pts(job.end + pts_from_s(RIGHT_CONTEXT_S) - 1)))
        return Flight(job, heard_s, due_s, now_s)


class DelayMeter:
    """Medians of the delay's parts over the last sub-clips."""

    def __init__(self, last: int = 25) -> None:
        self._parts: deque[dict[str, float]] = deque(maxlen=last)

    def note(self, flight: Flight) -> None:
        self._parts.append(flight.parts_ms())

    def delay(self, network_ms: float = 0.0) -> Delay | None:
        """network_ms: one way to the viewers."""
        if not self._parts:
            return None
        medians = {part: round(median(parts[part] for parts in self._parts), 1) for part in self._parts[0]}
        medians["network"] = round(network_ms, 1)
        return Delay(**medians, total=round(sum(medians.values()), 1))


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
