from dataclasses import replace
from itertools import pairwise

import pytest

from engines.prompts import ACTIONS, PIXEL_ACTIONS
from streamer.briefing import Briefing, PortraitCaption, VoiceCaption
from streamer.director import EmbeddedDirector, delete, direct, edit, heard, opening, overlay, release, undo
from streamer.grammar import understand
from streamer.plan import SOURCES, Directive, Pts, Sources, Storyline, pts_from_s, s_from_pts


def _plan(prompt: str, start_s: float = 0.0, end_s: float | None = 10.0) -> Storyline:
    end = None if end_s is None else pts_from_s(end_s)
    return EmbeddedDirector().plan(Briefing(opening(), pts_from_s(start_s), prompt, end)).storyline


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
    plan = EmbeddedDirector().plan(Briefing(before, Pts(0), "xyzzy plugh"))
    assert plan.storyline is before
    assert plan.understood == ()
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
    with pytest.raises(ValueError, match=r"'sing' is not one of nod"):
        direct(opening(), Directive("action", "sing", 0.5), Pts(0), Pts(1))


# Authority


def test_a_lower_authority_never_overrides_a_field_that_a_higher_one_decided() -> None:
    for low, high in pairwise(SOURCES):
        story = overlay(opening(), Pts(0), None, high, emotion="joy", intensity=0.9)
        story = overlay(story, Pts(0), None, low, emotion="anger", intensity=0.1, action="nod", camera="zoom_in")
        beat = story.at(Pts(0))
        assert (beat.emotion, beat.intensity, beat.action, beat.camera) == ("joy", 0.9, "nod", "zoom_in")
        assert beat.sources == Sources(emotion=high, action=low, camera=low)
        assert overlay(story, Pts(0), None, high, emotion="fear").at(Pts(0)).emotion == "fear"


def test_a_beat_after_the_users_action_is_free_again() -> None:
    story = direct(opening(), Directive("action", "nod"), Pts(0), pts_from_s(1.4))
    story = overlay(story, Pts(0), pts_from_s(3), "audio", action="sigh")
    assert [(beat.action, beat.sources.action) for beat in story.beats[:2]] == [("nod", "user"), ("sigh", "audio")]


def test_an_angry_voice_makes_an_angry_face_unless_the_user_says_otherwise() -> None:
    voice = (VoiceCaption(Pts(0), "anger", 0.8),)
    heard_only = EmbeddedDirector().plan(Briefing(opening(), Pts(0), voice=voice))
    assert (heard_only.storyline.at(Pts(0)).emotion, heard_only.source) == ("anger", "audio")
    told = EmbeddedDirector().plan(Briefing(heard_only.storyline, Pts(0), "stay calm", voice=voice))
    assert (told.storyline.at(Pts(0)).emotion, told.source) == ("calm", "user")
    assert told.storyline.version == heard_only.storyline.version + 1


def test_each_caption_of_the_voice_holds_until_the_next() -> None:
    voice = tuple(VoiceCaption(pts_from_s(at), word, 0.7) for at, word in ((0, "sadness"), (2, "anger"), (4, "joy")))
    story = EmbeddedDirector().plan(Briefing(opening(), pts_from_s(3), voice=voice)).storyline
    assert [(s_from_pts(beat.start), beat.emotion) for beat in story.beats] == [(0, "calm"), (3, "anger"), (4, "joy")]


def test_the_voice_overrides_the_portrait_and_the_portrait_only_what_nobody_decided() -> None:
    smiling = PortraitCaption("joy", 0.3)
    seen = EmbeddedDirector().plan(Briefing(opening(), Pts(0), portrait=smiling))
    assert (seen.storyline.at(Pts(0)).emotion, seen.source) == ("joy", "image")
    heard = Briefing(opening(), Pts(0), portrait=smiling, voice=(VoiceCaption(Pts(0), "sadness"),))
    assert EmbeddedDirector().plan(heard).storyline.at(Pts(0)).sources.emotion == "audio"


def test_captions_that_change_nothing_make_no_new_version() -> None:
    briefing = Briefing(opening(), Pts(0), voice=(VoiceCaption(Pts(0), "joy", 0.5),))
    once = EmbeddedDirector().plan(briefing).storyline
    again = EmbeddedDirector().plan(replace(briefing, storyline=once, start=pts_from_s(2)))
    assert again.storyline is once


def test_released_fields_follow_the_voice_again() -> None:
    story = overlay(opening(), Pts(0), None, emotion="joy")
    story = release(story, pts_from_s(2))
    story = overlay(story, pts_from_s(1), None, "audio", emotion="fear")
    assert [(beat.emotion, beat.sources.emotion) for beat in story.beats] == [("joy", "user"), ("fear", "audio")]


# Cues


def test_a_cue_waits_for_its_word_and_is_carried_out_once() -> None:
    story = _plan("when I say goodbye, smile and nod", end_s=None)
    assert {beat.emotion for beat in story.beats} == {"calm"}
    assert heard(story, "a goodbyeish farewell", pts_from_s(5))[1] == ()
    story, ringing = heard(story, "well, Goodbye!", pts_from_s(5))
    assert [cue.words for cue in ringing] == ["goodbye"]
    assert (story.at(pts_from_s(5)).emotion, story.at(pts_from_s(5)).action) == ("joy", "nod")
    assert story.at(pts_from_s(4.9)).emotion == "calm"
    assert heard(story, "goodbye", pts_from_s(9)) == (story, ())


def test_a_cue_in_chinese_is_heard_inside_a_sentence() -> None:
    story = _plan("我说再见的时候点头", end_s=None)
    assert heard(story, "好了大家再见啦", Pts(0))[0].at(Pts(0)).action == "nod"


# Editing


def _nods() -> Storyline:
    return direct(overlay(opening(), Pts(0), None, emotion="joy"), Directive("action", "nod"), pts_from_s(2), pts_from_s(4))


def test_an_edited_beat_is_the_users_and_its_neighbours_stay() -> None:
    story = edit(_nods(), pts_from_s(2), Pts(0), action="wink", emotion="fear")
    assert [(beat.emotion, beat.action) for beat in story.beats] == [("joy", None), ("fear", "wink"), ("joy", None)]
    assert story.beats[1].source == "user"


def test_of_a_beat_on_air_only_what_is_still_to_come_changes() -> None:
    story = edit(_nods(), pts_from_s(2), pts_from_s(3), action="wink")
    assert [(s_from_pts(beat.start), beat.action) for beat in story.beats] == [(0, None), (2, "nod"), (3, "wink"), (4, None)]
    with pytest.raises(LookupError, match="cannot change any more"):
        delete(story, pts_from_s(2), pts_from_s(3.5))
    with pytest.raises(LookupError, match="no beat of storyline 1 starts"):
        delete(story, pts_from_s(2.5), Pts(0))


def test_a_deleted_beat_leaves_the_emotion_before_it_and_nothing_to_do() -> None:
    story = delete(_nods(), pts_from_s(2), Pts(0))
    assert [(beat.start, beat.end, beat.emotion, beat.action) for beat in story.beats] == [(0, None, "joy", None)]
    assert delete(story, Pts(0), Pts(0)).at(Pts(0)).emotion == "calm"


def test_undo_brings_back_what_was_to_come_and_keeps_what_was_on_air() -> None:
    before = opening()
    changed = replace(overlay(before, pts_from_s(1), None, emotion="anger"), version=2)
    undone = undo(changed, before, pts_from_s(3))
    spans = [(s_from_pts(beat.start), beat.emotion) for beat in undone.beats]
    assert spans == [(0, "calm"), (1, "anger"), (3, "calm")]
    assert undone.version == 2


def test_what_no_portrait_can_do_is_planned_and_said_to_be_undrawn() -> None:
    plan = EmbeddedDirector().plan(Briefing(opening(), Pts(0), "wave, then nod"))
    assert [beat.action for beat in plan.storyline.beats if beat.action] == ["wave", "nod"]
    assert plan.undrawn == ("wave",)
    wave = plan.storyline.at(Pts(0))
    assert "waves a hand" in wave.text
    assert "wave" not in wave.condition(Pts(0), pts_from_s(1)).text
    able = Briefing(opening(), Pts(0), "wave", actions=ACTIONS + PIXEL_ACTIONS)
    assert EmbeddedDirector().plan(able).undrawn == ()
