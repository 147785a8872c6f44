"""Who is on air, and who is to come: another avatar is opened beside the broadcast and takes over at a segment cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from streamer.media import Picture
from streamer.plan import Pts
from streamer.render_share import RenderShare


class AvatarSwitch:
    """One change at a time: a newer one takes the place of one that is under way."""

    def __init__(self, share: RenderShare, on_air: str, changed: Callable[[], None]) -> None:
        """`changed` is called whenever `on_air` or `opening` is another."""
        self._share = share
        self._changed = changed
        self._task: asyncio.Task[Pts] | None = None
        self._cut: asyncio.Future[Pts] | None = None
        self.on_air = on_air
        self.opening: str | None = None

    def begin(self, name: str, folder: Path, opened: Callable[[Picture], None]) -> asyncio.Task[Pts]:
        """Open it. The task ends at the segment cut where it takes over, with the PTS of its first frame.

        `opened` is given the avatar at rest. The task raises RenderFailed or WorkerLost, and is cancelled by a newer change.
        """
        if self._task:
            self._task.cancel()
        self._task = asyncio.create_task(self._change(name, folder, opened), name=f"open-{name}")
        self.opening = name
        self._changed()
        return self._task

    def at_cut(self, pts: Pts) -> None:
        """A segment is about to be drawn whose first frame is `pts`: whoever stands by takes over."""
        if self._cut and not self._cut.done():
            self._share.switch()
            self._cut.set_result(pts)

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _change(self, name: str, folder: Path, opened: Callable[[Picture], None]) -> Pts:
        mine = asyncio.current_task()
        try:
            still = await self._share.stand_by(folder)
            self._cut = asyncio.get_running_loop().create_future()
            opened(still)
            pts = await self._cut
            self.on_air = name
            return pts
        finally:
            if self._task is mine:
                self.opening = self._cut = self._task = None
                self._changed()
