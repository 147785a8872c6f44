import pytest

from engines.prompts import ACTIONS, CAMERA_MOVES, EMOTIONS, beat_prompt
from streamer.plan import Beat, Pts, Storyline, pts_from_s, ticks_per_frame


def test_frames_of_the_usual_rates_fall_on_whole_ticks() -> None:
    assert [ticks_per_frame(fps) for fps in (24, 25, 30, 48, 50)] == [2000, 1920, 1600, 1000, 960]


def test_a_rate_that_does_not_fit_the_clock_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match=r"29 frames.*take 24, 25, 30, 48 or 50"):
        ticks_per_frame(29)


def test_every_word_of_the_vocabulary_has_its_own_line_of_prose() -> None:
    lines = [beat_prompt(emotion, 0.5) for emotion in EMOTIONS]
    lines += [beat_prompt("calm", 0.5, action) for action in ACTIONS]
    lines += [beat_prompt("calm", 0.5, None, camera) for camera in CAMERA_MOVES if camera != "static"]
    assert len(set(lines)) == len(EMOTIONS) + len(ACTIONS) + len(CAMERA_MOVES) - 1


def test_more_intensity_says_a_stronger_word() -> None:
    assert [beat_prompt("joy", x).split()[0] for x in (0.1, 0.3, 0.5, 0.7, 1.0)] == [
        "slightly",
        "somewhat",
        "clearly",
        "very",
        "extremely",
    ]


def test_a_storyline_always_has_a_beat_for_any_time() -> None:
    story = Storyline(1, (Beat(pts_from_s(1), pts_from_s(2), "joy"), Beat(pts_from_s(2), None, "anger")))
    assert story.at(Pts(0)).emotion == "joy"
    assert story.at(pts_from_s(50)).emotion == "anger"
    assert [beat.emotion for beat in story.between(pts_from_s(1.5), pts_from_s(3))] == ["joy", "anger"]
    assert story.between(Pts(0), pts_from_s(0.5)) == (story.beats[0],)


def test_hours_on_air_do_not_pile_up_beats() -> None:
    story = Storyline(7, tuple(Beat(pts_from_s(i), pts_from_s(i + 1)) for i in range(3600)))
    kept = story.forget_before(pts_from_s(3590))
    assert len(kept.beats) == 10
    assert kept.version == 7
    assert len(story.forget_before(pts_from_s(9999)).beats) == 1
