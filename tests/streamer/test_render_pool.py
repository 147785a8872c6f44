"""The render pool: real processes, with a stand-in worker in them."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from engines.motion import rest
from streamer import worker_process
from streamer.clock import SystemClock
from streamer.media import Picture
from streamer.plan import Beat, Look, PictureJob, Pts, SubClipJob
from streamer.render_pool import RenderPool, Superseded
from streamer.render_share import RenderShare
from streamer.starvation import starved_s, waits
from streamer.worker_process import RenderFailed, WorkerLost
from tests.fakes.avatars import write_avatar
from tests.fakes.worker import FAKE_WORKER, NUMBER


@asynccontextmanager
async def _pool(num_workers: int = 1, **options: float) -> AsyncIterator[RenderPool]:
    pool = RenderPool(SystemClock(), FAKE_WORKER, num_workers=num_workers, **options)  # type: ignore[arg-type]
    try:
        yield pool
    finally:
        await pool.close()


async def _share(pool: RenderPool, manner: str | Path = "plain", width: int = 64) -> RenderShare:
    share = RenderShare(pool, Look(Path(manner), width, 48))
    await share.open()
    return share


def _job(number: int, epoch: int = 0) -> SubClipJob:
    start, end = Pts(number * 19_200), Pts((number + 1) * 19_200)
    audio = np.full(round(0.48 * 16_000), 100 * number, np.int16)
    return SubClipJob(number, epoch, 1, start, end, 25, (Beat(Pts(0)),), audio, start, number)


def _pictures(share: RenderShare, number: int, num: int = 10, epoch: int = 0) -> PictureJob:
    motion = rest(num)
    motion[:, NUMBER] = 10 * number + np.arange(num)
    return PictureJob(epoch, share.look, motion)


async def _draw(share: RenderShare, number: int, epoch: int = 0) -> list[tuple[int, Picture]]:
    drawn: list[tuple[int, Picture]] = []
    await share.pictures(_pictures(share, number, epoch=epoch), float(number), lambda i, picture: drawn.append((i, picture)))
    return drawn


def _bar(picture: Picture) -> int:
    return int(picture[40].argmax()) // (picture.shape[1] // 25)


async def test_pictures_come_back_whole_and_each_its_own() -> None:
    async with _pool() as pool:
        share = await _share(pool)
        found = await asyncio.gather(*(_draw(share, i) for i in range(8)))
    for i, drawn in enumerate(found):
        assert [index for index, _ in drawn] == list(range(10))
        assert [_bar(picture) for _, picture in drawn] == [(10 * i + k) % 25 for k in range(10)]


async def test_what_is_drawn_for_one_broadcast_never_comes_out_in_another(tmp_path: Path) -> None:
    """Four broadcasts of other avatars and sizes on two workers, of which one dies in the middle."""
    names = ("anna", "ben", "cleo", "dies")
    async with _pool(2) as pool:
        shares = [await _share(pool, write_avatar(tmp_path, name), 64 + 32 * i) for i, name in enumerate(names)]
        found = await asyncio.gather(*(_draw(share, i) for i in range(12) for share in shares))
    for k, drawn in enumerate(found):
        name, share, number = names[k % 4], shares[k % 4], k // 4
        assert len(drawn) == 10
        for index, picture in drawn:
            assert picture.shape == share.look.picture_shape
            assert picture[-1, 0] == zlib.crc32(name.encode()) % 256
            assert _bar(picture) == (10 * number + index) % 25
    assert pool.restarts == 1


async def test_pictures_are_handed_on_while_later_ones_are_drawn() -> None:
    async with _pool() as pool:
        share, came = await _share(pool), asyncio.Event()
        rendering = asyncio.ensure_future(share.pictures(_pictures(share, 1), 0.0, lambda i, picture: came.set()))
        await came.wait()
        assert not rendering.done()
        await rendering


async def test_rendering_does_not_block_the_event_loop() -> None:
    async with _pool() as pool:
        rendering, turns = asyncio.ensure_future(_draw(await _share(pool, "slow-200"), 1)), 0
        while not rendering.done():
            await asyncio.sleep(0.005)
            turns += 1
    assert turns >= 3


@pytest.mark.parametrize(("manner", "num_workers"), [("dies", 2), ("hangs", 2), ("hangs", 1)])
async def test_a_worker_that_is_lost_is_replaced_and_its_job_done_by_another(
    tmp_path: Path, manner: str, num_workers: int
) -> None:
    async with _pool(num_workers, timeout_s=2.0 if manner == "hangs" else 60.0) as pool:
        share = await _share(pool, write_avatar(tmp_path, manner))
        drawn = [await _draw(share, i) for i in range(5)]
        assert [len(each) for each in drawn] == [10] * 5
        async with asyncio.timeout(30):
            while not pool.restarts:  # noqa: ASYNC110, nothing tells
                await asyncio.sleep(0.01)
    assert pool.restarts == 1


async def test_a_worker_that_is_starved_of_a_processor_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "waits", lambda *pids: {1: asyncio.get_running_loop().time()})  # all the time
    async with _pool(timeout_s=0.1) as pool:
        share = await _share(pool, "slow-600")
        assert len(await _draw(share, 1)) == 10
    assert pool.restarts == 0


@pytest.mark.skipif(not waits(os.getpid()), reason="this system does not tell who waits for a processor")
def test_a_process_beside_a_busy_one_on_the_same_core_is_seen_to_wait() -> None:
    core = {min(os.sched_getaffinity(0))}
    both = [
        subprocess.Popen([sys.executable, "-c", f"import os; os.sched_setaffinity(0, {core})\nwhile True: pass"]) for _ in "ab"
    ]
    try:
        before = [waits(each.pid) for each in both]
        give_up_at = time.monotonic() + 60
        while min(starved_s(was, waits(each.pid)) for was, each in zip(before, both, strict=True)) < 0.05:
            assert time.monotonic() < give_up_at
            time.sleep(0.02)
    finally:
        for each in both:
            each.kill()
            each.wait()


def test_of_several_threads_the_one_that_waited_longest_counts() -> None:
    assert starved_s({1: 2.0, 2: 5.0}, {1: 2.5, 2: 5.0, 3: 0.2}) == 0.5
    assert starved_s({}, {}) == 0.0


async def test_a_job_that_kills_every_worker_is_given_up() -> None:
    async with _pool(2) as pool:
        share, other = await _share(pool, "kills"), await _share(pool)
        with pytest.raises(WorkerLost):
            await _draw(share, 1)
        assert len(await _draw(other, 2)) == 10


async def test_a_job_that_raises_leaves_the_worker_alive(tmp_path: Path) -> None:
    async with _pool() as pool:
        share = await _share(pool, write_avatar(tmp_path, "raises"))
        await _draw(share, 1)
        with pytest.raises(RenderFailed, match="a fault on purpose"):
            await _draw(share, 2)
        await _draw(share, 3)
        assert pool.restarts == 0


async def test_jobs_of_an_old_epoch_are_dropped_before_and_after_they_are_done() -> None:
    async with _pool() as pool:
        share, other = await _share(pool, "slow-100"), await _share(pool)
        at_work, waiting = (asyncio.ensure_future(_draw(share, i)) for i in (1, 2))
        of_another = asyncio.ensure_future(_draw(other, 1))
        await asyncio.sleep(0.02)
        share.supersede(1)
        for old in (_draw(share, 3), waiting, at_work):
            with pytest.raises(Superseded):
                await old
        assert len(await _draw(share, 4, epoch=1)) == 10
        assert len(await of_another) == 10


async def test_another_avatar_is_opened_beside_the_work_and_takes_over() -> None:
    async with _pool() as pool:
        share = await _share(pool)
        before = await _draw(share, 0)
        await share.stand_by(Path("other"))
        last = asyncio.ensure_future(_draw(share, 1))
        await asyncio.sleep(0)
        share.switch()
        after = await _draw(share, 2)
        looks = [pictures[0][1][-1, 0] for pictures in (before, await last, after)]
    assert looks == [zlib.crc32(name) % 256 for name in (b"plain", b"plain", b"other")]


async def test_motion_is_made_by_any_worker() -> None:
    async with _pool() as pool:
        share = await _share(pool)
        done = await share.motion(_job(3), 0.0)
    assert done.result[:, NUMBER].tolist() == list(range(30, 40))
    assert done.worker.startswith("fake@")


async def test_a_pool_that_closes_while_a_worker_is_replaced_leaves_no_process() -> None:
    async with _pool() as pool:
        share = await _share(pool)
        started, start = [], pool._start
        pool._start = lambda loop, gently: started.append(start(loop, gently)) or started[-1]  # type: ignore[func-returns-value]
        pool._members[0].process.kill()
        while not pool.restarts:  # noqa: ASYNC110, nothing tells
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        share.close()
    assert len(started) == 1 and started[0].lost.is_set()


def _num_threads(pid: int | None) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


async def test_a_worker_process_has_no_thread_besides_its_own_two() -> None:
    """Drawing, and reading the pipe: numpy's own threads would only spin."""
    async with _pool() as pool:
        await _draw(await _share(pool), 1)
        async with asyncio.timeout(60):
            while _num_threads(pool._members[0].process.pid) > 2:  # noqa: ASYNC110, the one that opened the avatar may be leaving
                await asyncio.sleep(0.01)


async def test_after_close_no_process_thread_or_memory_is_left() -> None:
    async with _pool(2) as pool:
        share = await _share(pool)
        await asyncio.gather(*(_draw(share, i) for i in range(4)))
        pids = [member.process.pid for member in pool._members]
        memories = [Path("/dev/shm", memory.name) for member in pool._members if (memory := member.process._memory)]
        assert memories
        share.close()
    for thread in [thread for thread in threading.enumerate() if thread.name.startswith("worker-")]:
        thread.join(5)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("worker-")]
    assert not any(memory.exists() for memory in memories)
    for pid in pids:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIG_DFL)
