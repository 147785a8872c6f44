"""Figures of many cases, by category."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from export.evaluate.judging import Figures
from export.evaluate.suite import CATEGORIES, Case


@dataclass(frozen=True, slots=True)
class Judged:
    """One case of one system. figures: None where there is no video, and `why_not` says why. read_back: rank by instruction."""

    case: Case
    figures: Figures | None
    read_back: Mapping[str, float]
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of a table. of: of one case, None where it has none; all: of the cases that have it."""

    name: str
    title: str
    meaning: str
    of: Callable[[Judged], float | None]
    all: Callable[[Sequence[float]], float] = lambda values: float(np.median(values))
    digits: int = 2


def _figure(name: str) -> Callable[[Judged], float | None]:
    return lambda judged: getattr(judged.figures, name) if judged.figures else None


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _within_a_frame(judged: Judged) -> float | None:
    lag = judged.figures.lip_lag_ms if judged.figures else None
    return None if lag is None else float(abs(lag) <= 40)


def _shown(judged: Judged) -> float | None:
    return _mean(list(judged.read_back.values())) if judged.read_back else None


COLUMNS = (
    Column("lip_r", "lip correlation",
           "of inner-lip opening and jaw with what the sound makes likely, median; unrelated sound 0.05", _figure("lip_r")),
    Column("lip_lag", "lag ≤ 40 ms", "share of cases whose lips are at most a frame early or late", _within_a_frame, _mean),
    Column("sync", "sync score", "of the scorer trained here, in step, median; not SyncNet's; people who talk 0.2–0.6",
           _figure("sync")),
    Column("identity", "identity distance", "of the face from its picture, median over frames, then over cases",
           _figure("identity"), digits=3),
    Column("drift", "identity drift", "of the last quarter less that of the first, median", _figure("identity_drift"),
           digits=3),
    Column("flicker", "flicker", "grey levels that change where nothing moved, median", _figure("flicker")),
    Column("sharpness", "sharpness", "detail of the face over its picture's, median", _figure("sharpness")),
    Column("seam", "seam ratio", "what jumps where clips join over what jumps inside them, where joins are known; median",
           _figure("seam")),
    Column("read_back", "instructions",
           "chance that what was asked for shows more than where it was not asked for; 0.5: not at all", _shown, _mean),
    Column("found", "face found", "share of frames, mean", _figure("found"), _mean),
)  # fmt: skip


def row(judged: Sequence[Judged]) -> dict[str, float | int | None]:
    """Every column of some cases; `cases` and `failed` count them."""
    out: dict[str, float | int | None] = {"cases": len(judged), "failed": sum(one.figures is None for one in judged)}
    for column in COLUMNS:
        values = [value for value in map(column.of, judged) if value is not None]
        out[column.name] = round(column.all(values), 4) if values else None
    return out


def by_category(judged: Sequence[Judged]) -> dict[str, dict[str, dict[str, Any]]]:
    """A row for each category of each kind, in order of size."""
    out: dict[str, dict[str, dict[str, Any]]] = {}
    for kind, of in CATEGORIES.items():
        groups: dict[str, list[Judged]] = {}
        for one in judged:
            groups.setdefault(of(one.case), []).append(one)
        out[kind] = {name: row(group) for name, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))}
    return out


def instructions(judged: Sequence[Judged]) -> dict[str, float]:
    """The mean rank of each instruction that was asked for."""
    ranks: dict[str, list[float]] = {}
    for one in judged:
        for name, rank in one.read_back.items():
            ranks.setdefault(name, []).append(rank)
    return {name: round(_mean(values), 3) for name, values in sorted(ranks.items())}


def text(systems: Mapping[str, Sequence[Judged]]) -> str:
    """A table for a terminal: each system's row of everything, then of each category."""
    titles = ["", "cases", *(column.title for column in COLUMNS)]
    lines: list[list[str]] = [titles]
    for system, judged in systems.items():
        lines.append([system, *cells(row(judged))])
        for kind, groups in by_category(judged).items():
            if len(groups) > 1:
                lines += [[f"  {kind}: {name}", *cells(group)] for name, group in groups.items()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(titles))]
    aligned = (
        "  ".join(f"{cell:<{w}}" if i == 0 else f"{cell:>{w}}" for i, (cell, w) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    )
    return "\n".join(line.rstrip() for line in aligned)


def cells(figures: Mapping[str, Any]) -> list[str]:
    """A row as words; – where there is nothing to say."""
    failed = f" ({figures['failed']} failed)" if figures["failed"] else ""
    values = (figures[column.name] for column in COLUMNS)
    return [
        f"{figures['cases']}{failed}",
        *("–" if value is None else f"{value:.{column.digits}f}" for column, value in zip(COLUMNS, values, strict=True)),
    ]
