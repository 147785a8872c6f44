"""What one broadcast plans: its blueprint, rolled ahead beside the stream, and the next anchor in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from streamer import keyframes, subclips
from streamer.blueprint import BlueprintRoller
from streamer.clock import Clock
from streamer.effort import Level
from streamer.features import VoiceWindow
from streamer.plan import Blueprint, BlueprintJob, Keyframe, Pts, Storyline, s_from_pts
from streamer.render_pool import Superseded
from streamer.render_share import RenderShare
from streamer.worker_process import RenderFailed, WorkerLost

_RETRY_S = 0.2  # after a blueprint that failed
_LEAST_S = 0.05  # a blueprint takes longer than that


class Planning:
    """One blueprint is drawn at a time; each change calls `changed`, and `lost` what could not be drawn."""

    def __init__(
        self,
        share: RenderShare,
        voice: VoiceWindow,
        clock: Clock,
        fps: int,
        segment: Pts,
        seed: int,
        *,
        changed: Callable[[], None],
        planned: Callable[[list[Keyframe], int], None],
        lost: Callable[[str, Exception], None],
    ) -> None:
        """planned: called with the anchors of each new blueprint, and the version of its storyline."""
        self._share = share
        self._voice = voice
        self._clock = clock
        self._fps = fps
        self._segment = segment
        self._seed = seed
        self._changed = changed
        self._planned = planned
        self._lost = lost
        self._roller = BlueprintRoller()
        self._tasks: set[asyncio.Task[None]] = set()
        self._chosen: tuple[Blueprint, Keyframe, Pts, Keyframe | None] | None = None
        self._staying: tuple[Keyframe, Keyframe] | None = None

    @property
    def num_drawing(self) -> int:
        """How many blueprints are being drawn."""
        return len(self._tasks)

    def end(self) -> Pts:
        """How far is planned."""
        return self._roller.end()

    def roll(self, storyline: Storyline, anchor: Keyframe, level: Level) -> None:
        """Ask for a new blueprint where one is due, from `anchor` on, the last one committed. level: of effort."""
        if not self._roller.is_due(storyline, anchor, self._share.epoch):
            return
        start = Pts(anchor.pts - subclips.LEFT_CONTEXT)
        voice = self._voice.read(start, self._voice.end)
        seed = self._seed + max(0, anchor.pts)
        if job := self._roller.next_job(storyline, anchor, self._share.epoch, voice, start, seed, level):
            task = asyncio.create_task(self._draw(job, self._wanted_by_s(storyline, anchor)), name="blueprint")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def next_anchor(self, anchor: Keyframe, segment: Pts) -> Keyframe | None:
        """The one after `anchor`, at most a segment on; None where it is not planned yet."""
        if self._staying and self._staying[0] is anchor:
            return self._staying[1]
        current = self._roller.current
        if current is None:
            return None
        known = self._chosen
        if known is None or known[0] is not current or known[1] is not anchor or known[2] != segment:
            known = self._chosen = current, anchor, segment, keyframes.choose(current, anchor, segment, self._fps)
        return known[3]

    def stay_at(self, anchor: Keyframe) -> None:
        """What is planned is of no use any more. For a segment after `anchor` its pose is kept, without a plan."""
        self._roller.drop()
        self._staying = anchor, keyframes.stay(anchor, self._segment, self._fps)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _wanted_by_s(self, storyline: Storyline, anchor: Keyframe) -> float:
        """Before the voice of a clip is in that the present blueprint has no anchor for."""
        current = self._roller.current
        serves = current is not None and current.storyline_version == storyline.version
        last = current.last_pts if current is not None and serves else Pts(anchor.pts + self._segment)
        return self._clock.now_s() + max(_LEAST_S, s_from_pts(last + subclips.RIGHT_CONTEXT - self._voice.end))

    async def _draw(self, job: BlueprintJob, due_s: float) -> None:
        try:
            if self._roller.accept(blueprint := await self._share.blueprint(job, due_s)):
                anchors = keyframes.choose_all(blueprint, job.first, self._segment, self._fps)
                self._planned(anchors, blueprint.storyline_version)
        except Superseded:
            self._roller.abandon(job)
        except (WorkerLost, RenderFailed) as error:
            self._lost("a blueprint", error)
            await asyncio.sleep(_RETRY_S)
            self._roller.abandon(job)
        self._changed()
