"""A case and the video that was made of it, in figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.features import SpeechEncoder
from export.curate.sync import LEAST_FRAMES, SyncScore, SyncScorer
from export.evaluate.joins import picture_jumps
from export.evaluate.lips import LipPredictor, agreement, frame_features
from export.evaluate.suite import Case
from export.evaluate.watching import Portrait, Watched

PREDICTOR = Path(__file__).with_name("lip_predictor.npz")
_STRETCH = 4  # frames on each side of a seam


@dataclass(frozen=True, slots=True)
class Figures:
    """None: there is nothing to measure it by (no face found; seams unknown).

    seconds, fps, width, height: of the video. late_s: how much shorter it is than its voice. found: share of frames with a
    face. lip_r, lip_lag_ms: `export.evaluate.lips`; below 0 the mouth leads. sync, sync_offset_ms: `export.curate.sync`, its
    score in step, and where it would be highest. identity: the median distance from the picture's face; identity_drift: of the
    last quarter less that of the first. flicker: grey levels. sharpness: detail of the face over that of its picture's,
    median. seam: what jumps at seams over what jumps inside, of pixels.
    """

    seconds: float
    fps: float
    width: int
    height: int
    late_s: float
    found: float
    lip_r: float | None
    lip_lag_ms: float | None
    sync: float | None
    sync_offset_ms: float | None
    identity: float | None
    identity_drift: float | None
    flicker: float
    sharpness: float | None
    seam: float | None


class Yardsticks:
    """What lips are measured by. One for each thread."""

    def __init__(self, lips: LipPredictor | None = None) -> None:
        """lips: in place of the shipped predictor."""
        self.lips = lips or predictor()
        self.encoder = SpeechEncoder()
        self._sync = SyncScorer(self.encoder)

    def sync_of(self, watched: Watched, voice: NDArray[np.int16]) -> SyncScore | None:
        """None for what is too short, or shows too few faces."""
        seconds = min(watched.num_frames / watched.fps, len(voice) / 16_000)
        if seconds * 25 < LEAST_FRAMES + 1 or watched.found.mean() < 0.5:
            return None
        return self._sync.score(watched.landmarks, voice, watched.fps, watched.found)


def predictor() -> LipPredictor:
    """The shipped one, which `python -m export.evaluate.lip_fit` fits."""
    with np.load(PREDICTOR, allow_pickle=False) as arrays:
        return LipPredictor(arrays["weights"].astype(np.float64))


def figures(
    watched: Watched, portrait: Portrait, voice: NDArray[np.int16], yardsticks: Yardsticks, seams_s: Sequence[float] | None
) -> Figures:  # fmt: skip
    """voice: the case's, 16 kHz mono. seams_s: when clips begin, where that is known."""
    sync = yardsticks.sync_of(watched, voice)
    lip_r = lag = None
    if watched.track is not None:
        predicted = yardsticks.lips.predict(frame_features(yardsticks.encoder, voice))
        num = min(len(predicted), len(watched.track.found))
        found = agreement(predicted[:num], watched.track.lips[:num], watched.track.found[:num])
        lip_r, lag = found.r, found.lag_frames * 40.0
    known = watched.distances[~np.isnan(watched.distances)]
    quarter = max(1, len(known) // 4)
    details = watched.details[~np.isnan(watched.details)]
    seconds = watched.num_frames / watched.fps
    return Figures(
        seconds=round(seconds, 2),
        fps=round(watched.fps, 3),
        width=watched.size[0],
        height=watched.size[1],
        late_s=round(max(0.0, len(voice) / 16_000 - seconds), 2),
        found=0.0 if watched.track is None else round(float(watched.track.found.mean()), 4),
        lip_r=_rounded(lip_r),
        lip_lag_ms=lag,
        sync=_rounded(sync.in_step) if sync else None,
        sync_offset_ms=sync.offset_frames * 40.0 if sync else None,
        identity=_rounded(float(np.median(known))) if len(known) else None,
        identity_drift=_rounded(float(np.median(known[-quarter:]) - np.median(known[:quarter]))) if len(known) > 3 else None,
        flicker=round(watched.flicker, 3),
        sharpness=_rounded(float(np.median(details)) / portrait.detail) if len(details) and portrait.detail else None,
        seam=_rounded(seam_ratio(watched.luma, [round(at * watched.fps) for at in seams_s or ()])),
    )


def seam_ratio(luma: NDArray[np.uint8], seams: Sequence[int]) -> float | None:
    """Mean absolute difference across seams over that inside clips about them, 95th percentiles; None without seams inside."""
    inside = [at for at in seams if _STRETCH <= at <= len(luma) - _STRETCH]
    if not inside:
        return None
    return picture_jumps([luma[at - _STRETCH : at + _STRETCH] for at in inside], [_STRETCH] * len(inside))["pixels"].ratio


def seams_of(lineage: Path) -> list[float] | None:
    """When all clips but the first begin, in seconds, off the lineage that `rostrum render` leaves beside a film; None
    without."""
    if not lineage.is_file():
        return None
    jobs = [json.loads(line) for line in lineage.read_text(encoding="utf-8").splitlines()]
    return [float(job["frames_s"][0]) for job in jobs if job["stage"] == "sub-clips"][1:]


def asked_of(case: Case) -> dict[str, float]:
    """The instructions of a case by the names of `export.evaluate.read_back`, with when they are to be seen from."""
    asked: dict[str, float] = {}
    if case.emotion != "calm":
        asked[case.emotion] = 0.0
    if case.action != "none":
        asked[case.action] = case.action_s
    if case.camera != "static":
        asked["camera_shake" if case.camera == "shake" else case.camera] = 0.0
    return asked


def from_json(fields: Mapping[str, float]) -> Figures:
    """Raises TypeError for what are no figures."""
    return Figures(**fields)  # type: ignore[arg-type]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
