"""`rostrum bench idle`: minutes of silence drawn as a live broadcast draws them, and then a voice that comes and goes."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clients.bench import machine
from clients.bench.joins import FPS, Spoken, clips
from engines.motion import INDEX, LIDS, Motion
from engines.specs import SAMPLE_RATE_HZ
from streamer import gestures
from streamer.plan import Pts, pts_from_s
from streamer.recording import Recording, RecordingError
from streamer.render_worker import RenderWorker

_POSE = [INDEX[name] for name in INDEX if name.startswith(("head", "eyeLook", "brow")) or name == "breath"]
_SMOOTH = 5  # frames
_LEAST_LAG_S = 2.0  # a glance looks like itself for so long
_OPEN = 0.06  # of the jaw, over its median in silence
_WORD_S, _PAUSE_S = 1.2, 2.3


def run(arguments: argparse.Namespace) -> int:
    """0 measured; 1 with a message."""
    try:
        words = Recording.open(arguments.audio).voice if arguments.audio else None
    except (RecordingError, OSError) as error:
        print(f"rostrum bench idle: {error}", file=sys.stderr)
        return 1
    worker = RenderWorker()
    silent = _drawn(worker, _hiss(arguments.minutes * 60), arguments)
    found = {"minutes": arguments.minutes, **liveliness(silent)}
    if words is not None:
        voice, onsets_s = comings(words, arguments.onsets)
        found |= opening_lags(_drawn(worker, voice, arguments), onsets_s, float(np.median(silent[:, INDEX["jawOpen"]])))
    machine.show({**found, "machine": machine.facts()}, arguments.json)
    return 0


def liveliness(motion: Motion) -> dict[str, Any]:
    """Of motion [n, 64] in silence: whether it repeats, whether it ever stands still, how often it blinks."""
    pose = motion[:, _POSE].astype(np.float64)
    moving = pose.std(axis=0) > 1e-4
    pose = pose[:, moving] - pose[:, moving].mean(axis=0)
    pose /= pose.std(axis=0)
    lag, peak = strongest_repeat(pose)
    step = np.abs(np.diff(pose, axis=0)).mean(axis=1)
    still = np.convolve(step, np.ones(FPS) / FPS, "valid") < 0.1 * np.median(step)
    shut = motion[:, LIDS].min(axis=1) > 0.8
    return {
        "repeat_peak": round(peak, 3),
        "repeat_lag_s": round(lag / FPS, 2),
        "still_seconds": round(float(still.sum()) / FPS, 2),
        "blinks_per_min": round(float((np.diff(shut.astype(int)) > 0).sum()) / (len(motion) / FPS / 60), 1),
    }


def strongest_repeat(pose: NDArray[np.float64]) -> tuple[int, float]:
    """The lag in frames at which [n, k], of zero mean, is most like itself, and its correlation there; a third is kept over."""
    n = len(pose)
    first, last = round(_LEAST_LAG_S * FPS), 2 * n // 3
    spectrum = np.fft.rfft(pose, 2 * n, axis=0)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, axis=0)[:n].sum(axis=1)
    ends = np.cumsum((pose**2).sum(axis=1))
    lags = np.arange(first, last)
    energy = np.sqrt(ends[n - 1 - lags] * (ends[-1] - ends[lags - 1]))
    likeness = correlation[lags] / energy
    best = int(likeness.argmax())
    return int(lags[best]), float(likeness[best])


def comings(words: NDArray[np.int16], times: int) -> tuple[NDArray[np.int16], list[float]]:
    """Pieces of a recording between silences, and when each begins, by its own first loud sound."""
    length, pause = round(_WORD_S * SAMPLE_RATE_HZ), round(_PAUSE_S * SAMPLE_RATE_HZ)
    level = np.abs(words.astype(np.int32))
    loud = np.flatnonzero(level > 0.2 * np.percentile(level, 99.5))
    pieces, onsets, at = [], [], 0
    for start in np.linspace(0, max(0, len(words) - 2 * length), times).astype(int):
        first = int(loud[np.searchsorted(loud, start)]) if loud[-1] > start else int(loud[0])
        pieces += [_hiss(_PAUSE_S), words[first : first + length]]
        onsets.append((at + pause) / SAMPLE_RATE_HZ)
        at += pause + len(pieces[-1])
    return np.concatenate([*pieces, _hiss(_PAUSE_S)]), onsets


def opening_lags(motion: Motion, onsets_s: list[float], shut: float) -> dict[str, Any]:
    """From each onset of the voice to the jaw's opening, in milliseconds of the voice's own time: 0 is lips in time."""
    jaw = motion[:, INDEX["jawOpen"]]
    lags = []
    for onset_s in onsets_s:
        first = round((onset_s - 0.3) * FPS)
        opened = np.flatnonzero(jaw[first : first + FPS] > shut + _OPEN)
        if len(opened):
            lags.append(1e3 * ((first + opened[0]) / FPS - onset_s))
    return {
        "onsets": len(onsets_s),
        "opened": len(lags),
        "opening_ms_median": round(float(np.median(lags)), 1) if lags else None,
        "opening_ms_p95": round(float(np.percentile(lags, 95)), 1) if lags else None,
    }


def _hiss(seconds: float) -> NDArray[np.int16]:
    """As near to silence as a good microphone comes (-70 dB)."""
    return np.random.default_rng(0).normal(0, 10, round(seconds * SAMPLE_RATE_HZ)).astype(np.int16)


def _drawn(worker: RenderWorker, voice: NDArray[np.int16], arguments: argparse.Namespace) -> Motion:
    """As `clips` chains them, with the blinks that are planned on air; frame 0 is at time 0."""
    drawn = list(clips(worker, Spoken(voice), pts_from_s(arguments.segment), False, arguments.seed))
    assert drawn[0][0].start == 0
    return gestures.performed((), Pts(0), FPS, np.concatenate([motion for _, motion in drawn]))
