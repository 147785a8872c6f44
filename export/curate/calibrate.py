"""How well each filter tells clean clips from spoilt ones, and where its threshold is therefore drawn.

Clean clips are the user's own, or drawn on the spot from avatars and voices that nothing was trained on. Each is spoilt in
fifteen known ways; a filter's ROC is that of the ways it is to notice, against the clips as they are.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from export.curate.faces import Picture
from export.curate.filters import BY_NAME, FILTERS, Experts, Filter
from export.curate.reading import read
from export.curate.rehearsal import CleanClip
from export.curate.roc import best_threshold, roc_auc, roc_curve
from export.curate.spoil import COMPRESSED, PICTURES, compressed, readings
from export.curate.video import FPS, UnreadableVideo, frames_between, sound_of, videos_in

log = logging.getLogger(__name__)

LONGEST_S = 6.0
_SPOILT_FRAMES = 40  # of a clip whose pictures are spoilt: reading them is what takes time
_LARGEST_PX = 720
_MAY_PASS = 0.05  # of spoilt clips
_ACROSS = 0.4  # of the way from the spoilt clips to the middle of the gap


@dataclass(frozen=True, slots=True)
class Calibration:
    """One filter. auc: over all its ways of spoiling; of each: `by_way`. kept, passed: shares of clean and of spoilt clips that
    the threshold lets through. roc: points (passed, kept)."""

    threshold: float
    auc: float
    kept: float
    passed: float
    by_way: dict[str, float]
    roc: list[tuple[float, float]]
    num_clean: int
    num_spoilt: int


def filmed(folder: Path) -> Iterator[CleanClip]:
    """The beginnings of a folder's videos, no larger than 720 pixels. What cannot be read is logged and left out."""
    for path in videos_in(folder):
        try:
            frames = np.stack([_smaller(frame) for frame in frames_between(path, 0, LONGEST_S)])
            yield CleanClip(path.stem, frames, sound_of(path)[: len(frames) * 16_000 // FPS])
        except (UnreadableVideo, ValueError) as error:
            log.warning("%s is left out: %s", path.name, error)


def _smaller(frame: Picture) -> Picture:
    scale = _LARGEST_PX / max(frame.shape[:2])
    return (
        frame if scale >= 1 else np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    )


def measure(
    clips: Iterable[CleanClip], tell: Callable[[str], None] = lambda text: None, seed: int = 0
) -> dict[str, Calibration]:
    """Every filter's ROC over the clips. Raises ValueError with fewer than two of them."""
    experts = Experts()
    clean: dict[str, list[float]] = defaultdict(list)
    spoilt: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    voices: list[np.ndarray] = []
    for number, clip in enumerate(clips):
        rng = np.random.default_rng([seed, number])
        tell(clip.name)
        whole = read(clip.frames, clip.audio)
        for name, value in experts.score(whole).values.items():
            clean[name].append(value)
        for way, reading in readings(whole, voices, rng) if len(clip.audio) else ():
            _note(spoilt, way.name, way.filters, experts.score(reading).values)
        voices.append(clip.audio)
        some = clip.frames[:_SPOILT_FRAMES]
        for way, make in PICTURES.items():
            spoil, track = make(rng), whole.track
            frames = (spoil(frame, track.landmarks[i], track.eye_distance_px) for i, frame in enumerate(some))
            _note(spoilt, way.name, way.filters, experts.score(read(frames, whole.audio[:0])).values)
        _note(spoilt, COMPRESSED.name, COMPRESSED.filters, experts.score(read(compressed(some, rng), whole.audio[:0])).values)
    if len(voices) < 2:
        raise ValueError(f"{len(voices)} clips that can be read are too few to calibrate on")
    return {each.name: drawn_line(each, clean[each.name], spoilt[each.name]) for each in FILTERS if clean[each.name]}


def _note(spoilt: dict[str, dict[str, list[float]]], way: str, filters: tuple[str, ...], values: Mapping[str, float]) -> None:
    """A clip of which a filter can say nothing any more has not passed it."""
    for name in filters:
        worst = -np.inf if BY_NAME[name].high_is_good else np.inf
        spoilt[name][way].append(values.get(name, worst))


def drawn_line(which: Filter, clean: list[float], spoilt: dict[str, list[float]]) -> Calibration:
    """Where the two kinds overlap, the threshold is Youden's. Where there is a gap it lies a fifth of the way across from the
    spoilt ones: what spoils a clip is alike everywhere, and the rest of the gap belongs to clean clips unlike these."""
    good = [which.goodness(value) for value in clean]
    bad = [which.goodness(value) for values in spoilt.values() for value in values]
    line = which.goodness(which.fixed) if which.fixed is not None else _line(good, bad)
    _, kept, passed = roc_curve(good, bad)
    return Calibration(
        threshold=_rounded(which.goodness(line)),
        auc=round(roc_auc(good, bad), 4),
        kept=round(float(np.mean(np.array(good) >= line)), 3),
        passed=round(float(np.mean(np.array(bad) >= line)), 3),
        by_way={way: round(roc_auc(good, [which.goodness(value) for value in values]), 4) for way, values in spoilt.items()},
        roc=[(round(float(x), 3), round(float(y), 3)) for x, y in zip(passed, kept, strict=True)],
        num_clean=len(good), num_spoilt=len(bad),
    )  # fmt: skip


def _line(good: list[float], bad: list[float]) -> float:
    finite = [value for value in bad if np.isfinite(value)] or [min(good)]
    middle, edge = best_threshold(good, finite), float(np.percentile(finite, 100 * (1 - _MAY_PASS), method="higher"))
    return edge + _ACROSS * (middle - edge) if edge < middle else middle


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def save(path: Path, found: dict[str, Calibration], clips: str) -> None:
    """As `filters.thresholds` reads it. clips: what was measured on, in words."""
    lines = (f"  {json.dumps(name)}: {json.dumps(asdict(each), allow_nan=False)}" for name, each in found.items())
    path.write_text(f'{{\n "clips": {json.dumps(clips)},\n "filters": {{\n' + ",\n".join(lines) + "\n }\n}\n")


def table(found: dict[str, Calibration]) -> str:
    """A line for each filter."""
    lines = [f"{'filter':12} {'AUC':>6} {'threshold':>10} {'keeps':>6} {'passes':>6}  by way of spoiling"]
    for name, each in found.items():
        ways = ", ".join(f"{way} {auc:.3f}" for way, auc in each.by_way.items())
        sign = "≥" if BY_NAME[name].high_is_good else "≤"
        lines.append(f"{name:12} {each.auc:6.3f} {sign}{each.threshold:>9.4g} {each.kept:6.2f} {each.passed:6.2f}  {ways}")
    return "\n".join(lines)
