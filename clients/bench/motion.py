"""`rostrum bench motion`: speech rendered to video, the faces read back from it, and figures of how well they speak."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from clients.bench import machine, voices
from engines.avatar_library import Avatar, AvatarError
from engines.features import SpeechEncoder
from engines.motion import Motion
from export.evaluate import face_track, motion_figures, talking
from export.evaluate.face_track import FaceTrack
from export.evaluate.lips import Agreement, Frames, LipRegression, agreement, frame_features
from export.evaluate.motion_figures import Likeness
from export.evaluate.ridge_face import motion_from_lips
from streamer.offline import Show, ShowOptions, Studio
from streamer.recording import Recording, RecordingError

SILENCE_S = 1.2  # put after each recording, to see the mouth shut
SETTLE_S = 0.4  # of it that the mouth may take
WANTED = f"""Which folder? --talking DIR: real people talking, to fit the lip predictor on and to speak as they did.

{talking.__doc__}"""


@dataclass(slots=True, eq=False)
class Voice:
    """A recording to speak; `real` is the face of the person who spoke it, where there is one."""

    name: str
    audio: NDArray[np.int16]
    features: Frames
    real: FaceTrack | None = None


@dataclass(slots=True)
class Measured:
    """One rendered recording. Lengths in eye distances."""

    name: str
    avatar: str
    seconds: float
    lips: Agreement
    unrelated_r: float
    aperture_p90: float
    silent_aperture: float
    blinks: int
    found: float
    yaw_std_deg: float
    endpoint_errors: list[float] = field(default_factory=list)
    join_jerks: list[float] = field(default_factory=list)
    inside_jerks: list[float] = field(default_factory=list)
    rest_aperture: float = 0.0
    real: Agreement | None = None
    likeness: Likeness | None = None
    ridge: Agreement | None = None
    ridge_likeness: Likeness | None = None
    ridge_aperture_p90: float | None = None


def run(arguments: argparse.Namespace) -> int:
    """0 measured; 1 with a message where a folder, an avatar or a recording is not as it must be."""
    from clients.cli.render import parse_size

    try:
        if arguments.talking is None:
            raise talking.ClipError(WANTED)
        regression, all_voices = _voices(arguments.talking, arguments.speech)
        chosen = [v for v in all_voices if not any(fnmatch(v.name, pattern) for pattern in arguments.skip)]
        if arguments.limit and arguments.limit < len(chosen):
            chosen = [chosen[i] for i in np.linspace(0, len(chosen) - 1, arguments.limit).round().astype(int)]
        if not chosen:
            raise ValueError("--skip leaves no clip to measure")
        options = ShowOptions(size=parse_size(arguments.size), fps=talking.FPS, workers=arguments.workers, seed=arguments.seed)
        avatars = voices.chosen_avatars(arguments.avatars)
        with tempfile.TemporaryDirectory(prefix="rostrum-bench-") as scratch:
            bench = _MotionBench(regression, all_voices, options, arguments.prompt, not arguments.no_baseline, Path(scratch))
            measured = list(bench.measure(chosen, avatars))
    except (AvatarError, RecordingError, ValueError, OSError) as error:
        print(f"rostrum bench motion: {error}", file=sys.stderr)
        return 1
    if arguments.details:
        lines = (json.dumps(_details(m)) for m in measured)
        arguments.details.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    machine.show({**figures(measured), "machine": machine.facts()}, arguments.json)
    return 0


def _voices(talking_folder: Path, speech_folder: Path | None) -> tuple[LipRegression, list[Voice]]:
    encoder, regression = SpeechEncoder(), LipRegression()
    found: list[Voice] = []
    for clip in talking.read_folder(talking_folder):
        features = frame_features(encoder, clip.audio)
        real = face_track.from_landmarks(clip.landmarks, clip.found)
        regression.add(clip.name, features, real.lips, real.found)
        found.append(Voice(clip.name, clip.audio, features, real))
    if speech_folder:
        paths = sorted(
            path for path in speech_folder.iterdir() if path.suffix.lower() in (".wav", ".flac", ".mp3", ".ogg", ".m4a")
        )
        if not paths:
            raise ValueError(f"--speech {speech_folder} has no recordings (WAV, FLAC, MP3, OGG or M4A)")
        for path in paths:
            audio = Recording.open(path).voice
            found.append(Voice(path.stem, audio, frame_features(encoder, audio)))
    machine.say(f"lip predictor fitted on {sum(v.real is not None for v in found)} clips; {len(found)} recordings to speak")
    return regression, found


class _MotionBench:
    """Speaks recordings through avatars, a few of each, and measures the videos."""

    def __init__(
        self,
        regression: LipRegression,
        all_voices: Sequence[Voice],
        options: ShowOptions,
        prompt: str,
        with_baseline: bool,
        scratch: Path,
    ) -> None:
        self._regression = regression
        self._voices = all_voices
        self._options = options
        self._prompt = prompt
        self._with_baseline = with_baseline
        self._scratch = scratch
        self._num_wanted = 0
        self._count = itertools.count(1)

    def measure(self, chosen: Sequence[Voice], avatars: Sequence[Avatar]) -> Iterable[Measured]:
        """Recording i through avatar i modulo their number; as many avatars at a time as there are workers."""
        casting = [(avatar, chosen[i :: len(avatars)]) for i, avatar in enumerate(avatars)]
        self._num_wanted = len(chosen)
        with ThreadPoolExecutor(self._options.workers) as threads:
            waiting = [threads.submit(self._through, avatar, own) for avatar, own in casting if own]
            try:
                for future in waiting:
                    yield from future.result()
            finally:
                threads.shutdown(cancel_futures=True)

    def _through(self, avatar: Avatar, own: Sequence[Voice]) -> list[Measured]:
        """Some recordings through one avatar, drawn by a process of its own."""
        done: list[Measured] = []
        rest_aperture = self._at_rest(avatar)
        with Studio(avatar.folder, replace(self._options, workers=1)) as studio:
            for voice in own:
                measured = self._one(studio, avatar, voice)
                measured.rest_aperture = rest_aperture
                done.append(measured)
                machine.say(
                    f"[{next(self._count)}/{self._num_wanted}] {voice.name} by {avatar.name}: lips {measured.lips.r:.2f} "
                    f"at {measured.lips.lag_frames:+d}, aperture {measured.aperture_p90:.3f}, "
                    f"silent {measured.silent_aperture:.3f} (at rest {rest_aperture:.3f})"
                )
        return done

    def _one(self, studio: Studio, avatar: Avatar, voice: Voice) -> Measured:
        recording = voices.recording_of(voices.with_silence(voice.audio, SILENCE_S), self._folder(avatar.folder))
        show = studio.draw(recording, self._prompt)
        track = self._seen(studio, show, recording)
        num_frames = len(voice.features)
        predictor = self._regression.fit([voice.name])
        predicted = predictor.predict(voice.features)
        speaking = motion_figures.speech_frames(voice.audio)
        joins, inside = motion_figures.join_and_inside_jerk(show.motion, show.joins)
        measured = Measured(
            name=voice.name,
            avatar=avatar.name,
            seconds=num_frames / talking.FPS,
            lips=agreement(predicted, track.lips[:num_frames], track.found[:num_frames]),
            unrelated_r=self._unrelated(voice, predictor.predict(self._other(voice).features), track),
            aperture_p90=float(np.percentile(track.aperture[:num_frames][speaking], 90)),
            silent_aperture=float(np.median(track.aperture[num_frames + round(SETTLE_S * talking.FPS) :])),
            blinks=motion_figures.num_blinks(track),
            found=float(track.found.mean()),
            yaw_std_deg=float(np.degrees(track.yaw[:num_frames].std())),
            endpoint_errors=motion_figures.endpoint_errors(show.motion, show.anchors, show.fps),
            join_jerks=joins,
            inside_jerks=inside,
        )
        if self._with_baseline:
            ridge = self._seen(studio, _replaced(show, motion_from_lips(predicted)), recording)
            measured.ridge = agreement(predicted, ridge.lips[:num_frames], ridge.found[:num_frames])
            measured.ridge_aperture_p90 = float(np.percentile(ridge.aperture[:num_frames][speaking], 90))
            if voice.real is not None:
                measured.ridge_likeness = motion_figures.likeness(ridge, voice.real)
        if voice.real is not None:
            measured.real = agreement(predicted, voice.real.lips, voice.real.found)
            measured.likeness = motion_figures.likeness(track, voice.real)
        return measured

    def _at_rest(self, avatar: Avatar) -> float:
        """The aperture of the avatar's own picture: some smile with their teeth, and can hardly shut their lips."""
        picture = cv2.cvtColor(cv2.imread(str(avatar.folder / "picture.png")), cv2.COLOR_BGR2RGB)
        with face_track.FaceReader() as reader:
            reader.read(picture.astype(np.uint8))
            return float(reader.track().aperture[0])

    def _seen(self, studio: Studio, show: Show, recording: Recording) -> FaceTrack:
        path = self._folder(studio.avatar) / "shown.mp4"
        studio.film(show, recording, path)
        return face_track.from_video(path)

    def _folder(self, avatar: Path) -> Path:
        """Where the files of one avatar's thread lie."""
        folder = self._scratch / avatar.name
        folder.mkdir(exist_ok=True)
        return folder

    def _other(self, voice: Voice) -> Voice:
        names = [v.name for v in self._voices]
        return self._voices[(names.index(voice.name) + len(names) // 2) % len(names)]

    def _unrelated(self, voice: Voice, predicted: Frames, track: FaceTrack) -> float:
        num_frames = min(len(predicted), len(voice.features))
        return agreement(predicted[:num_frames], track.lips[:num_frames], track.found[:num_frames]).r


def _replaced(show: Show, motion: Motion) -> Show:
    """The same show with other motion, the last frame held to its length."""
    held = np.concatenate([motion, np.repeat(motion[-1:], max(0, len(show.motion) - len(motion)), axis=0)])
    return Show(show.storyline, held[: len(show.motion)], show.anchors, show.joins, show.fps, ())


def figures(measured: Sequence[Measured]) -> dict[str, Any]:
    """What the bench prints: medians over recordings unless a name says otherwise."""

    def median(values: Iterable[float]) -> float | None:
        kept = list(values)
        return round(float(np.median(kept)), 4) if kept else None

    def pooled(name: str) -> list[float]:
        return [value for m in measured for value in getattr(m, name)]

    joins, inside = median(pooled("join_jerks")), median(pooled("inside_jerks"))
    seconds = sum(m.seconds + SILENCE_S for m in measured)
    scores = [m.lips.r for m in measured]
    return {
        "num_clips": len(measured),
        "lip_r_median": median(scores),
        "lip_r_p10": round(float(np.percentile(scores, 10)), 4),
        "lip_r_p90": round(float(np.percentile(scores, 90)), 4),
        "lip_lag_frames": median(m.lips.lag_frames for m in measured),
        "lip_lag_within_1": round(float(np.mean([abs(m.lips.lag_frames) <= 1 for m in measured])), 3),
        "lip_r_ridge_baseline": median(m.ridge.r for m in measured if m.ridge),
        "lip_lag_frames_ridge_baseline": median(m.ridge.lag_frames for m in measured if m.ridge),
        "aperture_p90_ridge_baseline": median(m.ridge_aperture_p90 for m in measured if m.ridge_aperture_p90 is not None),
        "lip_r_unrelated": median(m.unrelated_r for m in measured),
        "lip_r_real_people": median(m.real.r for m in measured if m.real),
        "aperture_p90": median(m.aperture_p90 for m in measured),
        "silent_aperture": median(m.silent_aperture for m in measured),
        "rest_aperture": median(m.rest_aperture for m in measured),
        "join_jerk_ratio": round(joins / inside, 3) if joins and inside else None,
        "endpoint_error": median(pooled("endpoint_errors")),
        "blink_per_min": round(sum(m.blinks for m in measured) / seconds * 60, 1),
        "head_yaw_std_deg": median(m.yaw_std_deg for m in measured),
        "face_found": round(float(np.mean([m.found for m in measured])), 4),
        "likeness": _likeness([m.likeness for m in measured]),
        "likeness_ridge": _likeness([m.ridge_likeness for m in measured]),
    }


def _likeness(all_of_them: Sequence[Likeness | None]) -> dict[str, float]:
    """Medians; empty where no recording has a person to be like."""
    found = [asdict(likeness) for likeness in all_of_them if likeness]
    values = {name: [one[name] for one in found if one[name] is not None] for name in (found[0] if found else ())}
    return {name: round(float(np.median(column)), 4) for name, column in values.items() if column}


def _details(m: Measured) -> dict[str, Any]:
    return {
        "name": m.name,
        "avatar": m.avatar,
        "lip_r": round(m.lips.r, 4),
        "lip_lag_frames": m.lips.lag_frames,
        "ridge_r": round(m.ridge.r, 4) if m.ridge else None,
        "real_r": round(m.real.r, 4) if m.real else None,
        "unrelated_r": round(m.unrelated_r, 4),
        "aperture_p90": round(m.aperture_p90, 4),
        "silent_aperture": round(m.silent_aperture, 4),
        "blinks": m.blinks,
        "yaw_std_deg": round(m.yaw_std_deg, 2),
        "likeness": asdict(m.likeness) if m.likeness else None,
        "likeness_ridge": asdict(m.ridge_likeness) if m.ridge_likeness else None,
    }
