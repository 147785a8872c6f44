"""The circuit breaker, by the clock."""

from streamer.directors.breaker import Breaker


def _fail(breaker: Breaker, now_s: float) -> None:
    assert breaker.admit(now_s)
    breaker.fail(now_s, "down")


def test_the_third_failure_in_a_row_opens_it() -> None:
    breaker = Breaker()
    _fail(breaker, 0)
    _fail(breaker, 1)
    breaker.succeed()
    for now_s in (2, 3, 4):
        assert breaker.rests_for_s(now_s) is None
        _fail(breaker, now_s)
    assert breaker.rests_for_s(4) == 2
    assert not breaker.admit(5)
    assert breaker.reason == "down"


def test_one_question_tries_and_its_outcome_decides() -> None:
    breaker = Breaker()
    for _ in range(3):
        _fail(breaker, 0)
    assert breaker.admit(2)
    assert not breaker.admit(2)  # one at a time
    breaker.withdraw()
    _fail(breaker, 3)
    assert breaker.rests_for_s(3) == 4
    assert breaker.admit(7)
    breaker.succeed()
    assert breaker.admit(7) and breaker.admit(7)
    assert breaker.reason == ""


def test_the_rest_doubles_up_to_a_minute() -> None:
    breaker, now_s, rests = Breaker(), 0.0, []
    for _ in range(3):
        _fail(breaker, now_s)
    for _ in range(7):
        rests.append(breaker.rests_for_s(now_s))
        now_s += rests[-1] or 0
        _fail(breaker, now_s)
    assert rests == [2, 4, 8, 16, 32, 60, 60]


def test_a_lasting_failure_and_a_server_that_asks_for_it_open_it_at_once() -> None:
    breaker = Breaker()
    breaker.fail(0, "wrong key", is_lasting=True)
    assert breaker.rests_for_s(0) == 60
    breaker = Breaker()
    breaker.fail(0, "busy", retry_after_s=7)
    assert breaker.rests_for_s(0) == 7
    breaker.fail(0, "busy", retry_after_s=86_400)
    assert breaker.rests_for_s(0) == 300
