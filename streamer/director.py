"""The embedded director: a prompt becomes a storyline by grammar and lexicon, in well under a millisecond, with no model.

A prompt is cut into clauses; each clause may set an emotion with its degree, an action, a camera move, and when. Every
understood thing is laid over the storyline as a change to a span of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from engines.prompts import ACTIONS, CAMERA_MOVES, EMOTIONS
from streamer.lexicon import ACTION_WORDS, CAMERA_WORDS, DEGREE_WORDS, EMOTION_WORDS, NEGATIONS, PACE_WORDS
from streamer.plan import Beat, Pts, Source, Storyline, pts_from_s

#: How long each action takes on air.
ACTION_S = dict.fromkeys(ACTIONS, 1.6) | {
    "nod": 1.4, "tilt": 2.2, "turn_left": 2.2, "turn_right": 2.2, "lean_in": 2.4, "lean_back": 2.4, "wink": 0.8,
    "close_eyes": 2.0, "laugh": 2.0, "sigh": 2.2,
}  # fmt: skip
CAMERA_S = 4.0  # of one move, live; a rendered file's move takes the rest of the file
_GAP_S = 0.3  # between two actions in sequence

_CLAUSES = re.compile(
    r"[,;!?，。；！？、\n]+|\.(?!\d)|\b(?:then|and|with|while|but)\b|然后|接着|同时|并且|但|そして|그리고", re.IGNORECASE
)
_NUMBER = r"(\d+(?:\.\d+)?)"
_AFTER = re.compile(rf"(?:after|in)\s+{_NUMBER}\s*s(?:ec(?:ond)?s?)?\b|{_NUMBER}\s*秒[后後]|{_NUMBER}\s*초 후", re.IGNORECASE)
_AT_END = re.compile(r"\b(?:at|towards?|near) the end\b|\bfinally\b|\bin the end\b|最后|最後|結尾|结尾|마지막", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Directive:
    """One understood thing: `field` is emotion, action or camera; `amount` its intensity or speed, 0–1."""

    field: str
    word: str
    amount: float
    after_s: float | None = None
    at_end: bool = False

    def __str__(self) -> str:
        when = " at the end" if self.at_end else f" after {self.after_s:g} s" if self.after_s is not None else ""
        return f"{self.word} {self.amount:.0%}{when}" if self.field == "emotion" else f"{self.word}{when}"


def opening() -> Storyline:
    """What holds before anybody has asked for anything: calm, a still camera."""
    return Storyline(version=1, beats=(Beat(Pts(0)),))


def understand(prompt: str) -> tuple[Directive, ...]:
    """The directives in a prompt, in the order they were said; empty where nothing was understood."""
    found: list[Directive] = []
    for clause in _CLAUSES.split(prompt):
        after = _AFTER.search(clause)
        after_s = float(next(filter(None, after.groups()))) if after else None
        at_end = bool(_AT_END.search(clause))
        negated = any(_finds(word, clause) for word in NEGATIONS)
        amount = next((value for word, value in DEGREE_WORDS if _finds(word, clause)), None)
        if camera := next((name for word, name in CAMERA_WORDS if _finds(word, clause)), None):
            pace = next((value for word, value in PACE_WORDS if _finds(word, clause)), 0.5)
            found.append(Directive("camera", "static" if negated else camera, pace, after_s, at_end))
            continue
        action = next((name for word, name in ACTION_WORDS if _finds(word, clause)), None)
        if action and not negated:
            found.append(Directive("action", action, 0.5 if amount is None else amount, after_s, at_end))
        emotion = next((match for match in EMOTION_WORDS if _finds(match[0], clause)), None)
        if emotion:
            _, name, usual = emotion
            said = Directive("emotion", "calm" if negated else name, 0.5 if negated else amount or usual, after_s, at_end)
            same = [i for i, other in enumerate(found) if replace(other, amount=said.amount) == said]
            if same:  # "warm and confident": one emotion, said twice
                found[same[0]] = replace(said, amount=max(said.amount, found[same[0]].amount))
            else:
                found.append(said)
    return tuple(found)


def _finds(word: str, clause: str) -> bool:
    """A word of the Latin alphabet must begin at a word's edge; others may stand anywhere."""
    return bool(re.search(rf"\b{word}", clause, re.IGNORECASE)) if word.isascii() else word in clause


class EmbeddedDirector:
    """Understands prompts by lexicon in English and Chinese, and by keywords in Japanese and Korean."""

    def plan(
        self, prompt: str, storyline: Storyline, start: Pts, end: Pts | None = None
    ) -> tuple[Storyline, tuple[Directive, ...]]:
        """The storyline as the prompt changes it from `start` on, and what was understood.

        `end` is the end of the show where it is known (a file), so that "at the end" has a place; live, it means now.
        Nothing understood: the same storyline comes back, its version unchanged.
        """
        directives = understand(prompt)
        changed = storyline
        busy_until = start
        for said in directives:
            length = pts_from_s(ACTION_S[said.word] if said.field == "action" else CAMERA_S)
            at = start
            if said.after_s is not None:
                at = Pts(start + pts_from_s(said.after_s))
            elif said.at_end and end is not None:
                at = Pts(max(start, end - length))
            elif said.field == "action":
                at = busy_until
            until = end if said.field == "camera" and end is not None else Pts(at + length)
            if said.field == "action":
                busy_until = Pts(at + length + pts_from_s(_GAP_S))
            changed = direct(changed, said, at, until)
        return (replace(changed, version=storyline.version + 1) if directives else storyline), directives


def direct(storyline: Storyline, said: Directive, at: Pts, until: Pts, source: Source = "user") -> Storyline:
    """Lay one directive over [at, until); an emotion and a still camera hold from `at` on. The version stays.

    Raises ValueError for a word outside the vocabulary.
    """
    match said.field:
        case "emotion" if said.word in EMOTIONS:
            return overlay(storyline, at, None, emotion=said.word, intensity=said.amount, source=source)
        case "action" if said.word in ACTIONS:
            return overlay(storyline, at, until, action=said.word, source=source)
        case "camera" if said.word in CAMERA_MOVES:
            forever = said.word == "static"
            return overlay(storyline, at, None if forever else until, camera=said.word, camera_speed=said.amount, source=source)
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
