"""The playout stage: frames and voice leave together, one frame a turn, on one clock.

A turn lasts 1/fps. Wall ticks never stop; the *position* on the media clock lags behind them by what has been stalled:

    position = wall tick - stall

One stall serves picture and sound, so they cannot drift apart. What is missing is held, never waited for; what is late is
dropped, never burst.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from streamer.media import Picture, SampleRing, Sound
from streamer.plan import Pts, pts_from_s, ticks_per_frame

#: Why a frame was shown again: its clip is late; the host's voice has not arrived; the delay is being raised; what was to come
#: has been dropped by the host.
Hold = Literal["late_clip", "no_voice", "delay_raised", "interrupted"]

_SILENCE_PEAK = 330  # about 40 dB below full scale
_SILENCE_SHARE = 0.1  # of what was loudest in the last seconds, for rooms that are never that quiet
_FORGET = 0.98  # a turn
_CALM_CLIPS = 12  # so many clips in a row with time to spare before the delay is lowered


@dataclass(frozen=True, slots=True)
class PlayoutSettings:
    """Times in seconds. `cushion_s`: how long the first clip waits, so that later ones may come that much later."""

    cushion_s: float = 0.06
    max_raise_s: float = 1.5  # the delay is raised by this much at most, counted from the start
    max_ahead_s: float = 4.0
    patience_s: float = 0.6  # speech is not stalled for a raised delay sooner than this


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """What goes on air for 1/fps: a picture and its sound [ticks_per_frame]."""

    tick: int  # wall ticks since the start
    pts: Pts | None  # where on the media clock; None before the first clip
    picture: Picture
    sound: Sound
    hold: Hold | None
    first_of: int | None = None  # the clip whose first frame this is


@dataclass(slots=True)
class PlayoutCounts:
    """Since the start. All counts of frames but `clips` and `late_clips`."""

    holds: Counter[Hold] = field(default_factory=Counter)
    aired: int = 0
    late_frames: int = 0  # came past their time, dropped
    skipped: int = 0  # left out to lower the delay
    overflowed: int = 0  # dropped because the buffer was full
    clips: int = 0
    late_clips: int = 0


class Playout:
    """Frames in PTS order, paired with their sound. A viewer may see a hold, never a gap.

    Bounded to `max_ahead_s` of frames: when full, the oldest are dropped and counted. The delay is raised when clips come late
    and lowered when they keep coming early: in silence, or, to raise it, after `patience_s` of none.
    """

    def __init__(self, fps: int, rest: Picture, settings: PlayoutSettings | None = None) -> None:
        self._settings = settings or PlayoutSettings()
        self._fps = fps
        self._frame = ticks_per_frame(fps)
        self._voice = SampleRing(8.0)
        self._frames: deque[tuple[Pts, Picture, int | None]] = deque()
        self._shown = rest
        self._turns = 0
        self._loudest = 0.0
        self._waiting_turns = 0
        self._raise_frames = 0
        self._raise_waited = 0
        self._lower_frames = 0
        self._raised_frames = 0
        self._slacks: list[int] = []
        self._resumes_at: Pts | None = None  # after an interrupt, until that picture comes
        self.position: Pts | None = None
        self.counts = PlayoutCounts()

    def rest(self, picture: Picture) -> None:
        """What is shown until the first clip."""
        if self.position is None:
            self._shown = picture

    def push_voice(self, sound: Sound) -> None:
        """The host's voice at 48 kHz, right behind what came before; PTS 0 is its first sample ever."""
        self._voice.push(sound)

    def push_clip(self, clip_id: int, start: Pts, frames: list[Picture]) -> int:
        """A clip's frames from `start` on, newer than all before. Returns how many came too late and were dropped."""
        late = 0
        for i, picture in enumerate(frames):
            pts = Pts(start + i * self._frame)
            if self.position is not None and pts < self.position:
                late += 1
                continue
            self._frames.append((pts, picture, clip_id if i == late else None))
        while len(self._frames) > self._settings.max_ahead_s * self._fps:
            self._frames.popleft()
            self.counts.overflowed += 1
        self.counts.clips += 1
        self.counts.late_frames += late
        if self.position is not None:
            self._adapt(start - self.position)
        return late

    def interrupt(self, keep_until: Pts) -> None:
        """Drop the frames from `keep_until` on, and all sound that is not on air yet."""
        while self._frames and self._frames[-1][0] >= keep_until:
            self._frames.pop()
        self._voice.silence(self.position or Pts(0))
        self._raise_frames = 0
        self._resumes_at = keep_until

    def slack_s(self) -> float | None:
        """How much later the recent clips could have come, at the least; negative where one was late."""
        return min(self._slacks) / (self._frame * self._fps) if self._slacks else None

    def turn(self) -> Turn:
        """The next frame and its sound."""
        tick = self._turns * self._frame
        self._turns += 1
        if self.position is None and not self._ready_to_start():
            return Turn(tick, None, self._shown, self._silence(), None)
        assert self.position is not None
        if self._voice.end < self.position + self._frame:
            return self._hold(tick, "no_voice")
        sound = self._voice.read(self.position, self.position + self._frame)
        is_silent = self._is_silent(sound)
        if self._raise_frames:
            self._raise_waited += 1
            if is_silent or self._raise_waited > self._settings.patience_s * self._fps:
                self._raise_frames -= 1
                self._raised_frames += 1
                return self._hold(tick, "delay_raised")
        elif self._lower_frames and is_silent and self._due(Pts(self.position + self._frame)):
            self._lower_frames -= 1
            self._raised_frames -= 1
            self.counts.skipped += 1
            self.position = Pts(self.position + self._frame)
            sound = self._voice.read(self.position, self.position + self._frame)
        return self._show(tick, sound)

    def _is_silent(self, sound: Sound) -> bool:
        peak = float(np.abs(sound.astype(np.int32)).max(initial=0))
        self._loudest = max(peak, self._loudest * _FORGET)
        return peak < max(_SILENCE_PEAK, _SILENCE_SHARE * self._loudest)

    def _ready_to_start(self) -> bool:
        if not self._frames:
            return False
        self._waiting_turns += 1
        if (self._waiting_turns - 1) / self._fps < self._settings.cushion_s:
            return False
        self.position = self._frames[0][0]
        return True

    def _due(self, pts: Pts) -> bool:
        return any(at == pts for at, _, _ in self._frames)

    def _show(self, tick: int, sound: Sound) -> Turn:
        assert self.position is not None
        pts, first_of = self.position, None
        while self._frames and self._frames[0][0] < pts:
            self._frames.popleft()
        self.position = Pts(pts + self._frame)
        if not self._frames or self._frames[0][0] != pts:
            reason: Hold = "late_clip" if self._resumes_at is None else "interrupted"
            self.counts.holds[reason] += 1
            return Turn(tick, pts, self._shown, sound, reason)
        if self._resumes_at is not None and pts >= self._resumes_at:
            self._resumes_at = None
        _, self._shown, first_of = self._frames.popleft()
        self.counts.aired += 1
        return Turn(tick, pts, self._shown, sound, None, first_of)

    def _hold(self, tick: int, reason: Hold) -> Turn:
        """One frame of stall for picture and sound alike: the position stays."""
        self.counts.holds[reason] += 1
        return Turn(tick, self.position, self._shown, self._silence(), reason)

    def _silence(self) -> Sound:
        return np.zeros(self._frame, np.int16)

    def _adapt(self, slack: int) -> None:
        """`slack`: ticks from now to when the clip that has just come is due."""
        self._slacks = [*self._slacks[1 - _CALM_CLIPS :], slack]
        if slack < 0:
            self.counts.late_clips += 1
            room = round(self._settings.max_raise_s * self._fps) - self._raised_frames
            if not self._raise_frames:
                self._raise_waited = 0
            self._raise_frames = max(self._raise_frames, min(math.ceil(-slack / self._frame), room))
            self._lower_frames = 0
            self._slacks.clear()
        elif len(self._slacks) == _CALM_CLIPS:
            spare = min(self._slacks) - pts_from_s(self._settings.cushion_s)
            self._lower_frames = max(0, spare // self._frame - 1)
            self._slacks.clear()
