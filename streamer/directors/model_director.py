"""A director that asks a language model, one for the whole server: three questions, each answered typed or with a ChatError."""

from __future__ import annotations

import asyncio
import io
import logging
from collections import OrderedDict
from pathlib import Path
from typing import TypeVar

from PIL import Image

from engines.mllm.chat import CannotPerceive, ChatError, ChatRequest, Picture, Sound
from streamer.briefing import Briefing, PortraitCaption
from streamer.clock import Clock
from streamer.director import EmbeddedDirector
from streamer.directors import answer
from streamer.directors.answer import PortraitAnswer, Reading, StorylineAnswer, VoiceAnswer
from streamer.directors.breaker import Breaker
from streamer.directors.chat_model import ChatModel
from streamer.directors.prompting import portrait_request, storyline_request, voice_request
from streamer.threads import in_thread

log = logging.getLogger(__name__)

_A = TypeVar("_A", StorylineAnswer, VoiceAnswer, PortraitAnswer)
_PICTURE_SIDE = 768
_KEPT_PORTRAITS = 64  # captions; the least used is forgotten


class ModelDirector:
    """What every broadcast shares: the model, its circuit breaker, and what it said of the avatars' pictures."""

    def __init__(self, model: ChatModel, embedded: EmbeddedDirector, clock: Clock) -> None:
        self._model = model
        self.embedded = embedded
        self._clock = clock
        self._portraits: OrderedDict[Path, PortraitCaption] = OrderedDict()
        self._blind: dict[str, str] = {}  # "voice" or "portrait" → why it is not asked about it any more
        self.breaker = Breaker()
        self.backend = model.backend

    def start(self) -> None:
        self._model.start()

    async def close(self) -> None:
        await self._model.close()

    def rests_for_s(self) -> float | None:
        """How long the model is left alone yet, after failures; None where it may be asked now."""
        return self.breaker.rests_for_s(self._clock.now_s())

    def notes(self) -> tuple[str, ...]:
        """What falls short, for people."""
        return (*self._model.notes(), *self._blind.values())

    @property
    def can_hear(self) -> bool:
        return "voice" not in self._blind

    async def read(self, briefing: Briefing, deadline_s: float, patience_s: float) -> Reading:
        """The model's answer to a prompt, checked. Raises ChatError. An answer later than `deadline_s` is none.

        Cancelled after `patience_s` without an answer, it counts as a failure, before as nothing.
        """
        text = await self._ask(storyline_request(briefing), deadline_s, patience_s)
        return answer.read(self._parsed(text, StorylineAnswer), briefing, self.embedded)

    async def hear(self, sound: Sound, deadline_s: float) -> VoiceAnswer:
        """How these seconds sound. Raises ChatError, after which `can_hear` may be false."""
        return self._parsed(await self._perceive("voice", voice_request(sound), deadline_s), VoiceAnswer)

    async def see(self, picture: Path, deadline_s: float) -> PortraitCaption:
        """What a portrait shows; each picture is asked about once. Raises ChatError."""
        if picture in self._portraits:
            self._portraits.move_to_end(picture)
            return self._portraits[picture]
        if reason := self._blind.get("portrait"):
            raise CannotPerceive(reason, is_lasting=True)
        small = await in_thread(shrink, picture)
        caption = self._parsed(await self._perceive("portrait", portrait_request(small), deadline_s), PortraitAnswer).caption()
        self._portraits[picture] = caption
        if len(self._portraits) > _KEPT_PORTRAITS:
            self._portraits.popitem(last=False)
        return caption

    def _parsed(self, text: str, kind: type[_A]) -> _A:
        try:
            found = answer.parse(text, kind)
        except ChatError as error:
            self._fail(error)
            raise
        self.breaker.succeed()
        return found

    async def _perceive(self, what: str, request: ChatRequest, deadline_s: float) -> str:
        try:
            return await self._ask(request, deadline_s, deadline_s)
        except CannotPerceive as error:
            self._blind[what] = str(error)
            log.warning("the director goes on without the %s: %s", what, error)
            raise

    async def _ask(self, request: ChatRequest, deadline_s: float, patience_s: float) -> str:
        started_s = self._clock.now_s()
        if not self.breaker.admit(started_s):
            raise ChatError(f"the model is left alone after a failure: {self.breaker.reason}")
        try:
            async with asyncio.timeout(deadline_s):
                return await self._model.ask(request)
        except TimeoutError:
            error = ChatError(f"the model did not answer within {deadline_s:g} s")
            self._fail(error)
            raise error from None
        except CannotPerceive:
            self.breaker.withdraw()
            raise
        except ChatError as error:
            self._fail(error)
            raise
        except asyncio.CancelledError:
            if self._clock.now_s() - started_s >= patience_s:
                self._fail(ChatError(f"the model did not answer within {patience_s:g} s"))
            else:
                self.breaker.withdraw()
            raise

    def _fail(self, error: ChatError) -> None:
        self.breaker.fail(self._clock.now_s(), str(error), retry_after_s=error.retry_after_s, is_lasting=error.is_lasting)
        rest_s = self.rests_for_s()
        log.warning("the %s director: %s%s", self.backend, error, f"; left alone for {rest_s:.0f} s" if rest_s else "")


def shrink(path: Path) -> Picture:
    """A picture file as a JPEG of at most 768 pixels a side."""
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=88)
    return Picture(out.getvalue())
