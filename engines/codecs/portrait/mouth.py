"""What is behind the lips: cavity, tongue, lower teeth that move with the jaw, upper teeth fixed to the skull.

Painted once for each avatar in the place where it lies behind the closed lips, in the light and colours of the face.
Where the picture's own mouth is open, its own teeth stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from engines.codecs.portrait.face import LOWER_OUTER, UPPER_OUTER, Face
from engines.codecs.portrait.fields import MouthFrame
from engines.codecs.portrait.planes import Array, smoothstep

#: Widths of the teeth from the middle outwards as seen from the front, the arch turning away; in eye distances (90 mm).
UPPER_WIDTHS = (0.090, 0.068, 0.062, 0.046, 0.034, 0.022)
LOWER_WIDTHS = (0.058, 0.060, 0.060, 0.048, 0.036, 0.024)
UPPER_HEIGHTS = (0.115, 0.102, 0.112, 0.095, 0.085, 0.08)
UPPER_EDGE = 0.040  # how far the upper teeth come below the resting lip line
LOWER_EDGE = -0.016  # how far the lower teeth begin below it, where the jaw is shut
#: A mouth wider open than this at rest may show the picture's own teeth.
OPEN_AT_REST = 0.03
LIP_COLOUR_RANGE = 18  # levels within which lips vary in colour


@dataclass(frozen=True, slots=True)
class MouthColours:
    """YUV triples, 0-255."""

    teeth: Array
    gum: Array
    tongue: Array
    cavity: Array
    lips: Array

    @classmethod
    def of(cls, face: Face, y: Array, uv: Array) -> MouthColours:
        """From the light and colours of the face on its canvas planes."""
        marks = face.landmarks[:, :2]
        skin = _sample(marks, (50, 280, 205, 425, 4, 36, 266, 101, 330), y, uv, face.unit * 0.03)
        middle = (np.array(UPPER_OUTER)[3:8], np.array(LOWER_OUTER)[3:8])
        inner = (np.array((81, 82, 13, 312, 311)), np.array((178, 87, 14, 317, 402)))
        lips_at = np.concatenate([(marks[o] + marks[i]) / 2 for o, i in zip(middle, inner, strict=True)])
        lips = _sample(lips_at, tuple(range(len(lips_at))), y, uv, face.unit * 0.015)
        grey = np.array((0, 128, 128), np.float32)
        light = max(float(skin[0]) * 1.06 + 10, 60.0)
        chroma = np.array((0, *(skin[1:] - 128)), np.float32)
        lip_chroma = np.array((0, *(lips[1:] - 128)), np.float32)
        teeth = grey + (min(light, 226.0), 0, 0) + chroma * 0.5
        gum = grey + (0.62 * skin[0], 0, 0) + 0.5 * chroma + 0.75 * lip_chroma
        tongue = grey + (0.58 * skin[0], 0, 0) + 0.45 * chroma + 0.65 * lip_chroma
        cavity = grey + (max(10.0, 0.13 * skin[0]), 0, 0) + 0.35 * lip_chroma
        return cls(*(c.astype(np.float32) for c in (teeth, gum, tongue, cavity, lips)))

    def unlike_lips(self, inside: Array) -> bool:
        """Whether what lies between the lips, YUV [n, 3], is something else than more lip."""
        if not len(inside):
            return False
        y, u, v = np.abs(np.median(inside, axis=0) - self.lips)
        return bool(y + (u + v) / 2 > LIP_COLOUR_RANGE)

    def with_teeth_of(self, inside: Array) -> MouthColours:
        """Teeth as bright and as warm as those between the lips, YUV [n, 3]."""
        bright = inside[inside[:, 0] >= np.percentile(inside[:, 0], 60)]
        return replace(self, teeth=np.median(bright, axis=0).astype(np.float32))


def _sample(marks: Array, indices: tuple[int, ...], y: Array, uv: Array, radius: float) -> Array:
    """The median YUV around some points."""
    values = []
    for x0, y0 in marks[list(indices)]:
        r = max(1, round(radius))
        rows = np.clip(np.arange(round(float(y0)) - r, round(float(y0)) + r + 1), 0, y.shape[0] - 1)
        cols = np.clip(np.arange(round(float(x0)) - r, round(float(x0)) + r + 1), 0, y.shape[1] - 1)
        chroma = uv[np.ix_(np.minimum(rows // 2, uv.shape[0] - 1), np.minimum(cols // 2, uv.shape[1] - 1))]
        values.append((np.median(y[np.ix_(rows, cols)]), *np.median(chroma.reshape(-1, 2), axis=0)))
    return np.median(np.array(values), axis=0).astype(np.float32)


def paint(mouth: MouthFrame, face: Face, q: Array, colours: MouthColours) -> tuple[Array, Array, Array]:
    """(upper set, lower set, cavity) at canonical points [h, w, 3].

    The sets are float32 [h, w, 4]: premultiplied YUV and coverage; the cavity [h, w, 3]. The upper set lies where it is
    behind the resting lips, the lower where it is with the jaw shut.
    """
    p = q[..., :2] - mouth.centre
    down = np.array((-mouth.along[1], mouth.along[0]), np.float32)
    size = float(np.clip(mouth.half_width / 0.29, 0.75, 1.25))
    middle = float(np.interp(0.0, mouth.line_s, mouth.line_v))
    x, y = (np.asarray(axis, np.float32) for axis in ((p @ mouth.along) / size, (p @ down - middle) / size))
    soft = 0.9 / (face.unit * size)  # about a pixel
    upper = _teeth(x, y - UPPER_EDGE, UPPER_WIDTHS, UPPER_HEIGHTS, colours, soft, upper=True)
    lower = _teeth(x, -(y - LOWER_EDGE), LOWER_WIDTHS, (0.09,) * 6, colours, soft, upper=False)
    lower = _tongue(x, y, lower, colours)
    depth = np.clip(1 - (x / 0.36) ** 2, 0, 1)[..., None]
    cavity = colours.cavity * (1, 1, 1) + (colours.cavity - (0, 128, 128)) * (0.5, 0, 0) * depth
    return upper, lower, cavity.astype(np.float32)


def _teeth(
    x: Array, y: Array, widths: tuple[float, ...], heights: tuple[float, ...], colours: MouthColours, soft: float, upper: bool
) -> Array:
    """A row of teeth hanging down to y = 0 (the lower row is drawn upside down)."""
    a = np.abs(x)
    coverage, shade, gum = np.zeros_like(x), np.ones_like(x), np.zeros_like(x)
    left = 0.0
    curve = 0.10 * a * a if upper else 0.16 * a * a  # the arch rises to the sides
    for i, (width, height) in enumerate(zip(widths, heights, strict=True)):
        centre = left + width / 2
        u = (a - centre) / (width / 2)
        short = (0.0, 0.009, 0.002, 0.012, 0.016, 0.02)[i] if upper else 0.003 * i
        # Rounded corners: a superellipse bounds the crown below, straight sides above.
        edge = y + curve + short
        corner = 0.022 * np.abs(u) ** (5 if upper else 4)
        crown = np.clip((-(edge + corner)) / (2 * soft) + 0.5, 0, 1)
        inside = np.abs(u) <= 1 + soft / width
        tooth = crown * inside
        root = np.clip((-(edge) - height * (1 - 0.12 * u * u)) / (3 * soft + 0.012), 0, 1)
        round_off = 1 - 0.12 * np.abs(u) ** 3  # each crown is a little cylinder
        glow = 1 + 0.05 * np.exp(-(((edge + 0.045) / 0.03) ** 2)) - 0.06 * np.exp(-((edge / 0.012) ** 2))
        turn = 1 - 0.62 * smoothstep(np.full_like(x, centre), 0.07, 0.34)  # the arch turns into the dark
        seam = 1 - 0.22 * np.exp(-(((1 - np.abs(u)) * width / 2 / max(soft, 0.004)) ** 2))
        new = tooth > coverage
        shade = np.where(new, round_off * glow * turn * seam, shade)
        gum = np.where(new, root, gum)
        coverage = np.maximum(coverage, tooth)
        left += width
    light = 1.0 if upper else 0.80
    grey = np.array((0, 128, 128), np.float32)
    colour = colours.teeth * (1 - gum[..., None]) + colours.gum * gum[..., None]
    colour = (colour - grey) * (shade * light)[..., None] + grey
    coverage = coverage * (a < left + soft)
    return np.dstack((colour * coverage[..., None], coverage)).astype(np.float32)


def _tongue(x: Array, y: Array, lower: Array, colours: MouthColours) -> Array:
    """The tongue behind the lower teeth, moving with the jaw."""
    top = -0.115 + 2.2 * x * x
    depth = y - top  # from its far, high back to its tip behind the lower teeth
    shape = smoothstep(depth, -0.010, 0.030) * (1 - smoothstep(np.abs(x), 0.15, 0.23))
    lit = 0.42 + 0.58 * smoothstep(depth, 0.0, 0.11)
    groove = 1 - 0.20 * np.exp(-((x / 0.016) ** 2)) * (1 - smoothstep(depth, 0.06, 0.13))
    grey = np.array((0, 128, 128), np.float32)
    colour = (colours.tongue - grey) * (lit * groove * (1 - 0.45 * smoothstep(np.abs(x), 0.05, 0.21)))[..., None] + grey
    behind = (shape * (1 - lower[..., 3]))[..., None]
    return np.dstack((lower[..., :3] + colour * behind, lower[..., 3] + behind[..., 0])).astype(np.float32)


def keep_own_teeth(upper: Array, picture: Array, gap: Array) -> Array:
    """Lay the picture's own open mouth over the upper set. picture: YUV [h, w, 3]; gap: coverage of the opening [h, w]."""
    share = cv2.GaussianBlur(gap, (0, 0), 0.8)[..., None]
    share = np.maximum(share, gap[..., None])
    colour = upper[..., :3] * (1 - share) + picture * share
    return np.dstack((colour, upper[..., 3] * (1 - share[..., 0]) + share[..., 0])).astype(np.float32)
