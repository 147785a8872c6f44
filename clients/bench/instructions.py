"""`rostrum bench instructions`: does what a prompt asks for show on the rendered face?

The same voices are rendered with and without each instruction, and each video is read back by the face landmarker. Of every
video one number is taken, the one that the instruction should move; d′ (Green & Swets 1966) is the difference of its means over
its pooled spread. Feelings are asked for slightly and extremely, to see that the face scales.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from clients.bench import machine, voices
from engines.avatar_library import AvatarError
from export.evaluate.face_track import FaceTrack, from_video
from export.evaluate.motion_figures import d_prime
from export.evaluate.read_back import FPS, INSTRUCTIONS, Instruction
from streamer.offline import Show, ShowOptions, Studio
from streamer.recording import Recording, RecordingError

LASTS_S = 4.0
BEGINS_S = 1.0  # actions are asked for after a second; what comes before is everybody's


def run(arguments: argparse.Namespace) -> int:
    """0 measured; 1 with a message where an avatar or a recording is not as it must be."""
    from clients.cli.render import parse_size

    wanted = [one for one in INSTRUCTIONS.values() if not arguments.only or one.name in arguments.only.split(",")]
    try:
        options = ShowOptions(size=parse_size(arguments.size), fps=FPS, workers=arguments.workers)
        avatar = voices.chosen_avatars(arguments.avatar)[0]
        if not wanted:
            raise ValueError(f"--only {arguments.only} names no instruction")
        with tempfile.TemporaryDirectory(prefix="rostrum-bench-") as scratch, Studio(avatar.folder, options) as studio:
            bench = _Bench(studio, _recordings(arguments.speech, arguments.samples, Path(scratch)), Path(scratch))
            rows = {one.name: bench.judge(one) for one in wanted}
    except (AvatarError, RecordingError, ValueError, OSError) as error:
        print(f"rostrum bench instructions: {error}", file=sys.stderr)
        return 1
    report = {"num_samples": arguments.samples, "d_prime_at_least_2": sum(row["d_prime"] >= 2 for row in rows.values())}
    machine.show({**report, "num_instructions": len(rows), **rows, "machine": machine.facts()}, arguments.json)
    return 0


def _recordings(speech: Path | None, samples: int, scratch: Path) -> list[Recording]:
    paths = (
        sorted(path for path in speech.iterdir() if path.suffix.lower() in (".wav", ".flac", ".mp3", ".ogg")) if speech else []
    )
    sounds = [Recording.open(path).voice for path in paths] or [voices.babble(LASTS_S, seed) for seed in range(samples)]
    length = round(LASTS_S * 16_000)
    cut = []
    for i in range(samples):
        sound = sounds[i % len(sounds)]
        start = min(i // len(sounds) * length, max(0, len(sound) - length))
        cut.append(voices.recording_of(np.pad(sound[start : start + length], (0, max(0, length - len(sound)))), scratch))
    return cut


class _Bench:
    """Renders an instruction over every recording and reads the faces; what was read is kept."""

    def __init__(self, studio: Studio, recordings: Sequence[Recording], scratch: Path) -> None:
        self._studio = studio
        self._recordings = recordings
        self._scratch = scratch
        self._kept: dict[str, list[FaceTrack]] = {}

    def judge(self, one: Instruction) -> dict[str, Any]:
        asked, plain = ([one.read(track, BEGINS_S) for track in self._tracks(prompt)] for prompt in (one.prompt, one.without))
        row: dict[str, Any] = {
            "d_prime": round(d_prime(asked, plain), 2),
            "effect": round(float(np.mean(asked) - np.mean(plain)), 4),
        }
        if one.slightly:
            less = [one.read(track, BEGINS_S) for track in self._tracks(one.slightly)]
            row["effect_slightly"] = round(float(np.mean(less) - np.mean(plain)), 4)
            row["scales"] = bool(np.mean(asked) > np.mean(less) > np.mean(plain))
        machine.say(f"{one.name}: {row}")
        return row

    def _tracks(self, prompt: str) -> list[FaceTrack]:
        if prompt not in self._kept:
            shows = [self._studio.draw(recording, prompt) for recording in self._recordings]
            with ThreadPoolExecutor(1) as reader:  # one video is read while the next is drawn
                waiting = [reader.submit(from_video, self._film(i, show)) for i, show in enumerate(shows)]
                tracks = [future.result() for future in waiting]
            self._kept[prompt] = tracks
        return self._kept[prompt]

    def _film(self, i: int, show: Show) -> Path:
        path = self._scratch / f"shown-{i}.mp4"
        self._studio.film(show, self._recordings[i], path)
        return path
