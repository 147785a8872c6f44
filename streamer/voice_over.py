"""What is said in place of the microphone: sentences that were typed, sound that an agent pushes.

There is one mouth. Lines are said one after the other, in the order in which they were opened, and while one is being said the
microphone is not heard: the line wins. The media clock goes on as it does; a line only gives the samples for it.

A line is *heard* when its first sample is given to the media clock, *begun* when that sample is on air, and *over* when its
last one has been, or when it was cut. What a cut line says it has played was really on air, to the sample.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Literal

from streamer.media import Sound
from streamer.plan import TIME_BASE_HZ, Pts

Moment = Literal["heard", "begun", "ended", "interrupted"]

_AHEAD_S = 10.0
_MAX_LINES = 256


class TooManyLines(RuntimeError):
    """As much waits to be said as may."""


class LineCut(RuntimeError):
    """The line was cut: nothing more of it is taken."""


class Line:
    """A run of speech that is said in one piece. Made by `VoiceOver.open`."""

    def __init__(self, voice_over: VoiceOver, told: Callable[[Line, Moment], None]) -> None:
        self._voice_over = voice_over
        self._told = told
        self._waiting: deque[Sound] = deque()
        self._spans: deque[tuple[int, int]] = deque()  # of the media clock, that hold this line and are not on air yet
        self._is_complete = False
        self._is_heard = False
        self._is_begun = False
        self._played = 0
        self.buffered = 0  # samples that the media clock has not taken
        self.start: Pts | None = None  # of its first sample, once it is heard
        self.is_over = False

    @property
    def played_s(self) -> float:
        """How much of it has been on air."""
        return self._played / TIME_BASE_HZ

    @property
    def is_in_flight(self) -> bool:
        """Whether some of it is on its way to the air."""
        return bool(self._spans)

    async def write(self, sound: Sound) -> None:
        """More of it, 48 kHz; waits for room. Raises LineCut."""
        while not self.is_over and not self._voice_over.has_room(self):
            await self._voice_over.wait()
        if self.is_over:
            raise LineCut
        self.add(sound)

    def add(self, sound: Sound) -> None:
        """The little that is left at its end, whether there is room or not."""
        if len(sound):
            self._waiting.append(sound)
            self.buffered += len(sound)

    def finish(self) -> None:
        """That was all of it."""
        self._is_complete = True
        self._voice_over.settle()

    # -- for the voice-over --

    @property
    def is_said(self) -> bool:
        """Whether the media clock has all of it."""
        return self.is_over or (self._is_complete and not self.buffered)

    def take(self, pts: Pts, out: Sound) -> int:
        """Fill the front of `out`, which lies at `pts`; how many samples were to be had."""
        filled = 0
        while self._waiting and filled < len(out):
            piece = self._waiting.popleft()
            used = min(len(piece), len(out) - filled)
            out[filled : filled + used] = piece[:used]
            if used < len(piece):
                self._waiting.appendleft(piece[used:])
            filled += used
        self.buffered -= filled
        if filled:
            if self._spans and self._spans[-1][1] == pts:
                self._spans[-1] = (self._spans[-1][0], pts + filled)
            else:
                self._spans.append((pts, pts + filled))
            if not self._is_heard:
                self._is_heard, self.start = True, pts
                self._told(self, "heard")
        return filled

    def note_aired(self, position: Pts) -> None:
        """All before `position` has been on air."""
        while self._spans and self._spans[0][0] < position:
            start, end = self._spans.popleft()
            self._played += min(end, position) - start
            if end > position:
                self._spans.appendleft((position, end))
            if not self._is_begun:
                self._is_begun = True
                self._told(self, "begun")
        if self._is_complete and not self.buffered and not self._spans:
            self._end("ended")

    def cut(self) -> None:
        """What has not been on air never will be."""
        self._waiting.clear()
        self._spans.clear()
        self.buffered = 0
        self._end("interrupted")

    def _end(self, how: Moment) -> None:
        if not self.is_over:
            self.is_over = True
            self._told(self, how)


class VoiceOver:
    """Lines in the order in which they are said. Bounded to `max_lines`, and each holds back its writer: what waits of a line
    and of those before it is at most `ahead_s`."""

    def __init__(self, ahead_s: float = _AHEAD_S, max_lines: int = _MAX_LINES) -> None:
        self.ahead = int(ahead_s * TIME_BASE_HZ)
        self._max_lines = max_lines
        self._lines: deque[Line] = deque()  # being said, and waiting
        self._said: deque[Line] = deque()  # given to the media clock whole, not yet on air whole
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """Lines that are not over."""
        return len(self._lines) + len(self._said)

    @property
    def is_in_flight(self) -> bool:
        """Whether some of a line is on its way to the air."""
        return any(line.is_in_flight for line in (*self._said, *self._lines))

    @property
    def buffered_s(self) -> float:
        """What waits to be said."""
        return sum(line.buffered for line in self._lines) / TIME_BASE_HZ

    def open(self, told: Callable[[Line, Moment], None]) -> Line:
        """A new line, behind all others. Raises TooManyLines."""
        if len(self) >= self._max_lines:
            raise TooManyLines(f"{self._max_lines} lines wait to be said already")
        line = Line(self, told)
        self._lines.append(line)
        return line

    def over(self, pts: Pts, sound: Sound) -> Sound:
        """What is heard at `pts` in place of this piece of the microphone's sound: the line, and after it the microphone.

        A line that has begun and runs dry is silence until more of it comes.
        """
        if not self._lines or not (self._lines[0].buffered or self._lines[0].start is not None):
            return sound
        out, at = sound.copy(), 0
        while self._lines and at < len(out):
            line = self._lines[0]
            at += line.take(Pts(pts + at), out[at:])
            if not line.is_said:
                if line.start is not None:
                    out[at:] = 0
                break
            self._retire()
        self._wake()
        return out

    def note_aired(self, position: Pts) -> None:
        """All of the media clock before `position` has been on air."""
        for line in (*self._said, *self._lines):
            if line.start is not None:
                line.note_aired(position)
        while self._said and self._said[0].is_over:
            self._said.popleft()

    def cut(self, position: Pts, line: Line | None = None) -> None:
        """Everything, or one line: what was not on air before `position` is not said."""
        self.note_aired(position)
        for each in (*self._said, *self._lines):
            if line is None or each is line:
                each.cut()
        self.settle()

    # -- for the lines --

    def has_room(self, line: Line) -> bool:
        waiting = 0
        for each in self._lines:
            waiting += each.buffered
            if each is line:
                break
        return waiting < self.ahead

    async def wait(self) -> None:
        """Until something was said, or cut."""
        await self._changed.wait()

    def settle(self) -> None:
        """Let go of the lines at the front that have nothing left to say."""
        while self._lines and self._lines[0].is_said:
            self._retire()
        self._said = deque(line for line in self._said if not line.is_over)
        self._wake()

    def _retire(self) -> None:
        """The media clock has all of the first line."""
        line = self._lines.popleft()
        if line.start is None:
            line.note_aired(Pts(0))  # an empty one is over at once
        if not line.is_over:
            self._said.append(line)

    def _wake(self) -> None:
        """Whoever waits now looks again; whoever waits next does wait."""
        self._changed.set()
        self._changed = asyncio.Event()
