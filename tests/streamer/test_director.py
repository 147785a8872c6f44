import pytest

from streamer.director import EmbeddedDirector, direct, opening, overlay, understand
from streamer.plan import Pts, Storyline, pts_from_s, s_from_pts


def _plan(prompt: str, start_s: float = 0.0, end_s: float | None = 10.0) -> Storyline:
    end = None if end_s is None else pts_from_s(end_s)
    return EmbeddedDirector().plan(prompt, opening(), pts_from_s(start_s), end)[0]


@pytest.mark.parametrize(
    ("prompt", "emotion"),
    [
        ("warm and confident", "joy"),
        ("be furious", "anger"),
        ("非常悲伤", "sadness"),
        ("驚いて", "surprise"),
        ("매우 기쁜 표정", "joy"),
        ("don't smile", "calm"),
    ],
)
def test_an_emotion_is_understood_in_several_languages(prompt: str, emotion: str) -> None:
    assert _plan(prompt).at(pts_from_s(5)).emotion == emotion


def test_degree_words_set_the_intensity() -> None:
    slight, strong = _plan("slightly sad").beats[0].intensity, _plan("extremely sad").beats[0].intensity
    assert slight < 0.4 < 0.85 < strong


def test_at_the_end_is_the_end_of_the_file() -> None:
    story = _plan("nods at the end, slow zoom in")
    nod = next(beat for beat in story.beats if beat.action == "nod")
    assert s_from_pts(nod.start) > 8
    assert s_from_pts(nod.end or Pts(0)) == 10
    assert {beat.camera for beat in story.beats if beat.start < pts_from_s(10)} == {"zoom_in"}
    assert story.beats[0].camera_speed < 0.35


def test_two_actions_follow_each_other() -> None:
    beats = [beat for beat in _plan("nod, then look left").beats if beat.action]
    assert [beat.action for beat in beats] == ["nod", "look_left"]
    assert beats[1].start >= (beats[0].end or 0)


def test_after_some_seconds_waits_that_long() -> None:
    beats = [beat for beat in _plan("wink after 2.5 seconds", start_s=1).beats if beat.action]
    assert s_from_pts(beats[0].start) == 3.5


def test_a_time_said_first_governs_what_follows_and_one_said_last_does_not() -> None:
    first = {said.word: said.when.place for said in understand("at the end, smile and nod")}
    last = {said.word: said.when.place for said in understand("nods at the end, slow zoom in")}
    assert first == {"joy": "end", "nod": "end"}
    assert last == {"nod": "end", "zoom_in": ""}


def test_phases_of_a_file_share_its_length() -> None:
    story = _plan("at first calm, then very angry")
    assert [(s_from_pts(beat.start), beat.emotion) for beat in story.beats] == [(0, "calm"), (5, "anger")]


@pytest.mark.parametrize(
    "prompt", ["don't nod", "without any nodding", "不要点头", "not angry", "stop smiling", "고개를 끄덕이지 마"]
)
def test_what_is_forbidden_is_not_done(prompt: str) -> None:
    story = _plan(prompt)
    assert {(beat.emotion, beat.action) for beat in story.beats} == {("calm", None)}


def test_a_but_sets_aside_what_was_said_before() -> None:
    assert _plan("not sad but happy").beats[0].emotion == "joy"


def test_a_direction_alone_repeats_the_verb_before_it() -> None:
    assert [b.action for b in _plan("look left, then right").beats if b.action] == ["look_left", "look_right"]


def test_a_cue_word_is_kept_with_what_waits_for_it() -> None:
    said = understand("when I say goodbye, smile")
    assert [(d.word, d.when.cue) for d in said] == [("joy", "goodbye")]


def test_live_a_prompt_takes_effect_at_its_place_and_leaves_the_past_alone() -> None:
    story = _plan("excited", start_s=4, end_s=None)
    assert story.at(pts_from_s(3.9)).emotion == "calm"
    assert story.at(pts_from_s(4)).emotion == "excitement"
    assert story.version == 2


def test_nothing_understood_changes_nothing() -> None:
    before = opening()
    after, understood = EmbeddedDirector().plan("xyzzy plugh", before, Pts(0))
    assert after is before
    assert understood == ()
    assert understand("") == ()


def test_an_overlay_splits_beats_and_covers_time_without_gaps() -> None:
    story = overlay(opening(), pts_from_s(2), pts_from_s(3), action="nod")
    story = overlay(story, pts_from_s(2.5), None, emotion="joy")
    ends = [beat.end for beat in story.beats]
    assert ends[-1] is None
    assert [beat.start for beat in story.beats[1:]] == ends[:-1]
    assert [(b.emotion, b.action) for b in story.beats] == [
        ("calm", None),
        ("calm", "nod"),
        ("joy", "nod"),
        ("joy", None),
    ]


def test_a_word_outside_the_vocabulary_is_refused_with_those_inside() -> None:
    from streamer.director import Directive

    with pytest.raises(ValueError, match=r"'sing' is not one of nod"):
        direct(opening(), Directive("action", "sing", 0.5), Pts(0), Pts(1))
