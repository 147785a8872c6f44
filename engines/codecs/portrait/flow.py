"""Where each pixel of a frame comes from: forward displacements on a coarse grid, inverted, laid over the frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.codecs.portrait.face import Face
from engines.codecs.portrait.fields import NUM_SHAPES, FaceFields
from engines.codecs.portrait.head import Head
from engines.codecs.portrait.planes import Array, Picture, mesh, smoothstep, take
from engines.codecs.portrait.view import View
from engines.motion import INDEX, Motion

MOST_STEPS = 8  # of the inversion
CLOSE_ENOUGH = 0.012  # grid steps, about a twelfth of a pixel
LEAST_AREA = 0.08  # of a cell squeezed by extreme motion


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Canvas pixels that the cells of a frame show, one cell more on each side: float32 [rows + 2, columns + 2, 2].

    above, below: by the field of the skin above and below the lip line; chosen: the one that holds; head: by the head alone,
    around the mouth only. is_lower: 1 where the field below holds, uint8 [rows + 2, columns + 2].
    """

    above: Array
    below: Array
    chosen: Array
    head: Array
    is_lower: Picture


class Flow:
    """The two displacement fields of a face on the canvas: of the skin above the lip line and of the skin below it."""

    def __init__(self, view: View, face: Face, crown_cut: bool = False) -> None:
        """face: on the canvas; crown_cut: the picture's upper edge cuts the head, whose crown then stays there."""
        self.view, self.face = view, face
        self.step = int(np.clip(round(face.unit / 26 / 2), 2, 5)) * 2  # even: chroma cells are half as large
        width, height = view.canvas_size
        self.grid = (height // self.step + 2, width // self.step + 2)  # rows, columns
        nodes = mesh(self.grid[1], self.grid[0]) * np.float32(self.step)
        points = nodes.reshape(-1, 2)
        self.head = Head(face, points)
        q = self.head.canonical
        fields = FaceFields(face)
        self.fields = fields
        # Fields live in a window around the face; beyond it they vanish.
        reach = (np.abs(q[:, 0]) < 1.45) & (q[:, 1] > -1.0) & (q[:, 1] < 2.6)
        rows, cols = np.nonzero(reach.reshape(self.grid))
        self.window = slice(rows.min(), rows.max() + 1), slice(cols.min(), cols.max() + 1)
        self.inner = np.arange(len(q)).reshape(self.grid)[self.window].ravel()  # the window's nodes
        inner = q[self.inner]
        edge = (1 - smoothstep(np.abs(inner[:, 0]), 1.1, 1.45)) * smoothstep(inner[:, 1], -1.0, -0.7)
        above, below = (self._to_pixels(side * edge[:, None]) for side in fields.evaluate(inner))
        self.basis = np.ascontiguousarray(np.stack((above, below), axis=1))  # [52, 2 sides, 3, nodes of the window]
        self.lip_side = fields.mouth.locate(q)[1].reshape(self.grid)
        inside = self.lip_side[self.window]
        corners = inside[:-1, :-1], inside[1:, 1:], inside[1:, :-1], inside[:-1, 1:]  # of each cell
        self.sides = np.maximum.reduce(corners) < 0, np.minimum.reduce(corners) > 0
        from_edge = (points[:, 1] - view.corner[1]) / face.unit
        self.free = smoothstep(from_edge, 0.0, 0.9) if crown_cut else np.ones(len(points), np.float32)
        self.shoulders = self._shoulder_field(q, points)
        self.inner_free, self.inner_shoulders = self.free[self.inner], self.shoulders[:, self.inner]

    def _to_pixels(self, fields: Array) -> Array:
        """[52, n, 3] eye distances along the face's axes to [52, 3, n] pixels along the camera's."""
        return (fields @ self.face.axes * np.float32(self.face.unit)).transpose(0, 2, 1).astype(np.float32)

    def _shoulder_field(self, q: Array, points: Array) -> Array:
        """Pixels down for (raise, breath), [2, n]: the chest rises, its lower end stays."""
        unit = self.face.unit
        below = 1 - self.head.follow
        bottom = float(self.view.corner[1] + self.view.scaled[1])
        neck = float(self.face.landmarks[152, 1]) + 0.5 * unit
        span = max(bottom - neck, 0.3 * unit)
        fade = 1 - smoothstep(points[:, 1], neck + 0.15 * span, bottom)
        side = smoothstep(np.abs(q[:, 0]), 0.2, 1.1)
        amount = min(1.0, span / (1.2 * unit))
        lift = below * fade * (0.35 + 0.65 * side) * amount
        chest = below * fade * amount
        return np.stack((-0.16 * unit * lift, -0.045 * unit * chest)).astype(np.float32)

    def forward(self, motion: Motion) -> tuple[Array, Array, Array]:
        """Displacements of the grid's nodes: (above, below, head alone), each float32 [rows, columns, 2], in grid steps."""
        # Not by `@`: on a busy machine the threads of numpy's BLAS wait for each other longer than the sum takes.
        expression = np.einsum("k,kscn->scn", motion[:NUM_SHAPES], self.basis)
        x, y = self.head.moved(motion)
        raised = motion[[INDEX["shoulderRaise"], INDEX["breath"]]]
        y = y * self.free + np.einsum("k,kn->n", raised, self.shoulders)
        alone = np.dstack((x.reshape(self.grid), y.reshape(self.grid))) * np.float32(1 / self.step)
        rows, cols = self.window
        shape = rows.stop - rows.start, cols.stop - cols.start
        sides = []
        for side in expression:
            x, y = self.head.moved(motion, self.inner, side)
            y = y * self.inner_free + np.einsum("k,kn->n", raised, self.inner_shoulders)
            whole = alone.copy()
            whole[self.window] = np.dstack((x.reshape(shape), y.reshape(shape))) * np.float32(1 / self.step)
            sides.append(whole)
        calm = min(self._calm(side, mask) for side, mask in zip(sides, self.sides, strict=True))
        if calm < 1:
            return sides[0] * np.float32(calm), sides[1] * np.float32(calm), alone * np.float32(calm)
        return sides[0], sides[1], alone

    def _calm(self, displacement: Array, where: NDArray[np.bool_]) -> float:
        """The share of a displacement that leaves every cell of the window, where it is used, at LEAST_AREA of its area."""
        part = displacement[self.window]
        across, down = part[:-1, 1:] - part[:-1, :-1], part[1:, :-1] - part[:-1, :-1]
        area = (1 + across[..., 0]) * (1 + down[..., 1]) - across[..., 1] * down[..., 0]
        least = float(area[where].min(initial=1.0))
        return 1.0 if least >= LEAST_AREA else (1 - LEAST_AREA) / (1 - least)

    def cells(self, motion: Motion, camera: Array) -> Sources:
        """What the cells of the frame show. camera: frame pixels to canvas pixels, [2, 3]."""
        step = self.step
        width, height = self.view.size
        x = (np.arange(-1, -(-width // step) + 1, dtype=np.float32) + 0.5) * step - 0.5
        y = (np.arange(-1, -(-height // step) + 1, dtype=np.float32) + 0.5) * step - 0.5
        at = np.empty((len(y), len(x), 2), np.float32)
        at[..., 0] = camera[0, 0] * x + camera[0, 1] * y[:, None] + camera[0, 2]
        at[..., 1] = camera[1, 0] * x + camera[1, 1] * y[:, None] + camera[1, 2]
        at *= np.float32(1 / step)
        fields = self.forward(motion)
        above = _inverse(fields[0], at)
        below = above.copy()
        rows = self._below_rows(fields, at)
        below[rows] = _inverse(fields[1], at[rows])
        head = above.copy()
        part = self._near_mouth(above, below)
        head[part] = _inverse(fields[2], np.ascontiguousarray(at[part]))
        is_lower = (take(self.lip_side, below) > 0).astype(np.uint8)
        chosen = cv2.copyTo(below, is_lower, above.copy())
        scale = np.float32(step)
        return Sources(above * scale, below * scale, chosen * scale, head * scale, is_lower)

    def _below_rows(self, fields: tuple[Array, Array, Array], at: Array) -> slice:
        """The rows of cells that may show the surroundings of the mouth or what is below it."""
        moved = max(float(cv2.norm(field, cv2.NORM_INF)) for field in fields[:2]) * self.step / self.face.unit
        near = (take(self.lip_side, at) > -1.0 - 1.5 * moved).any(1)
        rows = np.flatnonzero(near)
        return slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)

    def _near_mouth(self, above: Array, below: Array) -> tuple[slice, slice]:
        """The cells that show the mouth's surroundings, where alone the skull's own movement is asked for."""
        centre = self.face.landmarks[[61, 291], :2].mean(0) / np.float32(self.step)
        reach = np.array((self.fields.mouth.half_width + 0.6, 1.2), np.float32) * np.float32(self.face.unit / self.step)
        low, high = tuple((centre - reach).tolist()), tuple((centre + reach).tolist())
        x, y, num_cols, num_rows = cv2.boundingRect(cv2.inRange(above, low, high) | cv2.inRange(below, low, high))
        return slice(y, y + num_rows), slice(x, x + num_cols)


def _inverse(displacement: Array, at: Array) -> Array:
    """Solve u + displacement(u) = at for u by fixed point; all in grid steps, float32 [h, w, 2]."""
    u = at
    if not at.size:
        return u
    for _ in range(MOST_STEPS):
        before, u = u, at - take(displacement, u)
        if cv2.norm(before, u, cv2.NORM_INF) < CLOSE_ENOUGH:
            break
    return u


def camera_matrix(motion: Motion, view: View) -> Array:
    """Frame pixels to canvas pixels, [2, 3]: what the virtual camera sees."""
    width, height = view.size
    x, y, zoom, roll = (float(c) for c in motion[INDEX["cameraX"] : INDEX["cameraRoll"] + 1])
    scale = np.exp(-zoom)
    # The camera may look no further than the canvas goes.
    cos, sin = np.cos(roll), np.sin(roll)
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    # A camera that turns clockwise sees the picture turn the other way.
    linear = scale * np.array([[cos, -sin], [sin, cos]])
    offset = centre + view.margin + np.array([x * width, y * height]) - linear @ centre
    return np.column_stack((linear, offset)).astype(np.float32)
