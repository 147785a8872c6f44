"""A broadcast in virtual time: what goes on air, when, whatever the workers do."""

import asyncio
from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np
import pytest

from streamer.protocol import Interrupt, Mute
from tests.fakes import virtual_time
from tests.fakes.virtual_broadcast import VirtualBroadcast, broadcast_in, on_air, pool_of
from tests.fakes.virtual_worker import EPOCH, FRAME, REPAIRED, Pace, Workers

SETTLED_S = 6.0


def _watch(seconds: float, num_workers: int, pace: Pace, **settings: object) -> tuple[VirtualBroadcast, Workers]:
    workers = Workers(lambda i: pace)

    async def main() -> VirtualBroadcast:
        pool = pool_of(workers, num_workers)
        broadcast = broadcast_in(pool, **settings)
        await on_air(pool, broadcast, seconds=seconds)
        return broadcast

    return virtual_time.run(main()), workers


def _frames(broadcast: VirtualBroadcast, since_s: float) -> list[int]:
    return [int(pose[FRAME]) for at, pose in broadcast.poses if at >= since_s]


def test_every_frame_is_on_air_once_and_in_order() -> None:
    broadcast, workers = _watch(14, 1, Pace())
    frames = _frames(broadcast, SETTLED_S)
    assert [b - a for a, b in pairwise(frames)] == [1] * (len(frames) - 1)
    assert broadcast.holds(SETTLED_S) == 0
    assert all(len(job.history) for job in workers.jobs[1:])  # all in one chain


def test_a_pool_whose_motion_is_slower_than_speech_keeps_the_full_rate_by_sub_clips_made_in_parallel() -> None:
    """Each worker takes half as long again over motion as it lasts, and 20 ms over a picture."""
    broadcast, workers = _watch(30, 4, Pace(0.02, 0.06, 0.02))
    frames = _frames(broadcast, 20)
    assert np.mean(np.diff(frames) == 1) > 0.98
    assert broadcast.holds(20) <= 3
    apart = [job for job in workers.jobs if not len(job.history) and not len(job.future)]
    repairs = [job for job in workers.jobs if len(job.future)]
    assert len(apart) > 20 and len(repairs) > 20
    shown = [bool(pose[REPAIRED]) for at, pose in broadcast.poses if at >= 20]
    assert 0.2 < np.mean(shown) < 0.6  # what was made anew about each join is what is seen


def test_four_workers_three_times_slower_than_usual_keep_the_full_rate() -> None:
    broadcast, _ = _watch(16, 4, Pace(3 * 0.02, 3 * 0.003, 3 * 0.015))
    frames = _frames(broadcast, 9)
    assert np.mean(np.diff(frames) == 1) > 0.98


def test_one_slow_worker_among_four_does_not_slow_the_others_down() -> None:
    workers = Workers(lambda i: Pace(0.06, 0.01, 0.045) if i == 0 else Pace())

    async def main() -> VirtualBroadcast:
        pool = pool_of(workers, 4)
        broadcast = broadcast_in(pool)
        await on_air(pool, broadcast, seconds=16)
        return broadcast

    broadcast = virtual_time.run(main())
    assert np.mean(np.diff(_frames(broadcast, 9)) == 1) > 0.98


def test_four_broadcasts_share_two_workers_and_each_has_its_full_rate() -> None:
    workers = Workers(lambda i: Pace(0.02, 0.002, 0.009))

    async def main() -> list[VirtualBroadcast]:
        pool = pool_of(workers, 2)
        broadcasts = [broadcast_in(pool, f"show-{i}") for i in range(4)]
        await on_air(pool, *broadcasts, seconds=14)
        return broadcasts

    for broadcast in virtual_time.run(main()):
        assert broadcast.holds(8) <= 8
        assert np.mean(np.diff(_frames(broadcast, 9)) == 1) > 0.95


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_worker_killed_in_the_middle_is_replaced_within_a_second(num_workers: int) -> None:
    workers = Workers()

    async def main() -> VirtualBroadcast:
        pool = pool_of(workers, num_workers)
        broadcast = broadcast_in(pool)

        async def kill() -> None:
            await asyncio.sleep(8)
            workers.made[0].kill()

        await on_air(pool, broadcast, seconds=11, meanwhile=kill())
        assert pool.restarts == 1
        return broadcast

    broadcast = virtual_time.run(main())
    held = [at for at, turn in broadcast.turns if turn.hold and at >= 7]
    assert len(held) <= 3
    assert max(held, default=8.0) - 8 < 1.0


@pytest.mark.parametrize("kind", ["interrupt", "mute"])
def test_what_was_said_before_a_stop_is_neither_heard_nor_seen_after_it(kind: str) -> None:
    """Ten of each, at every place in a sub-clip."""
    workers, stops = Workers(), []

    async def main() -> VirtualBroadcast:
        pool = pool_of(workers, 2)
        broadcast = broadcast_in(pool)
        session = broadcast.session

        async def stop() -> None:
            await asyncio.sleep(5)
            for _ in range(10):
                await asyncio.sleep(1.13)
                if kind == "mute":
                    session.command(Mute(type="mute", on=False))
                    await asyncio.sleep(0.7)
                now_s = asyncio.get_running_loop().time()
                done = session.command(Interrupt(type="interrupt") if kind == "interrupt" else Mute(type="mute", on=True))
                stops.append((now_s, done.on_air_pts, session.share.epoch))  # type: ignore[union-attr]

        await on_air(pool, broadcast, seconds=25, meanwhile=stop())
        return broadcast

    broadcast = virtual_time.run(main())
    lags = []
    for at, pts, epoch in stops:
        after = [(t, turn) for t, turn in broadcast.turns if t > at and turn.pts is not None]
        assert not after[0][1].sound.any()  # at once
        seen = [(t, pose) for t, pose in broadcast.poses if t > at]
        first_new = next(t for t, turn in after if turn.pts >= pts)  # type: ignore[operator]
        lags.append(first_new - at)
        assert all(pose[EPOCH] >= epoch or pose[FRAME] * 1920 < pts for t, pose in seen if t < at + 1.5)
    assert len(lags) == 10
    assert np.percentile(lags, 95) <= 0.3
    assert broadcast.holds(SETTLED_S) <= 20


def test_a_stop_is_seen_at_once_though_what_comes_next_takes_long_to_draw() -> None:
    """Six times slower than usual. The picture stands still after a stop, and the next one is of what came after it."""
    usual, stops = Pace(0.03, 0.002, 0.013, 0.09), []
    workers = Workers(lambda i: Pace(*(6 * takes_s for takes_s in asdict(usual).values())))

    async def main() -> VirtualBroadcast:
        pool = pool_of(workers, 2)
        broadcast = broadcast_in(pool)

        async def stop() -> None:
            await asyncio.sleep(12)
            for _ in range(8):
                await asyncio.sleep(2.17)
                broadcast.session.command(Interrupt(type="interrupt"))
                stops.append((asyncio.get_running_loop().time(), broadcast.session.share.epoch))

        await on_air(pool, broadcast, seconds=32, meanwhile=stop())
        return broadcast

    broadcast = virtual_time.run(main())
    for at, epoch in stops:
        old = [(t, pose[FRAME]) for t, pose in broadcast.poses if t > at and pose[EPOCH] < epoch]
        assert len({frame for t, frame in old if t > at + 0.16}) <= 1  # it stands still
        assert max(t for t, _ in old) < at + 1.0


def _behind(broadcast: VirtualBroadcast, until_s: float, since_s: float = 0.0) -> list[float]:
    """How much later than it was spoken each turn was on air, in seconds, but for the voice's own way."""
    first = next(at for at, turn in broadcast.turns if turn.pts is not None)
    return [at - (turn.pts or 0) / 48_000 for at, turn in broadcast.turns if max(since_s, first) <= at < until_s and turn.pts]


_USUAL = Pace(0.03, 0.002, 0.013, 0.09)


def _slowed(
    times: float, from_s: float, until_s: float, seconds: float, usual: Pace = _USUAL, num_workers: int = 1
) -> VirtualBroadcast:
    """A broadcast on workers that are so many times slower for a while, in virtual time. Somebody speaks, and pauses."""
    pace = replace(usual)

    async def become(times: float, at_s: float) -> None:
        await asyncio.sleep(at_s - asyncio.get_running_loop().time())
        for part, takes_s in asdict(usual).items():
            setattr(pace, part, times * takes_s)

    async def main() -> VirtualBroadcast:
        pool = pool_of(Workers(lambda i: pace), num_workers)
        broadcast = broadcast_in(pool, loud=lambda s: s % 3 < 2.4)
        both = asyncio.gather(become(times, from_s), become(1.0, until_s))
        await on_air(pool, broadcast, seconds=seconds, meanwhile=both)
        return broadcast

    return virtual_time.run(main())


def test_a_machine_that_cannot_keep_up_shows_fewer_pictures_with_a_second_of_delay_and_all_of_them_again_afterwards() -> None:
    broadcast = _slowed(2.0, 0.0, 20.0, 45)
    assert max(_behind(broadcast, 45)) < 1.3
    frames = _frames(broadcast, 10)
    shown = len({frame for (at, _), frame in zip(broadcast.poses[-len(frames) :], frames, strict=True) if at < 20})
    assert shown > 10 * 25 / 3.5
    assert sum(turn.hold == "late_clip" for at, turn in broadcast.turns if 10 <= at < 20) <= 3
    assert broadcast.session.rendering.effort.level.name == "full"
    assert broadcast.holds(42) == 0 and max(_behind(broadcast, 45, 42)) < 0.6


def test_after_a_busy_moment_the_delay_is_what_it_was_within_ten_seconds() -> None:
    broadcast = _slowed(6.0, 10.0, 11.5, 25)
    usual = max(_behind(broadcast, 10, 9))
    assert max(_behind(broadcast, 14, 10)) > usual + 0.2
    assert max(_behind(broadcast, 25, 22)) < usual + 0.05


def test_after_a_busy_moment_the_picture_goes_on_at_once_though_there_is_no_time_to_make_up() -> None:
    """Motion takes nearly as long as it lasts: what was missed in the busy moment is left out, not drawn too late for ever."""
    broadcast = _slowed(8.0, 10.0, 11.0, 18, Pace(0.18, 0.0, 0.005, 0.05), num_workers=2)
    changed = [at for (at, pose), (_, before) in pairwise(broadcast.poses[::-1]) if pose[FRAME] != before[FRAME]][::-1]
    longest = max(later - at for at, later in pairwise(changed) if at > 9)
    assert longest < 2.0  # 2.4 where each is drawn


def test_a_broadcast_that_begins_slowly_does_not_carry_that_as_delay() -> None:
    workers = Workers(lambda i: Pace(blueprint_s=1.5))

    async def main() -> VirtualBroadcast:
        pool = pool_of(workers, 2)
        broadcast = broadcast_in(pool)
        await on_air(pool, broadcast, seconds=4)
        return broadcast

    assert max(_behind(virtual_time.run(main()), 4)) < 0.8
