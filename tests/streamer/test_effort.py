"""What is left out while the machine cannot keep up."""

from itertools import pairwise

from streamer.effort import LEVELS, Effort, Turns

SEGMENT_S = 0.24
DOWN = ["full", "fewer_steps", "half_rate", "third_rate"]


def _after(effort: Effort, num_clips: int, load: float, wait_s: float = 0.1) -> str:
    for _ in range(num_clips):
        effort.note(load, load, wait_s, SEGMENT_S * effort.level.num_segments)
    return effort.level.name


def test_a_machine_that_keeps_up_gives_everything() -> None:
    assert _after(Effort(), 500, 0.7) == "full"


def test_one_slow_sub_clip_changes_nothing() -> None:
    effort = Effort()
    _after(effort, 50, 0.3)
    assert _after(effort, 1, 3.0) == "full"
    assert _after(effort, 50, 0.3) == "full"


def test_a_machine_that_cannot_keep_up_leaves_out_steps_first_and_then_pictures() -> None:
    effort = Effort()
    names = [_after(effort, 1, 1.3) for _ in range(60)]
    assert list(dict.fromkeys(names)) == DOWN


def test_sub_clips_that_wait_long_for_busy_workers_are_given_less_too() -> None:
    assert _after(Effort(), 60, 0.7, wait_s=0.8) == "third_rate"


def test_sub_clips_that_take_long_while_workers_are_free_are_given_everything() -> None:
    assert _after(Effort(), 200, 0.3, wait_s=0.8) == "full"


def test_what_was_left_out_comes_back_step_by_step_after_some_seconds_of_ease() -> None:
    effort = Effort()
    _after(effort, 60, 1.3)
    names = [_after(effort, 1, 0.25) for _ in range(100)]
    assert list(dict.fromkeys(names)) == DOWN[::-1]
    assert names[:8] == ["third_rate"] * 8


def test_a_step_up_that_does_not_hold_is_tried_ever_less_often() -> None:
    """A machine that has room for half of the pictures, and looks as if it had some for all of them."""
    effort = Effort()
    names = [_after(effort, 1, 0.3 if effort.level in LEVELS[2:] else 1.3) for _ in range(1200)]
    tries = [i for i in range(1, len(names)) if (names[i - 1], names[i]) == ("half_rate", "fewer_steps")]
    gaps = [b - a for a, b in pairwise(tries)]
    assert len(tries) > 2 and gaps == sorted(gaps) and gaps[-1] > 2 * gaps[0]


def test_a_broadcast_that_takes_little_of_what_is_taken_may_rise_where_one_that_takes_all_may_not() -> None:
    for own, wanted in ((0.6, "half_rate"), (0.1, "full")):
        effort = Effort()
        while effort.level.name != "half_rate":
            _after(effort, 1, 1.3)
        for _ in range(200):
            effort.note(0.6, own, 0.1, SEGMENT_S * effort.level.num_segments)
        assert effort.level.name == wanted


def test_of_broadcasts_that_share_workers_one_at_a_time_steps_up() -> None:
    efforts, turns, now_s, rises = [Effort() for _ in range(4)], Turns(), 0.0, []
    for effort in efforts:
        _after(effort, 60, 1.3)
    while len(rises) < 12 and now_s < 300:
        now_s += 2 * SEGMENT_S
        for effort in efforts:
            if effort.note(0.3, 0.07, 0.1, SEGMENT_S * effort.level.num_segments, turns.may_rise(now_s)):
                turns.note_change(now_s)
                rises.append(now_s)
    assert {effort.level.name for effort in efforts} == {"full"}
    assert min(b - a for a, b in pairwise(rises)) >= 5
