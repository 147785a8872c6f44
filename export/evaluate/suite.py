"""The benchmark's cases as data: `suite.jsonl`, one picture–voice–prompt case a line, and how some of them are chosen.

The marginals are those of the suite by which Kling-Avatar was judged (Ding et al. 2025, arXiv 2509.09595): 375 cases, 340 of
people and 35 of others, half of the pictures real and half generated, 150 in Chinese, 150 in English, 35 in Korean, 40 in
Japanese, speech and song, 8 s to 2 min, upright, wide and square. Which case is which is ours
(`export.evaluate.suite_wording` wrote them)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

SUITE = Path(__file__).with_name("suite.jsonl")


class SuiteError(ValueError):
    """A file of cases that cannot be read, or a choice that cannot be made. The message says why."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked of a system: to make this picture say this, in this way.

    subject: "human" or "other" (an animal, a statue, a drawing). source: "real" or "generated", the picture. voice: "speech"
    or "song". lines: what is said, a sentence each; spoken: the same as espeak-ng reads it where that differs (pinyin), else
    empty. seconds: at most so long. shape: "vertical", "horizontal" or "square"; size: (width, height). intensity: "none",
    "slight", "clear", "extreme". action: "none" or one of `engines.prompts`, asked for at `action_s`. camera: "static" or a
    move."""

    id: str
    subject: str
    source: str
    language: str
    voice: str
    seconds: int
    shape: str
    size: tuple[int, int]
    emotion: str
    intensity: str
    action: str
    action_s: float
    camera: str
    prompt: str
    lines: tuple[str, ...]
    spoken: tuple[str, ...] = ()

    @property
    def resolution(self) -> str:
        """Of the shorter side, such as "720p"."""
        return f"{min(self.size)}p"

    @property
    def length(self) -> str:
        """A word for tables."""
        return "to 20 s" if self.seconds <= 20 else "20–60 s" if self.seconds <= 60 else "over 60 s"


#: What cases are told apart by: name to the category a case is in.
CATEGORIES: dict[str, Callable[[Case], str]] = {
    "subject": lambda case: case.subject,
    "source": lambda case: case.source,
    "language": lambda case: case.language,
    "voice": lambda case: case.voice,
    "length": lambda case: case.length,
    "shape": lambda case: case.shape,
    "resolution": lambda case: case.resolution,
    "emotion": lambda case: case.emotion,
    "intensity": lambda case: case.intensity,
    "action": lambda case: "none" if case.action == "none" else "asked for",
    "camera": lambda case: "static" if case.camera == "static" else "moves",
}


def read_cases(path: Path = SUITE) -> list[Case]:
    """Every case of a file. Raises SuiteError, which names the line."""
    cases = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SuiteError(f"{path} cannot be read: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        try:
            fields = json.loads(line)
            fields |= {name: tuple(fields.get(name, ())) for name in ("size", "lines", "spoken")}
            cases.append(Case(**fields))
        except (ValueError, TypeError) as error:
            raise SuiteError(f"{path}, line {number}: not a case ({error})") from None
    if len({case.id for case in cases}) < len(cases):
        raise SuiteError(f"{path}: two cases have the same id")
    return cases


def write_cases(cases: Sequence[Case], path: Path) -> None:
    """One line a case; what is empty is left out."""
    lines = (json.dumps({k: v for k, v in asdict(case).items() if v != ()}, ensure_ascii=False) for case in cases)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def marginals(cases: Sequence[Case]) -> dict[str, Counter[str]]:
    """How many cases are in each category of each kind."""
    return {kind: Counter(map(of, cases)) for kind, of in CATEGORIES.items()}


def sample(cases: Sequence[Case], num: int, seed: int = 0) -> list[Case]:
    """`num` cases whose shares of every category come near the whole suite's, in the suite's order. The seed says which.

    Greedy: the next case is one that brings the squared errors of all shares down most, chance among equals. Raises SuiteError.
    """
    if not 1 <= num <= len(cases):
        raise SuiteError(f"{num} of {len(cases)} cases cannot be taken")
    names = [(kind, word) for kind, counts in marginals(cases).items() for word in sorted(counts)]
    index = {name: i for i, name in enumerate(names)}
    member = np.zeros((len(cases), len(names)))
    for row, case in zip(member, cases, strict=True):
        row[[index[kind, of(case)] for kind, of in CATEGORIES.items()]] = 1
    share = member.mean(axis=0)
    # a kind of few categories matters more than one of many: its errors are larger, and so they count
    shaken = np.random.default_rng(seed).random(len(cases)) * 1e-9
    left = np.ones(len(cases), bool)
    have = np.zeros(len(names))
    for taken in range(1, num + 1):
        error = ((have + member - share * taken) ** 2).sum(axis=1) + shaken
        best = int(np.argmin(np.where(left, error, np.inf)))
        left[best] = False
        have += member[best]
    return [case for case, out in zip(cases, left, strict=True) if not out]


def limited(case: Case, max_seconds: float | None = None, max_side: int | None = None) -> Case:
    """The same case, no longer than `max_seconds`, its shorter side no more than `max_side` pixels.

    An action that the limit would cut off is asked for earlier, in the prompt too.
    """
    if max_side is not None and min(case.size) > max_side:
        scale = max_side / min(case.size)
        width, height = (round(side * scale / 16) * 16 for side in case.size)
        case = replace(case, size=(width, height))
    if max_seconds is not None and case.seconds > max_seconds:
        case = replace(case, seconds=max(1, int(max_seconds)))
    return case
