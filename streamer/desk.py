"""The desk: the storyline of one broadcast and every change its hosts make to it, in the order in which they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from engines.prompts import ACTIONS
from streamer import protocol
from streamer.briefing import Briefing, Director, Plan, PortraitCaption, VoiceCaption
from streamer.director import ACTION_S, CAMERA_S, delete, direct, edit, heard, lay, opening, overlay, undo, undrawn
from streamer.plan import FIELDS, Beat, Cue, Directive, Pts, Sources, Storyline, pts_from_s
from streamer.protocol import Code, ErrorMessage, StorylineMessage
from streamer.storyline_schema import MAX_BEATS

_DEPTH = 32
_CAPTIONS = 8  # of the voice that are kept
_TRANSCRIPT = 400  # characters of it
_MAX_AHEAD = pts_from_s(3600.0)


class Refused(ValueError):
    """A change that cannot be made; `answer` says so to whoever asked."""

    def __init__(self, code: Code, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self._code: Code = code
        self._field = field

    def answer(self, to: protocol.Command) -> ErrorMessage:
        path = f"{to.type}.{self._field}" if self._field else None
        return ErrorMessage(id=to.id, code=self._code, message=str(self), path=path)


@dataclass(frozen=True, slots=True)
class Done:
    """A change that was made: from when on it holds, what was understood, which actions the model on air cannot draw, and which
    words have to be heard for it to happen."""

    at: Pts
    understood: tuple[str, ...]
    undrawn: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()


class Desk:
    """Every change makes a new version. Bounded: the last 32 changes can be taken back, older ones cannot."""

    def __init__(self, director: Director, changed: Callable[[], None], actions: tuple[str, ...] = ACTIONS) -> None:
        """`changed` is called after each change. `actions`: those that the model on air draws."""
        self._director = director
        self._changed = changed
        self._actions = actions
        self._before: deque[Storyline] = deque(maxlen=_DEPTH)
        self._rested: tuple[Storyline, Storyline] | None = None  # before and since
        self._because = ""
        self._voice: deque[VoiceCaption] = deque(maxlen=_CAPTIONS)
        self._portrait = PortraitCaption()
        self._seen_of: Path | None = None
        self._seen_by_model = False
        self.transcript = ""  # the last words heard
        self.line = opening()

    @property
    def is_at_rest(self) -> bool:
        """Whether a host has asked for idle motion."""
        return self._rested is not None

    def report(self) -> StorylineMessage:
        """The storyline as hosts are told it."""
        return StorylineMessage.told(self.line, can_undo=bool(self._before), because=self._because)

    def forget_before(self, pts: Pts) -> None:
        """Beats that ended before `pts` are let go of; the version stays."""
        self.line = self.line.forget_before(pts)

    def take(self, message: protocol.Change, at: Pts) -> Done:
        """Carry out a host's change from `at` on, the first moment that can still change. Raises Refused."""
        match message:
            case protocol.Prompt():
                return self._prompt(message, at)
            case protocol.SetEmotion(emotion=word, intensity=amount):
                return self._direct(message, Directive("emotion", word, amount), None, at)
            case protocol.DoAction(action=word):
                if word not in self._actions:
                    text = f"{word}: the model on air draws head and shoulders, no hands; nothing has changed"
                    raise Refused("not_drawn", text, "action")
                return self._direct(message, Directive("action", word), ACTION_S[word], at)
            case protocol.MoveCamera(move=word, speed=amount):
                return self._direct(message, Directive("camera", word, amount), CAMERA_S, at)
            case protocol.EditBeat() | protocol.DeleteBeat():
                return self._revise(message, at)
            case protocol.Undo():
                return self._undo(at)
        assert_never(message)

    def rest(self, on: bool, at: Pts) -> None:
        """From `at` on nothing but calm and a still camera; off, what held before, unless somebody has directed meanwhile."""
        if on and not self._rested:
            calm = overlay(self.line, at, None, emotion="calm", intensity=0.5, action=None, camera="static", camera_speed=0.5)
            before = self.line
            self._follow(replace(calm, cues=()), "idle")
            self._rested = before, self.line
        elif not on and self._rested:
            before, since = self._rested
            self._rested = None
            if since.beats[-1] == self.line.beats[-1]:
                self._follow(undo(self.line, before, at), "back from idle")

    def stop(self, at: Pts) -> None:
        """What is still to come is called off: the emotion that holds at `at` lasts, nothing else does."""
        holds = self.line.at(at)
        last = Beat(at, None, holds.emotion, holds.intensity, sources=Sources(emotion=holds.sources.emotion))
        self._change(undo(self.line, replace(self.line, beats=(last,), cues=()), at), "interrupt")

    def briefing(self, message: protocol.Prompt, at: Pts) -> Briefing:
        """All that a director may know about this prompt. Raises Refused."""
        return self._briefing(self._time(message, at), message.text)

    def carry_out(self, plan: Plan, message: protocol.Prompt, at: Pts, *, refines: bool = False) -> Done:
        """What a director has made of a briefing. It can be taken back, together with what it refines. Raises Refused."""
        if refines:
            self._follow(plan.storyline, message.text)
        else:
            self._change(plan.storyline, message.text)
        return Done(self._time(message, at), tuple(map(str, plan.understood)), plan.undrawn, _cues(plan.understood))

    def hear(self, caption: VoiceCaption, at: Pts) -> None:
        """How the voice sounds now; it decides what the user has not."""
        self._voice.append(caption)
        self._follow_captions("the voice", at)

    def say(self, words: str, at: Pts) -> tuple[Cue, ...]:
        """The host's last words, as somebody wrote them down: the cues among the new ones are carried out, and given back.

        `words` may begin with some that were told before: those count no more. Raises Refused.
        """
        new = _after(self.transcript, words)
        self.transcript = words
        return self._ring(new, "", at)

    def write(self, words: str, before: str, at: Pts) -> tuple[Cue, ...]:
        """The same of one utterance that goes on: all of its words, and those written down `before`. Raises Refused."""
        kept = self.transcript.removesuffix(before) if before else self.transcript
        self.transcript = f"{kept} {words}".strip()[-_TRANSCRIPT:]
        return self._ring(words, before, at)

    def _ring(self, words: str, before: str, at: Pts) -> tuple[Cue, ...]:
        changed, ringing = heard(self.line, words, at, before)
        if ringing:
            self._change(changed, f"“{ringing[0].words}” was heard")
        return ringing

    def see(self, caption: PortraitCaption, at: Pts, of: Path | None = None, *, by_model: bool = False) -> None:
        """What the portrait on air shows; it decides what neither user nor voice have.

        Of one avatar (its folder, `of`) what a language model sees is not replaced by what the embedded director does.
        """
        if of == self._seen_of and self._seen_by_model and not by_model:
            return
        self._seen_of, self._seen_by_model = of, by_model
        self._portrait = caption
        self._follow_captions("the portrait", at)

    def _follow_captions(self, because: str, at: Pts) -> None:
        plan = self._director.plan(self._briefing(at))
        if plan.storyline is not self.line and not self.is_at_rest:
            self._follow(plan.storyline, because)

    def _briefing(self, at: Pts, prompt: str = "") -> Briefing:
        return Briefing(
            self.line,
            at,
            prompt,
            portrait=self._portrait,
            voice=tuple(self._voice),
            transcript=self.transcript,
            actions=self._actions,
        )

    def _prompt(self, message: protocol.Prompt, at: Pts) -> Done:
        at = self._time(message, at)
        plan = self._director.plan(self._briefing(at, message.text))
        if not plan.understood:
            hint = "name an emotion, an action or a camera move, such as `very happy, nods, slow zoom in`"
            raise Refused("not_understood", f"nothing in this was understood: {hint}", "text")
        changed, understood = plan.storyline, plan.understood
        if message.cue:
            understood = tuple(replace(said, when=replace(said.when, cue=message.cue)) for said in plan.understood)
            changed = lay(self.line, understood, at)
        self._change(changed, message.text)
        return Done(at, tuple(map(str, understood)), undrawn(self.line, self._actions, at), _cues(understood))

    def _direct(self, message: protocol.Timed, said: Directive, length_s: float | None, at: Pts) -> Done:
        at = self._time(message, at)
        until = None if length_s is None else Pts(at + pts_from_s(length_s))
        self._change(direct(self.line, said, at, until), str(said))
        return Done(at, (str(said),))

    def _time(self, message: protocol.Timed, at: Pts) -> Pts:
        if message.at_pts is not None and message.at_pts > at + _MAX_AHEAD:
            raise Refused("invalid", "`at_pts` is more than an hour ahead", "at_pts")
        return Pts(max(at, message.at_pts or 0))

    def _revise(self, message: protocol.EditBeat | protocol.DeleteBeat, at: Pts) -> Done:
        start, until = Pts(message.start_pts), None if message.end_pts is None else Pts(message.end_pts)
        try:
            if isinstance(message, protocol.DeleteBeat):
                fields = FIELDS if message.field is None else (message.field,)
                self._change(delete(self.line, start, at, until, fields), "a beat deleted")
                return Done(Pts(max(start, at)), ("deleted",))
            changes = message.changes()
            if (action := changes.get("action")) is not None and action not in self._actions:
                raise Refused("not_drawn", f"{action}: the model on air draws no hands; nothing has changed", "action")
            self._change(edit(self.line, start, at, until, **changes), "a beat edited")
            return Done(Pts(max(start, at)), tuple(str(value) for value in changes.values()))
        except LookupError as error:
            raise Refused("unknown_beat", str(error), "start_pts") from None

    def _undo(self, at: Pts) -> Done:
        if not self._before:
            raise Refused("nothing_to_undo", "there is no change left to take back")
        self._follow(undo(self.line, self._before.pop(), at), "undo")
        return Done(at, ("undo",))

    def _change(self, to: Storyline, because: str) -> None:
        if len(to.beats) > MAX_BEATS:
            raise Refused("too_many_beats", f"a storyline has at most {MAX_BEATS} beats; delete some, or interrupt")
        self._before.append(self.line)
        self._follow(to, because)

    def _follow(self, to: Storyline, because: str) -> None:
        """The next version, and no change to take back."""
        self.line = replace(to, version=self.line.version + 1)
        self._because = because
        self._changed()


def _cues(directives: Iterable[Directive]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words for said in directives if (words := said.when.cue or said.when.until_cue)))


def _after(before: str, now: str) -> str:
    """`now` without the words at its beginning that `before` ended with."""
    old, new = before.split(), now.split()
    shared = next((n for n in range(min(len(old), len(new)), 0, -1) if old[-n:] == new[:n]), 0)
    return " ".join(new[shared:])
