"""The embedded director's ears and eyes on a live broadcast: in a thread beside the stream, so that no frame waits for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from engines.avatar_library import Avatar, AvatarError
from streamer import seeing
from streamer.desk import Desk
from streamer.features import VoiceWindow
from streamer.hearing import Hearing
from streamer.plan import Pts, pts_from_s, s_from_pts
from streamer.threads import in_thread

log = logging.getLogger(__name__)

_TURN_S = 0.2
_SPEECH = 0.5


class Listener:
    """Hears the voice window as it fills, and looks at each avatar that comes on air; tells the desk what it finds.

    What the voice window has forgotten before it was heard (16 s) is left out, and said in the log.
    """

    def __init__(self, desk: Desk, voice: VoiceWindow, revisable: Callable[[], Pts], folder: Callable[[], Path]) -> None:
        """revisable: the first moment that can still change. folder: where the avatar on air lies."""
        self._desk = desk
        self._voice = voice
        self._revisable = revisable
        self._folder = folder
        self._hearing: Hearing | None = None
        self._seen: Path | None = None
        self.heard_until = Pts(0)

    def is_speaking(self) -> bool:
        """Whether somebody speaks just now, as far as has been heard."""
        return self._hearing is not None and self._hearing.speech_probability >= _SPEECH

    async def run(self) -> None:
        """For as long as the broadcast lasts."""
        self._hearing = await in_thread(Hearing)
        while True:
            await self._look()
            await self._listen(self._hearing)
            await asyncio.sleep(_TURN_S)

    async def _listen(self, hearing: Hearing) -> None:
        end = self._voice.end
        start = Pts(max(self.heard_until, end - pts_from_s(self._voice.capacity_s)))
        if start > self.heard_until:
            log.warning("%.1f s of voice were not listened to: the machine is too busy", s_from_pts(start - self.heard_until))
        for caption in await in_thread(hearing.push, self._voice.read(start, end)):
            log.info("the voice: %s, %.0f %%", caption.emotion, 100 * caption.intensity)
            self._desk.hear(caption, self._revisable())
        self.heard_until = end

    async def _look(self) -> None:
        try:
            folder = self._folder()
            if folder == self._seen:
                return
            self._seen = folder
            caption = await in_thread(lambda: seeing.caption(Avatar.load(folder)))
        except AvatarError as error:
            log.error("the director cannot look at the avatar: %s", error)
        else:
            self._desk.see(caption, self._revisable(), folder)
