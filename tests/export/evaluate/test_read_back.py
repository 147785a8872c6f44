"""What `rostrum bench instructions` and `rostrum evaluate` read off a face."""

import dataclasses

import numpy as np
import pytest

from engines.prompts import ACTIONS as ACTION_WORDS
from engines.prompts import CAMERA_MOVES
from engines.prompts import EMOTIONS as EMOTION_WORDS
from export.evaluate.face_track import FaceTrack
from export.evaluate.motion_figures import d_prime
from export.evaluate.read_back import ACTIONS, CAMERA, EMOTIONS, FPS, INSTRUCTIONS, Seen, ranks

NUM_FRAMES = 4 * FPS


def face(**moved: np.ndarray) -> FaceTrack:
    """A face that does nothing but what is given."""
    still = {field.name: np.zeros(NUM_FRAMES, np.float32) for field in dataclasses.fields(FaceTrack)}
    still |= {"size": np.full(NUM_FRAMES, 100, np.float32), "found": np.ones(NUM_FRAMES, bool)}
    return FaceTrack(**still | moved)


def read(name: str, track: FaceTrack) -> float:
    return INSTRUCTIONS[name].read(track, 1.0)


def nodding(hz: float) -> np.ndarray:
    t = np.arange(NUM_FRAMES) / FPS
    return (0.1 * np.sin(2 * np.pi * hz * t) * ((t > 1) & (t < 2.5))).astype(np.float32)


def test_everything_the_storyline_can_ask_for_is_measured() -> None:
    assert [one.name for one in ACTIONS] == list(ACTION_WORDS)
    assert {"calm", *(one.name for one in EMOTIONS)} == set(EMOTION_WORDS)
    assert {"static", *(one.name.removeprefix("camera_") for one in CAMERA)} == set(CAMERA_MOVES)


def test_a_nod_is_an_up_and_down_of_about_two_a_second() -> None:
    nod = read("nod", face(pitch=nodding(2.0)))
    assert nod > 4 * read("nod", face(pitch=nodding(0.2)))
    assert nod > 4 * read("nod", face(yaw=nodding(2.0)))


@pytest.mark.parametrize(
    ("name", "other"), [("turn_left", "turn_right"), ("look_left", "look_right"), ("lean_in", "lean_back")]
)
def test_left_is_not_right_and_in_is_not_back(name: str, other: str) -> None:
    series = {"turn_left": "yaw", "look_left": "gaze_left", "lean_in": "size"}[name]
    moved = face(**{series: np.where(np.arange(NUM_FRAMES) > 40, 110, 100).astype(np.float32)})
    assert read(name, moved) > 0 > read(other, moved) - 1e-6 - (name == "lean_in")


def test_a_shrug_is_read_off_the_shoulders_and_a_sigh_off_them_and_the_sinking_head() -> None:
    late = np.arange(NUM_FRAMES) > 40
    risen, sunk = face(shoulders=np.where(late, 0.1, 0).astype(np.float32)), face(y=np.where(late, 10, 0).astype(np.float32))
    assert read("shrug", risen) == pytest.approx(0.1, abs=1e-4) and read("shrug", sunk) == 0
    assert read("sigh", risen) == pytest.approx(0.1, abs=1e-4)
    assert read("sigh", sunk) == pytest.approx(0.1, abs=1e-4)


def test_d_prime_counts_spreads() -> None:
    rng = np.random.default_rng(0)
    assert d_prime(rng.normal(3, 1, 2000), rng.normal(0, 1, 2000)) == pytest.approx(3, abs=0.15)


def test_a_video_is_ranked_among_those_that_were_not_asked_for_the_same() -> None:
    still = face()
    asked = [{"nod": 1.0}, {"joy": 0.0}, {}, {}]
    tracks = [face(pitch=nodding(2.0)), face(smile=np.full(NUM_FRAMES, 0.02, np.float32)), still, still]
    found = ranks([Seen(of, track, still) for of, track in zip(asked, tracks, strict=True)])
    assert found == [{"nod": 1.0}, {"joy": 1.0}, {}, {}]


def test_a_picture_that_smiles_already_is_no_joy() -> None:
    smiling = face(smile=np.full(NUM_FRAMES, 0.05, np.float32))
    found = ranks([Seen({"joy": 0.0}, smiling, smiling), Seen({}, face(), face()), Seen({}, face(), face())])
    assert found[0] == {"joy": 0.5}
