"""Who is on air, and who is to come: another avatar is opened beside the broadcast and takes over at a segment cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from streamer.media import Picture
from streamer.plan import Pts
from streamer.protocol import ErrorMessage, SwitchAvatar
from streamer.render_share import RenderShare
from streamer.worker_process import RenderFailed, WorkerLost


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

    def change(
        self,
        message: SwitchAvatar,
        folder: Path,
        opened: Callable[[Picture], None],
        accept: Callable[[SwitchAvatar, Pts], BaseModel],
    ) -> Coroutine[Any, Any, BaseModel]:
        """Begin at once; what comes back waits for the answer to whoever asked.

        opened: is given the avatar at rest. accept: the answer, at the segment cut where it takes over.
        """
        if self._task:
            self._task.cancel()
        self._task = asyncio.create_task(self._change(message.avatar, folder, opened), name=f"open-{message.avatar}")
        self.opening = message.avatar
        self._changed()
        return self._answer(message, self._task, accept)

    def at_cut(self, pts: Pts) -> None:
        """A segment is about to be drawn whose first frame is `pts`: whoever stands by takes over."""
        if self._cut and not self._cut.done():
            self._share.switch()
            self._cut.set_result(pts)

    async def _answer(
        self, message: SwitchAvatar, switch: asyncio.Task[Pts], accept: Callable[[SwitchAvatar, Pts], BaseModel]
    ) -> BaseModel:
        try:
            return accept(message, await asyncio.shield(switch))
        except (RenderFailed, WorkerLost) as error:
            text = f"{message.avatar} could not be opened, {self.on_air} stays on air: {error}"
            return ErrorMessage(id=message.id, code="avatar_failed", message=text)
        except asyncio.CancelledError:
            if not switch.cancelled():
                raise
            text = "another avatar was asked for before this one was ready"
            return ErrorMessage(id=message.id, code="superseded", message=text)

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
