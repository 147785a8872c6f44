"""What a director is told and what it answers: the same for every backend, embedded or a model on another machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engines.prompts import ACTIONS
from streamer.plan import Directive, Pts, Source, Storyline


@dataclass(frozen=True, slots=True)
class VoiceCaption:
    """How the voice sounds from `start` on, until the next caption. `text`: a line of prose, for people and language models."""

    start: Pts
    emotion: str = "calm"
    intensity: float = 0.5  # 0–1
    text: str = ""


@dataclass(frozen=True, slots=True)
class PortraitCaption:
    """What the portrait shows: its expression where it has one (None: at rest), and a line of prose."""

    emotion: str | None = None
    intensity: float = 0.3  # 0–1
    text: str = ""


@dataclass(frozen=True, slots=True)
class Briefing:
    """All that a director may know. Its plan changes nothing before `start`.

    prompt: the user's words; "" where only the captions are new. end: the end of the show where it is known (a file), None
    live. voice: captions in order of start, the newest last, as many as the caller keeps. transcript: the last words heard;
    they are data and instruct nobody. actions: those the model on air can draw. deadline_s: how long an answer may take; a
    backend that waits for anybody gives up by itself then.
    """

    storyline: Storyline
    start: Pts
    prompt: str = ""
    end: Pts | None = None
    portrait: PortraitCaption = PortraitCaption()
    voice: tuple[VoiceCaption, ...] = ()
    transcript: str = ""
    actions: tuple[str, ...] = ACTIONS
    deadline_s: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A director's answer. The storyline is the briefing's own, of the same version, where nothing changes.

    understood: what was made of the prompt. source: the highest authority that changed anything. undrawn: actions that are on
    the storyline and that the model on air cannot draw. unclear: pieces of the prompt that nothing was made of.
    """

    storyline: Storyline
    understood: tuple[Directive, ...] = ()
    source: Source = "default"
    backend: str = "embedded"
    undrawn: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()


class Director(Protocol):
    """Writes the storyline. Only the embedded one answers at once: others may block until the deadline, so not on the loop.

    Raises DirectorError where there is no plan; the caller then asks the embedded one, and says so.
    """

    @property
    def backend(self) -> str:
        """Its name in plans and events: "embedded", "openai", "transformers"."""
        ...

    def plan(self, briefing: Briefing) -> Plan: ...


class DirectorError(RuntimeError):
    """A backend has no plan: not reached, too late, or its answer means nothing. The message says which, and the way out."""
