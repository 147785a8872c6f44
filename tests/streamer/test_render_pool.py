"""The render pool: real processes, with a stand-in worker in them."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.media import Picture
from streamer.plan import Beat, Pts, SubClip, SubClipJob, pts_from_s
from streamer.render_pool import RenderFailed, RenderPool, Superseded, WorkerLost, WorkerSource
from tests.fakes.worker import FAKE_WORKER

SIZE = (64, 48)


def _job(number: int, epoch: int = 0) -> SubClipJob:
    start, end = Pts(number * 19_200), Pts((number + 1) * 19_200)
    audio = np.full(round(0.48 * 16_000), 100 * number, np.int16)
    return SubClipJob(number, epoch, 1, start, end, 25, (Beat(Pts(0)),), audio, start, Pts(0), number)


@pytest.fixture
async def source() -> AsyncIterator[WorkerSource]:
    source = WorkerSource(FAKE_WORKER)
    yield source
    await source.close()


def _unseen(*_: object) -> None:
    """Looks at no motion and no picture."""


def _pool(source: WorkerSource, manner: str, **options: float) -> RenderPool:
    return RenderPool(source, Path(manner), SIZE, max_frames=20, **options)  # type: ignore[arg-type]


async def test_clips_come_back_whole_and_each_its_own(source: WorkerSource) -> None:
    pool = _pool(source, "plain")
    still = await pool.open()
    drawn: dict[int, list[tuple[int, Picture]]] = {i: [] for i in range(8)}

    def render(i: int) -> Awaitable[SubClip]:
        return pool.render(_job(i), _unseen, lambda index, picture: drawn[i].append((index, picture)))

    clips = await asyncio.gather(*map(render, range(8)))
    await pool.close()
    assert still.shape == (72, 64)
    assert [clip.job.job_id for clip in clips] == list(range(8))
    for clip in clips:
        pictures = drawn[clip.job.job_id]
        assert [index for index, _ in pictures] == list(range(10))
        bar = [int(picture[40].argmax()) // (64 // 25) for _, picture in pictures]
        assert bar == [(clip.job.start // 1920 + i) % 25 for i in range(10)]


async def test_pictures_are_handed_on_while_later_ones_are_drawn(source: WorkerSource) -> None:
    pool = _pool(source, "plain")
    await pool.open()
    came = asyncio.Event()
    rendering = asyncio.ensure_future(pool.render(_job(1), _unseen, lambda index, picture: came.set()))
    await came.wait()
    assert not rendering.done()
    await rendering
    await pool.close()


async def test_pictures_past_the_deadline_are_not_drawn_but_the_last_one_always_is(source: WorkerSource) -> None:
    pool = _pool(source, "plain")
    await pool.open()
    drawn: list[int] = []
    for deadline_frame in (14, 40):  # the job's frames are 10 to 19
        job = replace(_job(1), deadline=Pts(deadline_frame * 1920))
        await pool.render(job, _unseen, lambda index, picture: drawn.append(index))
    await pool.render(replace(_job(1), draw_every=3), _unseen, lambda index, picture: drawn.append(index))
    await pool.close()
    assert drawn == [4, 5, 6, 7, 8, 9, 9, 2, 5, 8]


async def test_rendering_does_not_block_the_event_loop(source: WorkerSource) -> None:
    pool = _pool(source, "slow-200")
    await pool.open()
    rendering, turns = asyncio.ensure_future(pool.render(_job(1), _unseen, _unseen)), 0
    while not rendering.done():
        await asyncio.sleep(0.005)
        turns += 1
    await pool.close()
    assert turns >= 10


async def test_a_worker_that_dies_is_replaced_and_only_its_clip_is_lost(source: WorkerSource) -> None:
    pool = _pool(source, "dies")
    await pool.open()
    await pool.render(_job(1), _unseen, _unseen)
    with pytest.raises(WorkerLost):
        await pool.render(_job(2), _unseen, _unseen)
    clip = await pool.render(_job(3), _unseen, _unseen)
    await pool.close()
    assert clip.job.job_id == 3
    assert pool.restarts == 1


async def test_a_worker_that_hangs_is_killed_and_replaced(source: WorkerSource) -> None:
    pool = _pool(source, "hangs", timeout_s=2.0)
    await pool.open()
    await pool.render(_job(1), _unseen, _unseen)
    with pytest.raises(WorkerLost):
        await pool.render(_job(2), _unseen, _unseen)
    assert (await pool.render(_job(3), _unseen, _unseen)).job.job_id == 3
    await pool.close()


async def test_a_job_that_raises_leaves_the_worker_alive(source: WorkerSource) -> None:
    pool = _pool(source, "raises")
    await pool.open()
    await pool.render(_job(1), _unseen, _unseen)
    with pytest.raises(RenderFailed, match="a fault on purpose"):
        await pool.render(_job(2), _unseen, _unseen)
    await pool.render(_job(3), _unseen, _unseen)
    await pool.close()
    assert pool.restarts == 0


async def test_jobs_of_an_old_epoch_are_dropped_before_and_after_they_are_drawn(source: WorkerSource) -> None:
    pool = _pool(source, "slow-100")
    await pool.open()
    rendering = asyncio.ensure_future(pool.render(_job(1, epoch=0), _unseen, _unseen))
    await asyncio.sleep(0)
    pool.supersede(1)
    with pytest.raises(Superseded):
        await pool.render(_job(2, epoch=0), _unseen, _unseen)
    with pytest.raises(Superseded):
        await rendering
    assert (await pool.render(_job(3, epoch=1), _unseen, _unseen)).job.epoch == 1
    await pool.close()


async def test_a_clip_longer_than_its_memory_is_refused_not_cut(source: WorkerSource) -> None:
    pool = RenderPool(source, Path("plain"), SIZE, max_frames=5)
    await pool.open()
    with pytest.raises(RenderFailed, match="does not fit"):
        await pool.render(_job(1), _unseen, _unseen)
    await pool.close()


def _num_threads(pid: int | None) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


async def test_a_worker_process_has_no_thread_besides_its_own_two(source: WorkerSource) -> None:
    """Drawing, and reading the pipe: numpy's own threads would only spin."""
    pool = _pool(source, "plain")
    await pool.open()
    num_threads = _num_threads(pool._workers[0].pid)
    await pool.close()
    assert num_threads == 2


def _shared_memories() -> set[Path]:
    return set(Path("/dev/shm").glob("psm_*"))


async def test_after_close_no_process_thread_or_memory_is_left(source: WorkerSource) -> None:
    memory_before = _shared_memories()
    pool = RenderPool(source, Path("plain"), SIZE, num_workers=2, max_frames=20)
    await pool.open()
    await asyncio.gather(*(pool.render(_job(i), _unseen, _unseen) for i in range(4)))
    pids = [worker.pid for worker in pool._workers]
    await pool.close()
    await source.close()
    for thread in [thread for thread in threading.enumerate() if thread.name.startswith("worker-")]:
        thread.join(5)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("worker-")]
    assert _shared_memories() <= memory_before
    for pid in pids:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIG_DFL)


async def test_a_second_broadcast_finds_a_process_that_has_started_already(source: WorkerSource) -> None:
    source.prepare()
    spare = source._spare
    assert spare is not None
    assert source.take() is spare
    await spare.close()


def test_pts_of_a_job_fit_its_frames() -> None:
    assert _job(2).num_frames == 10 and _job(2).start == pts_from_s(0.8)
