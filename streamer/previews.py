"""Thumbnails of planned anchors, so that hosts see what is coming: drawn by a worker that has nothing else to do."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from streamer import reports
from streamer.avatar_switch import AvatarSwitch
from streamer.control import ControlRoom
from streamer.plan import Keyframe, Pts
from streamer.protocol import KeyframeMessage
from streamer.render_share import RenderShare
from streamer.worker_process import RenderFailed, WorkerLost

_LOOK_S = 0.05
_EVERY_S = 0.2
_KEPT = 24  # for hosts who join


class Previews:
    """The soonest planned anchor without a thumbnail comes next, no more often than five times a second.

    Bounded: it knows the anchors of one blueprint; while every worker has something to do, nothing is drawn and nothing waits.
    An anchor near one that was drawn from the same storyline is not drawn again.
    """

    def __init__(self, share: RenderShare, control: ControlRoom, avatar: AvatarSwitch, near: Pts) -> None:
        """near: ticks within which two anchors of one storyline count as the same picture."""
        self._share = share
        self._control = control
        self._avatar = avatar
        self._near = near
        self._planned: list[Keyframe] = []
        self._version = 0
        self._drawn: dict[Pts, int] = {}  # storyline version by anchor
        self.latest: deque[KeyframeMessage] = deque(maxlen=_KEPT)

    def plan(self, anchors: list[Keyframe], version: int) -> None:
        """What is planned from now on, by this version of the storyline."""
        self._planned, self._version = anchors, version

    def forget(self) -> None:
        """Another avatar is on air: what was drawn shows somebody else."""
        self._drawn.clear()
        self.latest.clear()

    async def run(self, position: Callable[[], Pts]) -> None:
        """For ever. `position`: what goes on air next."""
        while True:
            anchor = self._next(position()) if self._control.has_hosts else None
            if anchor and await self._draw(anchor):
                await asyncio.sleep(_EVERY_S)
            else:
                await asyncio.sleep(_LOOK_S)

    def _next(self, position: Pts) -> Keyframe | None:
        self._drawn = {pts: version for pts, version in self._drawn.items() if pts > position}
        seen = [pts for pts, version in self._drawn.items() if version == self._version]
        wanted = (a for a in self._planned if a.pts > position and all(abs(a.pts - pts) >= self._near for pts in seen))
        return next(wanted, None)

    async def _draw(self, anchor: Keyframe) -> bool:
        version, who = self._version, self._avatar.on_air
        jpeg = None
        with contextlib.suppress(WorkerLost, RenderFailed):  # the clips say so; a thumbnail is not worth a word
            jpeg = await self._share.thumbnail(anchor.motion)
        if jpeg is None or who != self._avatar.on_air:
            return False
        self._drawn[anchor.pts] = version
        self.latest.append(reports.keyframe(anchor, version, who, jpeg))
        self._control.tell(self.latest[-1])
        return True
