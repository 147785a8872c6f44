"""The head as a solid: depth of every point of the picture, how much it follows the head, and the head's turn in depth."""

from __future__ import annotations

import numpy as np

from engines.codecs.portrait.face import CHIN, OVAL, Array, Face
from engines.codecs.portrait.fields import smoothstep
from engines.motion import INDEX, Motion

CAMERA_DISTANCE = 9.0  # eye distances, about 0.8 m
PIVOT = (0.0, 0.95, 0.75)  # the top of the neck, canonical
SIDE_DEPTH = 0.62  # depth of hair and ears, canonical
_POSE = slice(INDEX["headYaw"], INDEX["headZ"] + 1)


def rotation(yaw: float, pitch: float, roll: float) -> Array:
    """Rotation matrix in camera axes (x right, y down, z away): to the speaker's left, up, towards their left shoulder."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    turn = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (tilt @ turn @ nod).astype(np.float32)


class Head:
    """Depth and following of some points; moves them by a head pose."""

    def __init__(self, face: Face, points: Array) -> None:
        """points: float32 [n, 2], pixels of the face's grid."""
        self.face = face
        self.unit = np.float32(face.unit)
        z = _depth(face, points)
        pivot = face.origin + face.unit * (np.array(PIVOT, np.float32) @ face.axes)
        self.rest = np.column_stack((points, z)).astype(np.float32)
        self.canonical = face.canonical(self.rest)
        self.pivot = pivot.astype(np.float32)
        chin = float(face.at(CHIN)[1])
        q = self.canonical
        self.follow = 1 - smoothstep(q[:, 1] + 0.12 * q[:, 0] ** 2, chin - 0.15, chin + 1.05)

    def moved(self, expression: Array, motion: Motion) -> Array:
        """Where points go: [n, 2] pixels. expression: [n, 3], pixels; it takes part in the turn."""
        yaw, pitch, roll, x, y, z = (float(c) for c in motion[_POSE])
        if not (yaw or pitch or roll or x or y or z):
            return self.rest[:, :2] + expression[:, :2]
        distance = np.float32(CAMERA_DISTANCE) * self.unit
        solid = self.rest + expression
        turned = (solid - self.pivot) @ rotation(yaw, pitch, roll).T
        turned += self.pivot + self.unit * np.array((x, y, -z), np.float32)
        # The picture itself is seen in perspective: a point keeps its place as long as its depth stays.
        near = (distance + solid[:, 2] - self.face.origin[2]) / (distance + turned[:, 2] - self.face.origin[2])
        centre = self.face.origin[:2]
        seen = centre + (turned[:, :2] - centre) * near[:, None]
        still = solid[:, :2]
        return still + self.follow[:, None] * (seen - still)


def _depth(face: Face, points: Array) -> Array:
    """Depth in pixels [n]: the mesh's inside the face, running out to the depth of hair and ears."""
    marks = face.canonical(face.landmarks)[:468]
    oval = marks[list(OVAL)]
    middle = oval.mean(0)
    rings = [middle[:2] + (oval[:, :2] - middle[:2]) * k for k in (1.4, 1.9, 2.8)]
    known = np.vstack([marks[:, :2], *rings])
    depth = np.concatenate([marks[:, 2], *(np.full(len(oval), SIDE_DEPTH) for _ in rings)])
    # Biharmonic-like spline with kernel r (a membrane without overshoot), slightly smoothed.
    gram = np.linalg.norm(known[:, None] - known[None], axis=2) + 1e-6
    ones = np.ones((len(known), 1))
    system = np.block([[-gram + 0.02 * np.eye(len(known)), ones], [ones.T, np.zeros((1, 1))]])
    weights = np.linalg.solve(system, np.append(depth, 0.0))
    flat = np.column_stack((points, np.zeros(len(points), np.float32) + face.origin[2]))
    q = face.canonical(flat.astype(np.float32))[:, :2]
    low, high = oval[:, :2].min(0) - 1.5, oval[:, :2].max(0) + 1.5
    p = np.clip(q, low, high)
    values = np.empty(len(p), np.float32)
    for i in range(0, len(p), 4096):
        block = p[i : i + 4096]
        values[i : i + 4096] = -np.linalg.norm(block[:, None] - known[None], axis=2) @ weights[:-1] + weights[-1]
    values = np.clip(values, marks[:, 2].min() - 0.05, SIDE_DEPTH + 0.1)
    # From depth along the face's axis to depth along the camera's.
    x, y, z = face.axes[0], face.axes[1], face.axes[2]
    offset = points - face.origin[:2]
    # p = origin + unit*(qx*X + qy*Y + qz*Z): solve qx, qy from the picture's x, y at known qz.
    plane = np.linalg.inv(np.array([[x[0], y[0]], [x[1], y[1]]], np.float64))
    inner = (offset / face.unit - values[:, None] * z[None, :2]) @ plane.T
    return (face.origin[2] + face.unit * (inner[:, 0] * x[2] + inner[:, 1] * y[2] + values * z[2])).astype(np.float32)
