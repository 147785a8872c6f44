"""Displacement fields of the 52 ARKit blendshapes, written by hand in canonical face coordinates.

A field says where skin goes when its weight is 1, in eye distances. The lips tear: points are asked for the field of the
skin *above* the lip line and of the skin *below* it, both smoothly continued across the line; away from the mouth the two
agree. Shapes and amounts follow the reference poses of Apple's ARKit documentation; the amount by which the lips part is
that of `engines.lips.APERTURE_GAIN`. Lids and gaze are not here: `eyes` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.codecs.portrait.face import (
    CHIN,
    LOWER_INNER,
    LOWER_OUTER,
    MOUTH_CORNERS,
    UPPER_INNER,
    UPPER_OUTER,
    Face,
)
from engines.codecs.portrait.planes import Array, smoothstep
from engines.lips import APERTURE_GAIN
from engines.motion import BLENDSHAPES

BROW_INNER = {"Right": (55, 107, 65, 66), "Left": (285, 336, 295, 296)}
BROW_OUTER = {"Right": (46, 70, 53, 63), "Left": (276, 300, 283, 293)}
BROW = {"Right": (55, 107, 65, 66, 52, 105, 53, 63, 46, 70), "Left": (285, 336, 295, 296, 282, 334, 283, 293, 276, 300)}
CHEEK = {"Right": (50, 205, 36), "Left": (280, 425, 266)}
UNDER_EYE = {"Right": (119, 118, 100), "Left": (348, 347, 329)}
NOSE_WING = {"Right": (129, 98, 203), "Left": (358, 327, 423)}
CHEEK_LOW = {"Right": (187, 207, 214), "Left": (411, 427, 434)}
NOSE_BASE = 2


@dataclass(frozen=True, slots=True, eq=False)
class MouthFrame:
    """The mouth's coordinates: s runs from -1 to 1 between the corners, v is the distance below the lip line."""

    centre: Array  # [2], canonical
    along: Array  # [2], unit vector from the speaker's right corner to the left one
    half_width: float
    line_s: Array  # [k]; the lip line, v0 at s
    line_v: Array
    upper_thickness: float
    lower_thickness: float
    gap_s: Array  # [k]; the picture's own opening between the inner lips, gap_v at s
    gap_v: Array

    @property
    def rest_gap(self) -> float:
        """Inner-lip opening of the picture in the middle, eye distances."""
        return float(self.gap_v[len(self.gap_v) // 2])

    @property
    def smallness(self) -> float:
        """By how much less than people's a small mouth, as drawings have it, moves: 1 for people."""
        return float(np.clip(self.half_width / 0.25, 0.5, 1.0))

    def gap_at(self, s: Array) -> Array:
        """Height of the picture's own opening at s, eye distances."""
        return np.interp(s, self.gap_s, self.gap_v, left=0, right=0).astype(np.float32)

    @classmethod
    def of(cls, face: Face) -> MouthFrame:
        """Measured from the landmarks."""
        right, left = (face.at(i)[:2] for i in MOUTH_CORNERS)
        along = (left - right) / np.linalg.norm(left - right)
        down = np.array((-along[1], along[0]), np.float32)
        centre, half = (left + right) / 2, float(np.linalg.norm(left - right) / 2)
        upper = face.canonical(face.landmarks[list(UPPER_INNER)])[:, :2] - centre
        lower = face.canonical(face.landmarks[list(LOWER_INNER)])[:, :2] - centre
        line = (upper + lower) / 2
        s = np.concatenate(([-1.0], line @ along / half, [1.0])).astype(np.float32)
        v = np.concatenate(([0.0], line @ down, [0.0])).astype(np.float32)
        order = np.argsort(s)
        outer_up = (face.canonical(face.landmarks[list(UPPER_OUTER)])[:, :2] - centre) @ down
        outer_low = (face.canonical(face.landmarks[list(LOWER_OUTER)])[:, :2] - centre) @ down
        return cls(
            centre.astype(np.float32), along.astype(np.float32), half, s[order], v[order],
            float(max(0.03, (upper @ down)[5] - outer_up[5])), float(max(0.03, outer_low[5] - (lower @ down)[5])),
            (line @ along / half).astype(np.float32), np.maximum(0, (lower - upper) @ down).astype(np.float32),
        )  # fmt: skip

    def locate(self, q: Array) -> tuple[Array, Array]:
        """(s, v) of canonical points [n, >=2]; beyond the corners the lip line runs on level."""
        p = q[:, :2] - self.centre
        s = p @ self.along / self.half_width
        v = p @ np.array((-self.along[1], self.along[0]), np.float32) - np.interp(s, self.line_s, self.line_v)
        return s.astype(np.float32), v.astype(np.float32)


class FaceFields:
    """Evaluates the fields of one face at any points."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self.mouth = MouthFrame.of(face)
        self.chin_drop = float(face.at(CHIN)[1] - self.mouth.centre[1])  # lip line to chin, eye distances
        self.nose_drop = float(self.mouth.centre[1] - face.at(NOSE_BASE)[1])

    def evaluate(self, q: Array) -> tuple[Array, Array]:
        """Displacements of canonical points [n, 3]: (above, below), each float32 [52, n, 3] in eye distances."""
        s, v = self.mouth.locate(q)
        above = self._side(q, s, np.minimum(v, 0.0), upper=True)
        below = self._side(q, s, np.maximum(v, 0.0), upper=False)
        return above, below

    def bump(self, q: Array, centre: Array, rx: float, ry: float) -> Array:
        """A Gaussian hill of height 1, [n]."""
        return np.exp(-(((q[:, 0] - centre[0]) / rx) ** 2) - ((q[:, 1] - centre[1]) / ry) ** 2).astype(np.float32)

    def cheek(self, s: Array) -> Array:
        """How far the line through the mouth's corners goes down with the jaw, [n]: the upper lip stays, the corners follow."""
        a = np.abs(s)
        return (0.36 * np.where(a < 1, a**2.5, np.exp(-(((a - 1) * self.mouth.half_width / 0.42) ** 2)))).astype(np.float32)

    def gap(self, s: Array) -> Array:
        """Outline of the open mouth: 1 in the middle, 0 from the corners on, [n]."""
        return ((1 - self.cheek(s)) * np.clip(1 - s * s, 0, 1) ** 0.62).astype(np.float32)

    def jaw(self, s: Array, v: Array, upper: bool) -> Array:
        """How far the skin goes down with the jaw (1: as far as the lower lip), [n]."""
        h = self.mouth.half_width
        a, cheek = np.asarray(np.abs(s), np.float32), self.cheek(s)
        if upper:
            return (cheek * np.exp(-((v / (0.9 * self.nose_drop + 0.12)) ** 2))).astype(np.float32)
        line = cheek + self.gap(s)
        # Below the lips the bone moves as one; its outline is the jaw, its lower end the chin.
        bone = 1 - smoothstep(a * h, 0.05, 1.05)
        mix = smoothstep(v, -0.05, 0.95 * self.chin_drop)
        down = line * (1 - mix) + np.maximum(bone, cheek * 0.7) * mix
        neck = 1 - smoothstep(v, self.chin_drop * 0.85, self.chin_drop + 1.3)
        return (down * neck).astype(np.float32)

    def _side(self, q: Array, s: Array, v: Array, upper: bool) -> Array:
        m = self.mouth
        out = {name: np.zeros((len(q), 3), np.float32) for name in BLENDSHAPES}
        thick = m.upper_thickness if upper else m.lower_thickness
        sign = -1.0 if upper else 1.0  # away from the lip line
        a = np.abs(s)
        inside = np.clip(1 - a * a, 0, 1)  # relative part of the lips' own movement: none at the corners
        t = np.abs(v) / thick  # 0 at the line, 1 at the outer edge of the lip
        lip = np.exp(-((t / 1.9) ** 2))  # the lip and the skin it drags
        vermilion = np.clip(t, 0, 1) * np.exp(-(np.maximum(t - 1, 0) ** 2) / 1.2)  # grows through the lip, then fades
        around = np.exp(-((s / 1.7) ** 2) - (v / 0.30) ** 2)
        gain = APERTURE_GAIN

        small = m.smallness

        def add(name: str, weight: Array, dx: float = 0.0, dy: float = 0.0, dz: float = 0.0) -> None:
            amount = small if name.startswith(("jaw", "mouth", "tongue")) else 1.0
            out[name] += weight[:, None] * (np.array((dx, dy, dz), np.float32) * np.float32(amount))

        # Jaw
        jaw = self.jaw(s, v, upper)
        add("jawOpen", jaw, dy=gain["jawOpen"], dz=0.10)
        add("jawForward", jaw, dy=-0.015, dz=-0.12)
        add("jawLeft", jaw, dx=0.13, dy=0.02)
        add("jawRight", jaw, dx=-0.13, dy=0.02)
        # Closing against an open jaw: the upper lip comes down a third of the way, the lower lip up the rest.
        opening = self.gap(s)
        if m.rest_gap > 0:
            opening = np.maximum(opening, m.gap_at(s) / np.float32(m.rest_gap))
        seal = opening * (np.exp(-((v / (0.55 * self.nose_drop + 0.05)) ** 2)) if upper else np.exp(-((v / 0.30) ** 2)))
        add("mouthClose", seal, dy=-gain["mouthClose"] * 0.25 if upper else gain["mouthClose"] * 0.75)

        # Lips as a ring: narrowing and widening
        narrow = -np.tanh(s * 1.1) / np.tanh(1.1) * around
        add("mouthPucker", narrow, dx=0.115)
        add("mouthPucker", vermilion * np.exp(-((s / 0.75) ** 2)), dy=sign * (0.30 if upper else 0.16) * thick)
        add("mouthPucker", around, dz=-0.13)
        add("mouthFunnel", narrow, dx=0.095)
        add("mouthFunnel", inside * lip, dy=gain["mouthFunnel"] * (-0.45 if upper else 0.55))
        add("mouthFunnel", vermilion * np.exp(-((s / 0.8) ** 2)), dy=sign * 0.22 * thick)
        add("mouthFunnel", around, dz=-0.11)
        whole = np.exp(-((s / 2.2) ** 2) - (v / 0.42) ** 2)
        add("mouthLeft", whole, dx=0.09)
        add("mouthRight", whole, dx=-0.09)

        # Lips against each other
        press = vermilion * inside
        for side in ("Left", "Right"):
            half = smoothstep(s if side == "Left" else -s, -0.45, 0.45)
            add(f"mouthPress{side}", press * half, dy=-sign * 0.42 * thick)
            add(f"mouthPress{side}", self.bump(q, self._corner(side), 0.16, 0.12), dx=0.015 if side == "Left" else -0.015)
            if upper:
                raise_half = np.exp(-(((s if side == "Left" else -s) - 0.42) ** 2) / 0.30)
                drag = np.exp(-((v / (0.9 * self.nose_drop)) ** 2))
                add(f"mouthUpperUp{side}", raise_half * np.clip(1 - a, 0, 1) ** 0.7 * drag, dy=-0.055)
                add(f"mouthUpperUp{side}", self.bump(q, self.face.mean_at(NOSE_WING[side]), 0.13, 0.13), dy=-0.02)
            else:
                lower_half = np.exp(-(((s if side == "Left" else -s) - 0.40) ** 2) / 0.34)
                drag = np.exp(-((v / 0.30) ** 2))
                add(f"mouthLowerDown{side}", lower_half * np.clip(1 - a, 0, 1) ** 0.7 * drag, dy=0.07)
        if upper:
            add("mouthRollUpper", vermilion * inside, dy=0.50 * thick)
            add("mouthShrugUpper", inside**0.5 * lip, dy=-0.030, dz=-0.05)
            add("mouthShrugLower", inside * lip, dy=-0.028)
        else:
            add("mouthRollLower", vermilion * inside, dy=-0.50 * thick)
            chin = np.array((self.mouth.centre[0], self.mouth.centre[1] + 0.62 * self.chin_drop), np.float32)
            add("mouthShrugLower", inside * lip, dy=-0.045)
            add("mouthShrugLower", self.bump(q, chin, 0.30, 0.26) * smoothstep(v, 0.0, 0.12), dy=-0.055)
            add("mouthShrugUpper", inside * lip, dy=-0.024)
            add("tongueOut", inside * lip, dy=0.06)

        for side, x in (("Left", 1.0), ("Right", -1.0)):
            corner, cheek = self._corner(side), self.face.mean_at(CHEEK[side])
            near = self.bump(q, corner, 0.26 * small, 0.22 * small)
            lip_half = smoothstep(s * x, -0.1, 1.0) * np.exp(-((v / 0.22) ** 2)) * np.clip(2.6 - a, 0, 1)
            fold = self.bump(q, self.face.mean_at(CHEEK_LOW[side]), 0.26, 0.26)
            add(f"mouthSmile{side}", near, dx=0.044 * x, dy=-0.105)
            add(f"mouthSmile{side}", np.minimum(lip_half, 1), dx=0.028 * x)
            add(f"mouthSmile{side}", self.bump(q, cheek, 0.30, 0.24), dx=0.012 * x, dy=-0.050, dz=-0.03)
            add(f"mouthFrown{side}", self.bump(q, corner, 0.20 * small, 0.20 * small), dx=0.012 * x, dy=0.080)
            add(f"mouthDimple{side}", near, dx=0.062 * x, dy=-0.028, dz=0.03)
            add(f"mouthStretch{side}", near, dx=0.060 * x, dy=0.040)
            add(f"mouthStretch{side}", np.minimum(lip_half, 1), dx=0.035 * x, dy=0.01)
            add("cheekPuff", fold, dx=0.065 * x, dz=-0.10)
            add(f"cheekSquint{side}", self.bump(q, self.face.mean_at(UNDER_EYE[side]), 0.24, 0.15), dy=-0.050)
            add(f"noseSneer{side}", self.bump(q, self.face.mean_at(NOSE_WING[side]), 0.17, 0.19), dx=0.012 * x, dy=-0.075)
            add(f"noseSneer{side}", self.bump(q, self.face.mean_at(UNDER_EYE[side]), 0.20, 0.12), dy=-0.025)
            add(f"eyeSquint{side}", self.bump(q, self.face.mean_at(UNDER_EYE[side]), 0.22, 0.13), dy=-0.022)
            if upper:
                brow, inner = self.face.mean_at(BROW[side]), self.face.mean_at(BROW_INNER[side])
                outer = self.face.mean_at(BROW_OUTER[side])
                add(f"browDown{side}", self.bump(q, brow, 0.24, 0.15), dx=-0.018 * x, dy=0.070)
                add(f"browDown{side}", self.bump(q, inner, 0.13, 0.13), dx=-0.020 * x, dy=0.020)
                add(f"noseSneer{side}", self.bump(q, inner, 0.15, 0.13), dx=-0.012 * x, dy=0.030)
                add("browInnerUp", self.bump(q, inner, 0.19, 0.19), dy=-0.095)
                add(f"browOuterUp{side}", self.bump(q, outer, 0.22, 0.17), dy=-0.090)
                add(f"eyeWide{side}", self.bump(q, brow, 0.26, 0.15), dy=-0.022)
                add(f"eyeBlink{side}", self.bump(q, brow, 0.24, 0.14), dy=0.010)
        return np.stack([out[name] for name in BLENDSHAPES])

    def _corner(self, side: str) -> Array:
        return self.face.at(MOUTH_CORNERS[1 if side == "Left" else 0])
