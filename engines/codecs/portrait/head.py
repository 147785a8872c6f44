"""The head as a solid: depth of every point of the picture, how much it follows the head, and the head's turn in depth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.codecs.portrait.face import CHIN, OVAL, Face
from engines.codecs.portrait.planes import Array, mesh, smoothstep, take
from engines.motion import INDEX, Motion

CAMERA_DISTANCE = 9.0  # eye distances, about 0.8 m
PIVOT = (0.0, 0.95, 0.90)  # the top of the neck, canonical
SIDE_DEPTH = 0.80  # depth of hair and ears, canonical
DEPTH_CELL = 0.05  # eye distances
MAX_SLOPE = 1.6  # depth over width: no fold up to 0.5 rad of turn
RELIEF = 1.35  # face meshes found in pictures are flatter than heads
MAX_TURN = 0.8  # radians
_POSE = slice(INDEX["headYaw"], INDEX["headZ"] + 1)


def rotation(yaw: float, pitch: float, roll: float) -> Array:
    """Rotation matrix in camera axes (x right, y down, z away): to the speaker's left, up, towards their left shoulder."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    turn = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (tilt @ turn @ nod).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Some points of the head: from the pivot, pixels [3, n], and how much they follow the head, 0 to 1 [n]."""

    from_pivot: Array
    follow: Array


class Head:
    """Depth and following of some points; moves them by a head pose."""

    def __init__(self, face: Face, points: Array) -> None:
        """points: float32 [n, 2], pixels of the face's grid."""
        self.face = face
        z = _depth(face, points)
        pivot = face.origin + face.unit * (np.array(PIVOT, np.float32) @ face.axes)
        self.rest = np.column_stack((points, z)).astype(np.float32)
        self.canonical = face.canonical(self.rest)
        self.pivot = pivot.astype(np.float32)
        chin = float(face.at(CHIN)[1])
        q = self.canonical
        away = face.axes[2]
        self.turn = float(np.arctan2(-away[0], away[2]))  # the picture's own yaw
        # The neck gives way over a length that grows to the sides, where a tilt moves things most.
        side = np.asarray(np.abs(q[:, 0]), np.float32)
        start = chin - 0.15 - 0.12 * np.minimum(side, 1.5) ** 2
        follow = 1 - smoothstep((q[:, 1] - start) / (1.25 + np.maximum(side - 0.9, 0)), 0.0, 1.0)
        self.points = Points(np.ascontiguousarray((self.rest - self.pivot).T), follow)

    def some(self, nodes: NDArray[np.intp]) -> Points:
        """The points of these numbers."""
        return Points(np.ascontiguousarray(self.points.from_pivot[:, nodes]), self.points.follow[nodes])

    def moved(self, motion: Motion, points: Points, expression: Array | None = None) -> Array:
        """How far points move, pixels [2, n]. expression: [3, n], pixels; it takes part in the turn."""
        yaw, pitch, roll, x, y, z = (float(c) for c in motion[_POSE])
        solid = points.from_pivot
        if not (yaw or pitch or roll or x or y or z):
            return np.zeros_like(solid[:2]) if expression is None else expression[:2]
        if expression is not None:
            solid = solid + expression
        turned = np.einsum("rc,cn->rn", rotation(_bounded(yaw, self.turn), pitch, roll), solid)
        # The picture itself is seen in perspective: a point keeps its place as long as its depth stays.
        distance = CAMERA_DISTANCE * self.face.unit + self.pivot[2] - self.face.origin[2]
        near = (solid[2] + np.float32(distance)) / (turned[2] + np.float32(distance - self.face.unit * z))
        centre = (self.pivot - self.face.origin)[:2, None]
        shift = np.array(((x,), (y,)), np.float32) * np.float32(self.face.unit)
        step = turned[:2] + (centre + shift)
        step *= near
        step -= centre
        step -= solid[:2]
        step *= points.follow
        if expression is not None:
            step += expression[:2]
        return step


def _bounded(yaw: float, turn: float) -> float:
    """Less yaw the further a head is turned already: a picture knows nothing of the far side of a face."""
    return MAX_TURN * float(np.tanh((turn + yaw) / MAX_TURN) - np.tanh(turn / MAX_TURN))


def _depth(face: Face, points: Array) -> Array:
    """Depth in pixels [n]: the mesh's inside the face, running out to the depth of hair and ears."""
    marks = face.canonical(face.landmarks)[:468]
    oval = marks[list(OVAL)]
    middle = oval[:, :2].mean(0)
    rings = [middle + (oval[:, :2] - middle) * k for k in (1.4, 1.9, 2.8)]
    known = np.vstack([marks[:, :2], *rings])
    depth = np.concatenate([RELIEF * marks[:, 2], *(np.full(len(oval), SIDE_DEPTH) for _ in rings)])
    # A spline with kernel r (smooth, without overshoot), on a grid of its own.
    low, high = oval[:, :2].min(0) - 1.2, oval[:, :2].max(0) + 1.2
    size = np.ceil((high - low) / DEPTH_CELL).astype(int) + 1
    nodes = (mesh(int(size[0]), int(size[1])) * np.float32(DEPTH_CELL) + low.astype(np.float32)).reshape(-1, 2)
    gram = np.linalg.norm(known[:, None] - known[None], axis=2)
    ones = np.ones((len(known), 1))
    system = np.block([[-gram - 0.02 * np.eye(len(known)), ones], [ones.T, np.zeros((1, 1))]])
    weights = np.linalg.solve(system, np.append(depth, 0.0))
    values = weights[-1] - np.linalg.norm(nodes[:, None] - known[None].astype(np.float32), axis=2) @ weights[:-1]
    relief = np.clip(values, RELIEF * marks[:, 2].min() - 0.05, SIDE_DEPTH + 0.1).reshape(size[1], size[0]).astype(np.float32)
    relief = _gentle(cv2.GaussianBlur(relief, (0, 0), 0.07 / DEPTH_CELL), MAX_SLOPE * DEPTH_CELL)
    relief = np.asarray(cv2.GaussianBlur(relief, (0, 0), 0.06 / DEPTH_CELL), np.float32)
    flat = np.column_stack((points, np.full(len(points), face.origin[2]))).astype(np.float32)
    at = np.ascontiguousarray(((face.canonical(flat)[:, :2] - low) / DEPTH_CELL).astype(np.float32).T)
    parts = [at[:, None, i : i + 16384] for i in range(0, at.shape[1], 16384)]  # remap's longest row is 32766
    z = np.concatenate([take(relief, part)[0] for part in parts])
    # From depth along the face's axis to depth along the camera's: solve canonical x, y from the picture's at known z.
    x, y, toward = face.axes
    plane = np.linalg.inv(np.array([[x[0], y[0]], [x[1], y[1]]], np.float64))
    inner = ((points - face.origin[:2]) / face.unit - z[:, None] * toward[None, :2]) @ plane.T
    return (face.origin[2] + face.unit * (inner[:, 0] * x[2] + inner[:, 1] * y[2] + z * toward[2])).astype(np.float32)


def _gentle(relief: Array, rise: float) -> Array:
    """The highest surface below `relief` (nearer to the camera) that rises by no more than `rise` from cell to cell."""
    padded = relief.copy()
    for _ in range(max(relief.shape)):
        before = padded
        near = cv2.copyMakeBorder(before, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        straight = np.minimum.reduce([near[1:-1, :-2], near[1:-1, 2:], near[:-2, 1:-1], near[2:, 1:-1]]) + rise
        across = np.minimum.reduce([near[:-2, :-2], near[:-2, 2:], near[2:, :-2], near[2:, 2:]]) + rise * 2**0.5
        padded = np.minimum.reduce([before, straight, across]).astype(np.float32)
        if np.array_equal(padded, before):
            break
    return padded
