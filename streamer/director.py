"""The embedded director: a prompt becomes a storyline by grammar and lexicon, in about a millisecond, with no model.

Every understood thing is laid over the storyline as a change to a span of it.
"""

from __future__ import annotations

from dataclasses import replace

from engines.prompts import ACTIONS, CAMERA_MOVES, EMOTIONS
from streamer.grammar import Directive, When, understand
from streamer.plan import Beat, Pts, Source, Storyline, pts_from_s
from streamer.situations import Situations, shipped

#: How long each action takes on air.
ACTION_S = dict.fromkeys(ACTIONS, 1.6) | {
    "nod": 1.4, "tilt": 2.2, "turn_left": 2.2, "turn_right": 2.2, "lean_in": 2.4, "lean_back": 2.4, "wink": 0.8,
    "close_eyes": 2.0, "laugh": 2.0, "sigh": 2.2,
}  # fmt: skip
CAMERA_S = 4.0  # of one move, live; a rendered file's move takes the rest of the file
_PHASE_S = 4.0  # from one "then" to the next, live
_GAP_S = 0.3  # between two actions in sequence


def opening() -> Storyline:
    """What holds before anybody has asked for anything: calm, a still camera."""
    return Storyline(version=1, beats=(Beat(Pts(0)),))


class EmbeddedDirector:
    """Understands prompts by lexicon in four languages, most of it English and Chinese, and in English by situations too."""

    def __init__(self, situations: Situations | None = None) -> None:
        """The shipped situations, unless others are given."""
        self._situations = situations or shipped()

    def plan(
        self, prompt: str, storyline: Storyline, start: Pts, end: Pts | None = None
    ) -> tuple[Storyline, tuple[Directive, ...]]:
        """The storyline as the prompt changes it from `start` on, and what was understood.

        `end` is the end of the show where it is known (a file), so that "at the end" has a place; live, it means now.
        Nothing understood: the same storyline comes back, its version unchanged.
        """
        directives = understand(prompt, self._situations)
        num_phases = 1 + max((said.when.phase for said in directives), default=0)
        changed, busy_until = storyline, start
        for said in directives:
            if said.field == "action" and said.word not in ACTIONS:
                continue  # wave, point, …: for a transformer that draws hands
            length = pts_from_s(said.when.for_s or (ACTION_S[said.word] if said.field == "action" else CAMERA_S))
            at = _place(said.when, start, end, length, num_phases, said.field)
            if said.field == "action":
                plain = replace(said.when, phase=0, for_s=None) == When()
                at = max(at, busy_until) if plain else at
                busy_until = Pts(at + length + pts_from_s(_GAP_S))
            until: Pts | None = Pts(at + length)
            if said.field == "camera" and end is not None and said.when.for_s is None:
                until = end
            elif said.field == "emotion" and said.when.for_s is None:
                until = None
            changed = direct(changed, said, at, until)
        return (replace(changed, version=storyline.version + 1) if directives else storyline), directives


def _place(when: When, start: Pts, end: Pts | None, length: int, num_phases: int, field: str) -> Pts:
    """The PTS a directive begins at. `length` is how long it takes."""
    if when.after_s is not None:
        return Pts(start + pts_from_s(when.after_s))
    if when.at_s is not None:
        return Pts(start + pts_from_s(when.at_s))
    if end is None:
        phased = field != "action"  # actions queue up behind each other by their own lengths
        return Pts(start + (pts_from_s(when.phase * _PHASE_S) if phased else 0))
    if when.last_s is not None:
        return Pts(max(start, end - pts_from_s(when.last_s)))
    if when.place == "end":
        return Pts(max(start, end - (length if field == "action" else pts_from_s(max(2.0, 0.25 * (end - start) / 48_000)))))
    if when.place == "middle":
        return Pts((start + end) // 2)
    if when.phase and field != "action":
        return Pts(start + (end - start) * when.phase // num_phases)
    return start


def direct(storyline: Storyline, said: Directive, at: Pts, until: Pts | None, source: Source = "user") -> Storyline:
    """Lay one directive over [at, until), or from `at` on where `until` is None; a still camera holds on. The version stays.

    Raises ValueError for a word outside the vocabulary.
    """
    match said.field:
        case "emotion" if said.word in EMOTIONS:
            return overlay(storyline, at, until, emotion=said.word, intensity=said.amount, source=source)
        case "action" if said.word in ACTIONS:
            return overlay(storyline, at, until, action=said.word, source=source)
        case "camera" if said.word in CAMERA_MOVES:
            holds = said.word == "static"
            return overlay(storyline, at, None if holds else until, camera=said.word, camera_speed=said.amount, source=source)
    known = {"emotion": EMOTIONS, "action": ACTIONS, "camera": CAMERA_MOVES}.get(said.field, ())
    raise ValueError(f"{said.field} {said.word!r} is not one of {', '.join(known)}")


def overlay(storyline: Storyline, start: Pts, end: Pts | None, **changes: object) -> Storyline:
    """The storyline with `changes` made to every beat in [start, end), beats being split where the span cuts them."""
    beats: list[Beat] = []
    for i, beat in enumerate(storyline.beats):
        following = storyline.beats[i + 1].start if i + 1 < len(storyline.beats) else None
        beat_end = beat.end if beat.end is not None else following
        cuts = [beat.start]
        cuts += [at for at in (start, end) if at is not None and beat.start < at and (beat_end is None or at < beat_end)]
        for k, at in enumerate(cuts):
            piece = replace(beat, start=at, end=cuts[k + 1] if k + 1 < len(cuts) else beat_end)
            inside = at >= start and (end is None or at < end)
            beats.append(replace(piece, **changes) if inside else piece)  # type: ignore[arg-type]
    return replace(storyline, beats=tuple(beats))
