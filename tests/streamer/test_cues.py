from streamer import protocol
from streamer.desk import Desk
from streamer.director import EmbeddedDirector
from streamer.plan import Pts, pts_from_s


def _desk(prompt: str) -> Desk:
    desk = Desk(EmbeddedDirector(), lambda: None)
    desk.take(protocol.Prompt(type="prompt", id="1", text=prompt), Pts(0))
    return desk


def _actions(desk: Desk) -> list[tuple[str, int]]:
    return [(beat.action, beat.start) for beat in desk.line.beats if beat.action]


def test_a_cue_waits_for_its_words_and_can_be_taken_back() -> None:
    desk = _desk("when I say goodbye, nod")
    assert desk.say("Good evening, everybody.", pts_from_s(3)) == ()
    assert _actions(desk) == []
    assert [cue.words for cue in desk.say("And now, Goodbye!", pts_from_s(9))] == ["goodbye"]
    assert _actions(desk) == [("nod", pts_from_s(9))]
    desk.take(protocol.Undo(type="undo", id="2"), pts_from_s(9))
    assert _actions(desk) == []


def test_words_that_were_told_before_ring_no_cue_again() -> None:
    desk = _desk("each time I say hello, nod")
    desk.say("well hello there", pts_from_s(2))
    desk.say("hello there my friends", pts_from_s(6))
    assert _actions(desk) == [("nod", pts_from_s(2))]
    desk.say("my friends hello", pts_from_s(10))
    assert [at for _, at in _actions(desk)] == [pts_from_s(2), pts_from_s(10)]
