"""What a language model may answer, and how much of it is believed. Pure: values in, values out.

The model proposes; who decided a field is found out here, not taken from the model. It speaks for the user only where it quotes
the user's own words, and never against what the lexicon reads in them; it speaks for the voice only as the voice was heard to
sound; and what a transcript names is no reason for anything.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engines.mllm.chat import ChatError
from streamer import grammar
from streamer.briefing import Briefing, Plan, PortraitCaption, VoiceCaption
from streamer.director import EmbeddedDirector, follow_captions, lay, undrawn
from streamer.plan import FIELDS, SOURCES, Directive, Pts, Source, Storyline, When
from streamer.plan import Field as BeatField
from streamer.storyline_schema import Action, CameraMove, Emotion

_Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, json_schema_extra={"multipleOf": 0.05})]
_Seconds = Annotated[float, Field(ge=0, le=600, allow_inf_nan=False, json_schema_extra={"multipleOf": 0.1})]
_Words = Annotated[str, Field(max_length=160)]


def _close(schema: dict[str, Any]) -> None:
    """A model is to write every property and no other; what it adds all the same is left out when read."""
    schema |= {"required": list(schema["properties"]), "additionalProperties": False}


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra=_close)


class AnswerBeat(_Answer):
    """One span of a storyline as a model writes it. null leaves a field as it is."""

    because: Literal["user", "audio", "image"] = Field(description="who decides this beat")
    quote: _Words = Field(default="", description="the user's own words that ask for it, copied letter by letter; else empty")
    start_s: _Seconds = Field(default=0.0, description="from now")
    end_s: _Seconds | None = Field(default=None, description="null: until something else is asked for")
    cue: _Words = Field(default="", description="the words to wait for, where the user names some; times count from them")
    emotion: Emotion | None = None
    intensity: _Unit = 0.5
    action: Action | None = None
    camera: CameraMove | None = None
    camera_speed: _Unit = 0.5


class StorylineAnswer(_Answer):
    """The storyline's changes. The three lines of prose are copied from the user's words, or empty."""

    beats: tuple[AnswerBeat, ...] = Field(max_length=12)
    character: _Words = ""
    background: _Words = ""
    style: _Words = ""


class VoiceAnswer(_Answer):
    """What a few seconds of voice sound like."""

    transcript: Annotated[str, Field(max_length=600)] = Field(default="", description="what is said, in its own language")
    emotion: Emotion = Field(description="how the voice sounds, whatever it says")
    intensity: _Unit = 0.5
    pace: Literal["slow", "even", "fast"] = "even"
    tone: _Words = Field(default="", description="pitch, energy, voice quality in a few words")

    def caption(self, start: Pts) -> VoiceCaption:
        text = "; ".join(filter(None, (self.tone.strip(), f"{self.pace} pace")))
        return VoiceCaption(start, self.emotion, self.intensity, text)


class PortraitAnswer(_Answer):
    """What a portrait shows."""

    description: Annotated[str, Field(max_length=300)] = Field(
        description="who or what, framing, light, style, in one sentence"
    )
    emotion: Emotion | None = Field(default=None, description="the expression, null where the face is at rest")
    intensity: _Unit = 0.3

    def caption(self) -> PortraitCaption:
        return PortraitCaption(self.emotion, self.intensity, " ".join(self.description.split()))


_NAMED = "only the transcript names it"
_A = TypeVar("_A", StorylineAnswer, VoiceAnswer, PortraitAnswer)


def parse(text: str, kind: type[_A]) -> _A:
    """The first JSON object in `text`, thoughts and fences around it left away. Raises ChatError where it does not fit."""
    words = text.rpartition("</think>")[2]
    try:
        found, _ = json.JSONDecoder().raw_decode(words, words.index("{"))
        return kind.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(map(str, first["loc"])) or "the answer"
        raise ChatError(f"the model's answer does not fit: {path}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise ChatError(f"the model's answer is not JSON: {words.strip()[:80]!r}") from None


# -- what is believed ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """A model's answer, sorted by who really decided each thing. `refused`: what was not believed, with the reason."""

    user: tuple[Directive, ...] = ()
    audio: tuple[Directive, ...] = ()
    image: tuple[Directive, ...] = ()
    character: str = ""
    background: str = ""
    style: str = ""
    refused: tuple[str, ...] = ()

    def without(self, fields: Iterable[BeatField], done: Iterable[Directive] = ()) -> Reading:
        """Less what has been decided since in `fields`, and what the user's words have led to already (`done`)."""
        left_out, known = set(fields), {(said.field, said.word, said.negated) for said in done}

        def keep(directives: tuple[Directive, ...]) -> tuple[Directive, ...]:
            return tuple(d for d in directives if d.field not in left_out and (d.field, d.word, d.negated) not in known)

        return replace(self, user=keep(self.user), audio=keep(self.audio), image=keep(self.image))

    def on_cue(self, words: str) -> Reading:
        """The user's part alone, and not before `words` are heard."""
        return Reading(tuple(replace(said, when=replace(said.when, cue=words)) for said in self.user), refused=self.refused)

    def plan(self, briefing: Briefing, backend: str) -> Plan:
        """Laid over the briefing's storyline from its start on, each under the authority of its source."""
        before = briefing.storyline
        line = replace(
            before,
            character=self.character or before.character,
            background=self.background or before.background,
            style=self.style or before.style,
        )
        laid: tuple[tuple[tuple[Directive, ...], Source], ...]
        laid = ((self.user, "user"), (self.audio, "audio"), (self.image, "image"))
        for directives, source in laid:
            line = lay(line, directives, briefing.start, briefing.end, source)
        line = follow_captions(line, briefing)
        if line == before:
            return Plan(before, self.user, backend=backend)
        return Plan(
            replace(line, version=before.version + 1),
            self.user,
            _highest(line, briefing.start),
            backend,
            undrawn(line, briefing.actions, briefing.start),
        )


def _highest(line: Storyline, since: Pts) -> Source:
    coming = [beat.source for beat in line.beats if beat.end is None or beat.end > since]
    return max(coming, key=SOURCES.index, default="default")


def read(answer: StorylineAnswer, briefing: Briefing, embedded: EmbeddedDirector) -> Reading:
    """Sorts and checks an answer to `briefing`. What the lexicon reads in the user's words stands, times and negations too."""
    said, unclear = grammar.read(briefing.prompt)
    open_to_model = tuple(map(_plain, unclear))
    in_transcript = {(d.field, d.word) for d in grammar.understand(briefing.transcript)}
    user: list[Directive] = []
    weak: dict[Source, list[Directive]] = {"audio": [], "image": []}
    refused: list[str] = []
    for beat in answer.beats:
        is_quoted = beat.because == "user" and _is_quoted(beat.quote, briefing.prompt)
        has_voice = bool(briefing.voice or briefing.transcript)
        source: Source = "user" if is_quoted else "audio" if beat.because != "image" and has_voice else "image"
        for directive in _directives(beat, briefing):
            reason = (
                _against_user(directive, any(_plain(beat.quote) in each for each in open_to_model), said, in_transcript)
                if is_quoted
                else _against_senses(directive, source, briefing, in_transcript)
            )
            if reason:
                refused.append(f"{directive.field} {directive.word}: {reason}")
            elif is_quoted:
                user.append(directive)
            else:
                weak[source].append(directive)
    words = embedded.plan(briefing).understood if not user else _agreed(tuple(user), said)
    prose = {
        name: text
        for name in ("character", "background", "style")
        if _is_quoted(text := getattr(answer, name), briefing.prompt)
    }
    return Reading(words, tuple(weak["audio"]), tuple(weak["image"]), **prose, refused=tuple(refused))


def _directives(beat: AnswerBeat, briefing: Briefing) -> list[Directive]:
    """The beat's fields one by one. A cue is taken only where it, too, stands in the prompt."""
    cue = beat.cue if _is_quoted(beat.cue, briefing.prompt) else ""
    for_s = beat.end_s - beat.start_s if beat.end_s is not None and beat.end_s > beat.start_s else None
    when = When(after_s=beat.start_s or None, cue=cue, for_s=for_s)
    found = []
    if beat.emotion:
        found.append(Directive("emotion", beat.emotion, beat.intensity, when))
    if beat.action:
        found.append(Directive("action", beat.action, when=replace(when, for_s=None)))
    if beat.camera:
        found.append(Directive("camera", beat.camera, beat.camera_speed, when))
    return found


def _against_user(
    directive: Directive, is_unclear: bool, said: tuple[Directive, ...], in_transcript: set[tuple[BeatField, str]]
) -> str:
    """Why the user's words cannot mean this; empty where they can. is_unclear: the lexicon makes nothing of those quoted."""
    here = [d for d in said if d.field == directive.field]
    if any(d.negated and d.word == directive.word for d in here):
        return "the user forbade it"
    asked = {d.word for d in here if not d.negated}
    if asked and directive.word not in asked and not is_unclear:
        return f"the user asked for {', '.join(sorted(asked))}"
    if directive.word not in asked and (directive.field, directive.word) in in_transcript:
        return _NAMED
    return ""


def _against_senses(directive: Directive, source: Source, briefing: Briefing, in_transcript: set[tuple[BeatField, str]]) -> str:
    """Why voice and picture are no reason for this; empty where they are."""
    sounds = {caption.emotion for caption in briefing.voice}
    if source == "audio" and directive.field == "camera":
        return "a voice moves no camera"
    if source == "audio" and directive.field == "emotion":
        return "" if directive.word in sounds else "the voice does not sound so"
    if (directive.field, directive.word) in in_transcript:
        return _NAMED
    return ""


def _agreed(user: tuple[Directive, ...], said: tuple[Directive, ...]) -> tuple[Directive, ...]:
    """Field by field: the model's where it has all that the lexicon reads, and the lexicon reads no time; else the lexicon's
    over what the model adds."""
    agreed: list[Directive] = []
    for field in FIELDS:
        read_here = [d for d in said if d.field == field]
        wanted = {d.word for d in read_here if not d.negated}
        proposed = [d for d in user if d.field == field]
        is_timed = any(replace(d.when, phase=0) != When() for d in read_here)
        if wanted and (is_timed or not wanted <= {d.word for d in proposed}):
            agreed += [*(d for d in proposed if d.word not in wanted), *read_here]
        else:
            agreed += [*proposed, *(d for d in read_here if d.negated)]
    return tuple(agreed)


def _is_quoted(quote: str, prompt: str) -> bool:
    """Whether it stands in the prompt, letter by letter; a scrap of a word proves nothing."""
    plain = _plain(quote)
    return len(plain) >= (3 if plain.isascii() else 2) and plain in _plain(prompt)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")))


def schema(kind: type[StorylineAnswer] | type[VoiceAnswer] | type[PortraitAnswer]) -> dict[str, Any]:
    """JSON Schema of an answer."""
    return kind.model_json_schema()
