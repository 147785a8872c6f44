"""The desk: what hosts ask for becomes the next version of the storyline, or an answer that says why not."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.prompts import ACTIONS, CAMERA_MOVES, EMOTIONS, PIXEL_ACTIONS
from streamer.briefing import PortraitCaption
from streamer.desk import Desk, Refused
from streamer.director import EmbeddedDirector
from streamer.plan import Pts, Storyline
from streamer.protocol import Change, DeleteBeat, DoAction, EditBeat, MoveCamera, Prompt, SetEmotion, Undo
from streamer.situations import shipped

SECOND = 48_000
DIRECTOR = EmbeddedDirector(shipped())


def desk() -> Desk:
    return Desk(DIRECTOR, lambda: None)


def emotion(word: str, **more: object) -> SetEmotion:
    return SetEmotion(type="emotion", emotion=word, **more)  # type: ignore[arg-type]


def spoken(line: Storyline) -> list[tuple[float, str, str | None, str]]:
    return [(beat.start / SECOND, beat.emotion, beat.action, beat.camera) for beat in line.beats]


def test_a_change_holds_from_the_first_moment_that_can_change() -> None:
    mine = desk()
    done = mine.take(emotion("joy"), Pts(2 * SECOND))
    assert done.at == 2 * SECOND
    assert spoken(mine.line) == [(0, "calm", None, "static"), (2, "joy", None, "static")]
    assert mine.line.version == 2
    assert mine.line.beats[1].sources.emotion == "user"


def test_a_change_may_be_put_later() -> None:
    mine = desk()
    assert mine.take(emotion("joy", at_pts=5 * SECOND), Pts(2 * SECOND)).at == 5 * SECOND
    assert mine.line.at(Pts(4 * SECOND)).emotion == "calm"
    assert mine.take(emotion("fear", at_pts=1), Pts(3 * SECOND)).at == 3 * SECOND


def test_a_change_more_than_an_hour_ahead_is_refused_with_the_field() -> None:
    with pytest.raises(Refused) as caught:
        desk().take(emotion("joy", at_pts=3602 * SECOND), Pts(0))
    answer = caught.value.answer(emotion("joy", id="7"))
    assert (answer.code, answer.path, answer.id) == ("invalid", "emotion.at_pts", "7")


def test_a_prompt_may_wait_for_a_word() -> None:
    mine = desk()
    done = mine.take(Prompt(type="prompt", text="very happy", cue="goodbye"), Pts(0))
    assert "goodbye" in done.understood[0]
    assert [cue.words for cue in mine.line.cues] == ["goodbye"]
    assert spoken(mine.line) == [(0, "calm", None, "static")]


def test_what_the_model_on_air_cannot_draw_is_said_so() -> None:
    mine = desk()
    for word in PIXEL_ACTIONS:
        with pytest.raises(Refused, match="no hands"):
            mine.take(DoAction(type="action", action=word), Pts(0))
    assert mine.line.version == 1
    assert mine.take(Prompt(type="prompt", text="smile and wave"), Pts(0)).undrawn == ("wave",)


def test_a_prompt_that_means_nothing_changes_nothing() -> None:
    mine = desk()
    with pytest.raises(Refused, match="nothing in this was understood"):
        mine.take(Prompt(type="prompt", text="qwzx vbnm"), Pts(0))
    assert mine.line.version == 1


def test_undo_goes_back_change_by_change_and_then_says_there_is_no_more() -> None:
    mine = desk()
    mine.take(emotion("joy"), Pts(1 * SECOND))
    mine.take(MoveCamera(type="camera", move="zoom_in"), Pts(2 * SECOND))
    mine.take(Undo(type="undo"), Pts(3 * SECOND))
    assert mine.line.at(Pts(2 * SECOND)).camera == "zoom_in"  # it has been on air
    assert mine.line.at(Pts(4 * SECOND)).camera == "static"
    mine.take(Undo(type="undo"), Pts(4 * SECOND))
    assert mine.line.at(Pts(3 * SECOND)).emotion == "joy"
    assert mine.line.at(Pts(5 * SECOND)).emotion == "calm"
    assert mine.line.version == 5
    with pytest.raises(Refused, match="no change left"):
        mine.take(Undo(type="undo"), Pts(5 * SECOND))


def test_only_so_many_changes_can_be_taken_back() -> None:
    mine = desk()
    for i in range(100):
        mine.take(emotion(EMOTIONS[i % 10]), Pts(i * SECOND))
    with pytest.raises(Refused):
        for _ in range(100):
            mine.take(Undo(type="undo"), Pts(100 * SECOND))
    assert mine.line.version < 150


def test_a_beat_to_come_is_edited_or_deleted_by_its_start() -> None:
    mine = desk()
    mine.take(emotion("joy", at_pts=5 * SECOND), Pts(0))
    mine.take(EditBeat(type="edit", start_pts=5 * SECOND, emotion="anger", action="nod"), Pts(0))
    assert spoken(mine.line)[-1] == (5, "anger", "nod", "static")
    mine.take(EditBeat(type="edit", start_pts=5 * SECOND, action=None), Pts(0))
    assert spoken(mine.line)[-1] == (5, "anger", None, "static")
    mine.take(DeleteBeat(type="delete", start_pts=5 * SECOND), Pts(0))
    assert spoken(mine.line) == [(0, "calm", None, "static")]


def test_one_field_of_several_beats_is_edited_or_deleted_at_once() -> None:
    mine = desk()
    mine.take(Prompt(type="prompt", text="very happy, nods, slow zoom in"), Pts(0))
    zooms = [beat for beat in mine.line.beats if beat.camera == "zoom_in"]
    assert len(zooms) > 1
    span = {"start_pts": zooms[0].start, "end_pts": zooms[-1].end}
    mine.take(EditBeat(type="edit", camera="pan_left", **span), Pts(0))  # type: ignore[arg-type]
    assert {beat.camera for beat in mine.line.beats} == {"pan_left", "static"}
    mine.take(DeleteBeat(type="delete", field="camera", **span), Pts(0))  # type: ignore[arg-type]
    assert {beat.camera for beat in mine.line.beats} == {"static"}
    assert {beat.emotion for beat in mine.line.beats} == {"joy"} and "nod" in {beat.action for beat in mine.line.beats}


def test_a_beat_that_is_not_there_or_has_been_cannot_be_deleted() -> None:
    mine = desk()
    mine.take(emotion("joy"), Pts(0))
    mine.take(emotion("fear"), Pts(2 * SECOND))
    for start in (0, 7):
        with pytest.raises(Refused) as caught:
            mine.take(DeleteBeat(type="delete", start_pts=start), Pts(3 * SECOND))
        assert caught.value.answer(Undo(type="undo")).code == "unknown_beat"


def test_idle_is_calm_and_what_was_planned_comes_back_after_it() -> None:
    mine = desk()
    mine.take(emotion("joy"), Pts(0))
    mine.take(Prompt(type="prompt", text="when I say goodbye, look sad"), Pts(0))
    mine.take(MoveCamera(type="camera", move="pan_left", at_pts=9 * SECOND), Pts(0))
    mine.rest(True, Pts(1 * SECOND))
    assert mine.is_at_rest
    assert spoken(mine.line)[-1] == (1, "calm", None, "static")
    assert not mine.line.cues
    mine.rest(False, Pts(2 * SECOND))
    assert not mine.is_at_rest
    assert mine.line.at(Pts(3 * SECOND)).emotion == "joy"
    assert mine.line.at(Pts(10 * SECOND)).camera == "pan_left"
    assert mine.line.cues


def test_what_is_directed_while_idle_stays() -> None:
    mine = desk()
    mine.take(emotion("joy"), Pts(0))
    mine.rest(True, Pts(SECOND))
    mine.take(emotion("sadness"), Pts(2 * SECOND))
    mine.rest(False, Pts(3 * SECOND))
    assert mine.line.at(Pts(4 * SECOND)).emotion == "sadness"


def test_stop_calls_off_what_is_to_come_and_can_be_undone() -> None:
    mine = desk()
    mine.take(emotion("joy"), Pts(0))
    mine.take(MoveCamera(type="camera", move="zoom_in", at_pts=5 * SECOND), Pts(0))
    mine.stop(Pts(SECOND))
    assert spoken(mine.line)[-1][1:] == ("joy", None, "static")
    assert all(beat.camera == "static" for beat in mine.line.beats)
    mine.take(Undo(type="undo"), Pts(2 * SECOND))
    assert mine.line.at(Pts(6 * SECOND)).camera == "zoom_in"


def test_everybody_is_told_what_changed_in_the_words_it_was_asked_in() -> None:
    mine = desk()
    mine.take(Prompt(type="prompt", text="very happy, nods"), Pts(0))
    told = mine.report()
    assert told.because == "very happy, nods"
    assert told.can_undo and told.version == 2
    assert {beat.sources.emotion for beat in told.beats} == {"user"}


PTS = st.none() | st.integers(0, 60 * SECOND)
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(emotion, st.sampled_from(EMOTIONS), at_pts=PTS, intensity=st.floats(0, 1)),
    st.builds(lambda word, at: DoAction(type="action", action=word, at_pts=at), st.sampled_from(ACTIONS + PIXEL_ACTIONS), PTS),
    st.builds(lambda word, at: MoveCamera(type="camera", move=word, at_pts=at), st.sampled_from(CAMERA_MOVES), PTS),
    st.builds(lambda at: DeleteBeat(type="delete", start_pts=at), st.integers(0, 60 * SECOND)),
    st.just(Undo(type="undo")),
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.one_of(CHANGES, st.sampled_from(["first", "last", "rest", "back", "stop"])), st.integers(0, SECOND)))
)
def test_whatever_is_asked_in_whatever_order_the_storyline_stays_one_that_can_be_played(
    asked: list[tuple[Change | str, int]],
) -> None:
    changes = 0

    def changed() -> None:
        nonlocal changes
        changes += 1

    mine, at = Desk(DIRECTOR, changed), 0
    for what, passed in asked:
        at += passed
        mine.forget_before(Pts(max(0, at - SECOND)))
        try:
            carry_out(mine, what, Pts(at))
        except Refused as refused:
            assert str(refused)
        told = mine.report()  # validates: beats in order, never overlapping
        assert told.version == 1 + changes
        for before, after in pairwise(mine.line.beats):
            assert before.end is None or before.end <= after.start


def carry_out(mine: Desk, what: Change | str, at: Pts) -> None:
    beats = mine.line.beats
    named: dict[str, Callable[[], object]] = {
        "first": lambda: mine.take(DeleteBeat(type="delete", start_pts=beats[0].start), at),
        "last": lambda: mine.take(EditBeat(type="edit", start_pts=beats[-1].start, action="nod"), at),
        "rest": lambda: mine.rest(True, at),
        "back": lambda: mine.rest(False, at),
        "stop": lambda: mine.stop(at),
    }
    if isinstance(what, str):
        named[what]()
    else:
        mine.take(what, at)


def test_what_a_model_sees_of_an_avatar_is_not_replaced_by_the_embedded_director() -> None:
    mine = desk()
    anna, leo = Path("anna"), Path("leo")
    mine.see(PortraitCaption("joy", 0.3), Pts(0), anna, by_model=True)
    mine.see(PortraitCaption("sadness", 0.3), Pts(0), anna)
    assert mine.line.at(Pts(0)).emotion == "joy"
    mine.see(PortraitCaption("sadness", 0.3), Pts(0), leo)
    assert mine.line.at(Pts(0)).emotion == "sadness"
