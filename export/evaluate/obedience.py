"""The transformer by itself: does its face do what the words say, and how much of it?

python -m export.evaluate.obedience MODEL --talking DIR [--voices 6] [--json]

For each action that it draws (others are planned: `streamer.gestures`) and each emotion, the offline cascade draws the same
recordings with and without the words. Of each drawing one number is read, the one that the words should move; d′ is the
difference of its means over its pooled spread, and `share` the difference over what the training data shows. `rostrum bench
instructions` reads the same off rendered pictures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.catalog import load_motion_model
from engines.motion import INDEX, LIDS, Motion
from engines.prompts import DRAWN_ACTIONS, EMOTIONS
from export.evaluate.motion_figures import d_prime
from export.evaluate.motion_val import FPS, Cascade
from export.evaluate.talking import read_folder
from streamer.director import ACTION_S
from streamer.plan import Beat, Storyline, pts_from_s

BEGINS_S = 1.2  # when the words come into force
LASTS_S = 3.6  # of recording

Readout = Callable[[Motion], float]


def _mean(*names: str) -> Readout:
    return lambda m: float(m[:, [INDEX[name] for name in names]].mean(axis=1).max())


def _held(*names: str) -> Readout:
    return lambda m: float(m[:, [INDEX[name] for name in names]].mean())


def _apart(name: str) -> Readout:
    """How far one side is ahead of the other."""
    return lambda m: float(np.abs(m[:, INDEX[name + "Left"]] - m[:, INDEX[name + "Right"]]).mean())


def _swing(name: str) -> Readout:
    """Of what changes within a second."""

    def read(m: Motion) -> float:
        x = m[:, INDEX[name]].astype(np.float64)
        slow = np.convolve(np.pad(x, FPS // 2, mode="edge"), np.ones(FPS) / FPS, mode="same")[FPS // 2 : -(FPS // 2)]
        return float(np.ptp(x - slow[: len(x)]))

    return read


def _farthest(sign: float, name: str) -> Readout:
    return lambda m: float((sign * m[:, INDEX[name]]).max())


def _gaze_left(sign: float) -> Readout:
    left, right = (INDEX["eyeLookOutLeft"], INDEX["eyeLookInRight"]), (INDEX["eyeLookInLeft"], INDEX["eyeLookOutRight"])
    return lambda m: float((sign * (m[:, left].mean(axis=1) - m[:, right].mean(axis=1))).max())


def _gaze_up(sign: float) -> Readout:
    up, down = (INDEX["eyeLookUpLeft"], INDEX["eyeLookUpRight"]), (INDEX["eyeLookDownLeft"], INDEX["eyeLookDownRight"])
    return lambda m: float((sign * (m[:, up].mean(axis=1) - m[:, down].mean(axis=1))).max())


def _roll(m: Motion) -> float:
    return float(np.abs(m[:, INDEX["headRoll"]]).max())


def _shut(m: Motion) -> float:
    return float((m[:, LIDS].min(axis=1) > 0.6).mean())


#: What to read for each action, and about what the training data shows of it.
ACTION_READOUTS: dict[str, tuple[Readout, float]] = {
    "nod": (_swing("headPitch"), 0.22), "tilt": (_roll, 0.17),
    "turn_left": (_farthest(1, "headYaw"), 0.27), "turn_right": (_farthest(-1, "headYaw"), 0.27),
    "look_left": (_gaze_left(1), 0.7), "look_right": (_gaze_left(-1), 0.7),
    "look_up": (_gaze_up(1), 0.7), "look_down": (_gaze_up(-1), 0.7),
    "lean_in": (_farthest(1, "headZ"), 0.26), "lean_back": (_farthest(-1, "headZ"), 0.26),
    "raise_brows": (_mean("browOuterUpLeft", "browOuterUpRight"), 0.8),
    "frown": (_mean("browDownLeft", "browDownRight"), 0.75), "close_eyes": (_shut, 0.55),
    "laugh": (_mean("mouthSmileLeft", "mouthSmileRight", "cheekSquintLeft", "cheekSquintRight"), 0.65),
}  # fmt: skip
EMOTION_READOUTS: dict[str, Readout] = {
    "joy": _held("mouthSmileLeft", "mouthSmileRight"),
    "excitement": _held("mouthSmileLeft", "mouthSmileRight", "browOuterUpLeft"),
    "confusion": _apart("browOuterUp"),
    "sadness": _held("mouthFrownLeft", "mouthFrownRight", "browInnerUp"),
    "surprise": _held("eyeWideLeft", "eyeWideRight", "browInnerUp"),
    "anger": _held("browDownLeft", "browDownRight"),
    "fear": _held("eyeWideLeft", "eyeWideRight", "browInnerUp"),
    "disgust": _held("noseSneerLeft", "noseSneerRight"),
    "contempt": _apart("mouthSmile"),
}


def drawn(cascades: Sequence[Cascade], voices: Sequence[NDArray[np.int16]], beat: Beat | None) -> list[Motion]:
    """The motion from `BEGINS_S` on, [n, 64], of each voice by its cascade; calm before, and `beat` (or calm) after."""
    motions = []
    for cascade, voice in zip(cascades, voices, strict=True):
        beats = (Beat(pts_from_s(0), beat.start if beat else None), *((beat,) if beat else ()))
        if beat and beat.end is not None:
            beats = (*beats, Beat(beat.end))
        motion, _, _ = cascade.draw(voice, Storyline(1, beats))
        motions.append(motion[round(BEGINS_S * FPS) :])
    return motions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--talking", type=Path, required=True)
    parser.add_argument("--voices", type=int, default=6)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    length = round(LASTS_S * 16_000)
    clips = [clip.audio for clip in read_folder(args.talking) if len(clip.audio) >= 2.8 * 16_000][:: 40 // (2 * args.voices)]
    voices = [np.pad(audio[:length], (0, max(0, length - len(audio)))) for audio in clips[: args.voices]]
    model = load_motion_model(args.model)
    cascades = [Cascade(model, 1000 * seed) for seed in range(len(voices))]
    plain = drawn(cascades, voices, None)
    figures: dict[str, dict[str, float]] = {}
    for action in DRAWN_ACTIONS:
        read, shown = ACTION_READOUTS[action]
        start = pts_from_s(BEGINS_S)
        beat = Beat(start, pts_from_s(BEGINS_S + ACTION_S[action]), action=action)
        values, before = [read(m) for m in drawn(cascades, voices, beat)], [read(m) for m in plain]
        share = (np.mean(values) - np.mean(before)) / (shown - np.mean(before))
        figures[action] = {"d": round(d_prime(values, before), 2), "share": round(float(share), 2)}
    for emotion in EMOTIONS[1:]:
        read = EMOTION_READOUTS[emotion]
        before = [read(m) for m in plain]
        levels = [
            [read(m) for m in drawn(cascades, voices, Beat(pts_from_s(BEGINS_S), None, emotion, amount))]
            for amount in (0.35, 0.9)
        ]
        row = {"d": d_prime(levels[1], before), "low": float(np.mean(levels[0])), "high": float(np.mean(levels[1]))}
        figures[emotion] = {name: round(value, 2) for name, value in row.items()}
    if args.json:
        print(json.dumps(figures))
        return
    for name, row in figures.items():
        print(f"{name:12s} " + "  ".join(f"{key} {value:6.2f}" for key, value in row.items()))


if __name__ == "__main__":
    main()
