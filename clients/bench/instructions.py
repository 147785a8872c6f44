"""`rostrum bench instructions`: does what a prompt asks for show on the rendered face?

The same voices are rendered with and without each instruction, and each video is read back by the face landmarker. Of every
video one number is taken, the one that the instruction should move; d′ (Green & Swets 1966) is the difference of its means over
its pooled spread. Feelings are asked for slightly and extremely, to see that the face scales.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clients.bench import machine, voices
from engines.avatar_library import AvatarError
from export.evaluate.face_track import FaceTrack, Series, from_video
from export.evaluate.motion_figures import d_prime
from streamer.offline import Show, ShowOptions, Studio
from streamer.recording import Recording, RecordingError

FPS = 25
LASTS_S = 4.0
BEGINS_S = 1.0  # actions are asked for after a second; what comes before is everybody's
SETTLED_S = 1.2  # from when on a feeling or a camera move is judged

Readout = Callable[[FaceTrack], float]


@dataclass(frozen=True, slots=True)
class Instruction:
    """What is asked for, and the number that should grow against `without`; `slightly` asks for less, where there is less."""

    name: str
    prompt: str
    read: Readout
    slightly: str = ""
    without: str = ""


def _late(series: Series, since_s: float) -> Series:
    return series[round(since_s * FPS) :]


def _before(series: Series) -> float:
    return float(np.median(series[: round(BEGINS_S * FPS)]))


def _farthest(of: Callable[[FaceTrack], Series], sign: float = 1.0) -> Readout:
    """How far it goes from where it was before, held for 0.2 s."""

    def read(track: FaceTrack) -> float:
        series = of(track)
        off = sign * (_late(series, BEGINS_S) - _before(series))
        return float(np.sort(off)[-5:].mean())

    return read


def _held(of: Callable[[FaceTrack], Series], sign: float = 1.0) -> Readout:
    return lambda track: float(sign * np.median(_late(of(track), SETTLED_S)))


def _gone(of: Callable[[FaceTrack], Series], sign: float = 1.0) -> Readout:
    """Where it is in the last half second, against its first frames."""
    return lambda track: float(sign * (np.median(of(track)[-FPS // 2 :]) - np.median(of(track)[:5])))


def _swing(of: Callable[[FaceTrack], Series]) -> Readout:
    """Strength of 1–3 Hz in the second and a half that the action takes: what nods and shakes are made of."""

    def read(track: FaceTrack) -> float:
        series = _late(of(track), BEGINS_S)[: round(1.6 * FPS)].astype(np.float64)
        line = np.polyval(np.polyfit(np.arange(len(series)), series, 1), np.arange(len(series)))
        spectrum = np.abs(np.fft.rfft((series - line) * np.hanning(len(series)), 128)) / len(series)
        hz = np.fft.rfftfreq(128, 1 / FPS)
        return float(spectrum[(hz >= 1.0) & (hz <= 3.0)].max())

    return read


def _shaken(track: FaceTrack) -> float:
    path = np.stack([_late(track.x, SETTLED_S), _late(track.y, SETTLED_S)]) / np.median(track.size)
    return float(np.abs(np.diff(path, 2, axis=1)).mean())


def _across(track: FaceTrack) -> Series:
    return track.x / np.median(track.size)


def _down(track: FaceTrack) -> Series:
    return track.y / np.median(track.size)


def _magnified(track: FaceTrack) -> Series:
    return np.log(track.size)


def _sighed(track: FaceTrack) -> float:
    """How far the shoulders rise with the breath, and the head sinks as it goes out."""
    return _farthest(lambda t: t.shoulders)(track) + _farthest(_down)(track)


def _roll(track: FaceTrack) -> Series:
    return np.abs(track.roll - _before(track.roll))


ACTIONS = (
    Instruction("nod", "after 1 second, nod", _swing(lambda t: t.pitch)),
    Instruction("shake", "after 1 second, shake the head", _swing(lambda t: t.yaw)),
    Instruction("tilt", "after 1 second, tilt the head", _farthest(_roll)),
    Instruction("turn_left", "after 1 second, turn left", _farthest(lambda t: t.yaw)),
    Instruction("turn_right", "after 1 second, turn right", _farthest(lambda t: t.yaw, -1)),
    Instruction("look_left", "after 1 second, look left", _farthest(lambda t: t.gaze_left)),
    Instruction("look_right", "after 1 second, look right", _farthest(lambda t: t.gaze_left, -1)),
    Instruction("look_up", "after 1 second, look up", _farthest(lambda t: t.gaze_up)),
    Instruction("look_down", "after 1 second, look down", _farthest(lambda t: t.eye_opening, -1)),
    Instruction("lean_in", "after 1 second, lean in", _farthest(lambda t: t.size)),
    Instruction("lean_back", "after 1 second, lean back", _farthest(lambda t: t.size, -1)),
    Instruction("shrug", "after 1 second, shrug", _farthest(lambda t: t.shoulders)),
    Instruction("raise_brows", "after 1 second, raise your eyebrows", _farthest(lambda t: t.brow)),
    Instruction("frown", "after 1 second, frown", _farthest(lambda t: t.brow, -1)),
    Instruction("wink", "after 1 second, wink", _farthest(lambda t: t.wink)),
    Instruction("close_eyes", "after 1 second, close your eyes", lambda t: -float(np.mean(_late(t.eye_opening, SETTLED_S)))),
    Instruction("laugh", "after 1 second, laugh", _farthest(lambda t: t.smile)),
    Instruction("sigh", "after 1 second, sigh", _sighed),
)
EMOTIONS = (
    Instruction("joy", "extremely happy", _held(lambda t: t.smile), "slightly happy"),
    Instruction("excitement", "extremely excited", _held(lambda t: t.smile), "slightly excited"),
    Instruction("confusion", "extremely confused", _held(lambda t: t.brow_tilt), "slightly confused"),
    Instruction("sadness", "extremely sad", _held(lambda t: t.smile, -1), "slightly sad"),
    Instruction("surprise", "extremely surprised", _held(lambda t: t.brow), "slightly surprised"),
    Instruction("anger", "extremely angry", _held(lambda t: t.brow, -1), "slightly angry"),
    Instruction("fear", "extremely afraid", _held(lambda t: t.eye_opening), "slightly afraid"),
    Instruction("disgust", "extremely disgusted", _held(lambda t: t.nose, -1), "slightly disgusted"),
    Instruction("contempt", "extremely contemptuous", _held(lambda t: t.smirk), "slightly contemptuous"),
)
CAMERA = (
    Instruction("pan_left", "camera pans left fast", _gone(_across), "camera pans left slowly"),
    Instruction("pan_right", "camera pans right fast", _gone(_across, -1), "camera pans right slowly"),
    Instruction("tilt_up", "camera tilts up fast", _gone(_down), "camera tilts up slowly"),
    Instruction("tilt_down", "camera tilts down fast", _gone(_down, -1), "camera tilts down slowly"),
    Instruction("zoom_in", "zoom in fast", _gone(_magnified), "zoom in slowly"),
    Instruction("zoom_out", "zoom in fast, after 2 seconds zoom out fast", _gone(_magnified, -1), without="zoom in fast"),
    Instruction("camera_shake", "shaky camera", _shaken),
)


def run(arguments: argparse.Namespace) -> int:
    """0 measured; 1 with a message where an avatar or a recording is not as it must be."""
    from clients.cli.render import parse_size

    wanted = [one for one in (*ACTIONS, *EMOTIONS, *CAMERA) if not arguments.only or one.name in arguments.only.split(",")]
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
        asked, plain = ([one.read(track) for track in self._tracks(prompt)] for prompt in (one.prompt, one.without))
        row: dict[str, Any] = {
            "d_prime": round(d_prime(asked, plain), 2),
            "effect": round(float(np.mean(asked) - np.mean(plain)), 4),
        }
        if one.slightly:
            less = [one.read(track) for track in self._tracks(one.slightly)]
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
