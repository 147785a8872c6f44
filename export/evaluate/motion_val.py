"""The transformer by itself, without pictures: does its motion follow real voices, and its face the words?

python -m export.evaluate.motion_val MODEL --talking DIR [--json]

MODEL is a name or a folder. Each recording of `DIR` is drawn by the offline cascade (blueprint, keyframes, sub-clips, joins
repaired), and its lips are held against a lip predictor fitted on all the other recordings. `rostrum bench motion` measures the
same on rendered pictures; this is the quick look while training.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.catalog import load_motion_model
from engines.features import LEAD_S, SpeechEncoder, first_time
from engines.lips import inner_lip_aperture
from engines.motion import INDEX, LIDS, Motion, rest
from engines.prompts import EMOTIONS
from engines.specs import MotionModel
from export.evaluate.lips import LipRegression, agreement, frame_features
from export.evaluate.motion_figures import endpoint_errors, join_and_inside_jerk, speech_frames
from export.evaluate.ridge_face import motion_from_lips
from export.evaluate.talking import FPS, TalkingClip, read_folder
from streamer import blueprint, gestures, keyframes, subclips
from streamer.plan import Beat, Blueprint, Keyframe, Pts, Storyline, SubClipJob, pts_from_s, s_from_pts, ticks_per_frame

FRAME = ticks_per_frame(FPS)
SEGMENT_S = 1.0
_TICKS_A_SAMPLE = 3
_LIPS = ((13, 14), (152, 6))  # landmarks: inner lips; chin and nose bridge
_EYES = (33, 263)


class Voice:
    """A recording as the stages read it: 16 kHz by PTS, silence outside."""

    def __init__(self, audio: NDArray[np.int16]) -> None:
        self._audio = audio
        self.end = Pts(len(audio) * _TICKS_A_SAMPLE)

    def read(self, start: Pts, end: Pts) -> NDArray[np.int16]:
        low, high = start // _TICKS_A_SAMPLE, end // _TICKS_A_SAMPLE
        out = np.zeros(high - low, np.int16)
        inside = self._audio[max(low, 0) : max(high, 0)]
        out[max(-low, 0) : max(-low, 0) + len(inside)] = inside
        return out


class Cascade:
    """The offline cascade in one process, motion only."""

    def __init__(self, model: MotionModel, seed: int = 0) -> None:
        self._model, self._seed, self._speech = model, seed, SpeechEncoder()

    def draw(self, audio: NDArray[np.int16], storyline: Storyline) -> tuple[Motion, list[int], list[Keyframe]]:
        """Motion [T, 64] at 25 fps, the first frame of each clip but the first, and the anchors."""
        voice = Voice(audio)
        end = Pts(voice.end // FRAME * FRAME)
        anchors = self._anchors(voice, storyline, end)
        jobs = [
            subclips.cut(i, 0, storyline, first, last, voice, FPS, self._seed)
            for i, (first, last) in enumerate(pairwise(anchors))
        ]
        clips = self._motions(jobs)
        repairs = [
            subclips.cut_repair(i, *two, (clips[i], clips[i + 1]), voice)
            for i, two in enumerate(pairwise(jobs))
        ]  # fmt: skip
        motion = np.concatenate(clips)
        for job, piece in zip(repairs, self._motions(repairs), strict=True):
            motion[job.start // FRAME : job.end // FRAME] = piece
        joins = [job.start // FRAME for job in jobs[1:] if job.start < end]
        return gestures.performed(storyline.beats, Pts(0), FPS, motion[: end // FRAME]), joins, anchors[1:]

    def _anchors(self, voice: Voice, storyline: Storyline, end: Pts) -> list[Keyframe]:
        anchors = [Keyframe(Pts(-FRAME), rest(), np.ones(rest().shape, np.bool_))]
        while anchors[-1].pts < end - FRAME:
            first = anchors[-1]
            start = Pts(first.pts - subclips.LEFT_CONTEXT)
            read = voice.read(start, Pts(first.pts + pts_from_s(6.0)))
            job = blueprint.BlueprintRoller().next_job(storyline, first, 0, read, start, self._seed + len(anchors))
            assert job is not None
            request = blueprint.motion_request(job, *self._features(job.audio, job.audio_start))
            drawn = Blueprint(0, first.pts, job.interval, self._model.generate([request])[0])
            found = keyframes.choose_all(drawn, first, pts_from_s(SEGMENT_S), FPS)
            anchors += found[: max(1, len(found) // 2)]
        return anchors

    def _motions(self, jobs: Sequence[SubClipJob]) -> list[Motion]:
        asked = [subclips.motion_request(job, *self._features(job.audio, job.audio_start)) for job in jobs]
        drawn = self._model.generate([request for request, _ in asked])
        return [motion[own] for motion, (_, own) in zip(drawn, asked, strict=True)]

    def _features(self, audio: NDArray[np.int16], start: Pts) -> tuple[NDArray[np.float32], Pts]:
        origin_s = s_from_pts(start)
        first_s, end_s = origin_s + LEAD_S, origin_s + len(audio) * _TICKS_A_SAMPLE / pts_from_s(1)
        return self._speech.encode(audio, first_s, end_s, origin_s=origin_s), pts_from_s(first_time(first_s))


def lips_of(motion: Motion) -> NDArray[np.float32]:
    """Aperture and jaw height [T, 2], about in eye distances, as the codec would show them."""
    return np.stack([inner_lip_aperture(motion), 0.44 * motion[:, INDEX["jawOpen"]]], axis=1)


def lips_seen(clip: TalkingClip) -> NDArray[np.float32]:
    """The same of a real face."""
    mesh = clip.landmarks[..., :2]
    eye = np.linalg.norm(mesh[:, _EYES[0]] - mesh[:, _EYES[1]], axis=1)
    pairs = [np.linalg.norm(mesh[:, a] - mesh[:, b], axis=1) / np.maximum(eye, 1e-6) for a, b in _LIPS]
    return np.stack(pairs, axis=1).astype(np.float32)


def story(emotion: str, intensity: float, action: str | None = None) -> Storyline:
    return Storyline(1, (Beat(Pts(0), None, emotion, intensity, action),))


def blinks_per_min(motion: Motion) -> float:
    shut = motion[:, LIDS].mean(axis=1) > 0.5
    return float((np.diff(shut.astype(int)) > 0).sum() / (len(motion) / FPS / 60))


def measure_lips(cascade: Cascade, clips: Sequence[TalkingClip], chosen: Sequence[TalkingClip]) -> dict[str, Any]:
    """Lips of `chosen` against predictors fitted on the other `clips`."""
    regression = LipRegression()
    encoder = SpeechEncoder()
    features = {clip.name: frame_features(encoder, clip.audio, clip.num_frames) for clip in clips}
    for clip in clips:
        regression.add(clip.name, features[clip.name], lips_seen(clip), clip.found)
    rows: list[dict[str, float]] = []
    at_joins: list[float] = []
    inside: list[float] = []
    for clip in chosen:
        predictor = regression.fit([clip.name])
        predicted = predictor.predict(features[clip.name])
        motion, joins, anchors = cascade.draw(clip.audio, story("calm", 0.5))
        lips, real = lips_of(motion), lips_seen(clip)
        speaking = speech_frames(clip.audio)[: len(lips)]
        shown = agreement(predicted, lips)
        baseline = lips_of(motion_from_lips(predicted))
        a, b = join_and_inside_jerk(motion, joins)
        at_joins += a
        inside += b
        rows.append(
            {
                "r": shown.r,
                "lag": shown.lag_frames,
                "r_real": agreement(predicted, real, clip.found).r,
                "r_to_real": agreement(lips, real, clip.found).r,  # how near the drawn lips come to those that were filmed
                "ridge_to_real": agreement(baseline, real, clip.found).r,
                "aperture_p90": float(np.percentile(lips[speaking, 0], 90)),
                "aperture_p90_ridge": float(np.percentile(baseline[speaking, 0], 90)),
                "aperture_std": float(lips[speaking, 0].std()),
                "closed": float((lips[speaking, 0] < 0.015).mean()),
                "closed_ridge": float((baseline[speaking, 0] < 0.015).mean()),
                "blinks": blinks_per_min(motion),
                "endpoint": float(np.mean(endpoint_errors(motion, anchors, FPS) or [0.0])),
            }
        )
    out = {name: round(float(np.median([row[name] for row in rows])), 3) for name in rows[0]}
    out["r_p10"] = round(float(np.percentile([row["r"] for row in rows], 10)), 3)
    out["lag_within_1"] = round(float(np.mean([abs(row["lag"]) <= 1 for row in rows])), 3)
    out["blinks_mean"] = round(float(np.mean([row["blinks"] for row in rows])), 1)
    out["join_jerk_ratio"] = round(float(np.median(at_joins) / max(float(np.median(inside)), 1e-9)), 3)
    return out


def measure_face(cascade: Cascade, audio: NDArray[np.int16]) -> dict[str, Any]:
    """What silence and the words of a prompt do."""
    still, _, _ = cascade.draw(np.zeros(8 * 16_000, np.int16), story("calm", 0.5))
    out: dict[str, Any] = {"silent_aperture": round(float(inner_lip_aperture(still).mean()), 4)}
    shown = {
        "smile": ("mouthSmileLeft", "mouthSmileRight"), "frown": ("mouthFrownLeft", "mouthFrownRight"),
        "brow_down": ("browDownLeft", "browDownRight"), "brow_up": ("browInnerUp",), "wide": ("eyeWideLeft", "eyeWideRight"),
    }  # fmt: skip
    for emotion in EMOTIONS:
        for intensity in (0.15, 0.95):
            motion, _, _ = cascade.draw(audio, story(emotion, intensity))
            out[f"{emotion} {intensity}"] = {
                name: round(float(motion[12:, [INDEX[c] for c in channels]].mean()), 2) for name, channels in shown.items()
            }
    nod, _, _ = cascade.draw(audio, story("calm", 0.5, "nod"))
    turned, _, _ = cascade.draw(audio, story("calm", 0.5, "turn_left"))
    out["nod_pitch_range"] = round(float(np.ptp(nod[:, INDEX["headPitch"]])), 3)
    out["turn_left_yaw_max"] = round(float(turned[:, INDEX["headYaw"]].max()), 3)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--talking", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="draw each n-th recording only (all serve the predictor)")
    parser.add_argument("--no-face", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    cascade = Cascade(load_motion_model(args.model))
    clips = read_folder(args.talking)
    figures = measure_lips(cascade, clips, clips[:: args.every])
    if not args.no_face:
        figures["face"] = measure_face(cascade, clips[0].audio[: 4 * 16_000])
    print(json.dumps(figures, indent=None if args.json else 1))


if __name__ == "__main__":
    main()
