"""The values that travel down the cascade: storyline > blueprint > keyframes > sub-clips.

Every time here is a `Pts`: integer ticks of the media clock at `TIME_BASE_HZ`, which is also the audio sample rate on air,
so 25, 30 and 48 frames a second all fall on whole ticks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NewType, get_args

import numpy as np
from numpy.typing import NDArray

from engines.motion import CAMERA_CHANNELS, Motion, rest
from engines.prompts import DRAWN_ACTIONS, beat_prompt
from engines.specs import BeatCondition

Pts = NewType("Pts", int)
TIME_BASE_HZ = 48_000
FULL_STEPS = 4  # of denoising, while there is time

Source = Literal["default", "image", "audio", "user"]
SOURCES: tuple[Source, ...] = ("default", "image", "audio", "user")  # rising authority
Field = Literal["emotion", "action", "camera"]
FIELDS: tuple[Field, ...] = ("emotion", "action", "camera")


def pts_from_s(seconds: float) -> Pts:
    """Seconds to the nearest tick."""
    return Pts(round(seconds * TIME_BASE_HZ))


def s_from_pts(pts: int) -> float:
    """Ticks to seconds."""
    return pts / TIME_BASE_HZ


def ticks_per_frame(fps: int) -> int:
    """Raises ValueError for a rate whose frames do not fall on whole ticks."""
    if fps <= 0 or TIME_BASE_HZ % fps:
        raise ValueError(f"{fps} frames a second do not fall on whole ticks of 1/{TIME_BASE_HZ} s; take 24, 25, 30, 48 or 50")
    return TIME_BASE_HZ // fps


@dataclass(frozen=True, slots=True)
class Sources:
    """Who decided each field of a beat; an intensity goes with its emotion, a speed with its camera move."""

    emotion: Source = "default"
    action: Source = "default"
    camera: Source = "default"

    @property
    def highest(self) -> Source:
        """The one of most authority."""
        return max((self.emotion, self.action, self.camera), key=SOURCES.index)


@dataclass(frozen=True, slots=True)
class Beat:
    """One span of intent. `end` None: until the next beat. The words are those of `engines.prompts`.

    No two beats of a storyline start together, so `start` names a beat of one version.
    """

    start: Pts
    end: Pts | None = None
    emotion: str = "calm"
    intensity: float = 0.5  # 0–1
    action: str | None = None
    camera: str = "static"
    camera_speed: float = 0.5  # 0–1
    sources: Sources = Sources()

    @property
    def source(self) -> Source:
        """The highest authority that had a say in it."""
        return self.sources.highest

    @property
    def text(self) -> str:
        """The line that prompts the transformer."""
        return beat_prompt(self.emotion, self.intensity, self.action, self.camera, self.camera_speed)

    def condition(self, zero: Pts, until: Pts) -> BeatCondition:
        """This beat for a motion model, in seconds from `zero`; one without an end is taken to last past `until`.

        What a motion model cannot draw, and what is planned without it, is left out of its line.
        """
        end = self.end if self.end is not None else until + 4 * TIME_BASE_HZ
        action = self.action if self.action in DRAWN_ACTIONS else None
        line = beat_prompt(self.emotion, self.intensity, action, self.camera, self.camera_speed)
        return BeatCondition(s_from_pts(self.start - zero), s_from_pts(end - zero), line)


@dataclass(frozen=True, slots=True)
class When:
    """When a directive holds, in seconds: from one of `at_s`, `after_s`, `later_s`, `last_s`, else from `place` and `phase`.

    at_s, after_s: from the start of the show, or from now. later_s: from the start of what was said before. last_s: so long
    before the end. place: "", "start", "middle", "end", or a fraction such as "two thirds". phase: how many "then" came
    before. for_s: how long; until_s, until_place: to when. every_s: over and over. cue: a word to be heard first; the other
    times count from it. until_cue: a word that ends it. each_time: on every such cue, not on the first alone.
    """

    at_s: float | None = None
    after_s: float | None = None
    later_s: float | None = None
    last_s: float | None = None
    cue: str = ""
    place: str = ""
    phase: int = 0
    for_s: float | None = None
    until_s: float | None = None
    until_place: str = ""
    every_s: float | None = None
    until_cue: str = ""
    each_time: bool = False

    @property
    def is_timed(self) -> bool:
        """Whether it says itself when it begins."""
        times = (self.at_s, self.after_s, self.later_s, self.last_s)
        return any(value is not None for value in times) or self.place not in ("", "start")

    def __str__(self) -> str:
        words = [
            f"at {self.at_s:g} s" if self.at_s is not None else "",
            f"after {self.after_s:g} s" if self.after_s is not None else "",
            f"{self.later_s:g} s later" if self.later_s is not None else "",
            f"in the last {self.last_s:g} s" if self.last_s is not None else "",
            f"{'each time' if self.each_time else 'when'} “{self.cue}” is heard" if self.cue else "",
            f"at the {self.place}" if self.place in ("start", "middle", "end") else self.place and f"{self.place} through",
            f"for {self.for_s:g} s" if self.for_s is not None else "",
            f"until {self.until_s:g} s" if self.until_s is not None else "",
            f"until the {self.until_place}" if self.until_place else "",
            f"every {self.every_s:g} s" if self.every_s is not None else "",
            f"until “{self.until_cue}” is heard" if self.until_cue else "",
        ]
        return " ".join(filter(None, words))


@dataclass(frozen=True, slots=True)
class Directive:
    """One thing asked for: `amount` is an emotion's intensity or a camera's speed, 0–1.

    The word is one of the field's, or "auto": what the user decided is left to voice and picture again; or "none", for
    actions: those still to come are called off.
    """

    field: Field
    word: str
    amount: float = 0.5
    when: When = When()
    negated: bool = False  # not to be shown or done

    def __str__(self) -> str:
        said = self.word.replace("_", " ")
        if self.negated:
            said = f"no {said}"
        elif said in ("auto", "none"):
            said = f"{self.field} {said}"
        elif self.field == "emotion":
            said = f"{said} {self.amount:.0%}"
        return " ".join(filter(None, (said, str(self.when))))


@dataclass(frozen=True, slots=True)
class Cue:
    """What to do when the host says `words`. `once`: forgotten then."""

    words: str
    directives: tuple[Directive, ...]
    once: bool = True
    source: Source = "user"


@dataclass(frozen=True, slots=True)
class Storyline:
    """What the avatar is to do: beats in order of start, never overlapping. A change makes a new version.

    character, background, style: one line of prose each, for models that draw them; "" where nobody said.
    """

    version: int
    beats: tuple[Beat, ...]
    character: str = ""
    background: str = ""
    style: str = ""
    cues: tuple[Cue, ...] = ()

    def at(self, pts: Pts) -> Beat:
        """The beat that holds at `pts`; before the first and after the last, the nearest one."""
        holding = [beat for beat in self.beats if beat.start <= pts]
        return holding[-1] if holding else self.beats[0]

    def between(self, start: Pts, end: Pts) -> tuple[Beat, ...]:
        """The beats that touch [start, end), never empty."""
        touching = tuple(b for b in self.beats if b.start < end and (b.end is None or b.end > start))
        return touching or (self.at(start),)

    def forget_before(self, pts: Pts) -> Storyline:
        """Without the beats that ended before `pts`, so that hours on air do not pile up. The version stays."""
        kept = tuple(b for b in self.beats if b.end is None or b.end > pts)
        return replace(self, beats=kept or self.beats[-1:])


@dataclass(frozen=True, slots=True, eq=False)
class Keyframe:
    """An anchor: the pose at `pts`, and which channels of it are fixed (`mask` [64]; the mouth is left free).

    `camera` is the way of the virtual camera from the anchor before, a row for each frame up to and with this one.
    """

    pts: Pts
    motion: Motion  # [64]
    mask: NDArray[np.bool_]  # [64]
    camera: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, len(CAMERA_CHANNELS)), np.float32))  # [n, 4]


@dataclass(frozen=True, slots=True, eq=False)
class BlueprintJob:
    """One coarse pass: `num_frames` frames, `interval` ticks apart, the first of which is `first` itself.

    `audio` is what has arrived of the voice (16 kHz mono, from `audio_start`); the frames beyond it are drawn from the
    storyline alone.
    """

    epoch: int
    storyline_version: int
    first: Keyframe
    interval: int
    num_frames: int
    beats: tuple[Beat, ...]
    audio: NDArray[np.int16]
    audio_start: Pts
    seed: int
    num_steps: int = FULL_STEPS  # fewer when time is short


@dataclass(frozen=True, slots=True, eq=False)
class Blueprint:
    """A coarse pass over [start, start + len(motion) * interval): pose, emotion, gesture, camera, not yet syllables."""

    storyline_version: int
    start: Pts
    interval: int  # ticks between its frames
    motion: Motion  # [n, 64]

    @property
    def last_pts(self) -> Pts:
        """The PTS of its last frame."""
        return Pts(self.start + (len(self.motion) - 1) * self.interval)


#: The picture's own, as it is or out of focus; or the flat green that a switcher keys out.
Background = Literal["keep", "blur", "green"]
BACKGROUNDS: tuple[Background, ...] = get_args(Background)


@dataclass(frozen=True, slots=True)
class Look:
    """An avatar, by its folder, at a size in pixels, on a background: what a worker opens once and then draws many times.

    background: or a picture of the host's own; a relative path is one in the avatar's folder. "clear" is none, for files alone:
    an alpha plane [height, width] lies below each picture.
    """

    avatar: Path
    width: int
    height: int
    background: Background | Path | Literal["clear"] = "keep"

    @property
    def picture_shape(self) -> tuple[int, int]:
        """Of one I420 picture, uint8."""
        return self.height * 3 // 2, self.width


@dataclass(frozen=True, slots=True, eq=False)
class SubClipJob:
    """One transformer call: the motion of frames [start, end).

    A *chained* clip is given `history`, the frames really rendered before `start`; an *unchained* one begins at the anchor
    `first` alone. Both land on `last`; with an `approach` they only head for it. What a clip would have gone on with on its
    approach is the `overlap` of the next one, which begins with it and turns into its own. A *join repair* is given `history`
    and `future`, the frames rendered on both sides.
    """

    job_id: int
    epoch: int  # bumped by an interrupt; an older one is dropped
    storyline_version: int
    start: Pts
    end: Pts
    fps: int
    beats: tuple[Beat, ...]  # the local part of the storyline
    audio: NDArray[np.int16]  # 16 kHz mono, from audio_start, to end + right context
    audio_start: Pts  # about start - 1.4 s; silence before the beginning of the broadcast
    seed: int
    first: Keyframe | None = None  # at start - one frame
    last: Keyframe | None = None  # at end - one frame
    history: Motion = field(default_factory=lambda: rest(0))  # [k, 64], k <= 4
    overlap: Motion = field(default_factory=lambda: rest(0))  # [k, 64], k <= the approach of the clip before
    future: Motion = field(default_factory=lambda: rest(0))  # [k, 64], k <= 4
    camera: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, len(CAMERA_CHANNELS)), np.float32))  # [n, 4]
    gestures: tuple[Beat, ...] = ()  # whose planned gestures may show in it
    approach: int = 0  # frames after the end on which `last` would be reached, and which nobody sees
    num_steps: int = FULL_STEPS  # fewer when time is short
    draw_every: int = 1  # of its pictures; more when time is short

    @property
    def num_frames(self) -> int:
        return (self.end - self.start) // ticks_per_frame(self.fps)


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Frames [start, start + num_frames) and all that a video model must know to draw them together.

    motion: theirs, and of some frames that follow, [num_frames + k, 64]. before: the pose ahead of them, [64]. chained: go on
    from the picture that was drawn of `before`, where the worker has it; else from that pose as the portrait is drawn.
    """

    motion: Motion
    num_frames: int
    before: Motion
    beats: tuple[Beat, ...]
    audio: NDArray[np.int16]  # 16 kHz mono, from audio_start
    audio_start: Pts
    start: Pts
    fps: int
    seed: int
    num_steps: int
    chained: bool


@dataclass(frozen=True, slots=True, eq=False)
class PictureJob:
    """Motion [n, 64] to n pictures of a look, one after the other; for a video model, those of `stretch` at `frames`."""

    epoch: int
    look: Look
    motion: Motion
    stretch: Stretch | None = None
    frames: tuple[int, ...] = ()

    def without(self, num_drawn: int) -> PictureJob:
        """What is left when the first pictures are drawn."""
        return replace(self, motion=self.motion[num_drawn:], frames=self.frames[num_drawn:])


@dataclass(frozen=True, slots=True, eq=False)
class SubClip:
    """A sub-clip all of whose pictures are drawn (each was handed over as it was): motion [n, 64], its joins not repaired."""

    job: SubClipJob
    motion: Motion
    worker: str  # who made the motion
    motion_ms: float  # transformer
    decode_ms: float  # codec, all its pictures
    avatar: str = ""
    join: SubClipJob | None = None  # the repair of the join before it
    notes: tuple[str, ...] = field(default=())
