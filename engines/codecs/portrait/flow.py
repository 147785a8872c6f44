"""Where each pixel of a frame comes from: forward displacements on a coarse grid, inverted, laid over the frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.codecs.portrait.face import Face
from engines.codecs.portrait.fields import FaceFields
from engines.codecs.portrait.head import Head, Points
from engines.codecs.portrait.planes import Array, Picture, mesh, smoothstep, take
from engines.codecs.portrait.view import View
from engines.motion import INDEX, Motion

COARSE_STEPS, FINE_STEPS = 6, 2  # of the inversion
CLOSE_ENOUGH = 0.01  # grid steps
SIDE_REACH = 0.7  # eye distances beyond the lip line up to which a lip's field is worked out
LEAST_MOVE = 1e-3  # eye distances; what moves less is left out
LEAST_AREA = 0.08  # of a cell squeezed by extreme motion


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Canvas pixels (x and y) that the cells of a frame show, one cell more on each side: float32 [2, rows + 2, columns + 2].

    above, below: by the field of the skin above and below the lip line; chosen: the one that holds; head: by the head alone,
    around the mouth only. is_lower: 1 where the field below holds, uint8 [rows + 2, columns + 2].
    """

    above: Array
    below: Array
    chosen: Array
    head: Array
    is_lower: Picture


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """The nodes of the grid in which one lip's field is worked out, and that field.

    rows, cols: of the grid; points: the nodes; free, shoulders: as in `Flow`; channels: those that move anything here;
    basis: float32 [len(channels), 3, n], pixels; used: the cells between nodes where the field is the one that holds.
    """

    rows: slice
    cols: slice
    points: Points
    free: Array
    shoulders: Array
    channels: NDArray[np.intp]
    basis: Array
    used: NDArray[np.bool_]


class Flow:
    """The two displacement fields of a face on the canvas: of the skin above the lip line and of the skin below it."""

    def __init__(self, view: View, face: Face, crown_cut: bool = False) -> None:
        """face: on the canvas; crown_cut: the picture's upper edge cuts the head, whose crown then stays there."""
        self.view, self.face = view, face
        self.step = int(np.clip(round(face.unit / 20 / 2), 2, 5)) * 2  # even: chroma cells are half as large
        width, height = view.canvas_size
        self.grid = (height // self.step + 2, width // self.step + 2)  # rows, columns
        nodes = mesh(self.grid[1], self.grid[0]) * np.float32(self.step)
        points = nodes.reshape(-1, 2)
        self.head = Head(face, points)
        q = self.head.canonical
        self.fields = FaceFields(face)
        self.lip_side = self.fields.mouth.locate(q)[1].reshape(self.grid)
        from_edge = (points[:, 1] - view.corner[1]) / face.unit
        self.free = smoothstep(from_edge, 0.0, 0.9) if crown_cut else np.ones(len(points), np.float32)
        self.shoulders = self._shoulder_field(q, points)
        self.sides = self._side(0, self.lip_side < SIDE_REACH), self._side(1, self.lip_side > -SIDE_REACH)

    def _side(self, lip: int, where: NDArray[np.bool_]) -> Side:
        """The upper (0) or lower (1) lip's side, worked out `where` [rows, columns] only, and near the face only."""
        q = self.head.canonical
        near = (np.abs(q[:, 0]) < 1.45) & (q[:, 1] > -1.0) & (q[:, 1] < 2.6)
        rows, cols = np.nonzero(near.reshape(self.grid) & where)
        window = slice(int(rows.min()), int(rows.max()) + 1), slice(int(cols.min()), int(cols.max()) + 1)
        nodes = np.arange(len(q)).reshape(self.grid)[window].ravel()
        q = q[nodes]
        edge = (1 - smoothstep(np.abs(q[:, 0]), 1.1, 1.45)) * smoothstep(q[:, 1], -1.0, -0.7)
        basis = self._to_pixels(self.fields.evaluate(q)[lip] * edge[:, None])
        channels = np.flatnonzero(np.abs(basis).max((1, 2)) > LEAST_MOVE * self.face.unit)
        line = self.lip_side[window] * (-1, 1)[lip]
        corners = line[:-1, :-1], line[1:, 1:], line[1:, :-1], line[:-1, 1:]  # of each cell
        return Side(
            *window, self.head.some(nodes), self.free[nodes], np.ascontiguousarray(self.shoulders[:, nodes]),
            channels, np.ascontiguousarray(basis[channels]), np.minimum.reduce(corners) > 0,
        )  # fmt: skip

    def _to_pixels(self, fields: Array) -> Array:
        """[52, n, 3] eye distances along the face's axes to [52, 3, n] pixels along the camera's."""
        return (fields @ self.face.axes * np.float32(self.face.unit)).transpose(0, 2, 1).astype(np.float32)

    def _shoulder_field(self, q: Array, points: Array) -> Array:
        """Pixels down for (raise, breath), [2, n]: the chest rises, its lower end stays."""
        unit = self.face.unit
        below = 1 - self.head.points.follow
        bottom = float(self.view.corner[1] + self.view.scaled[1])
        neck = float(self.face.landmarks[152, 1]) + 0.5 * unit
        span = max(bottom - neck, 0.3 * unit)
        fade = 1 - smoothstep(points[:, 1], neck + 0.15 * span, bottom)
        side = smoothstep(np.abs(q[:, 0]), 0.2, 1.1)
        amount = min(1.0, span / (1.2 * unit))
        lift = below * fade * (0.35 + 0.65 * side) * amount
        chest = below * fade * amount
        return np.stack((-0.28 * unit * lift, -0.045 * unit * chest)).astype(np.float32)

    def forward(self, motion: Motion) -> tuple[Array, Array, Array]:
        """Displacements of the grid's nodes: (above, below, head alone), each float32 [2, rows, columns], in grid steps."""
        per_step = np.float32(1 / self.step)
        raised = motion[[INDEX["shoulderRaise"], INDEX["breath"]]]
        # Sums not by `@`: on a busy machine the threads of numpy's BLAS wait for each other longer than the sum takes.
        alone = self.head.moved(motion, self.head.points)
        alone[1] = alone[1] * self.free + np.einsum("k,kn->n", raised, self.shoulders)
        alone = (alone * per_step).reshape(2, *self.grid)
        fields, calm = [], 1.0
        for side in self.sides:
            expression = np.einsum("k,kcn->cn", motion[side.channels], side.basis)
            moved = self.head.moved(motion, side.points, expression)
            moved[1] = moved[1] * side.free + np.einsum("k,kn->n", raised, side.shoulders)
            field = alone.copy()
            part = field[:, side.rows, side.cols]
            np.multiply(moved.reshape(part.shape), per_step, out=part)
            calm = min(calm, _calm(part, side.used))
            fields.append(field)
        if calm < 1:
            return fields[0] * np.float32(calm), fields[1] * np.float32(calm), alone * np.float32(calm)
        return fields[0], fields[1], alone

    def cells(self, motion: Motion, camera: Array) -> Sources:
        """What the cells of the frame show. camera: frame pixels to canvas pixels, [2, 3]."""
        step = self.step
        width, height = self.view.size
        x = (np.arange(-1, -(-width // step) + 1, dtype=np.float32) + 0.5) * step - 0.5
        y = (np.arange(-1, -(-height // step) + 1, dtype=np.float32) + 0.5) * step - 0.5
        at = np.empty((2, len(y), len(x)), np.float32)
        for axis, (across, down, shift) in enumerate(camera / np.float32(step)):
            np.add(across * x, (down * y + shift)[:, None], out=at[axis])
        fields = self.forward(motion)
        above = _inverse(fields[0], at)
        below = above.copy()
        rows = self._below_rows(fields, at)
        below[:, rows] = _inverse(fields[1], at[:, rows])
        head = above.copy()
        rows, cols = self._near_mouth(above, below)
        head[:, rows, cols] = _inverse(fields[2], at[:, rows, cols])
        is_lower = take(self.lip_side, below) > 0
        scale = np.float32(step)
        above, below, head = above * scale, below * scale, head * scale
        return Sources(above, below, np.where(is_lower, below, above), head, is_lower.astype(np.uint8))

    def _below_rows(self, fields: tuple[Array, Array, Array], at: Array) -> slice:
        """The rows of cells that may show the surroundings of the mouth or what is below it."""
        moved = max(float(cv2.norm(field[0], cv2.NORM_INF)) for field in fields[:2])
        moved = max(moved, *(float(cv2.norm(field[1], cv2.NORM_INF)) for field in fields[:2])) * self.step / self.face.unit
        near = (take(self.lip_side, at) > -SIDE_REACH - 1.5 * moved).any(1)
        rows = np.flatnonzero(near)
        return slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)

    def _near_mouth(self, above: Array, below: Array) -> tuple[slice, slice]:
        """The cells that show the mouth's surroundings, where alone the skull's own movement is asked for."""
        centre = self.face.landmarks[[61, 291], :2].mean(0) / np.float32(self.step)
        reach = np.array((self.fields.mouth.half_width + 0.6, 1.2), np.float32) * np.float32(self.face.unit / self.step)
        near = within(above, centre - reach, centre + reach) | within(below, centre - reach, centre + reach)
        x, y, num_cols, num_rows = cv2.boundingRect(near)
        return slice(y, y + num_rows), slice(x, x + num_cols)


def within(at: Array, low: Array, high: Array) -> Picture:
    """255 where places [2, h, w] lie in a box, else 0."""
    inside = [cv2.inRange(axis, float(least), float(most)) for axis, least, most in zip(at, low, high, strict=True)]
    return np.asarray(inside[0] & inside[1], np.uint8)


def _calm(displacement: Array, used: NDArray[np.bool_]) -> float:
    """The share of a displacement [2, h, w] that leaves every cell, where it is used, at LEAST_AREA of its area."""
    across, down = displacement[:, :-1, 1:] - displacement[:, :-1, :-1], displacement[:, 1:, :-1] - displacement[:, :-1, :-1]
    area = (1 + across[0]) * (1 + down[1]) - across[1] * down[0]
    least = float(area.min(initial=1.0, where=used))
    return 1.0 if least >= LEAST_AREA else (1 - LEAST_AREA) / (1 - least)


def _inverse(displacement: Array, at: Array) -> Array:
    """Solve u + displacement(u) = at for u by fixed point; all in grid steps, float32 [2, h, w].

    Most steps are taken for every other place only.
    """
    if not at.size:
        return at
    coarse = np.ascontiguousarray(at[:, ::2, ::2])
    shift = np.zeros_like(coarse)
    for _ in range(COARSE_STEPS):
        before, shift = shift, _displaced(displacement, coarse - shift)
        if cv2.norm(_flat(before), _flat(shift), cv2.NORM_INF) < CLOSE_ENOUGH / 2:
            break
    shift = np.stack([_doubled(axis, at.shape[1:]) for axis in shift])
    for _ in range(FINE_STEPS):
        shift = _displaced(displacement, at - shift)
    return at - shift


def _displaced(displacement: Array, at: Array) -> Array:
    moved = np.empty_like(at)
    for axis, into in zip(displacement, moved, strict=True):
        cv2.remap(axis, at[0], at[1], cv2.INTER_LINEAR, dst=into, borderMode=cv2.BORDER_REPLICATE)
    return moved


def _flat(field: Array) -> Array:
    """A field [2, h, w] as one plane."""
    return field.reshape(-1, field.shape[2])


def _doubled(plane: Array, shape: tuple[int, ...]) -> Array:
    """A plane whose pixels become every other one of a plane of that shape."""
    matrix, flags = np.diag((0.5, 0.5, 1))[:2], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


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
