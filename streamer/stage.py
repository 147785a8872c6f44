"""One broadcast as its director service sees it: what is known, and where a plan is put. Nothing here waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from engines.mllm.chat import Sound
from streamer.briefing import Briefing, Plan, PortraitCaption, VoiceCaption
from streamer.desk import Desk, Done, Refused
from streamer.features import VoiceWindow
from streamer.plan import Cue, Pts, pts_from_s, s_from_pts
from streamer.protocol import Heard, Prompt
from streamer.scribe import Written

log = logging.getLogger(__name__)

_AUDIBLE_DB = -50.0


class Stage:
    """revisable: the first moment that can still change. accept: the answer to a prompt that was carried out. folder: where the
    avatar on air lies. tell: send to every host. has_scribe: somebody else than a language model writes down what is said."""

    def __init__(
        self,
        desk: Desk,
        voice: VoiceWindow,
        *,
        revisable: Callable[[], Pts],
        accept: Callable[[Prompt, Done], BaseModel],
        folder: Callable[[], Path],
        tell: Callable[[BaseModel], None],
        has_scribe: bool = False,
    ) -> None:
        self._desk = desk
        self._voice = voice
        self._revisable = revisable
        self._accept = accept
        self._folder = folder
        self.tell = tell
        self._has_scribe = has_scribe

    def brief(self, prompt: Prompt) -> Briefing:
        """All there is to know about a prompt now. Raises Refused for a time too far ahead."""
        return self._desk.briefing(prompt, self._revisable())

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
        """How a language model heard the voice. Its transcript counts where nobody else writes one."""
        self._desk.hear(caption, self._revisable())
        if not self._has_scribe:
            self._ring(lambda: self._desk.say(transcript, self._revisable()))

    def note_written(self, written: Written) -> None:
        """An utterance as far as it is written down: its cues ring, and it becomes a caption."""
        cues = self._ring(lambda: self._desk.write(written.text, written.before, self._revisable()))
        start_s, end_s = s_from_pts(written.utterance.start), s_from_pts(written.utterance.end)
        rung = tuple(cue.words for cue in cues)
        caption = Heard(start_s=start_s, end_s=end_s, text=written.text, is_final=written.utterance.is_over, cues=rung)
        self.tell(caption)

    @staticmethod
    def _ring(hear: Callable[[], tuple[Cue, ...]]) -> tuple[Cue, ...]:
        try:
            return hear()
        except Refused as refused:
            log.warning("a cue was heard and not carried out: %s", refused)
            return ()

    def note_portrait(self, caption: PortraitCaption, picture: Path) -> None:
        self._desk.see(caption, self._revisable(), picture.parent, by_model=True)

    def picture(self) -> Path:
        """The picture of the avatar on air."""
        return self._folder() / "picture.png"
