"""One clip: the beats of a small storyline, and the motion of somebody who speaks (or waits) through it."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.motion import BLENDSHAPES, INDEX, NUM_CHANNELS, Motion
from engines.prompts import CAMERA_MOVES, DRAWN_ACTIONS, EMOTIONS
from export.train.data import MOTION_FPS, SAMPLE_RATE_HZ, SAMPLES_PER_FRAME
from export.train.data.actions import action_track
from export.train.data.camera import camera_track, start_state
from export.train.data.coarticulation import Articulation, lip_motion
from export.train.data.curves import smooth
from export.train.data.expression import expression_track, with_expression
from export.train.data.idle import living, speech_mask
from export.train.data.speech import Phone
from export.train.data.wording import line
from export.train.whole import save_whole

_LIMITS = {"headYaw": 0.35, "headPitch": 0.25, "headRoll": 0.25, "headX": 0.25, "headY": 0.25, "headZ": 0.35}


@dataclass(frozen=True, slots=True)
class ClipBeat:
    """A beat of a clip, as the file format has it."""

    start_s: float
    end_s: float
    emotion: str
    intensity: float
    action: str | None
    camera: str
    camera_speed: float
    text: str


@dataclass(frozen=True, slots=True)
class Clip:
    """What a clip file holds; see the package's docstring."""

    motion: Motion
    audio: NDArray[np.int16]
    beats: tuple[ClipBeat, ...]
    weight: NDArray[np.float32]
    voice: str
    language: str
    kind: str
    split: str
    speech: NDArray[np.uint8]

    def save(self, path: Path) -> None:
        save_whole(
            path, motion=self.motion.astype(np.float16), audio=self.audio, weight=self.weight, speech=self.speech,
            beats=np.array(json.dumps([asdict(beat) for beat in self.beats], ensure_ascii=False)),
            voice=np.array(self.voice),
            language=np.array(self.language), kind=np.array(self.kind), split=np.array(self.split),
        )  # fmt: skip


def load_clip(path: Path) -> Clip:
    """Read a clip file; motion comes back as float32."""
    with np.load(path) as data:
        beats = tuple(ClipBeat(**beat) for beat in json.loads(str(data["beats"])))
        names = {key: str(data[key]) for key in ("voice", "language", "kind", "split")}
        return Clip(data["motion"].astype(np.float32), data["audio"], beats, data["weight"], speech=data["speech"], **names)


def storyline(duration_s: float, rng: np.random.Generator) -> tuple[ClipBeat, ...]:
    """Two or three moods over the clip, none under 2.4 s; an action takes all of its mood's beat, or, as the director cuts it,
    a beat of its own with the mood alone after it."""
    count = min(int(rng.choice([1, 2, 3], p=[0.15, 0.4, 0.45])), max(1, int(duration_s / 2.6)))
    edges = np.linspace(0, duration_s, count + 1)
    edges[1:-1] += rng.uniform(-0.3, 0.3, count - 1)
    beats = []
    camera, speed = "static", 0.5
    for start_s, end_s in itertools.pairwise(edges):
        emotion = "calm" if rng.random() < 0.2 else str(rng.choice(EMOTIONS))
        intensity = round(float(rng.uniform(0.1, 1.0)), 2)
        action = str(rng.choice(DRAWN_ACTIONS)) if rng.random() < 0.7 else None
        camera, speed = (
            ("static", 0.5)
            if rng.random() < 0.5
            else (str(rng.choice(CAMERA_MOVES[1:])), round(float(rng.uniform(0.1, 1.0)), 2))
        )
        pieces = [(start_s, end_s, action)]
        if action is not None and rng.random() < 0.6:
            cut_s = start_s + rng.uniform(1.0, min(2.6, end_s - start_s - 0.4))
            pieces = [(start_s, cut_s, action), (cut_s, end_s, None)]
        for from_s, to_s, does in pieces:
            text = line(emotion, intensity, does, camera, speed, rng)
            beats.append(
                ClipBeat(round(float(from_s), 3), round(float(to_s), 3), emotion, intensity, does, camera, speed, text)
            )
    return tuple(beats)


def perform(
    phones: tuple[Phone, ...], audio: NDArray[np.float32], beats: tuple[ClipBeat, ...], rng: np.random.Generator
) -> Motion:
    """Motion [T, 64] of a person who speaks ``phones`` in the moods of ``beats`` (audio: mono, 16 kHz; T = samples // 320)."""
    num_frames = len(audio) // SAMPLES_PER_FRAME
    speaking = smooth(speech_mask(phones, num_frames), 0.2)
    face, asks = expression_track(num_frames, [(b.start_s, b.emotion, b.intensity) for b in beats], rng)
    articulation = Articulation(amplitude=float(rng.uniform(1.0, 1.22)))
    lips = lip_motion(phones, audio, articulation) * np.clip(asks["effort"], 0.8, 1.25)[:, None].astype(np.float32)
    motion = living(phones, audio, asks, rng)
    mouth = np.zeros_like(motion)  # what an action does with the mouth while nobody speaks
    for beat in beats:
        if beat.action is not None:
            drawn = action_track(num_frames, beat.action, beat.start_s, beat.end_s - beat.start_s, rng)
            for name in ("jawOpen", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight"):
                mouth[:, INDEX[name]] += drawn[:, INDEX[name]] * (1 - speaking)
                drawn[:, INDEX[name]] = 0.0
            face += drawn
    motion += with_expression(lips, face) + mouth
    _asymmetry(motion, speaking, rng)
    camera = [(b.start_s, b.end_s, b.camera, b.camera_speed) for b in beats]
    motion[:, 60:64] = camera_track(num_frames, camera, start_state([b.camera for b in beats], rng), rng)
    return limited(motion)


def limited(motion: Motion) -> Motion:
    """Weights within 0–1, pose within the range that portraits bear, opposites not both at once."""
    out = motion.copy()
    shut = np.clip(out[:, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]], 0.0, 1.0)
    for name in ("eyeWide", "eyeSquint"):
        out[:, [INDEX[name + "Left"], INDEX[name + "Right"]]] *= 1 - 0.8 * shut
    for name, limit in _LIMITS.items():
        x = out[:, INDEX[name]] / limit
        knee = 0.7  # straight below, then bent towards 1
        bent = knee + (1 - knee) * np.tanh((np.abs(x) - knee) / (1 - knee))
        out[:, INDEX[name]] = limit * np.sign(x) * np.where(np.abs(x) <= knee, np.abs(x), bent)
    shapes = slice(0, len(BLENDSHAPES))
    out[:, shapes] = np.clip(out[:, shapes], 0.0, 1.0)
    out[:, 58:60] = np.clip(out[:, 58:60], 0.0, 1.0)
    return out.astype(np.float32)


def _asymmetry(motion: Motion, speaking: NDArray[np.float64], rng: np.random.Generator) -> None:
    """No face is even: sides differ by a few per cent, and the mouth speaks a little to one side."""
    for name in BLENDSHAPES:
        if name.endswith("Left") and name[:-4] + "Right" in INDEX and not name.startswith(("eyeBlink", "eyeLook")):
            tip = rng.normal(0, 0.05)
            motion[:, INDEX[name]] *= 1 + tip
            motion[:, INDEX[name[:-4] + "Right"]] *= 1 - tip
    side = "mouthLeft" if rng.random() < 0.5 else "mouthRight"
    motion[:, INDEX[side]] += (abs(rng.normal(0, 0.03)) * speaking).astype(np.float32)


def supervised_everywhere() -> NDArray[np.float32]:
    """The weights of a synthetic clip: every channel is known, [64]."""
    return np.ones(NUM_CHANNELS, np.float32)


def as_pcm(audio: NDArray[np.float32], num_frames: int) -> NDArray[np.int16]:
    """int16, exactly ``num_frames`` frames long (cut, or padded with silence)."""
    wanted = num_frames * SAMPLES_PER_FRAME
    fitted = np.pad(audio, (0, max(0, wanted - len(audio))))[:wanted]
    return np.round(np.clip(fitted, -1, 1) * 32767).astype(np.int16)


def seconds(num_frames: int) -> float:
    return num_frames / MOTION_FPS


assert SAMPLE_RATE_HZ == MOTION_FPS * SAMPLES_PER_FRAME
