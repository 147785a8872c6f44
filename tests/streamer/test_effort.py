"""What is left out while the machine cannot keep up."""

from streamer.effort import Effort


def _after(effort: Effort, num_clips: int, load: float) -> str:
    for _ in range(num_clips):
        effort.note(load)
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
    assert list(dict.fromkeys(names)) == ["full", "fewer_steps", "half_rate"]


def test_what_was_left_out_comes_back_step_by_step_after_some_seconds_of_ease() -> None:
    effort = Effort()
    _after(effort, 60, 1.3)
    names = [_after(effort, 1, 0.25) for _ in range(100)]
    assert list(dict.fromkeys(names)) == ["half_rate", "fewer_steps", "full"]
    assert names[:20] == ["half_rate"] * 20
