"""One broadcast as its director service sees it: what is known, and where a plan is put. Nothing here waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel

from engines.mllm.chat import Sound
from streamer.briefing import Briefing, Plan, PortraitCaption, VoiceCaption
from streamer.desk import Desk, Done, Refused
from streamer.features import VoiceWindow
from streamer.plan import Pts, pts_from_s
from streamer.protocol import Prompt

log = logging.getLogger(__name__)

_AUDIBLE_DB = -50.0


class Stage:
    """revisable: the first moment that can still change. accept: the answer to a prompt that was carried out. folder: where the
    avatar on air lies. tell: send to every host."""

    def __init__(
        self,
        desk: Desk,
        voice: VoiceWindow,
        *,
        revisable: Callable[[], Pts],
        accept: Callable[[Prompt, Done], BaseModel],
        folder: Callable[[], Path],
        tell: Callable[[BaseModel], None],
    ) -> None:
        self._desk = desk
        self._voice = voice
        self._revisable = revisable
        self._accept = accept
        self._folder = folder
        self.tell = tell
        self._transcript = ""  # the model's own, for where nobody else writes one

    def brief(self, prompt: Prompt) -> Briefing:
        """All there is to know about a prompt now. Raises Refused for a time too far ahead."""
        briefing = self._desk.briefing(prompt, self._revisable())
        return briefing if briefing.transcript else replace(briefing, transcript=self._transcript)

    def adopt(self, plan: Plan, prompt: Prompt, *, refines: bool) -> BaseModel:
        """Carry a plan out; the answer to whoever prompted."""
        try:
            return self._accept(prompt, self._desk.carry_out(plan, prompt, self._revisable(), refines=refines))
        except Refused as refused:
            return refused.answer(prompt)

    def listen(self, span_s: float) -> tuple[Sound, Pts] | None:
        """The last `span_s` of voice and where they begin; None where there is hardly a sound in them."""
        start = Pts(max(0, self._voice.end - pts_from_s(span_s)))
        if self._voice.end == 0 or self._voice.level_db(span_s) < _AUDIBLE_DB:
            return None
        return Sound(self._voice.read(start, self._voice.end)), start

    def note_voice(self, caption: VoiceCaption, transcript: str) -> None:
        self._desk.hear(caption, self._revisable())
        try:
            self._desk.say(transcript, self._revisable())
        except Refused as refused:
            log.warning("a cue was heard and not carried out: %s", refused)

    def note_portrait(self, caption: PortraitCaption, picture: Path) -> None:
        self._desk.see(caption, self._revisable(), picture.parent, by_model=True)

    def picture(self) -> Path:
        """The picture of the avatar on air."""
        return self._folder() / "picture.png"
