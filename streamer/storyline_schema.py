"""The storyline as JSON, schema version 1: what `rostrum plan --json` prints, the page draws and a language model answers in.

Times are given both in seconds and in PTS (ticks of 1/48000 s). A reader may leave PTS out; where both are given, PTS counts.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engines.prompts import ACTIONS, CAMERA_MOVES, EMOTIONS, PIXEL_ACTIONS
from streamer.plan import Beat, Cue, Directive, Pts, Sources, Storyline, When, pts_from_s, s_from_pts

SCHEMA_VERSION = 1
MAX_BEATS = 512
MAX_CUES = 32

Emotion = Literal[EMOTIONS]  # type: ignore[valid-type]
_ALL_ACTIONS = ACTIONS + PIXEL_ACTIONS
Action = Literal[_ALL_ACTIONS]  # type: ignore[valid-type]
CameraMove = Literal[CAMERA_MOVES]  # type: ignore[valid-type]
SourceWord = Literal["default", "image", "audio", "user"]
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=30 * 86_400, allow_inf_nan=False)]
Line = Annotated[str, Field(max_length=500)]


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourcesJson(_Value):
    """Who decided each field of a beat, in rising authority: default, image, audio, user."""

    emotion: SourceWord = "default"
    action: SourceWord = "default"
    camera: SourceWord = "default"


class BeatJson(_Value):
    """One span of intent. Left and right are the speaker's own for actions, the picture's for the camera."""

    start_s: Seconds
    end_s: Seconds | None = Field(default=None, description="null: until the next beat")
    start_pts: int | None = Field(default=None, ge=0, description="names the beat within one version of the storyline")
    end_pts: int | None = Field(default=None, ge=0)
    emotion: Emotion = "calm"
    intensity: Unit = 0.5
    action: Action | None = Field(default=None, description=f"only a pixel model draws {', '.join(PIXEL_ACTIONS)}")
    camera: CameraMove = "static"
    camera_speed: Unit = 0.5
    text: str = Field(default="", description="the line that prompts the transformer; written from the fields, not read")
    source: SourceWord = Field(default="default", description="the highest authority in `sources`; written, not read")
    sources: SourcesJson = SourcesJson()

    @model_validator(mode="after")
    def _in_order(self) -> BeatJson:
        start, end = self.span
        if end is not None and end <= start:
            raise ValueError(f"a beat must end after it starts, not at {s_from_pts(end):g} s")
        return self

    @property
    def span(self) -> tuple[Pts, Pts | None]:
        """Start and end in PTS."""
        start = pts_from_s(self.start_s) if self.start_pts is None else Pts(self.start_pts)
        if self.end_pts is not None:
            return start, Pts(self.end_pts)
        return start, None if self.end_s is None else pts_from_s(self.end_s)

    def to_beat(self) -> Beat:
        sources = Sources(**self.sources.model_dump())
        start, end = self.span
        return Beat(start, end, self.emotion, self.intensity, self.action, self.camera, self.camera_speed, sources)

    @classmethod
    def of(cls, beat: Beat, end: Pts | None) -> BeatJson:
        return cls(
            start_s=round(s_from_pts(beat.start), 3),
            end_s=None if end is None else round(s_from_pts(end), 3),
            start_pts=beat.start,
            end_pts=end,
            emotion=beat.emotion,
            intensity=round(beat.intensity, 3),
            action=beat.action,
            camera=beat.camera,
            camera_speed=round(beat.camera_speed, 3),
            text=beat.text,
            source=beat.source,
            sources=SourcesJson(emotion=beat.sources.emotion, action=beat.sources.action, camera=beat.sources.camera),
        )


class CueDirectiveJson(_Value):
    """One thing to do once the cue is heard, so long after it."""

    field: Literal["emotion", "action", "camera"]
    word: str = Field(max_length=32, description="a word of the field; `auto` (any field) or `none` (actions) lets go")
    amount: Unit = Field(default=0.5, description="an emotion's intensity, a camera's speed")
    after_s: Seconds = 0.0
    for_s: Seconds | None = None
    negated: bool = False

    @model_validator(mode="after")
    def _known(self) -> CueDirectiveJson:
        words = {"emotion": EMOTIONS, "action": (*ACTIONS, *PIXEL_ACTIONS, "none"), "camera": CAMERA_MOVES}[self.field]
        if self.word not in (*words, "auto"):
            raise ValueError(f"{self.field} {self.word!r} is not one of {', '.join((*words, 'auto'))}")
        return self


class CueJson(_Value):
    """What to do when the host says these words."""

    words: str = Field(min_length=1, max_length=100)
    once: bool = True
    source: SourceWord = "user"
    directives: tuple[CueDirectiveJson, ...] = Field(min_length=1, max_length=16)

    def to_cue(self) -> Cue:
        directives = tuple(
            Directive(d.field, d.word, d.amount, When(after_s=d.after_s or None, for_s=d.for_s), d.negated)
            for d in self.directives
        )
        return Cue(self.words, directives, self.once, self.source)

    @classmethod
    def of(cls, cue: Cue) -> CueJson:
        directives = tuple(
            CueDirectiveJson(
                field=d.field,
                word=d.word,
                amount=round(d.amount, 3),
                after_s=d.when.after_s or d.when.at_s or 0.0,
                for_s=d.when.for_s,
                negated=d.negated,
            )
            for d in cue.directives
        )
        return cls(words=cue.words, once=cue.once, source=cue.source, directives=directives)


class StorylineJson(_Value):
    """What the avatar is to do: beats in order of start, never overlapping."""

    schema_version: Literal[1] = 1
    version: int = Field(default=1, ge=0, description="rises with every change")
    character: Line = ""
    background: Line = ""
    style: Line = ""
    beats: tuple[BeatJson, ...] = Field(min_length=1, max_length=MAX_BEATS)
    cues: tuple[CueJson, ...] = Field(default=(), max_length=MAX_CUES)

    @model_validator(mode="after")
    def _ordered(self) -> StorylineJson:
        spans = [beat.span for beat in self.beats]
        for i, ((start, end), (following, _)) in enumerate(pairwise(spans)):
            if following <= start:
                raise ValueError(f"beats[{i + 1}] must start after beats[{i}]")
            if end is not None and end > following:
                raise ValueError(f"beats[{i}] must end before beats[{i + 1}] starts")
        return self

    def to_storyline(self) -> Storyline:
        """As the cascade's own value."""
        beats, cues = tuple(beat.to_beat() for beat in self.beats), tuple(cue.to_cue() for cue in self.cues)
        return Storyline(self.version, beats, self.character, self.background, self.style, cues)

    @classmethod
    def of(cls, line: Storyline, end: Pts | None = None) -> StorylineJson:
        """A storyline's JSON form; of a show that ends at `end`, only what lies before it."""
        beats = []
        for i, beat in enumerate(line.beats):
            if end is not None and beat.start >= end:
                break
            following = line.beats[i + 1].start if i + 1 < len(line.beats) else None
            stop = beat.end if beat.end is not None else following
            beats.append(BeatJson.of(beat, stop if end is None else end if stop is None else min(stop, end)))
        return cls(
            version=line.version,
            character=line.character,
            background=line.background,
            style=line.style,
            beats=tuple(beats),
            cues=tuple(map(CueJson.of, line.cues)),
        )


def schema() -> dict[str, Any]:
    """JSON Schema of a storyline."""
    return StorylineJson.model_json_schema()
