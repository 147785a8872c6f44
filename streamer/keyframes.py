"""The keyframe stage: where to cut the blueprint, and which of its frames becomes the anchor there."""

from __future__ import annotations

import numpy as np

from engines.motion import ANCHOR_MASK, CAMERA_CHANNELS, INDEX, LIDS, NUM_CHANNELS, Motion
from streamer.plan import Blueprint, Keyframe, Pts, ticks_per_frame

_TURN = [INDEX["headYaw"], INDEX["headPitch"], INDEX["headRoll"]]
_MOUTH = [INDEX["jawOpen"], INDEX["mouthFunnel"], INDEX["mouthPucker"], INDEX["mouthStretchLeft"], INDEX["mouthStretchRight"]]
_EXPRESSIVE = ("brow", "mouthSmile", "mouthFrown", "cheekSquint", "eyeWide")
_EXPRESSION = [i for name, i in INDEX.items() if name.startswith(_EXPRESSIVE)]


def pose_at(blueprint: Blueprint, pts: Pts) -> Motion:
    """The blueprint at any time inside its window, [64], by Catmull–Rom interpolation (held at both ends)."""
    position = (pts - blueprint.start) / blueprint.interval
    last = len(blueprint.motion) - 1
    if not -1e-9 <= position <= last + 1e-9:
        raise ValueError(f"{pts} lies outside the blueprint, which begins at {blueprint.start} and has {last + 1} frames")
    i = min(int(position), max(last - 1, 0))
    t = np.float32(position - i)
    p0, p1, p2, p3 = (blueprint.motion[min(max(i + k, 0), last)] for k in (-1, 0, 1, 2))
    curve = 2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    return (0.5 * curve).astype(np.float32)


def anchor_score(pose: Motion, previous: Motion) -> float:
    """How good an anchor `pose` [64] is; higher is better.

    Identity is kept best near the front, motion since the last anchor should be significant, nothing may be occluded (eyes
    open), the face should be expressive and the mouth near rest: Kling-Avatar's keyframe criteria, in motion space.
    """
    openness = 1 - float(pose[list(LIDS)].max())
    frontal = 1 - float(np.linalg.norm(pose[_TURN])) / 0.5
    expressive = float(np.abs(pose[_EXPRESSION]).mean())
    moved = float(np.tanh(2 * np.abs(pose[ANCHOR_MASK] - previous[ANCHOR_MASK]).mean() * NUM_CHANNELS / 10))
    mouth = float(np.abs(pose[_MOUTH]).mean())
    return 2.0 * min(openness, 0.8) + 0.5 * frontal + 0.5 * expressive + 0.2 * moved - 0.5 * mouth


def choose(blueprint: Blueprint, previous: Keyframe, segment: Pts, fps: int) -> Keyframe | None:
    """The next anchor after `previous`: the best frame of the last 30 % of one segment, or None outside the window.

    `segment` is in ticks, and never exceeded: it is what live playout waits for. Anchors lie on the frame grid of `previous`.
    """
    frame = ticks_per_frame(fps)
    longest = max(2, round(segment / frame))
    reach = int(0.3 * longest)
    candidates = [Pts(previous.pts + k * frame) for k in range(longest - reach, longest + 1)]
    if candidates[-1] > blueprint.last_pts or previous.pts + frame < blueprint.start:
        return None
    poses = [pose_at(blueprint, pts) for pts in candidates]
    distance = [(reach - k) / max(reach, 1) for k in range(len(candidates))]
    scores = [anchor_score(pose, previous.motion) - 0.1 * d for pose, d in zip(poses, distance, strict=True)]
    best = int(np.argmax(scores))
    way = [pose_at(blueprint, Pts(pts)) for pts in range(previous.pts + frame, candidates[best] + frame, frame)]
    return Keyframe(candidates[best], poses[best], ANCHOR_MASK, np.array(way)[:, CAMERA_CHANNELS])


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
