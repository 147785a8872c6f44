"""The sub-clip stage: jobs between two anchors, what the transformer is asked for each, and the repair of their joins."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engines.motion import ANCHOR_MASK, CAMERA_CHANNELS, Motion, rest
from engines.specs import LEFT_CONTEXT_S, RIGHT_CONTEXT_S, MotionRequest
from streamer.plan import Keyframe, Pts, Storyline, Stretch, SubClipJob, pts_from_s, s_from_pts, ticks_per_frame

HISTORY_FRAMES = 4
FOLLOWING_FRAMES = 3  # after its own, which a video model that draws by fours may want to know
RIGHT_CONTEXT = pts_from_s(RIGHT_CONTEXT_S)
#: Voice that a job carries before its first frame: the feature window, and the window of the oldest history frame.
LEFT_CONTEXT = pts_from_s(LEFT_CONTEXT_S + 0.4)

APPROACH = pts_from_s(0.12)
#: A join repair re-synthesises this long on both sides of a join; with no more than these frames at any rate.
REPAIR = pts_from_s(0.12)

#: A planned gesture may outlast its beat by so long.
GESTURE_TAIL = pts_from_s(0.5)


class Voice(Protocol):
    """Where the stage reads the voice: 16 kHz mono by PTS."""

    @property
    def end(self) -> Pts: ...
    def read(self, start: Pts, end: Pts) -> NDArray[np.int16]: ...


def first_anchor(heard: Pts, segment: Pts, fps: int) -> Keyframe:
    """The picture itself, just before the newest voice that makes a whole clip: what was said before is not caught up."""
    frame = ticks_per_frame(fps)
    newest = heard - segment - RIGHT_CONTEXT
    return Keyframe(Pts((max(0, newest) // frame - 1) * frame), rest(), ANCHOR_MASK)


def is_due(last: Keyframe, voice: Voice, fps: int) -> bool:
    """Whether all the voice that the clip landing on `last` needs has arrived."""
    return voice.end >= last.pts + ticks_per_frame(fps) + RIGHT_CONTEXT


def cut(
    job_id: int,
    epoch: int,
    storyline: Storyline,
    first: Keyframe,
    last: Keyframe,
    voice: Voice,
    fps: int,
    seed: int,
    history: Motion | None = None,
    overlap: Motion | None = None,
    approach: int = 0,
) -> SubClipJob:
    """One job: the frames after `first` up to and with `last`. With `history` it is chained, without it is not.

    A frame that is an anchor's very own stands out of the motion around it. Where the next clip is chained there is no need
    for one: with an `approach` of so many frames the clip stops short of its anchor, on the way to it.
    """
    frame = ticks_per_frame(fps)
    if last.pts <= first.pts:
        raise ValueError(f"a sub-clip must end after it begins: {first.pts} … {last.pts}")
    start, end = Pts(first.pts + frame), Pts(last.pts + frame)
    return SubClipJob(
        job_id=job_id,
        epoch=epoch,
        storyline_version=storyline.version,
        start=start,
        end=end,
        fps=fps,
        beats=storyline.between(first.pts, end),
        gestures=storyline.between(Pts(start - GESTURE_TAIL), end),
        audio=voice.read(Pts(start - LEFT_CONTEXT), Pts(end + RIGHT_CONTEXT)),
        audio_start=Pts(start - LEFT_CONTEXT),
        seed=seed + start,
        first=first,
        last=last,
        history=rest(0) if history is None else history[-HISTORY_FRAMES:],
        overlap=rest(0) if overlap is None else overlap[: (end - start) // frame],
        camera=last.camera,
        approach=approach,
    )


def approach_frames(fps: int) -> int:
    """How many frames a chained clip stops short of its anchor."""
    return APPROACH // ticks_per_frame(fps)


def repair_frames(fps: int) -> int:
    """How many frames on each side of a join are drawn anew."""
    return max(2, REPAIR // ticks_per_frame(fps))


def longest_apart(fps: int, segment: Pts) -> Pts:
    """How far apart anchors lie where clips are rendered apart: each needs room for a repair at either end of it."""
    return Pts(max(segment, (2 * repair_frames(fps) + 2 * HISTORY_FRAMES) * ticks_per_frame(fps)))


def frames_to_draw(job: SubClipJob, span: range) -> list[int]:
    """Which frames of `span` are to be drawn: each `draw_every`-th on the media clock; never none, where there is any."""
    first = job.start // ticks_per_frame(job.fps)
    return [i for i in span if (first + i) % job.draw_every == 0] or list(span[-1:])


def stretch(job: SubClipJob, span: range, motion: Motion, beyond: Motion) -> Stretch:
    """These frames of a job's motion [n, 64] for a video model; `beyond` is what the clip would have gone on with."""
    whole = np.concatenate([motion, beyond])
    if span.start:
        before = motion[span.start - 1]
    else:
        before = job.history[-1] if len(job.history) else job.first.motion if job.first else motion[0]
    start = Pts(job.start + span.start * ticks_per_frame(job.fps))
    return Stretch(
        motion=whole[span.start : span.stop + FOLLOWING_FRAMES],
        num_frames=len(span),
        before=before,
        beats=job.beats,
        audio=job.audio,
        audio_start=job.audio_start,
        start=start,
        fps=job.fps,
        seed=job.seed,
        num_steps=job.num_steps,
        chained=True,
    )


def cut_repair(job_id: int, before: SubClipJob, after: SubClipJob, known: tuple[Motion, Motion], voice: Voice) -> SubClipJob:
    """The job that re-synthesises ± `repair_frames` around the join of two clips rendered apart.

    `known` holds their motion [n, 64] each; the frames just outside the repaired span become its first and last frames.
    """
    frame, r = ticks_per_frame(before.fps), repair_frames(before.fps)
    left, right = known
    if len(left) <= r or len(right) <= r:
        raise ValueError(f"a join repair of ±{r} frames needs longer clips than {len(left)} and {len(right)} frames")
    start, end = Pts(after.start - r * frame), Pts(after.start + r * frame)
    return SubClipJob(
        job_id=job_id,
        epoch=after.epoch,
        storyline_version=after.storyline_version,
        start=start,
        end=end,
        fps=after.fps,
        beats=before.beats + tuple(beat for beat in after.beats if beat not in before.beats),
        audio=voice.read(Pts(start - LEFT_CONTEXT), Pts(end + RIGHT_CONTEXT)),
        audio_start=Pts(start - LEFT_CONTEXT),
        seed=after.seed,
        history=left[: len(left) - r][-HISTORY_FRAMES:],
        future=right[r:][:HISTORY_FRAMES],
        camera=np.concatenate([left[-r:], right[:r]])[:, CAMERA_CHANNELS],
    )


def motion_request(job: SubClipJob, features: NDArray[np.float32], features_start: Pts) -> tuple[MotionRequest, slice]:
    """What the transformer is asked for one job, and which of the frames it returns are the job's own and its approach.

    `features` [n, 384] at 50 Hz from `features_start`. Its frames are history (or the first anchor), the clip, future.
    """
    frame, n = ticks_per_frame(job.fps), job.num_frames
    lead = len(job.history) or (1 if job.first else 0)
    num_frames = lead + n + job.approach + len(job.future)
    condition = rest(num_frames)
    mask = np.zeros(condition.shape, np.bool_)
    if len(job.history):
        condition[:lead], mask[:lead] = job.history, True
    elif job.first:
        condition[0], mask[0] = job.first.motion, job.first.mask
    if job.last:
        condition[lead + n + job.approach - 1], mask[lead + n + job.approach - 1] = job.last.motion, job.last.mask
    if len(job.future):
        condition[lead + n :], mask[lead + n :] = job.future, True
    zero = Pts(job.start - lead * frame)
    request = MotionRequest(
        num_frames=num_frames,
        interval_s=s_from_pts(frame),
        condition=condition,
        mask=mask,
        audio=features,
        audio_start_s=s_from_pts(features_start - zero),
        beats=tuple(beat.condition(zero, job.end) for beat in job.beats),
        seed=job.seed,
        num_steps=job.num_steps,
    )
    return request, slice(lead, lead + n + job.approach)


def finished(job: SubClipJob, motion: Motion) -> Motion:
    """What the transformer drew of a job, [n + approach, 64], joined and on camera. Planned gestures go over it when shown.

    The approach stays as it was drawn: nobody sees it.
    """
    motion = motion.copy()
    k, n = len(job.overlap), job.num_frames
    weight = ((k - np.arange(k, dtype=np.float32)) / (k + 1))[:, None]
    motion[:k] = weight * job.overlap + (1 - weight) * motion[:k]
    motion[:n] = on_camera(job, motion[:n])
    return motion


def on_camera(job: SubClipJob, motion: Motion) -> Motion:
    """The clip's motion [n, 64] with the camera on its planned way: it is virtual, so what was planned can be kept exactly."""
    if len(job.camera):
        motion = motion.copy()
        motion[:, CAMERA_CHANNELS] = job.camera
    return motion
