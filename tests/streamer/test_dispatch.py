"""Whose job is carried out next."""

import pytest

from streamer.dispatch import Costs, DispatchQueue, QueueFull


def _order(queue: DispatchQueue[str], now_s: float = 0.0) -> list[str]:
    taken = []
    while (what := queue.take(lambda _: True, now_s)) is not None:
        taken.append(what)
    return taken


def test_what_is_due_soonest_comes_first_whoever_asks() -> None:
    queue: DispatchQueue[str] = DispatchQueue(2)
    for broadcast, due_s, what in ((1, 0.3, "c"), (2, 0.1, "a"), (1, 0.2, "b"), (3, 0.4, "d")):
        queue.put(broadcast, due_s, what)
    assert _order(queue) == ["a", "b", "c", "d"]


def test_a_broadcast_that_wants_more_than_its_share_does_not_starve_the_others() -> None:
    """One is hopelessly late with everything, the other is in time; each job takes a worker 0.1 s."""
    queue: DispatchQueue[str] = DispatchQueue(1)
    done = {"greedy": 0, "modest": 0}
    for turn in range(200):
        now_s = turn * 0.1
        while len(queue) < 8:
            queue.put(1, now_s - 5.0, "greedy")
        if turn % 4 == 0:
            queue.put(2, now_s + 0.2, "modest")
        what = queue.take(lambda _: True, now_s)
        assert what is not None
        done[what] += 1
        queue.work.note(1 if what == "greedy" else 2, 0.1, now_s)
    assert done["modest"] >= 48  # all it has asked for
    assert done["greedy"] >= 140  # and the other has all the rest


def test_a_share_is_only_kept_from_whom_others_wait_behind() -> None:
    queue: DispatchQueue[str] = DispatchQueue(1)
    queue.work.note(1, 10.0, 0.0)
    queue.put(1, 0.0, "mine")
    assert queue.take(lambda _: True, 0.0) == "mine"


def test_what_no_free_worker_can_do_waits() -> None:
    queue: DispatchQueue[str] = DispatchQueue(1)
    queue.put(1, 0.0, "hard")
    queue.put(1, 1.0, "easy")
    assert queue.take(lambda what: what == "easy", 0.0) == "easy"
    assert queue.take(lambda what: what == "easy", 0.0) is None
    assert len(queue) == 1


def test_work_is_forgotten_after_some_seconds() -> None:
    queue: DispatchQueue[str] = DispatchQueue(2)
    for i in range(100):
        queue.work.note(1, 0.05, i * 0.1)
    assert queue.work.rate(1, 10.0) == pytest.approx(0.5, abs=0.05)
    assert queue.work.total(20.0) < 0.01


def test_the_queue_is_bounded_for_each_broadcast() -> None:
    queue: DispatchQueue[int] = DispatchQueue(1)
    with pytest.raises(QueueFull):
        for i in range(1000):
            queue.put(1, 0.0, i)
    queue.put(2, 0.0, 0)
    assert len(queue) == 65


def test_what_a_broadcast_takes_is_known_from_what_others_have_cost() -> None:
    costs = Costs()
    assert costs.of_broadcast(512 * 512, 25) is None
    for _ in range(100):
        costs.note("motion", 0.03, 6)
        costs.note("picture", 6 * 0.008, 6 * 512 * 512 / 1e6)
    assert costs.of_broadcast(512 * 512, 25) == pytest.approx(1.15 * 25 * (0.005 + 0.008))
    assert (costs.of_broadcast(1920 * 1080, 48) or 0) > 3
