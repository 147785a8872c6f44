"""The playout stage: pictures and voice leave together, one turn every 1/fps, on one clock.

Wall ticks never stop; the *position* on the media clock lags behind them by the *delay*:

    position = wall tick - delay

One delay serves picture and sound, so they cannot drift apart. What is missing is held, never waited for; what is late is
dropped, never burst.

The delay follows what the pictures need: as much as the last-but-one latest clip of the past seconds, and a cushion. In pauses
of speech it moves by whole frames; in speech the voice is said a little faster or slower, its pitch kept.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

import numpy as np

from streamer import stretch
from streamer.media import Picture, SampleRing, Sound
from streamer.plan import TIME_BASE_HZ, Pts, pts_from_s, ticks_per_frame

#: Why a picture was shown again: it is late; the host's voice has not arrived; the delay is being raised; every second or third
#: only is drawn; what was to come has been dropped by the host.
Hold = Literal["late_clip", "no_voice", "delay_raised", "half_rate", "interrupted"]

_SILENCE_PEAK = 330  # about 40 dB below full scale
_SILENCE_SHARE = 0.1  # of what was loudest in the last seconds, for rooms that are never that quiet
_FORGET = 0.98  # a turn


@dataclass(frozen=True, slots=True)
class PlayoutSettings:
    """Times in seconds. `cushion_s`: how long before its time a picture should be there."""

    cushion_s: float = 0.03
    memory_s: float = 8.0  # for so long a late clip counts
    outlier_s: float = 0.15  # one that came so much later than usual
    outlier_memory_s: float = 3.0  # counts in full for so long: the machine was busy with something else, and is no more
    tolerance_s: float = 0.02  # the delay is not lowered for less
    max_behind_s: float = 2.5  # the delay is not raised further once this much of the voice that is here has not been aired
    max_ahead_s: float = 4.0
    splice_every: int = 4  # turns, in speech; each time about 9 ms are won or lost
    hurry_s: float = 0.12  # so much too little delay is made up for at every turn, too much at every other
    haste_s: float = 0.4  # and so much too much at every turn
    patience_s: float = 1.0  # where no splice fits for so long, speech is stalled


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """What goes on air for 1/fps: a picture (None before there is any) and its sound [ticks_per_frame]."""

    tick: int  # wall ticks since the start
    pts: Pts | None  # where on the media clock; None before the first clip
    picture: Picture | None
    sound: Sound
    hold: Hold | None
    first_of: int | None = None  # the clip whose first picture this is


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One picture of a clip, shown for `span` frames from `pts` on."""

    clip_id: int
    pts: Pts
    picture: Picture
    span: int = 1
    is_first: bool = False


@dataclass(slots=True)
class PlayoutCounts:
    """Since the start."""

    holds: Counter[Hold] = field(default_factory=Counter)
    aired: int = 0
    late_frames: int = 0  # pictures that came past their time, dropped
    skipped: int = 0  # frames left out to lower the delay
    overflowed: int = 0  # pictures dropped because the buffer was full
    splices: int = 0  # periods of the voice left out or said twice


class Playout:
    """Pictures in PTS order, paired with their sound. A viewer may see a hold, never a gap.

    Bounded to `max_ahead_s` of pictures: when full, the oldest are dropped and counted.
    """

    def __init__(self, fps: int, settings: PlayoutSettings | None = None) -> None:
        self._settings = settings or PlayoutSettings()
        self.max_behind_s = self._settings.max_behind_s  # may be changed
        self._fps = fps
        self._frame = ticks_per_frame(fps)
        self._voice = SampleRing(8 * TIME_BASE_HZ)
        self._shots: deque[Shot] = deque()
        self._shown: Picture | None = None
        self._on: Shot | None = None  # whose picture that is
        self._turns = 0
        self._waiting_turns = 0
        self._loudest = 0.0
        self._needs: deque[tuple[int, int, int]] = deque()  # turn, clip, the delay in ticks that it would have needed
        self._turns_to_splice = 0
        self._stuck_turns = 0
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

    def push(self, shot: Shot, since: Pts, until_turn: int = 0) -> bool:
        """A picture, in whatever order they come; False where it came too late and was dropped.

        since: where that begins for which it stands: what lies between may have been left out for lack of time.
        until_turn: ticks from now to the next turn.
        """
        tick = self._turns * self._frame - until_turn
        self._note_need(shot.clip_id, tick - since)
        if self.position is not None and shot.pts // self._frame + shot.span <= self._due_frame(self.position):
            self.counts.late_frames += 1
            return False
        after = next((i for i, other in enumerate(reversed(self._shots)) if other.pts < shot.pts), len(self._shots))
        self._shots.insert(len(self._shots) - after, shot)
        while len(self._shots) > self._settings.max_ahead_s * self._fps:
            self._shots.popleft()
            self.counts.overflowed += 1
        return True

    def interrupt(self, keep_until: Pts) -> None:
        """Drop the pictures from `keep_until` on, and all sound that is not on air yet."""
        while self._shots and self._shots[-1].pts >= keep_until:
            self._shots.pop()
        self._voice.silence(self.position or Pts(0))
        self._resumes_at = keep_until

    def newest(self) -> Pts | None:
        """The last picture on air or waiting for its turn; None before the first."""
        shots = self._shots or ([self._on] if self._on else [])
        return shots[-1].pts if shots else None

    def delay_s(self) -> float | None:
        """How far the position lags behind the wall; its origin means nothing, its changes do."""
        return None if self.position is None else self._delay() / (self._frame * self._fps)

    def turn(self) -> Turn:
        """The next picture and its sound."""
        tick = self._turns * self._frame
        if self.position is None and not self._ready_to_start():
            self._turns += 1
            return Turn(tick, None, self._shown, self._silence(), None)
        turn = self._turn(tick)
        self._turns += 1
        return turn

    def _turn(self, tick: int) -> Turn:
        assert self.position is not None
        if self._voice.end < self.position + self._frame:
            return self._hold(tick, "no_voice")
        sound = self._voice.read(self.position, self.position + self._frame)
        excess, is_silent = self._excess(), self._is_silent(sound)
        if is_silent and -excess >= self._frame // 2:
            return self._hold(tick, "delay_raised")
        if is_silent and (past := self.position % self._frame):  # splices have moved it off the pictures' own times
            return self._show(tick, sound, self._frame - past + (self._frame if past > self._frame // 2 else 0))
        if is_silent and excess >= self._frame and self._turns % 2 and self._is_here(Pts(self.position + self._frame)):
            self.counts.skipped += 1
            self.position = Pts(self.position + self._frame)
            sound = self._voice.read(self.position, self.position + self._frame)
        elif not is_silent and excess and self._may_splice(excess):
            spliced = self._splice(sound, excess)
            if spliced is None and self._stuck_turns > self._settings.patience_s * self._fps:
                return self._hold(tick, "delay_raised")
            sound, moved = spliced or (sound, 0)
            return self._show(tick, sound, self._frame + moved)
        return self._show(tick, sound, self._frame)

    # -- the delay ------------------------------------------------------------------------------------------------------

    def _delay(self) -> int:
        assert self.position is not None
        return self._turns * self._frame - self.position

    def _behind(self) -> int:
        """How much of the voice is here and not on air yet, in ticks. A host's slow clock raises the delay, but not this."""
        assert self.position is not None
        return self._voice.end - self.position

    def _note_need(self, clip_id: int, need: int) -> None:
        while self._needs and self._needs[0][0] < self._turns - self._settings.memory_s * self._fps:
            self._needs.popleft()
        known = next((i for i in reversed(range(len(self._needs))) if self._needs[i][1] == clip_id), None)
        if known is None:
            self._needs.append((self._turns, clip_id, need))
        elif need > self._needs[known][2]:
            self._needs[known] = (self._needs[known][0], clip_id, need)

    def _excess(self) -> int:
        """Ticks by which the delay is too long (or, negative, too short); 0 where it is near enough.

        One late clip is bad luck, two are a habit: the last-but-one counts.
        """
        if not self._needs:
            return 0
        since = self._turns - self._settings.outlier_memory_s * self._fps
        new = [need for turn, _, need in self._needs if turn >= since]
        most = median(new) + pts_from_s(self._settings.outlier_s) if new else math.inf
        latest = new + [min(need, most) for turn, _, need in self._needs if turn < since]
        needed = sorted(latest)[-2:][0]
        excess = self._delay() - (round(needed) + pts_from_s(self._settings.cushion_s))
        if excess < 0:
            room = pts_from_s(self.max_behind_s) - self._behind()
            return max(excess, -max(0, room)) if excess < -self._frame // 8 else 0
        known_s = min(self._settings.outlier_memory_s, self._settings.memory_s / 2)
        is_known = self._turns - self._needs[0][0] > known_s * self._fps
        return excess if is_known and excess > pts_from_s(self._settings.tolerance_s) else 0

    def _may_splice(self, excess: int) -> bool:
        if not self._turns_to_splice:
            return True
        self._turns_to_splice -= 1
        if abs(excess) <= pts_from_s(self._settings.hurry_s):
            return False
        return excess < 0 or excess > pts_from_s(self._settings.haste_s) or self._turns_to_splice % 2 == 0

    def _splice(self, sound: Sound, excess: int) -> tuple[Sound, int] | None:
        """This turn's sound with one period less or more, and how much of the voice it takes less or more than a frame."""
        assert self.position is not None
        if excess > 0:
            after = self.position + self._frame
            if not self._is_here(after) or self._voice.end < after + stretch.MOST_PERIOD:
                return None
            spliced = stretch.shorter(self._voice.read(self.position, after + stretch.MOST_PERIOD), self._frame)
        else:
            self._stuck_turns += 1
            spliced = stretch.longer(sound, self._frame)
        if spliced is None:
            return None
        self.counts.splices += 1
        self._stuck_turns = 0
        self._turns_to_splice = self._settings.splice_every - 1
        return spliced[0], spliced[1] if excess > 0 else -spliced[1]

    def _is_silent(self, sound: Sound) -> bool:
        peak = float(np.abs(sound.astype(np.int32)).max(initial=0))
        self._loudest = max(peak, self._loudest * _FORGET)
        return peak < max(_SILENCE_PEAK, _SILENCE_SHARE * self._loudest)

    # -- pictures -------------------------------------------------------------------------------------------------------

    def _ready_to_start(self) -> bool:
        if not self._shots:
            return False
        self._waiting_turns += 1
        if (self._waiting_turns - 1) / self._fps < self._settings.cushion_s:
            return False
        self.position = self._shots[0].pts
        return True

    def _due_frame(self, position: int) -> int:
        """The frame, counted from PTS 0, whose picture goes with the sound from `position` on."""
        return (position + self._frame // 2) // self._frame

    def _is_here(self, position: int) -> bool:
        due = self._due_frame(position)
        return any(shot.pts // self._frame <= due < shot.pts // self._frame + shot.span for shot in self._shots)

    def _show(self, tick: int, sound: Sound, taken: int) -> Turn:
        """The picture that is due now; the position moves on by `taken`."""
        assert self.position is not None
        pts, due = self.position, self._due_frame(self.position)
        self.position = Pts(pts + taken)
        while self._shots and self._shots[0].pts // self._frame + self._shots[0].span <= due:
            self._shots.popleft()
        if self._shots and self._shots[0].pts // self._frame <= due:
            self._on = self._shots.popleft()
            self._shown = self._on.picture
            self.counts.aired += 1
            if self._resumes_at is not None and self._on.pts >= self._resumes_at:
                self._resumes_at = None
            return Turn(tick, pts, self._shown, sound, None, self._on.clip_id if self._on.is_first else None)
        reason: Hold = "late_clip" if self._resumes_at is None else "interrupted"
        if self._on and due < self._on.pts // self._frame + self._on.span:
            reason = "half_rate" if self._on.span > 1 else "delay_raised"
        self.counts.holds[reason] += 1
        return Turn(tick, pts, self._shown, sound, reason)

    def _hold(self, tick: int, reason: Hold) -> Turn:
        """One frame of standstill for picture and sound alike: the position stays."""
        self.counts.holds[reason] += 1
        return Turn(tick, self.position, self._shown, self._silence(), reason)

    def _silence(self) -> Sound:
        return np.zeros(self._frame, np.int16)
