"""What one check found. A check is a function that yields findings; whatever it raises is a finding too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["good", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """good: works. note: works, and there is something to know. bad: does not work. way_out: for all but good ones."""

    about: str
    verdict: Verdict
    found: str
    way_out: str = ""

    def __post_init__(self) -> None:
        assert self.verdict == "good" or self.way_out, f"{self.about}: no way out is named"


Check = Callable[[], AsyncIterator[Finding]]
