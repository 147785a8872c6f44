"""The shipped suite of prompts: what hosts write, and what each may expect of a plan. The format is in prompts/README.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.prompts import ACTIONS, CAMERA_MOVES, EMOTIONS, PIXEL_ACTIONS

FOLDER = Path(__file__).with_name("prompts")
PARTS = ("open", "held_out")
LANGUAGES = ("en", "zh", "ja", "ko")
KINDS = ("plain", "idiom", "degree", "negation", "time", "clauses", "side", "chatty")
SPEEDS = ("slow", "steady", "fast")
_KNOWN = {"emotion": EMOTIONS, "action": ACTIONS + PIXEL_ACTIONS, "camera": CAMERA_MOVES}

Range = tuple[float, float]


class SuiteError(ValueError):
    """A line of the suite that means nothing. The message names file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One expected thing. Any of `words` will do; `start_s` and `cue` only where the prompt says when."""

    words: tuple[str, ...]
    start_s: Range | None = None
    cue: str = ""
    intensity: Range | None = None  # emotions only
    speed: str = ""  # camera moves only: slow, steady or fast

    @property
    def timed(self) -> bool:
        return self.start_s is not None or bool(self.cue)


@dataclass(frozen=True, slots=True)
class HostPrompt:
    """A prompt and what it should bring. No `emotions`: calm throughout; no actions or moves: none."""

    id: str
    lang: str
    kind: str
    text: str
    duration_s: float
    emotions: tuple[Wanted, ...] = ()
    actions: tuple[Wanted, ...] = ()
    moves: tuple[Wanted, ...] = ()
    absent: Mapping[str, tuple[str, ...]] | None = None  # by field

    def forbids(self, field: str) -> tuple[str, ...]:
        """The words of `field` that must not happen."""
        return (self.absent or {}).get(field, ())


def load(part: str) -> tuple[HostPrompt, ...]:
    """The prompts of one part, "open" or "held_out". Raises SuiteError for a line that means nothing."""
    path = FOLDER / f"{part}.jsonl"
    prompts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            prompts.append(parse(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise SuiteError(f"{path.name}, line {number}: {error}") from error
    return tuple(prompts)


def parse(row: Mapping[str, Any]) -> HostPrompt:
    """A line's object as a prompt. Raises SuiteError for unknown words and fields, KeyError for missing ones."""
    _only(row, "id", "lang", "kind", "prompt", "duration_s", "expect")
    expect = row["expect"]
    _only(expect, "emotion", "intensity", "action", "camera", "absent")
    if row["lang"] not in LANGUAGES or row["kind"] not in KINDS:
        raise SuiteError(f"unknown language or kind: {row['lang']!r}, {row['kind']!r}")
    duration_s = float(row["duration_s"])
    emotions = expect.get("emotion", [])
    if isinstance(emotions, str):
        emotions = [{key: expect[key] for key in ("emotion", "intensity") if key in expect}]
    absent = {field: tuple(_word(field, word) for word in words) for field, words in expect.get("absent", {}).items()}
    return HostPrompt(
        row["id"],
        row["lang"],
        row["kind"],
        row["prompt"],
        duration_s,
        tuple(_wanted("emotion", item, duration_s) for item in emotions),
        tuple(_wanted("action", item, duration_s) for item in expect.get("action", [])),
        tuple(_wanted("camera", item, duration_s) for item in expect.get("camera", [])),
        absent,
    )


def held_out_ids(prompts: Iterable[HostPrompt]) -> set[str]:
    """The rule of the split: in order of language, kind and the text's SHA-256, every third prompt is held out."""
    order = sorted(prompts, key=lambda each: (each.lang, each.kind, hashlib.sha256(each.text.encode()).hexdigest()))
    return {each.id for each in order[2::3]}


def _wanted(field: str, item: Mapping[str, Any], duration_s: float) -> Wanted:
    _only(item, field, "start_s", "cue", {"emotion": "intensity", "camera": "speed"}.get(field, "start_s"))
    speed = item.get("speed", "")
    if speed and speed not in SPEEDS:
        raise SuiteError(f"speed {speed!r} is not one of {', '.join(SPEEDS)}")
    return Wanted(
        tuple(_word(field, word) for word in item[field].split("|")),
        _range(item.get("start_s"), duration_s),
        item.get("cue", ""),
        _range(item.get("intensity"), 1.0),
        speed,
    )


def _word(field: str, word: str) -> str:
    if word not in _KNOWN[field]:
        raise SuiteError(f"{field} {word!r} is not one of {', '.join(_KNOWN[field])}")
    return word


def _range(pair: list[float] | None, top: float) -> Range | None:
    if pair is None:
        return None
    low, high = pair
    if not 0 <= low < high <= top:
        raise SuiteError(f"[{low}, {high}] is not a range within [0, {top:g}]")
    return low, high


def _only(row: Mapping[str, Any], *known: str) -> None:
    if unknown := set(row) - set(known):
        raise SuiteError(f"unknown field {min(unknown)!r}; known are {', '.join(dict.fromkeys(known))}")
