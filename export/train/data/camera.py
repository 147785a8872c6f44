"""The virtual camera: moves that carry their state from beat to beat."""

from __future__ import annotations

import numpy as np

from export.train.data import MOTION_FPS
from export.train.data.curves import Track, bump, frame_times, smooth, wander
from streamer.blueprint import MOVES, camera_rate

PAN_LIMIT = 0.08
ZOOM_LIMIT = 0.4


def start_state(moves: list[str], rng: np.random.Generator) -> tuple[float, float, float]:
    """Where the camera is when the clip begins: mostly at the picture, somewhere else when the moves need the room."""
    x, y, zoom = [*rng.uniform(-0.05, 0.05, 2).tolist(), rng.uniform(0.05, 0.35)] if rng.random() < 0.3 else [0.0, 0.0, 0.0]
    first = next((m for m in moves if m in MOVES), "")
    if first == "zoom_out":
        zoom = float(rng.uniform(0.2, ZOOM_LIMIT))
    elif first == "zoom_in":
        zoom = min(zoom, 0.12)
    elif first:
        axis, sign = MOVES[first]
        x, y = (min(x * sign, 0.0) * sign, y) if axis == 0 else (x, min(y * sign, 0.0) * sign)
    return x, y, zoom


def camera_track(
    num_frames: int, beats: list[tuple[float, float, str, float]], start: tuple[float, float, float], rng: np.random.Generator
) -> Track:
    """x, y, zoom, roll, [T, 4], for ``beats`` of (start_s, end_s, move, speed): eased, and stopped at the limits."""
    t = frame_times(num_frames)
    low, high = np.array([-PAN_LIMIT, -PAN_LIMIT, 0.0]), np.array([PAN_LIMIT, PAN_LIMIT, ZOOM_LIMIT])
    track = np.zeros((num_frames, 4))
    state = np.array(start)
    velocity = np.zeros(3)
    wanted = np.zeros((num_frames, 3))
    for start_s, end_s, move, speed in beats:
        if move in MOVES:
            axis, sign = MOVES[move]
            wanted[(t >= start_s) & (t < end_s), axis] = sign * camera_rate(axis, speed)
        elif move == "shake":
            shaking = bump(t, start_s, 0.2, max(0.1, end_s - start_s - 0.4), 0.25)
            size = 0.002 + 0.007 * speed
            for column, share in ((0, 1.0), (1, 1.0), (3, 0.8)):
                track[:, column] += shaking * size * share * np.clip(wander(num_frames, 0.25, rng), -2, 2)
    for i in range(num_frames):
        room = np.where(wanted[i] >= 0, high - state, state - low)
        # slow down so as to come to rest at the limit
        goal = np.sign(wanted[i]) * np.minimum(np.abs(wanted[i]), np.maximum(room, 0.0) * 3.0)
        velocity += (goal - velocity) * (1 - np.exp(-1 / (0.12 * MOTION_FPS)))
        state = np.clip(state + velocity / MOTION_FPS, low, high)
        track[i, :3] += state
    return smooth(track, 0.12)
