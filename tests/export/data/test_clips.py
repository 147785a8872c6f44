"""The clips that the motion transformer learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.lips import inner_lip_aperture
from engines.motion import INDEX, Motion
from engines.prompts import CAMERA_MOVES, DRAWN_ACTIONS, EMOTIONS, beat_prompt
from export.train.data.actions import action_track
from export.train.data.camera import camera_track, start_state
from export.train.data.clips import Clip, ClipBeat, load_clip, perform
from export.train.data.expression import expression_track
from export.train.data.make import idle_clips
from export.train.data.speech import SILENCE, Phone
from export.train.data.texts import LANGUAGES, sentence
from export.train.data.wording import line

SECONDS = 6.0
NUM_FRAMES = int(SECONDS * 50)


def performed(emotion: str, intensity: float, action: str | None = None, symbols: str = "") -> Motion:
    """Six seconds of it, with ``symbols`` said from the second second on."""
    edges = np.cumsum([0.0, 2.0, *[0.1] * len(symbols)])
    phones = [Phone(s, a, b) for s, a, b in zip([SILENCE, *symbols], edges[:-1], edges[1:], strict=True)]
    phones.append(Phone(SILENCE, float(edges[-1]), SECONDS))
    audio = 0.1 * np.random.default_rng(0).standard_normal(NUM_FRAMES * 320).astype(np.float32)
    beat = ClipBeat(0.0, SECONDS, emotion, intensity, action, "static", 0.5, "")
    return perform(tuple(phones), audio, (beat,), np.random.default_rng(1))


@pytest.fixture(scope="module")
def idle() -> list[Clip]:
    return list(idle_clips(60.0, seed=3))


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_the_mouth_stays_shut_when_nobody_speaks_whatever_the_mood(emotion: str) -> None:
    assert inner_lip_aperture(performed(emotion, 1.0)).max() < 0.02


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_lips_still_meet_under_every_expression(emotion: str) -> None:
    opening = inner_lip_aperture(performed(emotion, 1.0, symbols="amamama"))
    assert opening.max() > 0.08
    assert opening[int(2.1 * 50) : int(2.2 * 50)].min() < 0.01


def test_every_emotion_shows_and_shows_more_when_stronger() -> None:
    for emotion in EMOTIONS:
        weak, strong = (
            np.abs(expression_track(100, [(0.0, emotion, k)], np.random.default_rng(2))[0][50, :52]).sum() for k in (0.3, 1.0)
        )
        assert strong > 1.5 * weak > 0


def test_turns_and_looks_go_to_the_speakers_own_side() -> None:
    rng = np.random.default_rng(0)
    for action, sign in (("turn_left", 1), ("turn_right", -1)):
        yaw = action_track(NUM_FRAMES, action, 0.5, 3.0, rng)[:, INDEX["headYaw"]]
        assert 0.15 < sign * yaw[np.argmax(np.abs(yaw))] <= 0.35
    left = action_track(NUM_FRAMES, "look_left", 0.5, 3.0, rng)
    assert left[:, INDEX["eyeLookOutLeft"]].max() > 0.5 and left[:, INDEX["eyeLookInRight"]].max() > 0.5
    assert left[:, INDEX["eyeLookInLeft"]].max() == 0


@pytest.mark.parametrize("action", DRAWN_ACTIONS)
def test_an_action_begins_with_its_beat_and_is_over_soon_after(action: str) -> None:
    motion = np.abs(action_track(NUM_FRAMES, action, 1.0, 2.5, np.random.default_rng(5)))
    assert motion[: int(0.99 * 50)].max() < 1e-6
    assert motion.max() > 0.08
    assert motion[int(4.4 * 50) :].max() < 0.02


def test_the_camera_keeps_its_place_between_moves_and_within_limits() -> None:
    rng = np.random.default_rng(0)
    beats = [(0.0, 2.0, "zoom_in", 1.0), (2.0, 4.0, "static", 0.5), (4.0, 6.0, "pan_left", 1.0)]
    track = camera_track(NUM_FRAMES, beats, (0.0, 0.0, 0.0), rng)
    assert 0.2 < track[120, 2] <= 0.41
    assert np.ptp(track[150:190, 2]) < 0.01
    assert -0.09 < track[-1, 0] < -0.05
    assert start_state(["zoom_out"], rng)[2] > 0.1
    assert all(np.isfinite(camera_track(50, [(0, 1, move, 0.5)], (0, 0, 0.2), rng)).all() for move in CAMERA_MOVES)


def test_motion_is_smooth_and_within_range() -> None:
    motion = performed("excitement", 1.0, "nod", symbols="amapisofuwitaʃe")
    assert motion[:, :52].min() >= 0 and motion[:, :52].max() <= 1
    assert np.abs(motion[:, INDEX["headYaw"]]).max() <= 0.35 and np.abs(motion[:, INDEX["headPitch"]]).max() <= 0.25
    spectrum = np.abs(np.fft.rfft((motion - motion.mean(axis=0)) * np.hanning(NUM_FRAMES)[:, None], axis=0)) ** 2
    fast = spectrum[np.fft.rfftfreq(NUM_FRAMES, 1 / 50) > 10].sum()
    assert fast / spectrum.sum() < 0.01


def test_people_who_wait_breathe_keep_their_mouths_shut_and_leave_blinks_to_the_plan(idle: list[Clip]) -> None:
    awake = [clip for clip in idle if not any(beat.action == "close_eyes" for beat in clip.beats)]
    assert max(clip.motion[:, INDEX["eyeBlinkLeft"]].max() for clip in awake) < 0.6
    assert all(np.ptp(clip.motion[:, INDEX["breath"]]) > 0.2 for clip in idle)
    quiet = [clip for clip in idle if not any(beat.action == "laugh" for beat in clip.beats)]
    assert all(inner_lip_aperture(clip.motion).max() < 0.02 for clip in quiet)


def test_a_clip_reads_back_as_it_was_written(idle: list[Clip], tmp_path: Path) -> None:
    clip = idle[0]
    clip.save(tmp_path / "clip.npz")
    back = load_clip(tmp_path / "clip.npz")
    assert back.beats == clip.beats and back.kind == "idle" and back.voice == clip.voice
    assert len(back.audio) == len(back.motion) * 320
    np.testing.assert_allclose(back.motion, clip.motion, atol=1e-3)
    assert back.beats[0].start_s == 0 and back.beats[-1].end_s == pytest.approx(len(back.motion) / 50, abs=0.01)


def test_the_same_seed_makes_the_same_clips(idle: list[Clip]) -> None:
    again = next(idle_clips(5.0, seed=3))
    np.testing.assert_array_equal(again.motion, idle[0].motion)
    np.testing.assert_array_equal(again.audio, idle[0].audio)


def test_most_beats_are_worded_as_the_director_words_them() -> None:
    rng = np.random.default_rng(0)
    plain = beat_prompt("joy", 0.8, "nod", "zoom_in", 0.2)
    lines = [line("joy", 0.8, "nod", "zoom_in", 0.2, rng) for _ in range(300)]
    assert 0.5 < lines.count(plain) / 300 < 0.7
    assert len(set(lines)) > 60


def test_each_language_has_hundreds_of_sentences() -> None:
    rng = np.random.default_rng(0)
    for language in LANGUAGES:
        assert len({sentence(language, rng) for _ in range(400)}) > 200
