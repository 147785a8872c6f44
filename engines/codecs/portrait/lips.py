"""The mouth's window of a frame: upper lip, lower lip and what shows between them, put together pixel by pixel.

Each lip is warped by its own field. A pixel belongs to a lip if the place it comes from lies on that lip's side of the
inner lip contour; what belongs to neither is the inside of the mouth.
"""

from __future__ import annotations

import cv2
import numpy as np

from engines.codecs.portrait.face import Face
from engines.codecs.portrait.fields import MouthFrame
from engines.codecs.portrait.mouth import OPEN_AT_REST, MouthColours, keep_own_teeth, paint
from engines.codecs.portrait.planes import Array, Picture, half, mesh, take


class Lips:
    """The mouth of one face on its canvas, in a window whose upper left pixel is `offset`."""

    def __init__(self, face: Face, mouth: MouthFrame, canonical: Array, step: int, y: Array, uv: Array) -> None:
        """canonical: float32 [rows, columns, 3], the canonical coordinates of a grid `step` pixels apart; y, uv: the canvas."""
        self.face, self.mouth = face, mouth
        centre = face.landmarks[[61, 291], :2].mean(0)
        reach = np.array((mouth.half_width + 0.28, 0.75)) * face.unit
        height, width = y.shape
        left, top = np.clip((centre - reach).astype(int), 0, (width - 4, height - 4)) // 2 * 2
        right, bottom = np.clip((centre + reach).astype(int), (left + 4, top + 4), (width, height)) // 2 * 2
        self.offset = np.array((left, top), np.float32)[:, None, None]
        grid = mesh(right - left, bottom - top) + np.array((left, top), np.float32)
        q = take(canonical, (grid[..., 0] / np.float32(step), grid[..., 1] / np.float32(step)))
        s, v = mouth.locate(q.reshape(-1, 3))
        s, v = s.reshape(q.shape[:2]), v.reshape(q.shape[:2])
        unit = np.float32(face.unit)
        rows, cols = slice(int(top), int(bottom)), slice(int(left), int(right))
        chroma = cv2.resize(uv, (width, height), interpolation=cv2.INTER_LINEAR)[rows, cols]
        own = np.dstack((y[rows, cols], chroma))
        colours = MouthColours.of(face, y, uv)
        gap = mouth.gap_at(s)
        cover = np.clip(gap / 2 * unit - np.abs(v) * unit + 0.5, 0, 1)
        opened = mouth.rest_gap > OPEN_AT_REST and colours.unlike_lips(own[cover > 0.9])
        #: Opening of the picture's own mouth, eye distances; 0 where it is shut.
        self.rest_gap = mouth.rest_gap if opened else 0.0
        if not opened:
            gap, cover = np.zeros_like(s), np.zeros_like(s)
        #: Pixels beyond each lip's inner edge, positive outside the lip; nothing opens beyond the corners.
        self.edges = np.stack(((v + gap / 2) * unit, (gap / 2 - v) * unit)).astype(np.float32)
        self.corner = ((1 - np.abs(s)) * mouth.half_width * unit).astype(np.float32)
        if opened:
            own[..., 0] /= self._shade(*self.edges)  # the picture shows them in shade already
            colours = colours.with_teeth_of(own[cover > 0.9])
        upper, self.lower, self.cavity = paint(mouth, face, q, colours)
        self.upper = keep_own_teeth(upper, own, cover.astype(np.float32)) if opened else upper

    def edge(self, at: Array, lip: int) -> tuple[Array, Array]:
        """(pixels beyond the upper (0) or lower (1) lip's inner edge, pixels inside the corners) at window pixels [2, h, w]."""
        return take(self.edges[lip], at), take(self.corner, at)

    def interior(self, head: Array, jaw_shift: Array, under_upper: Array, over_lower: Array, depth: float) -> Array:
        """The inside of the mouth, YUV [h, w, 3].

        head: window pixels that follow the skull [2, h, w]; jaw_shift: [2], how far the jaw has moved, pixels;
        under_upper, over_lower: distance to the lips' edges, pixels [h, w]; depth: 0-1, 1 where lips pushed forward hide all.
        """
        cavity = take(self.cavity, head)
        seen = np.float32(1 - depth)
        lower = take(self.lower, head - jaw_shift[:, None, None]) * seen
        upper = take(self.upper, head) * seen
        inside = cavity * (1 - lower[..., 3:]) + lower[..., :3]
        inside = inside * (1 - upper[..., 3:]) + upper[..., :3]
        inside[..., 0] *= self._shade(under_upper, over_lower)
        return inside

    def _shade(self, under_upper: Array, over_lower: Array) -> Array:
        """What the lips leave of the light, a factor: soft and deep shade from above, thin from below."""
        unit = np.float32(self.face.unit)
        above = 0.50 * np.exp(-np.maximum(under_upper, 0) / (0.030 * unit))
        return np.asarray(1 - above - 0.25 * np.exp(-np.maximum(over_lower, 0) / (0.022 * unit)), np.float32)


def coverage(upper: tuple[Array, Array], lower: tuple[Array, Array]) -> tuple[Array, Array, tuple[Array, Array]]:
    """(coverage of the upper lip, of the lower lip [h, w], pixels beyond their edges) from their `Lips.edge`."""
    on_upper = np.clip(0.5 - upper[0], 0, 1)
    on_lower = np.minimum(np.clip(0.5 - lower[0], 0, 1), 1 - on_upper)
    total = on_upper + on_lower
    through = (1 - total) * np.clip(np.minimum(upper[1], lower[1]) * 0.5, 0, 1)
    # Where neither lip holds and nothing may open, the nearer one does.
    on_upper = np.where(total < 1e-3, upper[0] < lower[0], on_upper / np.maximum(total, 1e-3)) * (1 - through)
    return on_upper.astype(np.float32), (1 - through - on_upper).astype(np.float32), (upper[0], lower[0])


def compose(skin: list[Picture], on_upper: Array, on_lower: Array) -> Array:
    """The lips together, with nothing between. skin: [h, w] or [h, w, c] as the upper, the lower lip's field warps it."""
    if skin[0].ndim == 3:
        on_upper, on_lower = on_upper[..., None], on_lower[..., None]
    return skin[0] * on_upper + skin[1] * on_lower


def add_interior(y: Array, uv: Array, inside: Array, through: Array) -> None:
    """Add the inside of the mouth, YUV [h, w, 3], where it shows: through [h, w]. In place."""
    y += inside[..., 0] * through
    uv += half(inside[..., 1:] * through[..., None])
