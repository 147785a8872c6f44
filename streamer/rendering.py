"""The sub-clips of one broadcast that are being drawn, and how each is joined to the one before.

*Chain*: the motion of the one before is there, and the next one goes on from its last frames. Only the motion has to be there:
its pictures are drawn meanwhile, by whoever is free.

*Apart*: the pool makes motion more slowly than it is spoken, so the next clip begins at its planned anchor while the one before
is still being made by another worker. When both are there, the frames on both sides of the join are made anew, between those
that stay, and only then are their pictures drawn.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np

from engines.motion import Motion, rest
from streamer import gestures, subclips
from streamer.clock import Clock
from streamer.effort import Effort
from streamer.features import VoiceWindow
from streamer.media import Picture
from streamer.metrics import Flight
from streamer.on_air import OnAir
from streamer.plan import Keyframe, PictureJob, Pts, Stretch, SubClip, SubClipJob, pts_from_s, s_from_pts, ticks_per_frame
from streamer.render_pool import Superseded
from streamer.render_share import RenderShare
from streamer.trail import Trail
from streamer.worker_process import RenderFailed, WorkerLost

log = logging.getLogger(__name__)

_STOP = pts_from_s(0.16)  # after an interrupt what was said before is still seen for so long, at most
_AT_ONCE = 4  # pictures in one job: more would keep others waiting, and one worker at work that several could share
_MEMORY = 0.3  # of the newest in what is measured
_TOO_SLOW, _FAST_ENOUGH = 0.9, 0.5  # of its length, for the motion of a sub-clip
_ROOM = 0.7  # of the workers' time, up to which another one can be had for the motion: apart takes more of it, not less
_SETTLE_CLIPS = 8  # after a change from chain to apart or back, before another


@dataclass(eq=False)
class _Clip:
    """One on its way. lead, tail: how many of its frames at either end the repair of a join draws."""

    flight: Flight
    moved: asyncio.Future[Motion | None]  # None: it is lost
    beyond: Motion = field(default_factory=lambda: rest(0))  # what it would have gone on with
    lead: int = 0
    tail: int = 0
    worker: str = ""
    join: SubClipJob | None = None
    motion_s: float = 0.0

    @property
    def job(self) -> SubClipJob:
        return self.flight.job


class Rendering:
    """Bounded: in a chain one motion is being made, apart as many as there are workers; nothing is begun beyond that."""

    def __init__(
        self,
        share: RenderShare,
        on_air: OnAir,
        voice: VoiceWindow,
        clock: Clock,
        fps: int,
        segment: Pts,
        *,
        changed: Callable[[], None],
        lost: Callable[[str, Exception], None],
    ) -> None:
        """changed: called when another sub-clip may be begun. lost: with what could not be drawn, and why."""
        self._share = share
        self._on_air = on_air
        self._voice = voice
        self._clock = clock
        self._fps = fps
        self._segment = segment
        self._changed = changed
        self._lost = lost
        self._trail = Trail(fps)
        self._last: _Clip | None = None
        self._kept: Motion | None = None  # what an interrupt has left of the last one
        self._tasks: set[asyncio.Task[None]] = set()
        self._num_unmoved = 0  # sub-clips whose motion is not there yet
        self._motion_s = 0.0  # how long motion takes, queue included
        self._motion_loads: deque[float] = deque(maxlen=_SETTLE_CLIPS)  # and in segments, of the newest sub-clips
        self._settled_clips = 0
        self._picture_s = 0.0  # and then its first picture
        self.is_apart = False
        self.effort = Effort()

    @property
    def takes_s(self) -> float:
        """From a sub-clip's being cut to its first picture."""
        return self._motion_s + self._picture_s

    @property
    def segment(self) -> Pts:
        """How far to the next anchor."""
        segment = Pts(self._segment * self.effort.level.num_segments)
        return subclips.longest_apart(self._fps, segment) if self.is_apart else segment

    def may_begin(self) -> bool:
        """Whether the next sub-clip can be begun: chained, or apart where waiting for the one before would not do."""
        if self._last is None or self._last.moved.done():
            return True
        stuck = self._clock.now_s() - self._last.flight.cut_s > 2 * s_from_pts(self._last.job.end - self._last.job.start)
        return self._num_unmoved < self._share.num_workers if self.is_apart else stuck and self._share.has_room

    def before(self) -> tuple[Motion, Motion] | None:
        """What the next sub-clip is chained to, and what that would have gone on with; None where it begins at its anchor."""
        if self._last is None:
            return None if self._kept is None else (self._kept, rest(0))
        motion = self._last.moved.result() if self._last.moved.done() else None
        return None if motion is None else (motion, self._last.beyond)

    def begin(self, job: SubClipJob, flight: Flight) -> None:
        """Have it drawn."""
        level = self.effort.level
        flight.job = replace(job, num_steps=level.num_steps, draw_every=level.draw_every)
        clip = _Clip(flight, asyncio.get_running_loop().create_future())
        before, self._last, self._kept = self._last, clip, None
        if before and not before.moved.done():
            self._part(before, clip)
        else:
            before = None
        self._num_unmoved += 1
        self._on_air.expect(flight)
        task = asyncio.create_task(self._carry_out(clip, before), name=f"sub-clip-{job.job_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def skip(self, length_s: float, late_s: float) -> None:
        """A sub-clip of this length is not worth beginning any more; the next one begins at its anchor."""
        self._last = self._kept = None
        self._note_effort(length_s, late_s)

    def cut_short(self, position: Pts) -> tuple[Keyframe, Pts] | None:
        """Another epoch begins: the anchor to go on from, and from where on nothing of before is shown; None where nothing was.

        What comes next takes a moment to be drawn. Where that is longer than a stop may take, the picture stands still
        meanwhile, with the lips as near to shut as there is time for.
        """
        newest, self._last, self._kept = self._on_air.newest, None, None
        resumes, stops = Pts(position + pts_from_s(self.takes_s)), Pts(position + _STOP)
        until = resumes if resumes <= stops else self._trail.calmest(position, stops)
        kept = None if newest is None else self._trail.cut(Pts(min(until, newest)))
        if kept is None:
            return None
        anchor, self._kept = kept
        frame = ticks_per_frame(self._fps)
        is_held = until < resumes
        return replace(anchor, pts=Pts(resumes // frame * frame)) if is_held else anchor, Pts(anchor.pts + frame)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- one sub-clip ---------------------------------------------------------------------------------------------------

    def _part(self, before: _Clip, clip: _Clip) -> None:
        """They are made apart: the frames about their join wait for both."""
        r = subclips.repair_frames(self._fps)
        before.tail = clip.lead = r
        before.flight.undrawn_spans += 1
        clip.flight.undrawn_spans += 1

    async def _carry_out(self, clip: _Clip, before: _Clip | None) -> None:
        motion = await self._move(clip)
        self._num_unmoved -= 1
        clip.moved.set_result(motion)
        self._changed()
        joining = self._join(before, clip) if before else asyncio.sleep(0)
        if motion is None:
            await joining
            return
        middle = range(clip.lead, clip.job.num_frames - clip.tail)
        await asyncio.gather(self._draw(clip, motion, middle), joining)

    async def _move(self, clip: _Clip) -> Motion | None:
        flight, job = clip.flight, clip.job
        try:
            done = await self._share.motion(job, self._on_air.time_of(job.start))
        except Superseded:
            return None  # an interrupt has said what comes next
        except (WorkerLost, RenderFailed) as error:
            self._lost(f"sub-clip {job.job_id}", error)
            return None
        flight.moved_s = self._clock.now_s()
        clip.worker, clip.motion_s = done.worker, done.seconds
        took_s = flight.moved_s - flight.cut_s
        self._motion_s += _MEMORY * (took_s - self._motion_s)
        self._motion_loads.append(took_s / s_from_pts(self.segment))
        self._choose_mode()
        motion, clip.beyond = done.result[: job.num_frames], done.result[job.num_frames :]
        self._trail.add(job.start, motion)
        return motion

    def _choose_mode(self) -> None:
        """Apart where motion takes longer than it lasts though workers are free; chained again where it takes half of that."""
        self._settled_clips += 1
        if self._settled_clips < _SETTLE_CLIPS:
            return
        takes, load = median(self._motion_loads), self._share.load()
        wanted = takes > _FAST_ENOUGH and load < 1 if self.is_apart else min(self._motion_loads) > _TOO_SLOW and load < _ROOM
        if wanted == self.is_apart:
            return
        self.is_apart, self._settled_clips = wanted, 0
        self._on_air.expect_apart(wanted, s_from_pts(self._segment))
        how = "apart, and their joins repaired" if wanted else "in a chain"
        log.warning("sub-clips are made %s: their motion takes %.0f %% of their length", how, 100 * takes)

    async def _join(self, before: _Clip, clip: _Clip) -> None:
        """Draw the frames about a join; where one side is lost, the other's as they are."""
        left, right = await before.moved, await clip.moved
        r = clip.lead
        if left is not None and right is not None:
            left, right = await self._repaired(before, clip, left, right)
        drawing = []
        if left is not None:
            drawing.append(self._draw(before, left, range(before.job.num_frames - r, before.job.num_frames)))
        if right is not None:
            drawing.append(self._draw(clip, right, range(r)))
        await asyncio.gather(*drawing)

    async def _repaired(self, before: _Clip, clip: _Clip, left: Motion, right: Motion) -> tuple[Motion, Motion]:
        """Both motions with the frames about their join made anew; as they were where that fails."""
        r = clip.lead
        try:
            job = subclips.cut_repair(clip.job.job_id, before.job, clip.job, (left, right), self._voice)
            done = await self._share.motion(job, self._on_air.time_of(job.start))
        except (Superseded, WorkerLost, RenderFailed) as error:
            clip.flight.notes += (f"join not repaired: {error}",)
            return left, right
        clip.join = job
        left, right = np.concatenate([left[:-r], done.result[:r]]), np.concatenate([done.result[r:], right[r:]])
        self._trail.put(before.job.start, left)
        self._trail.put(clip.job.start, right)
        return left, right

    async def _draw(self, clip: _Clip, motion: Motion, span: range) -> None:
        """The pictures of these frames, those that can still be in time, several workers at once."""
        began_s, position = self._clock.now_s(), self._on_air.position
        deadline = Pts(0) if position is None else Pts(position + pts_from_s(self._picture_s))
        wanted, frame = subclips.frames_to_draw(clip.job, span), ticks_per_frame(self._fps)
        frames = [i for i in wanted if clip.job.start + i * frame >= deadline] or wanted[-1:]  # the last tells how late it came
        at_once = len(frames) if self._share.films else _AT_ONCE
        pieces = [frames[i : i + at_once] for i in range(0, len(frames), at_once)]
        shown = gestures.performed(clip.job.gestures, clip.job.start, self._fps, motion)
        stretch = subclips.stretch(clip.job, span, shown, clip.beyond) if self._share.films and len(span) else None
        try:
            drawing = (self._draw_piece(clip, shown, piece, stretch, span.start, i == 0) for i, piece in enumerate(pieces))
            await asyncio.gather(*drawing)
        except Superseded:
            clip.flight.notes += ("interrupted",)
        except (WorkerLost, RenderFailed) as error:
            self._lost(f"a picture of sub-clip {clip.job.job_id}", error)
        if span.start == 0 and clip.flight.drawn_s:
            self._picture_s += _MEMORY * (max(0.0, clip.flight.drawn_s - began_s) - self._picture_s)
        clip.flight.undrawn_spans -= 1
        if not clip.flight.undrawn_spans:
            self._finish(clip)

    async def _draw_piece(
        self, clip: _Clip, motion: Motion, frames: list[int], stretch: Stretch | None, begins_at: int, is_first: bool
    ) -> None:
        """A picture stands for those left out before it, in its piece, or in its span where it is the first of that."""
        num_done = 0

        def show(index: int, picture: Picture) -> None:
            nonlocal num_done
            since = frames[num_done] if num_done or not is_first else begins_at
            self._on_air.push_picture(clip.flight, frames[index], picture, since)
            num_done = index + 1

        frame = ticks_per_frame(self._fps)
        places = tuple(i - begins_at for i in frames)
        job = PictureJob(clip.job.epoch, self._share.look, motion[frames], stretch, places)
        due_s = self._on_air.time_of(Pts(clip.job.start + frames[0] * frame))
        every_s = clip.job.draw_every / self._fps if self._on_air.position is not None and not self._share.films else 0.0
        done = await self._share.pictures(job, due_s, show, every_s)
        clip.flight.decode_s += done.seconds

    def _finish(self, clip: _Clip) -> None:
        flight, motion = clip.flight, clip.moved.result()
        assert motion is not None
        times_ms = 1e3 * clip.motion_s, 1e3 * flight.decode_s
        avatar = self._share.look.avatar.name
        self._on_air.finish(flight, SubClip(clip.job, motion, clip.worker, *times_ms, avatar, clip.join, flight.notes))
        length_s = s_from_pts(Pts(flight.job.end - flight.job.start))
        self._note_effort(length_s, 0.0 if self.is_apart else flight.drawn_s - flight.due_s)  # apart they take their time

    def _note_effort(self, length_s: float, wait_s: float) -> None:
        now_s, share = self._clock.now_s(), self._share
        if self.effort.note(share.load(), share.own_load(), wait_s, length_s, share.turns.may_rise(now_s)):
            share.turns.note_change(now_s)
            log.warning("sub-clips are drawn with effort: %s", self.effort.level.name)
