"""Figures of drawn motion and of faces read back from video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engines.motion import Motion
from export.evaluate.face_track import FaceTrack
from export.evaluate.lips import agreement, without_slow_part
from export.evaluate.talking import FPS, SAMPLES_PER_FRAME
from streamer.plan import Keyframe, ticks_per_frame

#: Eyes are shut when they are open less than this share of how they usually are.
BLINK_SHARE = 0.55
LONGEST_BLINK_S = 0.6
#: Inner lips nearer than this, in eye distances, are shut.
SHUT_APERTURE = 0.015


def speech_frames(audio: NDArray[np.int16], below_loud_db: float = 30.0) -> NDArray[np.bool_]:
    """Frames [T] (25 fps) of 16 kHz sound within `below_loud_db` of its loud parts (95th percentile of 40 ms RMS)."""
    frames = audio[: len(audio) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME].reshape(-1, SAMPLES_PER_FRAME).astype(np.float64)
    level_db = 20 * np.log10(np.sqrt((frames**2).mean(axis=1)) + 1.0)
    return np.asarray(level_db > np.percentile(level_db, 95) - below_loud_db)


def num_blinks(track: FaceTrack, fps: float = FPS) -> int:
    """Times that the eyes shut and open again within `LONGEST_BLINK_S`."""
    usual = float(np.percentile(track.eye_opening, 60))
    shut = np.concatenate([[False], track.eye_opening < BLINK_SHARE * usual, [False]])
    starts, ends = np.flatnonzero(shut[1:] & ~shut[:-1]), np.flatnonzero(~shut[1:] & shut[:-1])
    return int(((ends - starts) <= LONGEST_BLINK_S * fps).sum())


def jerk(motion: NDArray[np.float32]) -> NDArray[np.float64]:
    """Third difference of [T, k], each channel over its own typical step; RMS over channels, [T - 3].

    Entry i is made of frames i to i + 3.
    """
    steps = np.diff(motion.astype(np.float64), axis=0)
    scale = np.sqrt((steps**2).mean(axis=0))
    moving = scale > 1e-6
    if not moving.any() or len(steps) < 3:
        return np.zeros(max(0, len(motion) - 3))
    return np.asarray(np.sqrt(((np.diff(steps[:, moving], n=2, axis=0) / scale[moving]) ** 2).mean(axis=1)))


def join_and_inside_jerk(motion: Motion, joins: Sequence[int]) -> tuple[list[float], list[float]]:
    """Jerk of each join (the largest of those that span it) and of places as far from any join as may be, taken alike.

    joins: first frames of clips. Camera channels count too.
    """
    values = jerk(motion)

    def across(at: int) -> float | None:
        span = values[max(0, at - 3) : at]
        return float(span.max()) if len(span) else None

    edges = [0, *joins, len(motion)]
    middles = [(a + b) // 2 for a, b in pairwise(edges) if b - a >= 10]
    inside = [value for at in middles if (value := across(at)) is not None]
    return [value for at in joins if (value := across(at)) is not None], inside


@dataclass(frozen=True, slots=True)
class Likeness:
    """A shown face against the person whose voice it speaks, in speech. What a predictor of the mean cannot win at is in here.

    lip_r: correlation of aperture and jaw, slow part taken away. rounding_r: of the mouth's width. closure: how surely the
    lips are nearer together where the person's are shut than elsewhere (area under the ROC curve: 0.5 is chance, 1 always).
    liveliness: spread of the aperture over the person's.
    """

    lip_r: float
    rounding_r: float
    closure: float | None
    liveliness: float


def likeness(shown: FaceTrack, person: FaceTrack) -> Likeness:
    """Over the frames that both have and in which both were found."""
    num = min(len(shown.found), len(person.found))
    rows = shown.found[:num] & person.found[:num]
    aperture = [without_slow_part(track.aperture[:num, None])[:, 0] for track in (shown, person)]
    width = [without_slow_part(track.mouth_width[:num, None]) for track in (shown, person)]
    shut = person.aperture[:num] < SHUT_APERTURE
    return Likeness(
        lip_r=agreement(without_slow_part(shown.lips[:num]), person.lips[:num], rows).r,
        rounding_r=agreement(np.repeat(width[0], 2, axis=1), np.repeat(width[1], 2, axis=1), rows).r,
        closure=_area_under_roc(-shown.aperture[:num][rows], shut[rows]),
        liveliness=float(aperture[0][rows].std() / max(float(aperture[1][rows].std()), 1e-6)),
    )


def _area_under_roc(score: NDArray[np.float32], positive: NDArray[np.bool_]) -> float | None:
    """Chance that a positive one scores above a negative one (Mann and Whitney 1947); None without ten of each."""
    num = int(positive.sum())
    if num < 10 or len(positive) - num < 10:
        return None
    ranks = np.argsort(np.argsort(score)) + 1.0
    return float((ranks[positive].sum() - num * (num + 1) / 2) / (num * (len(positive) - num)))


def endpoint_errors(motion: Motion, anchors: Sequence[Keyframe], fps: int) -> list[float]:
    """For each anchor, the RMS difference of the frame drawn there from it, over the channels that it fixes."""
    errors: list[float] = []
    for anchor in anchors:
        frame = anchor.pts // ticks_per_frame(fps)
        if 0 <= frame < len(motion) and anchor.mask.any():
            errors.append(float(np.sqrt(((motion[frame] - anchor.motion)[anchor.mask] ** 2).mean())))
    return errors


def d_prime(with_it: Sequence[float], without: Sequence[float]) -> float:
    """Difference of means over the pooled spread (Green & Swets 1966). Each needs two values at least."""
    spread = np.sqrt((np.var(with_it, ddof=1) + np.var(without, ddof=1)) / 2)
    return float((np.mean(with_it) - np.mean(without)) / max(spread, 1e-6))
