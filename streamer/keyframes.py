"""The keyframe stage: where to cut the blueprint, and which of its frames becomes the anchor there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engines.motion import ANCHOR_MASK, CAMERA_CHANNELS, INDEX, LIDS, NUM_CHANNELS, Motion
from streamer.plan import Blueprint, Keyframe, Pts, ticks_per_frame

_TURN = [INDEX["headYaw"], INDEX["headPitch"], INDEX["headRoll"]]
_MOUTH = [INDEX["jawOpen"], INDEX["mouthFunnel"], INDEX["mouthPucker"], INDEX["mouthStretchLeft"], INDEX["mouthStretchRight"]]
_EXPRESSIVE = ("brow", "mouthSmile", "mouthFrown", "cheekSquint", "eyeWide")
_EXPRESSION = [i for name, i in INDEX.items() if name.startswith(_EXPRESSIVE)]


def poses_at(blueprint: Blueprint, times: Sequence[int]) -> Motion:
    """The blueprint at any PTS inside its window, [n, 64], by Catmull–Rom interpolation (held at both ends)."""
    positions = (np.asarray(times) - blueprint.start) / blueprint.interval
    last = len(blueprint.motion) - 1
    if not np.all((positions >= -1e-9) & (positions <= last + 1e-9)):
        raise ValueError(f"{times} lie outside the blueprint, which begins at {blueprint.start} and has {last + 1} frames")
    i = np.clip(positions.astype(np.int64), 0, max(last - 1, 0))
    t = (positions - i).astype(np.float32)[:, None]
    p0, p1, p2, p3 = (blueprint.motion[np.clip(i + k, 0, last)] for k in (-1, 0, 1, 2))
    curve = 2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    return (0.5 * curve).astype(np.float32)


def anchor_scores(poses: Motion, previous: Motion) -> NDArray[np.float64]:
    """How good an anchor each of `poses` [n, 64] is, [n]; higher is better.

    Identity is kept best near the front, motion since the last anchor should be significant, nothing may be occluded (eyes
    open), the face should be expressive and the mouth near rest: Kling-Avatar's keyframe criteria, in motion space.
    """
    openness = 1 - poses[:, list(LIDS)].max(axis=1).astype(np.float64)
    frontal = 1 - np.linalg.norm(poses[:, _TURN], axis=1) / 0.5
    expressive = np.abs(poses[:, _EXPRESSION]).mean(axis=1)
    moved = np.tanh(2 * np.abs(poses[:, ANCHOR_MASK] - previous[ANCHOR_MASK]).mean(axis=1) * NUM_CHANNELS / 10)
    mouth = np.abs(poses[:, _MOUTH]).mean(axis=1)
    return np.asarray(2.0 * np.minimum(openness, 0.8) + 0.5 * frontal + 0.5 * expressive + 0.2 * moved - 0.5 * mouth)


def choose(blueprint: Blueprint, previous: Keyframe, segment: Pts, fps: int) -> Keyframe | None:
    """The next anchor after `previous`: the best frame of the last 30 % of one segment, or None outside the window.

    `segment` is in ticks, and never exceeded: it is what live playout waits for. Anchors lie on the frame grid of `previous`.
    """
    frame = ticks_per_frame(fps)
    longest = max(2, round(segment / frame))
    reach = int(0.3 * longest)
    times = [Pts(previous.pts + k * frame) for k in range(1, longest + 1)]
    if times[-1] > blueprint.last_pts or times[0] < blueprint.start:
        return None
    way = poses_at(blueprint, times)
    nearer = np.arange(reach, -1, -1) / max(reach, 1)
    scores = anchor_scores(way[-reach - 1 :], previous.motion) - 0.1 * nearer
    best = longest - reach - 1 + int(np.argmax(scores))
    return Keyframe(times[best], way[best], ANCHOR_MASK, way[: best + 1, CAMERA_CHANNELS])


def stay(previous: Keyframe, segment: Pts, fps: int) -> Keyframe:
    """An anchor one segment after `previous` in the same pose, for when there is no plan; its lids are free."""
    frame = ticks_per_frame(fps)
    num_frames = max(2, round(segment / frame))
    mask = ANCHOR_MASK.copy()
    mask[list(LIDS)] = False
    camera = np.tile(previous.motion[list(CAMERA_CHANNELS)], (num_frames, 1))
    return Keyframe(Pts(previous.pts + num_frames * frame), previous.motion, mask, camera)


def choose_all(blueprint: Blueprint, previous: Keyframe, segment: Pts, fps: int) -> list[Keyframe]:
    """Every anchor the blueprint holds after `previous`, in order."""
    anchors: list[Keyframe] = []
    while anchor := choose(blueprint, anchors[-1] if anchors else previous, segment, fps):
        anchors.append(anchor)
    return anchors
