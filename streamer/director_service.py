"""The director beside the stream: one broadcast's questions to a language model, and what happens while there is no answer.

A prompt is answered by the model within `soft_s`; else the embedded planner's plan goes on air at once, and what the model
adds by `hard_s` refines it; else the embedded plan stays and the event says so. The voice is captioned every few seconds, the
portrait once. One question is out at a time: a newer prompt takes the place of an older one, whose embedded plan is carried out
then, and a prompt takes the place of a caption. Nothing here is waited for by any frame.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from engines.mllm.chat import CannotPerceive, ChatError, Sound
from streamer.config import DirectorSettings
from streamer.directors.answer import Reading
from streamer.directors.model_director import ModelDirector
from streamer.plan import FIELDS, Directive, Field, Pts
from streamer.protocol import Command, DirectorMessage, DoAction, EditBeat, ErrorMessage, MoveCamera, Prompt, SetEmotion
from streamer.stage import Stage

log = logging.getLogger(__name__)

_LOOK_AGAIN = 8  # turns of listening after a portrait could not be described


@dataclass(slots=True, eq=False)
class _Question:
    """A prompt that the model is asked about."""

    prompt: Prompt
    answer: asyncio.Future[BaseModel]
    carried_out: tuple[Directive, ...] | None = None  # what the embedded planner understood, once its plan is on air
    decided_since: set[Field] = field(default_factory=set)
    task: asyncio.Task[None] | None = None


class DirectorService:
    """One broadcast's. `run` hears and sees until it is cancelled; `direct` may be called at any time."""

    def __init__(self, director: ModelDirector, stage: Stage, settings: DirectorSettings) -> None:
        self._director = director
        self._stage = stage
        self._settings = settings
        self._open: _Question | None = None
        self._caption: asyncio.Task[None] | None = None

    # -- prompts --------------------------------------------------------------------------------------------------------

    def direct(self, prompt: Prompt) -> asyncio.Future[BaseModel]:
        """The answer to a prompt, when its plan is on the storyline: at once, or at the soft deadline at the latest.

        Only where the embedded planner understands nothing the model has until the hard deadline. Raises Refused.
        """
        self._stage.brief(prompt)
        self._supersede()
        question = _Question(prompt, asyncio.get_running_loop().create_future())
        if (rest_s := self._director.rests_for_s()) is not None:
            reason = self._director.breaker.reason
            self._fall_back(question, f"the model is left alone for {rest_s:.0f} s more: {reason}", is_final=True)
            return question.answer
        if self._caption:
            self._caption.cancel()
        self._open = question
        question.task = asyncio.create_task(self._ask(question), name="director-ask")
        self._tell(question)
        return question.answer

    def note(self, command: Command) -> None:
        """What a host did by hand while the model thinks. What it decided, an answer still to come leaves alone."""
        match command:
            case SetEmotion():
                self._decided("emotion")
            case DoAction():
                self._decided("action")
            case MoveCamera():
                self._decided("camera")
            case EditBeat():
                self._decided(*(field for field in FIELDS if field in command.changes()))
            case _:
                self._abandon(f"{command.type} came before the director's answer")

    def _decided(self, *fields: Field) -> None:
        if self._open:
            self._open.decided_since.update(fields)

    def _abandon(self, reason: str) -> None:
        """An answer still to come is of no use any more."""
        question, self._open = self._open, None
        if question and question.task:
            question.task.cancel()
            self._settle(question, ErrorMessage(id=question.prompt.id, code="superseded", message=reason))
            self._tell(question, planned_by="embedded" if question.carried_out else None, note=reason)

    @property
    def can_hear(self) -> bool:
        """Whether the model writes down what the host says, as far as is known."""
        return self._director.can_hear

    def report(self) -> DirectorMessage:
        """How it stands."""
        rest_s = self._director.rests_for_s()
        return DirectorMessage(
            backend=self._director.backend,
            state="asking" if self._open else "ready" if rest_s is None else "resting",
            retry_in_s=None if rest_s is None else round(rest_s, 1),
            reason=self._director.breaker.reason,
            notes=self._director.notes(),
        )

    def _supersede(self) -> None:
        """The model's answer to the prompt before is not waited for any more."""
        question, self._open = self._open, None
        if question and question.task:
            question.task.cancel()
            self._fall_back(question, "a newer prompt came before the model's answer", is_final=True)

    async def _ask(self, question: _Question) -> None:
        soft_s, hard_s = self._settings.soft_s, self._settings.hard_s
        reading = asyncio.create_task(
            self._director.read(self._stage.brief(question.prompt), hard_s, soft_s), name="director-read"
        )
        try:
            await asyncio.wait((reading,), timeout=soft_s)
            if not reading.done():
                self._fall_back(question, f"the model has not answered within {soft_s:g} s", is_final=False)
            self._refine(question, await reading)
        except ChatError as error:
            self._fall_back(question, str(error), is_final=True)
        except asyncio.CancelledError:
            reading.cancel()
            raise
        except Exception as error:
            log.exception("the director service failed over a prompt")
            self._fall_back(question, f"the director service failed: {error}", is_final=True)
        finally:
            if self._open is question:
                self._open = None

    def _fall_back(self, question: _Question, reason: str, *, is_final: bool) -> None:
        """The embedded planner's plan, unless it is on the storyline already. Where it understands nothing, only at last."""
        if question.carried_out is None:
            briefing = self._stage.brief(question.prompt)
            understood = self._director.embedded.plan(briefing).understood
            if understood:
                self._carry_out(question, Reading(understood), "embedded", (), is_first=True)
                question.carried_out = understood
            elif is_final:
                hint = "name an emotion, an action or a camera move, such as `very happy, nods, slow zoom in`"
                text = f"nothing in this was understood ({reason}): {hint}"
                self._settle(question, ErrorMessage(id=question.prompt.id, code="not_understood", message=text))
        if is_final and self._open is question:
            self._open = None
        self._tell(question, planned_by="embedded" if question.carried_out else None, note=reason)

    def _refine(self, question: _Question, reading: Reading) -> None:
        """The model's plan; after the embedded one, only what that one has not done."""
        self._open = None
        is_first = question.carried_out is None
        if refused := "; ".join(reading.refused):
            log.info("not believed of the model's plan: %s", refused)
        if is_first and not reading.user:
            return self._fall_back(question, "the model made nothing of it", is_final=True)
        changed = self._carry_out(question, reading, self._director.backend, question.carried_out or (), is_first=is_first)
        note = "" if is_first else "the model's answer refines the plan" if changed else "the model agrees"
        planned_by = self._director.backend if is_first or changed else "embedded"
        self._tell(question, planned_by=planned_by, note=note, refused=reading.refused)

    def _carry_out(
        self, question: _Question, reading: Reading, backend: str, done: tuple[Directive, ...], *, is_first: bool
    ) -> bool:
        """Lay a reading over the storyline as it is now. Whether that changed anything."""
        briefing = self._stage.brief(question.prompt)
        reading = reading.without(question.decided_since, done)
        if question.prompt.cue:
            reading = reading.on_cue(question.prompt.cue)
        plan = reading.plan(briefing, backend)
        if not is_first and plan.storyline == briefing.storyline:
            return False
        self._settle(question, self._stage.adopt(plan, question.prompt, refines=not is_first))
        return True

    @staticmethod
    def _settle(question: _Question, answer: BaseModel) -> None:
        if not question.answer.done():
            question.answer.set_result(answer)

    def _tell(
        self, question: _Question, *, planned_by: str | None = None, note: str = "", refused: tuple[str, ...] = ()
    ) -> None:
        about = {"id": question.prompt.id, "planned_by": planned_by, "note": note, "refused": refused}
        self._stage.tell(self.report().model_copy(update=about))

    # -- voice and portrait ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Captions, for as long as the broadcast lasts. A picture that could not be described is tried again, not at once."""
        seen: Path | None = None
        pause = 0
        while True:
            picture = self._stage.picture()
            if picture != seen and pause == 0:
                is_done = await self._beside(self._see(picture))
                seen, pause = (picture, 0) if is_done else (seen, _LOOK_AGAIN)
            pause = max(0, pause - 1)
            await asyncio.sleep(self._settings.listen_every_s)
            if self._director.can_hear and not self._open and (voice := self._stage.listen(self._settings.listen_for_s)):
                await self._beside(self._hear(*voice))

    async def _beside(self, asking: Coroutine[Any, Any, None]) -> bool:
        """Whether it came to its end: a prompt may cut it short, and the model may fail."""
        if self._open or self._director.rests_for_s() is not None:
            asking.close()
            return False
        before = self.report()
        task = self._caption = asyncio.create_task(asking, name="director-caption")
        try:
            await asyncio.wait((task,))
        finally:
            task.cancel()
            self._caption = None
        if task.cancelled():
            return False
        error = task.exception()
        if error and not isinstance(error, ChatError):
            log.error("the director service failed over a caption", exc_info=error)
        if self.report() != before:
            self._stage.tell(self.report())
        return error is None

    async def _see(self, picture: Path) -> None:
        with contextlib.suppress(CannotPerceive):  # noted; it will not be asked again
            self._stage.note_portrait(await self._director.see(picture, self._settings.hard_s), picture)

    async def _hear(self, sound: Sound, start: Pts) -> None:
        heard = await self._director.hear(sound, self._settings.hard_s)
        self._stage.note_voice(heard.caption(start), heard.transcript)

    async def close(self) -> None:
        """No more questions; what was asked is not waited for."""
        question, self._open = self._open, None
        if question and question.task:
            question.task.cancel()
            question.answer.cancel()
            await asyncio.gather(question.task, return_exceptions=True)
