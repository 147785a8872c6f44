"""A show from a file: the same cascade with all of the voice known, so every sub-clip can render at once.

storyline → blueprint windows, one after the other → keyframes → all sub-clips in parallel → joins repaired, in parallel →
pictures and H.264 in parallel, two seconds a piece → one MP4 in order.

What is drawn depends on the seed and never on the number of workers: batches are cut by position alone.
"""

from __future__ import annotations

import json
import multiprocessing
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from engines.avatar_library import Avatar
from engines.backends.error import BackendError
from engines.motion import Motion, rest
from streamer import gestures, hearing, keyframes, seeing, subclips
from streamer.blueprint import BlueprintRoller
from streamer.briefing import Briefing, Plan, PortraitCaption
from streamer.captions import SpokenWord
from streamer.clock import SystemClock
from streamer.config import DrawingSettings
from streamer.director import EmbeddedDirector, opening, spoken_at
from streamer.outputs.mp4 import Mp4Writer, VideoFormat, encode_group
from streamer.plan import (
    Background,
    Blueprint,
    BlueprintJob,
    Keyframe,
    Look,
    Pts,
    Storyline,
    Stretch,
    SubClipJob,
    pts_from_s,
    s_from_pts,
    ticks_per_frame,
)
from streamer.recording import Recording
from streamer.render_worker import RenderWorker
from streamer.worker_pool import pool_of

_JOBS_A_BATCH = 8
_GROUP_S = 2  # of video encoded in one piece
_ALL_STEPS = 1000  # as many as the model likes

Progress = Callable[[str, int, int], None]  # stage, done, of how many


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """size: (width, height) in even pixels. segment_s: from anchor to anchor, about."""

    size: tuple[int, int] = (512, 512)
    fps: int = 25
    workers: int = 1
    seed: int = 0
    segment_s: float = 1.0
    background: Background | Path | Literal["clear"] = "keep"  # or a picture in the avatar's folder; clear: none, for a .mov
    pool: str = "local"  # where the workers are: `streamer.worker_pool.pool_of`
    drawing: DrawingSettings = field(default_factory=DrawingSettings)

    def __post_init__(self) -> None:
        width, height = self.size
        if width % 2 or height % 2 or not (64 <= width <= 3840 and 64 <= height <= 3840):
            raise ValueError(f"--size {width}x{height}: both must be even and between 64 and 3840")
        if not 1 <= self.workers <= 256:
            raise ValueError(f"--workers {self.workers}: take 1 to 256")
        if not 0.2 <= self.segment_s <= 2.0:
            raise ValueError(f"a segment of {self.segment_s} s: take 0.2 to 2 s")
        if self.background != "keep" and self.drawing.is_video:
            raise ValueError(
                f"--background {self.background}: {self.drawing.model} draws whole pictures and knows no person apart"
            )
        if self.workers > 1 and self.drawing.goes_on:
            raise ValueError(f"--workers {self.workers}: with these weights each clip goes on from the one before: take 1")
        ticks_per_frame(self.fps)


@dataclass(frozen=True, slots=True, eq=False)
class Show:
    """A planned and drawn show, in motion: what `draw` gives and `film` takes.

    motion: [num_frames, 64]. anchors: those the sub-clips landed on. joins: each clip's first frame, the first's left out.
    """

    storyline: Storyline
    motion: Motion
    anchors: tuple[Keyframe, ...]
    joins: tuple[int, ...]
    fps: int
    lineage: tuple[dict[str, object], ...]


@dataclass(frozen=True, slots=True)
class RenderReport:
    """One render in figures."""

    frames: int
    video_s: float
    wall_s: float
    realtime: float  # seconds of video for a second of work
    subclips: int
    joins: int
    motion_s: float
    film_s: float
    bytes: int


class Studio:
    """Workers that each hold a `RenderWorker`. Use as a context manager; closing ends them. Raises PoolError."""

    def __init__(self, avatar: Path, options: ShowOptions) -> None:
        self.options = options
        self.avatar = avatar
        self._pool = pool_of(
            options.pool, options.workers, avatar, _start_worker, *options.size, options.background, options.drawing
        )

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def draw(
        self, recording: Recording, prompt: str = "", on_progress: Progress | None = None, words: Sequence[SpokenWord] = ()
    ) -> Show:
        """Plan and draw the motion of the whole recording. words: what is said in it, where that is known."""
        tell = on_progress or _quiet
        options, frame = self.options, ticks_per_frame(self.options.fps)
        num_frames = -(-recording.duration // frame)
        end = Pts(num_frames * frame)
        tell("listening", 0, 1)
        storyline = plan_show(recording, self.avatar, prompt, end, words).storyline
        tell("listening", 1, 1)
        anchors = self._anchors(recording, storyline, end, tell)
        jobs = [
            subclips.cut(i, 0, storyline, first, last, recording, options.fps, options.seed)
            for i, (first, last) in enumerate(pairwise(anchors))
        ]
        clips, lineage = self._motions(jobs, "sub-clips", tell)
        repairs = [
            subclips.cut_repair(len(jobs) + i, jobs[i], jobs[i + 1], (clips[i], clips[i + 1]), recording)
            for i in range(len(jobs) - 1)
        ]
        repaired, repair_lineage = self._motions(repairs, "joins", tell)
        motion = np.concatenate(clips)
        for job, piece in zip(repairs, repaired, strict=True):
            motion[job.start // frame : job.end // frame] = piece
        joins = tuple(job.start // frame for job in jobs[1:] if job.start < end)
        motion = gestures.performed(storyline.beats, Pts(0), options.fps, motion[:num_frames])
        return Show(storyline, motion, tuple(anchors[1:]), joins, options.fps, (*lineage, *repair_lineage))

    def film(self, show: Show, recording: Recording, out: Path, on_progress: Progress | None = None) -> None:
        """Draw and encode a show's pictures and write them with the sound to `out`."""
        tell = on_progress or _quiet
        (width, height), fps = self.options.size, self.options.fps
        video = VideoFormat(width, height, fps, is_clear=self.options.background == "clear")
        drawing = self.options.drawing
        length = drawing.film_frames if drawing.is_video else _GROUP_S * fps
        groups = [self._stretch(show, recording, at, length) for at in range(0, len(show.motion), length)]
        at = 0
        with Mp4Writer(out, video) as writer:
            for i, units in enumerate(self._in_order(_film_group, ((group, video) for group in groups))):
                sound_end = at + groups[i].num_frames * ticks_per_frame(fps)  # ticks are samples of the sound
                writer.write(units, recording.sound[at:sound_end])
                at = sound_end
                tell("pictures", min((i + 1) * length, len(show.motion)), len(show.motion))

    def _stretch(self, show: Show, recording: Recording, at: int, length: int) -> Stretch:
        """The frames [at, at + length) of a show, between the pose before them and their last."""
        frame = ticks_per_frame(show.fps)
        num_frames = min(length, len(show.motion) - at)
        start, end = Pts(at * frame), Pts((at + num_frames) * frame)
        audio_start = Pts(start - subclips.LEFT_CONTEXT)
        return Stretch(
            motion=show.motion[at : at + num_frames + subclips.FOLLOWING_FRAMES],
            num_frames=num_frames,
            before=show.motion[max(0, at - 1)],
            beats=show.storyline.between(start, end),
            audio=recording.read(audio_start, Pts(end + subclips.RIGHT_CONTEXT)),
            audio_start=audio_start,
            start=start,
            fps=show.fps,
            seed=self.options.seed + at,
            num_steps=_ALL_STEPS,
            chained=self.options.drawing.goes_on,
        )

    def _anchors(self, recording: Recording, storyline: Storyline, end: Pts, tell: Progress) -> list[Keyframe]:
        """From one frame before the start, where the picture rests, until one lies at or past the last frame."""
        options, frame = self.options, ticks_per_frame(self.options.fps)
        roller = BlueprintRoller()
        anchors = [Keyframe(Pts(-frame), rest(), np.ones(rest().shape, np.bool_))]
        segment = pts_from_s(options.segment_s)
        while anchors[-1].pts < end - frame:
            first = anchors[-1]
            voice_start = Pts(first.pts - subclips.LEFT_CONTEXT)
            window_end = Pts(first.pts + pts_from_s(6.0))
            voice = recording.read(voice_start, window_end)
            job = roller.next_job(storyline, first, 0, voice, voice_start, options.seed + len(anchors))
            if job is not None:
                roller.accept(self._pool.submit(_blueprint, job).result())
            assert roller.current is not None
            found = keyframes.choose_all(roller.current, first, segment, options.fps)
            near = found[: max(1, len(found) // 2)]  # the far half of a window is drawn better by the next one
            past_end = next((i for i, anchor in enumerate(near) if anchor.pts >= end - frame), len(near))
            anchors += near[: past_end + 1]
            tell("blueprint", min(anchors[-1].pts, end), end)
        return anchors

    def _motions(self, jobs: Sequence[SubClipJob], stage: str, tell: Progress) -> tuple[list[Motion], list[dict[str, object]]]:
        batches = [(list(jobs[i : i + _JOBS_A_BATCH]),) for i in range(0, len(jobs), _JOBS_A_BATCH)]
        motions: list[Motion] = []
        lineage: list[dict[str, object]] = []
        for (batch,), (drawn, worker, ms) in zip(batches, self._in_order(_draw_batch, batches), strict=True):
            motions += drawn
            lineage += [_lineage(job, stage, worker, ms / len(batch)) for job in batch]
            tell(stage, len(motions), len(jobs))
        return motions, lineage

    _T = TypeVar("_T")

    def _in_order(self, work: Callable[..., _T], calls: Iterable[tuple[object, ...]]) -> Iterator[_T]:
        """The results of `work(*call)` in the order of the calls; at most two calls a worker are out, so nothing piles up."""
        out: deque[Future[Studio._T]] = deque()
        for call in calls:
            out.append(self._pool.submit(work, *call))
            if len(out) >= 2 * self.options.workers:
                yield out.popleft().result()
        while out:
            yield out.popleft().result()


def plan_show(recording: Recording, avatar: Path | None, prompt: str, end: Pts, words: Sequence[SpokenWord] = ()) -> Plan:
    """The embedded director's plan of a whole recording: what the portrait shows, how the voice sounds, what the user asks, and
    which of the cue words he waits for are said."""
    portrait = seeing.caption(Avatar.load(avatar)) if avatar else PortraitCaption()
    voice = hearing.captions_of(recording.voice)
    plan = EmbeddedDirector().plan(Briefing(opening(), Pts(0), prompt, end, portrait, voice))
    return replace(plan, storyline=spoken_at(plan.storyline, [(word.text, word.start) for word in words]))


def render_video(
    avatar: Path,
    recording: Recording,
    out: Path,
    prompt: str,
    options: ShowOptions,
    on_progress: Progress | None = None,
    words: Sequence[SpokenWord] = (),
) -> tuple[RenderReport, Show]:
    """A recording spoken by an avatar into the MP4 `out`, with `<out>.lineage.jsonl` beside it.

    Where the background is clear it is a QuickTime file, ProRes 4444.
    """
    clock = SystemClock()
    began = clock.now_s()
    with Studio(avatar, options) as studio:
        show = studio.draw(recording, prompt, on_progress, words)
        drawn = clock.now_s()
        studio.film(show, recording, out, on_progress)
    done = clock.now_s()
    lines = "".join(json.dumps(line) + "\n" for line in show.lineage)
    out.with_name(out.name + ".lineage.jsonl").write_text(lines, encoding="utf-8")
    video_s = len(show.motion) / options.fps
    report = RenderReport(
        frames=len(show.motion),
        video_s=round(video_s, 3),
        wall_s=round(done - began, 3),
        realtime=round(video_s / (done - began), 3),
        subclips=len(show.joins) + 1,
        joins=len(show.joins),
        motion_s=round(drawn - began, 3),
        film_s=round(done - drawn, 3),
        bytes=out.stat().st_size,
    )
    return report, show


def _quiet(stage: str, done: int, total: int) -> None:
    """Progress that nobody asked for."""


def _lineage(job: SubClipJob, stage: str, worker: str, ms: float) -> dict[str, object]:
    return {
        "job": job.job_id,
        "stage": stage,
        "audio_s": [round(s_from_pts(job.audio_start), 3), round(s_from_pts(job.audio_start) + len(job.audio) / 16_000, 3)],
        "frames_s": [round(s_from_pts(job.start), 4), round(s_from_pts(job.end), 4)],
        "storyline": job.storyline_version,
        "beats": [beat.text for beat in job.beats],
        "anchors_s": [round(s_from_pts(k.pts), 4) for k in (job.first, job.last) if k],
        "worker": worker,
        "steps": job.num_steps,
        "seed": job.seed,
        "motion_ms": round(ms, 2),
    }


# -- what runs in the worker processes --

_worker: tuple[RenderWorker, Look] | None = None
_why_not = "this runs in a worker process only"


def _start_worker(
    avatar: Path, width: int, height: int, background: Background | Path | Literal["clear"], drawing: DrawingSettings
) -> None:
    global _worker, _why_not
    look = Look(avatar, width, height, background)
    try:
        if drawing.is_video:
            from streamer.video_worker import VideoWorker

            assert drawing.folder is not None
            number = re.search(r"\d+$", multiprocessing.current_process().name)  # of this process, each its own GPU
            rank = int(number[0]) - 1 if number else 0
            worker: RenderWorker = VideoWorker(
                model=drawing.model, weights=drawing.folder, rank=rank, warm_frames=drawing.film_frames
            )
        else:
            worker = RenderWorker(model=str(drawing.weights or "portrait"))
    except (ValueError, ImportError, BackendError) as error:
        _why_not = str(error)
        return
    worker.open(look)
    _worker = worker, look


def _own() -> tuple[RenderWorker, Look]:
    if _worker is None:
        raise ValueError(_why_not)
    return _worker


def _blueprint(job: BlueprintJob) -> Blueprint:
    return _own()[0].blueprint(job)


def _draw_batch(jobs: list[SubClipJob]) -> tuple[list[Motion], str, float]:
    worker, _ = _own()
    clock = SystemClock()
    began = clock.now_s()
    motions = worker.motion(jobs)
    return motions, worker.name, (clock.now_s() - began) * 1e3


def _film_group(stretch: Stretch, video: VideoFormat) -> list[bytes]:
    worker, look = _own()
    return encode_group(worker.film(look, stretch, range(stretch.num_frames)), video)
