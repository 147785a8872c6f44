"""What an instruction should move, read off a face as one number: actions, feelings, camera moves.

`rostrum bench instructions` holds drawings with an instruction against drawings without it (d′); `rostrum evaluate` ranks a
case that asked for it among the cases that did not (`read_back`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from export.evaluate.face_track import FaceTrack, Series

FPS = 25
BEFORE_S = 1.0  # before an action: what it is held against
WITHIN_S = 3.0  # from when an action is asked for to when it must have shown
SETTLED_S = 1.2  # from when on a feeling or a shaken camera is judged

#: A track at 25 fps, and when an action was asked for in it, in seconds.
Readout = Callable[[FaceTrack, float], float]


@dataclass(frozen=True, slots=True)
class Instruction:
    """What is asked for, and the number that should grow against `without`; `slightly` asks for less, where there is less."""

    name: str
    prompt: str
    read: Readout
    slightly: str = ""
    without: str = ""


def _since(series: Series, at_s: float, for_s: float | None = None) -> Series:
    first = round(at_s * FPS)
    return series[first:] if for_s is None else series[first : first + round(for_s * FPS)]


def _before(series: Series, at_s: float) -> float:
    return float(np.median(series[max(0, round((at_s - BEFORE_S) * FPS)) : round(at_s * FPS)]))


def _farthest(of: Callable[[FaceTrack], Series], sign: float = 1.0) -> Readout:
    """How far it goes from where it was before, held for 0.2 s."""

    def read(track: FaceTrack, at_s: float) -> float:
        series = of(track)
        off = sign * (_since(series, at_s, WITHIN_S) - _before(series, at_s))
        return float(np.sort(off)[-5:].mean())

    return read


def _held(of: Callable[[FaceTrack], Series], sign: float = 1.0) -> Readout:
    return lambda track, at_s: float(sign * np.median(_since(of(track), SETTLED_S)))


def _gone(of: Callable[[FaceTrack], Series], sign: float = 1.0) -> Readout:
    """Where it is in the last half second, against its first frames."""
    return lambda track, at_s: float(sign * (np.median(of(track)[-FPS // 2 :]) - np.median(of(track)[:5])))


def _swing(of: Callable[[FaceTrack], Series]) -> Readout:
    """Strength of 1–3 Hz in the second and a half that the action takes: what nods and shakes are made of."""

    def read(track: FaceTrack, at_s: float) -> float:
        series = _since(of(track), at_s, 1.6).astype(np.float64)
        line = np.polyval(np.polyfit(np.arange(len(series)), series, 1), np.arange(len(series)))
        spectrum = np.abs(np.fft.rfft((series - line) * np.hanning(len(series)), 128)) / len(series)
        hz = np.fft.rfftfreq(128, 1 / FPS)
        return float(spectrum[(hz >= 1.0) & (hz <= 3.0)].max())

    return read


def _shaken(track: FaceTrack, at_s: float) -> float:
    path = np.stack([_since(track.x, SETTLED_S), _since(track.y, SETTLED_S)]) / np.median(track.size)
    return float(np.abs(np.diff(path, 2, axis=1)).mean())


def _across(track: FaceTrack) -> Series:
    return track.x / np.median(track.size)


def _down(track: FaceTrack) -> Series:
    return track.y / np.median(track.size)


def _magnified(track: FaceTrack) -> Series:
    return np.log(track.size)


def _sighed(track: FaceTrack, at_s: float) -> float:
    """How far the shoulders rise with the breath, and the head sinks as it goes out."""
    return _farthest(lambda t: t.shoulders)(track, at_s) + _farthest(_down)(track, at_s)


def _tilted(track: FaceTrack, at_s: float) -> float:
    """How far the head goes to either side."""
    return _farthest(lambda t: np.abs(t.roll - _before(t.roll, at_s)))(track, at_s)


def _shut(track: FaceTrack, at_s: float) -> float:
    return -float(np.mean(_since(track.eye_opening, at_s + 0.2, WITHIN_S - 0.2)))


ACTIONS = (
    Instruction("nod", "after 1 second, nod", _swing(lambda t: t.pitch)),
    Instruction("shake", "after 1 second, shake the head", _swing(lambda t: t.yaw)),
    Instruction("tilt", "after 1 second, tilt the head", _tilted),
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
    Instruction("close_eyes", "after 1 second, close your eyes", _shut),
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


#: By the name that a storyline has for it: "nod", "joy", "zoom_in"; a camera's shake is "camera_shake".
INSTRUCTIONS: Mapping[str, Instruction] = {one.name: one for one in (*ACTIONS, *EMOTIONS, *CAMERA)}


@dataclass(frozen=True, slots=True)
class Seen:
    """One video as it is read: what it was asked for (names to when, in seconds), its face, and the face of its own picture."""

    asked: Mapping[str, float]
    track: FaceTrack
    picture: FaceTrack

    def effect(self, name: str, at_s: float) -> float:
        """What the instruction should move, over what the picture alone shows of it."""
        read = INSTRUCTIONS[name].read
        return read(self.track, at_s) - read(self.picture.held(len(self.track.found)), at_s)


def ranks(videos: Sequence[Seen]) -> list[dict[str, float]]:
    """For each video and each instruction it was asked for: among the videos that were not asked for it, the share that shows
    less of it at that time; those that show as much count half. The mean over videos is the area under the ROC curve (Hanley &
    McNeil 1982): 1 where what was asked for always shows, 0.5 where nobody could tell.

    An instruction that every video was asked for has no rank.
    """
    out = []
    for video in videos:
        found = {}
        for name, at_s in video.asked.items():
            others = [other.effect(name, at_s) for other in videos if name not in other.asked and _lasts(other, at_s)]
            if others and _lasts(video, at_s):
                own = video.effect(name, at_s)
                found[name] = float(np.mean([(own > other) + 0.5 * (own == other) for other in others]))
        out.append(found)
    return out


def _lasts(video: Seen, at_s: float) -> bool:
    """Whether there is time to see it in."""
    return len(video.track.found) >= round((at_s + SETTLED_S + 0.6) * FPS)
