"""The soak in virtual time, short: what would grow over hours is counted, and what would drift is set against each other."""

import asyncio

import pytest

from clients.bench import virtual_time
from clients.bench.soak import Course
from clients.bench.virtual_soak import VirtualShow


def test_a_slope_is_what_comes_after_warming_up() -> None:
    course = Course()
    for minute in range(60):
        course.add(60 * minute, mb=500 if minute < 12 else 100 + minute, skew_ms=None)
    assert course.slope_per_hour("mb") == pytest.approx(60, abs=0.01)
    assert course.slope_per_hour("skew_ms") is None
    assert course.median("skew_ms") is None
    assert course.ends("mb") == (112, 159)


def test_voice_and_picture_stay_together_through_losses_and_commands() -> None:
    async def main() -> tuple[float | None, float, int, int]:
        async with VirtualShow(seed=1) as show:
            await asyncio.sleep(25)
            return show.skew_ms(), show.worst_skew_ms, show.frames, show.commands

    skew_ms, worst_ms, frames, commands = virtual_time.run(main())
    assert skew_ms is not None and abs(skew_ms) < 1
    assert abs(worst_ms) <= 40  # a splice may show for a frame
    assert frames >= 25 * 25 - 1 and commands > 0
