"""`rostrum bench joins`: minutes of speech drawn as live clips are, chained and apart, and every join of them measured."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clients.bench import machine, voices
from engines.avatar_library import Avatar, AvatarError
from engines.motion import Motion
from engines.specs import SAMPLE_RATE_HZ
from export.evaluate.joins import Jump, motion_jumps, picture_jumps
from streamer import keyframes, subclips
from streamer.blueprint import BlueprintRoller
from streamer.director import opening
from streamer.features import TICKS_PER_SAMPLE
from streamer.plan import Keyframe, Look, Pts, SubClipJob, pts_from_s, ticks_per_frame
from streamer.recording import Recording, RecordingError
from streamer.render_worker import RenderWorker

FPS = 25
_STRETCH = 4  # pictures on each side of a join
_SOUNDS = (".wav", ".mp3", ".ogg", ".flac", ".m4a", ".mp4")


class Spoken:
    """A voice all of which is known; what lies outside it is silent. 16 kHz mono, as `streamer.subclips.Voice`."""

    def __init__(self, samples: NDArray[np.int16]) -> None:
        self._samples = samples

    @property
    def end(self) -> Pts:
        return Pts(len(self._samples) * TICKS_PER_SAMPLE)

    def read(self, start: Pts, end: Pts) -> NDArray[np.int16]:
        first, last = start // TICKS_PER_SAMPLE, end // TICKS_PER_SAMPLE
        out = np.zeros(max(0, last - first), np.int16)
        low, high = max(first, 0), min(last, len(self._samples))
        if high > low:
            out[low - first : high - first] = self._samples[low:high]
        return out


def run(arguments: argparse.Namespace) -> int:
    """0 measured; 1 with a message."""
    try:
        avatar = voices.chosen_avatars(arguments.avatar)[0]
        voice = Spoken(_voice(arguments))
    except (AvatarError, RecordingError, OSError) as error:
        print(f"rostrum bench joins: {error}", file=sys.stderr)
        return 1
    worker = RenderWorker()
    found: dict[str, Any] = {"minutes": arguments.minutes, "segment_s": arguments.segment}
    for how in ("chain", "apart"):
        found[how] = measure(worker, avatar, voice, pts_from_s(arguments.segment), how == "apart", arguments)
    machine.show({**found, "machine": machine.facts()}, arguments.json)
    return 0


def measure(
    worker: RenderWorker, avatar: Avatar, voice: Spoken, segment: Pts, apart: bool, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Draw all of the voice in one way, and measure the joins."""
    drawn = list(clips(worker, voice, segment, apart, arguments.seed))
    motion = np.concatenate([each for _, each in drawn])
    joins = np.cumsum([len(each) for _, each in drawn])[:-1].tolist()
    jumps = motion_jumps(motion, joins)
    machine.say(f"{'apart' if apart else 'chain'}: {len(joins)} joins; drawing pictures about {arguments.pictures} of them")
    look = Look(avatar.folder, *arguments.size)
    worker.open(look)
    order = np.random.default_rng(arguments.seed).permutation(joins)[: arguments.pictures]
    chosen = [int(at) for at in order if _STRETCH <= at <= len(motion) - _STRETCH]
    stretches = [
        np.stack([picture[: look.height] for picture in worker.pictures(look, motion[at - _STRETCH : at + _STRETCH])])
        for at in chosen
    ]
    jumps |= picture_jumps(stretches, [_STRETCH] * len(stretches))
    return {"joins": len(joins), **{f"{name}_ratio": round(jump.ratio, 3) for name, jump in jumps.items()}, **_sizes(jumps)}


def clips(worker: RenderWorker, voice: Spoken, segment: Pts, apart: bool, seed: int) -> Iterator[tuple[SubClipJob, Motion]]:
    """As a live broadcast makes them: chained, or apart and then repaired about each join."""
    frame, roller, storyline = ticks_per_frame(FPS), BlueprintRoller(), opening()
    reach = subclips.longest_apart(FPS, segment) if apart else segment
    anchor: Keyframe = subclips.first_anchor(Pts(0), segment, FPS)
    before: tuple[SubClipJob, Motion] | None = None
    beyond: Motion | None = None
    for job_id in range(10**9):
        heard = Pts(anchor.pts + reach + frame + subclips.RIGHT_CONTEXT)
        if heard > voice.end:
            break
        start = Pts(anchor.pts - subclips.LEFT_CONTEXT)
        if window := roller.next_job(storyline, anchor, 0, voice.read(start, heard), start, seed + max(0, anchor.pts)):
            roller.accept(worker.blueprint(window))
        assert roller.current
        last = keyframes.choose(roller.current, anchor, reach, FPS)
        assert last
        history, overlap = (None, None) if apart or not before else (before[1], beyond)
        approach = 0 if apart else subclips.approach_frames(FPS)
        job = subclips.cut(job_id, 0, storyline, anchor, last, voice, FPS, seed, history, overlap, approach)
        (drawn,) = worker.motion([job])
        motion, beyond = drawn[: job.num_frames], drawn[job.num_frames :]
        anchor = last
        if before:
            if apart:
                r = subclips.repair_frames(FPS)
                (again,) = worker.motion([subclips.cut_repair(job_id, before[0], job, (before[1], motion), voice)])
                before[1][-r:], motion[:r] = again[:r], again[r:]
            yield before
        before = job, motion
    if before:
        yield before


def _voice(arguments: argparse.Namespace) -> NDArray[np.int16]:
    """Recordings one after the other, over and over, to the length wanted; made-up sound without any."""
    num = round(arguments.minutes * 60 * SAMPLE_RATE_HZ)
    if arguments.speech is None:
        return voices.babble(arguments.minutes * 60)
    paths = sorted(path for path in Path(arguments.speech).iterdir() if path.suffix in _SOUNDS)
    pieces, have = [], 0
    while have < num:
        for path in paths:
            pieces += [Recording.open(path).voice, np.zeros(SAMPLE_RATE_HZ // 2, np.int16)]
            have += len(pieces[-2]) + len(pieces[-1])
            if have >= num:
                break
    return np.concatenate(pieces)[:num]


def _sizes(jumps: dict[str, Jump]) -> dict[str, float]:
    return {f"{name}_at_joins_p95": round(jump.at_joins, 4) for name, jump in jumps.items()}
