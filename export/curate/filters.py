"""The expert filters: what each one measures of a clip, and on which side of its threshold the clip passes.

Thresholds come from `weights/thresholds.json`, which `rostrum curate calibrate` writes: where a filter tells clean clips from
spoilt ones best. The three that count or measure the face in plain units (pixels, faces, degrees) are limits that the user may
set; calibration only checks that they are read right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from export.curate import coherence, lip_clarity, sound
from export.curate.faces import NoFaceFound
from export.curate.reading import Reading
from export.curate.sync import LEAST_FRAMES, SyncScorer

THRESHOLDS = Path(__file__).parent / "weights" / "thresholds.json"


@dataclass(frozen=True, slots=True)
class Filter:
    """name: also the manifest's column. high_is_good: passes at or above its threshold, else at or below it.
    fixed: the threshold where it is a limit in plain units and not calibrated. needs: what a clip must have to be judged."""

    name: str
    title: str
    high_is_good: bool
    fixed: float | None = None
    needs: str = "face"

    def passes(self, value: float, threshold: float) -> bool:
        return value >= threshold if self.high_is_good else value <= threshold

    def goodness(self, value: float) -> float:
        """Higher is better, for every filter."""
        return value if self.high_is_good else -value


FILTERS: tuple[Filter, ...] = (
    Filter("lip_clarity", "Lips clear", True),
    Filter("coherence", "Runs through", True),
    Filter("sync", "Lips in step with the sound", True, needs="face and sound"),
    Filter("sharpness", "Sharp", True),
    Filter("noise", "Free of noise", False),
    Filter("exposure", "Well lit", True),
    Filter("face_px", "Face large enough, pixels between the eyes", True, fixed=46.0, needs="picture"),
    Filter("face_share", "Face seen all the time", True, fixed=0.95, needs="picture"),
    Filter("num_faces", "One face", False, fixed=1.1, needs="picture"),
    Filter("turned", "Face turned to the camera, degrees", False, fixed=35.0),
    Filter("speech", "Somebody speaks", True, needs="sound"),
    Filter("music", "No music", False, needs="sound"),
    Filter("snr_db", "Voice above noise, dB", True, needs="sound"),
)
BY_NAME = {each.name: each for each in FILTERS}
#: Optional: only judged where the user gave weights and a least score.
AESTHETIC = Filter("aesthetic", "Aesthetics (LAION, 1–10)", True, fixed=4.5, needs="picture")


@dataclass(frozen=True, slots=True)
class Scores:
    """values: by filter, only what could be measured. facts: what else was found, for the manifest and the report."""

    values: Mapping[str, float]
    facts: Mapping[str, object] = field(default_factory=dict)


class Experts:
    """Scores readings by all filters. Holds the sync scorer's encoder; one for each process."""

    def __init__(self) -> None:
        """Raises FileNotFoundError where weights are missing."""
        self._sync = SyncScorer()

    def score(self, reading: Reading) -> Scores:
        """What cannot be measured (no face, no sound, too short) is left out, and so counts as not passed."""
        values: dict[str, float] = {}
        facts: dict[str, object] = {}
        track = reading.track
        values["face_px"] = track.eye_distance_px
        values["face_share"] = float(track.found.mean())
        values["num_faces"] = float(track.num_faces.mean())
        if reading.num_frames >= coherence.NUM_FRAMES:
            whole = coherence.coherence_of(reading.smalls, track, reading.size)
            values["coherence"], facts["cut_at_frame"] = whole.coherence, whole.at_frame
        if track.found.any():
            pose = np.abs(track.pose[track.found])
            values["turned"] = float(np.percentile(pose.max(axis=1), 90))
            yaw, pitch, roll = np.median(track.pose[track.found], axis=0).tolist()
            facts |= {"yaw": yaw, "pitch": pitch, "roll": roll}
        if len(reading.mouths):
            lips = lip_clarity.clarity_of(reading.mouths)
            values["lip_clarity"], facts["lip_fault"] = lips.clarity, lips.fault
        if reading.qualities:
            for name, pick in _QUALITY.items():
                values[name] = float(np.median([pick(quality) for quality in reading.qualities]))
        if len(reading.audio):
            heard = sound.measure(reading.audio)
            values |= {"speech": heard.speech, "music": heard.music, "snr_db": heard.snr_db}
            facts["level_db"] = heard.level_db
            if reading.num_frames >= LEAST_FRAMES:
                try:
                    score = self._sync.score(track.landmarks, reading.audio, 25, track.found)
                except (NoFaceFound, ValueError):  # told by face_share, or the sound is shorter than a second
                    pass
                else:
                    values["sync"] = score.in_step
                    facts |= {"sync_confidence": score.confidence, "sync_offset_frames": score.offset_frames}
        return Scores(values, facts)


_QUALITY: dict[str, Callable[..., float]] = {
    "sharpness": lambda quality: quality.sharpness,
    "noise": lambda quality: quality.noise,
    "exposure": lambda quality: quality.exposure,
}


def thresholds(path: Path = THRESHOLDS) -> dict[str, float]:
    """By filter: calibrated ones as measured, the rest as fixed. Raises ValueError for a file that is none of ours."""
    values = {each.name: each.fixed for each in FILTERS if each.fixed is not None}
    try:
        calibrated = json.loads(path.read_text())["filters"]
        values |= {each.name: float(calibrated[each.name]["threshold"]) for each in FILTERS if each.fixed is None}
    except FileNotFoundError:
        raise FileNotFoundError(f"there are no thresholds at {path}: write them with `rostrum curate calibrate`") from None
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} holds no thresholds ({error!r}): write it with `rostrum curate calibrate`") from None
    return values


def failed(scores: Scores, limits: Mapping[str, float]) -> list[str]:
    """The filters that a clip does not pass, most telling first: those named by `limits` alone are asked."""
    asked = [each for each in (*FILTERS, AESTHETIC) if each.name in limits]
    return [
        each.name
        for each in asked
        if each.name not in scores.values or not each.passes(scores.values[each.name], limits[each.name])
    ]
