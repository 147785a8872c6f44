"""The blueprint stage: a coarse pass that rolls a few seconds ahead of the voice.

It fixes what does not depend on the syllables still to come: pose, emotion, gesture, camera.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.motion import CAMERA_CHANNELS, Motion, rest
from engines.specs import MotionRequest
from streamer.effort import LEVELS, Level
from streamer.plan import TIME_BASE_HZ, Blueprint, BlueprintJob, Keyframe, Pts, Storyline, s_from_pts

INTERVAL = Pts(TIME_BASE_HZ * 4 // 25)  # 0.16 s: a nod of 2 Hz still has three frames a cycle

#: How far the camera may go: picture widths, picture heights, natural log of magnification, radians. Nothing lies outside the
#: picture, so it never zooms out beyond it.
CAMERA_REACH = np.array([0.1, 0.1, 0.45, 0.1], np.float32)
_NEAREST = np.array([-0.1, -0.1, 0.0, -0.1], np.float32)
#: move → (column of x, y, zoom; sign). Picture right and picture down are positive.
MOVES = {
    "pan_left": (0, -1), "pan_right": (0, 1), "tilt_up": (1, -1), "tilt_down": (1, 1), "zoom_in": (2, 1), "zoom_out": (2, -1),
}  # fmt: skip
_ROOM_S = 0.4  # a move slows down so as to come to rest at its limit in about so long
#: A hand's tremor, for `shake`: hertz and share of each of x, y and roll.
_TREMOR_HZ = np.array([[1.3, 2.3], [1.7, 2.6], [1.1, 1.9]])
_TREMOR_SHARES = np.array([1.0, 1.0, 0.8])


class BlueprintRoller:
    """Decides when the next window is due. Holds one window; one job is out at a time, which a newer storyline replaces."""

    def __init__(self, window_s: float = 4.8, refill_s: float = 2.4) -> None:
        if not 0 < refill_s < window_s:
            raise ValueError(f"a window of {window_s} s cannot be refilled when {refill_s} s of it are left")
        self._num_frames = round(window_s * TIME_BASE_HZ / INTERVAL)
        self._refill = round(refill_s * TIME_BASE_HZ)
        self._pending: BlueprintJob | None = None
        self.current: Blueprint | None = None

    def end(self) -> Pts:
        """The PTS of the last frame planned so far; 0 before the first window."""
        return self.current.last_pts if self.current else Pts(0)

    def is_due(self, storyline: Storyline, anchor: Keyframe, epoch: int) -> bool:
        """Whether to draw one now: there is none from the anchor on, the storyline has changed, or little of it is left."""
        out = self._pending
        if out and out.storyline_version == storyline.version and out.epoch == epoch and out.first.pts <= anchor.pts:
            return False
        return (
            self.current is None
            or self.current.storyline_version != storyline.version
            or self.current.start > anchor.pts
            or self.end() - anchor.pts < self._refill
        )

    def next_job(
        self,
        storyline: Storyline,
        anchor: Keyframe,
        epoch: int,
        voice: NDArray[np.int16],
        voice_start: Pts,
        seed: int,
        level: Level = LEVELS[0],
    ) -> BlueprintJob | None:
        """The window to draw now, from `anchor` (the last committed one) on, or None where the present one still serves."""
        if not self.is_due(storyline, anchor, epoch):
            return None
        end = Pts(anchor.pts + self._num_frames * INTERVAL)
        self._pending = BlueprintJob(
            epoch=epoch,
            storyline_version=storyline.version,
            first=anchor,
            interval=INTERVAL,
            num_frames=self._num_frames,
            beats=storyline.between(anchor.pts, end),
            audio=voice,
            audio_start=voice_start,
            seed=seed,
            num_steps=level.num_steps,
        )
        return self._pending

    def accept(self, blueprint: Blueprint) -> bool:
        """Take a finished window. False, and dropped, where a newer one has been asked for meanwhile."""
        pending = self._pending
        if pending is None or (blueprint.storyline_version, blueprint.start) != (pending.storyline_version, pending.first.pts):
            return False
        self.current, self._pending = blueprint, None
        return True

    def drop(self) -> None:
        """What is planned is of no use any more."""
        self.current = self._pending = None

    def abandon(self, job: BlueprintJob) -> None:
        """A job that is out will not come back (its worker died): ask again, unless a newer one is out."""
        if self._pending is job:
            self._pending = None


def motion_request(job: BlueprintJob, features: NDArray[np.float32], features_start: Pts) -> MotionRequest:
    """What the transformer is asked for one window; `features` [n, 384] at 50 Hz from `features_start`.

    Frame 0 is the anchor, fixed on its mask.
    """
    condition = rest(job.num_frames)
    mask = np.zeros(condition.shape, np.bool_)
    condition[0], mask[0] = job.first.motion, job.first.mask
    zero, until = job.first.pts, Pts(job.first.pts + job.num_frames * job.interval)
    return MotionRequest(
        num_frames=job.num_frames,
        interval_s=s_from_pts(job.interval),
        condition=condition,
        mask=mask,
        audio=features,
        audio_start_s=s_from_pts(features_start - zero),
        beats=tuple(beat.condition(zero, until) for beat in job.beats),
        num_steps=job.num_steps,
        seed=job.seed,
    )


def camera_rate(column: int, speed: float) -> float:
    """Picture sizes, or (column 2, the zoom) log magnification, a second; speed 0–1."""
    return 0.02 + 0.2 * speed**1.5 if column == 2 else 0.006 + 0.05 * speed**1.5


def on_camera(job: BlueprintJob, motion: Motion) -> Motion:
    """The window's motion [n, 64] with the camera on the storyline's way: the anchor's place and then what each beat asks for.

    The camera is virtual, so it can be exact: quite still where it is wanted still, and eased where it moves.
    """
    seconds = job.interval / TIME_BASE_HZ
    way = np.empty((job.num_frames, len(CAMERA_CHANNELS)))
    way[0] = job.first.motion[list(CAMERA_CHANNELS)]
    wanted = np.zeros((job.num_frames - 1, len(CAMERA_CHANNELS)))  # speeds between frames
    tremor = np.zeros_like(wanted)
    for beat in job.beats:
        first = max(0, (beat.start - job.first.pts) // job.interval)
        last = job.num_frames if beat.end is None else max(0, (beat.end - job.first.pts) // job.interval)
        if beat.camera in MOVES:
            column, sign = MOVES[beat.camera]
            wanted[first:last, column] = sign * camera_rate(column, beat.camera_speed)
        elif beat.camera == "shake":
            at = (job.first.pts + np.arange(job.num_frames) * job.interval) / TIME_BASE_HZ
            swings = np.sin(2 * np.pi * _TREMOR_HZ[None] * at[:, None, None]).mean(axis=2) * _TREMOR_SHARES
            steps = np.diff(swings, axis=0) * (0.003 + 0.012 * beat.camera_speed)
            tremor[first:last, [0, 1, 3]] = steps[first:last]
    for _ in range(2):
        padded = np.pad(wanted, ((1, 1), (0, 0)), mode="edge")
        wanted = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    for i, speed in enumerate(wanted):
        room = np.where(speed >= 0, CAMERA_REACH - way[i], way[i] - _NEAREST)
        step = np.sign(speed) * np.minimum(np.abs(speed), np.maximum(room, 0) / _ROOM_S) * seconds
        way[i + 1] = np.clip(way[i] + step + tremor[i], _NEAREST, CAMERA_REACH)
    motion = motion.copy()
    motion[:, CAMERA_CHANNELS] = way
    return motion
