"""Ten emotions as blendshape patterns, after the action units of FACS (Ekman, Friesen & Hager 2002)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engines.lips import inner_lip_aperture
from engines.motion import INDEX, Motion
from export.train.data.curves import Track, ease, frame_times, smooth, wander


@dataclass(frozen=True, slots=True)
class Emotion:
    """``face``: weights at intensity 1; a name without Left or Right means both sides. ``head``: pose it is held in.

    ``gaze``: (left, up). ``pace``: how lively head and brows are. ``effort``: size of the lips' movements.
    """

    face: dict[str, float]
    head: dict[str, float] = field(default_factory=dict)
    gaze: tuple[float, float] = (0.0, 0.0)
    pace: float = 1.0
    effort: float = 1.0


EMOTIONS: dict[str, Emotion] = {
    "calm": Emotion({"mouthSmile": 0.1, "eyeSquint": 0.05, "browInnerUp": 0.04}, pace=0.8),
    "joy": Emotion(
        {"mouthSmile": 0.88, "cheekSquint": 0.6, "eyeSquint": 0.14, "mouthDimple": 0.25, "browOuterUp": 0.18,
        "browInnerUp": 0.12},
        {"headPitch": 0.03, "headRoll": 0.02}, pace=1.15, effort=1.05,
    ),
    "excitement": Emotion(
        {"mouthSmile": 0.7, "eyeWide": 0.6, "browInnerUp": 0.5, "browOuterUp": 0.75, "cheekSquint": 0.35},
        {"headZ": 0.06, "headPitch": 0.03}, pace=1.7, effort=1.2,
    ),
    "confusion": Emotion(
        {"browDownLeft": 0.85, "browInnerUp": 0.4, "browOuterUpRight": 0.85, "eyeSquintLeft": 0.4, "mouthLeft": 0.32,
        "mouthFrown": 0.3,
         "mouthPress": 0.2, "noseSneerLeft": 0.2, "mouthShrugUpper": 0.15},
        {"headRoll": 0.12, "headZ": -0.04}, gaze=(0.1, 0.1), pace=0.9,
    ),
    "sadness": Emotion(
        {"browInnerUp": 1.0, "mouthFrown": 0.85, "mouthShrugLower": 0.38, "browDown": 0.15, "eyeBlink": 0.18,
        "mouthPress": 0.1},
        {"headPitch": -0.1, "headRoll": 0.04, "headY": 0.03}, gaze=(0.0, -0.22), pace=0.6, effort=0.88,
    ),
    "surprise": Emotion(
        {"eyeWide": 1.0, "browInnerUp": 0.95, "browOuterUp": 1.0, "mouthFunnel": 0.12}, {"headZ": -0.05,
        "headPitch": 0.05}, pace=1.0, effort=1.1
    ),
    "anger": Emotion(
        {"browDown": 1.0, "noseSneer": 0.6, "eyeSquint": 0.4, "eyeWide": 0.2, "mouthFrown": 0.5, "mouthPress": 0.2,
        "jawForward": 0.2,
         "mouthStretch": 0.12},
        {"headPitch": -0.07, "headZ": 0.1}, pace=1.4, effort=1.15,
    ),
    "fear": Emotion(
        {"browInnerUp": 1.0, "browOuterUp": 0.4, "browDown": 0.25, "eyeWide": 0.95, "mouthStretch": 0.7, "mouthFrown": 0.35},
        {"headZ": -0.12, "headPitch": -0.03}, gaze=(0.05, 0.0), pace=1.3,
    ),
    "disgust": Emotion(
        {"noseSneer": 1.0, "mouthUpperUp": 0.3, "browDown": 0.6, "eyeSquint": 0.5, "cheekSquint": 0.5, "mouthFrown": 0.45,
         "mouthShrugLower": 0.4, "mouthShrugUpper": 0.2},
        {"headZ": -0.07, "headYaw": 0.09, "headPitch": 0.03}, pace=0.9, effort=0.95,
    ),
    "contempt": Emotion(
        {"mouthSmileLeft": 0.72, "mouthDimpleLeft": 0.75, "mouthLeft": 0.2, "eyeSquint": 0.35, "browOuterUpRight": 0.6,
        "browDownLeft": 0.3,
         "cheekSquintLeft": 0.35, "mouthPress": 0.1},
        {"headPitch": 0.07, "headRoll": -0.06}, gaze=(0.0, -0.06), pace=0.7, effort=0.92,
    ),
}  # fmt: skip


def both_sides(name: str) -> tuple[str, ...]:
    """``mouthSmile`` → both its channels; a full channel name → itself."""
    return (name,) if name in INDEX else (name + "Left", name + "Right")


def strength(intensity: float) -> float:
    """Weight of the pattern: half the intensity already shows."""
    return float(intensity) ** 0.7


def expression_track(
    num_frames: int, beats: list[tuple[float, str, float]], rng: np.random.Generator
) -> tuple[Motion, dict[str, Track]]:
    """Face and held pose for ``beats`` of (start_s, emotion, intensity), and tracks of what the rest of the body asks for.

    Onsets take 0.3–0.6 s. Returns motion [T, 64] and {"gazeLeft", "gazeUp", "pace", "effort"}, each [T].
    """
    t = frame_times(num_frames)
    share: list[Track] = []  # how far each beat is in force; they add up to 1
    for i, (start_s, _, _) in enumerate(beats):
        rise = np.ones(num_frames) if i == 0 else ease((t - start_s + 0.1) / rng.uniform(0.3, 0.6))
        for earlier in range(len(share)):
            share[earlier] = share[earlier] * (1 - rise)
        share.append(rise)
    motion = np.zeros((num_frames, len(INDEX)))
    asks = {key: np.zeros(num_frames) for key in ("gazeLeft", "gazeUp")} | {k: np.ones(num_frames) for k in ("pace", "effort")}
    for part, (_, name, intensity) in zip(share, beats, strict=True):
        emotion, weight = EMOTIONS[name], strength(intensity)
        mirrored = rng.random() < 0.2
        living = part * weight * (1 + 0.1 * np.clip(wander(num_frames, 1.6, rng), -1.5, 1.5))
        for key, value in emotion.face.items():
            for channel in both_sides(key):
                motion[:, INDEX[_mirror(channel) if mirrored else channel]] += living * value * rng.uniform(0.9, 1.1)
        for key, value in emotion.head.items():
            sign = rng.choice([-1, 1]) if key in ("headYaw", "headRoll") else 1
            motion[:, INDEX[key]] += part * weight * value * sign * rng.uniform(0.7, 1.3)
        asks["gazeLeft"] += part * weight * emotion.gaze[0] * rng.choice([-1, 1])
        asks["gazeUp"] += part * weight * emotion.gaze[1]
        for key, value in (("pace", emotion.pace), ("effort", emotion.effort)):
            asks[key] += part * weight * (value - 1)
    return smooth(motion, 0.1).astype(np.float32), asks


def _mirror(channel: str) -> str:
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if channel.endswith(side):
            return channel[: -len(side)] + other
    return channel


def with_expression(lips: Motion, face: Motion) -> Motion:
    """Lay speech over an expression, [T, 64] both: contact stays contact, and round lips smile less."""
    out = face.copy()
    rounded = np.clip(0.9 * lips[:, INDEX["mouthPucker"]] + 0.4 * lips[:, INDEX["mouthFunnel"]], 0.0, 0.7)
    moving = np.clip(inner_lip_aperture(lips) / 0.06, 0.0, 1.0)
    for name in ("mouthSmile", "mouthFrown", "mouthStretch", "mouthDimple"):
        for channel in both_sides(name):
            out[:, INDEX[channel]] *= 1 - rounded
    for name in ("mouthPress", "mouthShrugLower"):  # these would keep speaking lips together
        for channel in both_sides(name):
            out[:, INDEX[channel]] *= 1 - 0.8 * moving
    out += lips
    shut = 1 - np.clip(inner_lip_aperture(lips) / 0.03, 0.0, 1.0)
    excess = shut * np.maximum(inner_lip_aperture(out) - inner_lip_aperture(lips), 0.0)
    out[:, INDEX["mouthClose"]] += excess / 0.44
    return out
