"""The render pool: the worker processes of this server, shared by its broadcasts, replaced when they die.

Each broadcast has a `RenderShare` of it. Jobs wait in one queue and go to the next worker that is free; a worker has one job
at a time, so that what is urgent never waits behind what was given out before. All workers hold all avatars on air open, and
so does a spare, which is not given work until one of them is lost.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from streamer.clock import Clock
from streamer.dispatch import Costs, DispatchQueue, QueueFull
from streamer.effort import Turns
from streamer.media import Picture
from streamer.plan import FULL_STEPS, Look, PictureJob, SubClipJob
from streamer.render_process import Done, ThumbnailJob
from streamer.shelf import Shelf
from streamer.threads import in_thread
from streamer.worker_process import Job, OnPicture, PoolWorker, RenderFailed, WorkerLost, WorkerProcess

log = logging.getLogger(__name__)

REAL_WORKER = "streamer.render_worker:RenderWorker"
_SPARE_AFTER_S = 6.0
_BUSY = 0.05  # of the workers' time, from which others come before what is opened
_MAX_LOOKS = 16  # open at once, in each worker: some 30 MB each at 512x512
_TRIES = 2
_LINGER_S = 5.0
_AGAIN_S = 1.0  # after a worker that never became ready


class Superseded(RuntimeError):
    """The job belongs to an old epoch and was dropped."""


class Share(Protocol):
    """A broadcast, as the pool sees it."""

    number: int
    epoch: int


@dataclass(eq=False)
class _Order:
    """A job on its way: waiting, or with a worker."""

    share: Share
    job: Job
    due_s: float
    answer: asyncio.Future[Done]
    on_picture: OnPicture | None = None
    every_s: float = 0.0
    num_drawn: int = 0
    tries: int = 0

    @property
    def look(self) -> Look | None:
        return self.job.look if isinstance(self.job, PictureJob | ThumbnailJob) else None

    @property
    def is_old(self) -> bool:
        return self.answer.done() or (not isinstance(self.job, ThumbnailJob) and self.job.epoch < self.share.epoch)

    def num_done(self, now_s: float) -> int:
        """How many of its pictures need not be drawn: they have been, by a worker that was lost, or it is too late for them."""
        if not isinstance(self.job, PictureJob) or not self.every_s:
            return self.num_drawn
        num_late = int(max(0.0, now_s - self.due_s) / self.every_s)
        return max(self.num_drawn, min(num_late, len(self.job.motion) - 1))

    def hand_on(self, index: int, picture: Picture) -> None:
        if self.on_picture and not self.is_old:
            self.num_drawn = index + 1
            self.on_picture(index, picture)


class _Member:
    """A worker process in the pool, and what it has open."""

    def __init__(self, process: PoolWorker) -> None:
        self.process = process
        self.looks: set[Look] = set()
        self.order: _Order | None = None
        self.drew_for: Share | None = None
        self.moved_for: Share | None = None
        self.is_over = False  # it is being killed: nothing more is for it

    @property
    def is_idle(self) -> bool:
        return self.order is None and self.process.ready.is_set() and not self.process.lost.is_set() and not self.is_over

    def can_do(self, order: _Order) -> bool:
        return self.is_idle and (order.look is None or order.look in self.looks)

    def did_last(self, order: _Order) -> bool:
        """Whether it worked at the same for this broadcast last."""
        return order.share is (self.drew_for if isinstance(order.job, PictureJob) else self.moved_for)

    def begin(self, order: _Order) -> None:
        self.order = order
        if isinstance(order.job, PictureJob):
            self.drew_for = order.share
        elif not isinstance(order.job, ThumbnailJob):
            self.moved_for = order.share

    async def open(self, look: Look, *, gently: bool) -> Picture:
        still = await self.process.open(look, gently=gently)
        self.looks.add(look)
        return still


class RenderPool:
    """Bounded: `num_workers` processes and a spare, `_MAX_LOOKS` avatars, and a queue that is bounded itself."""

    def __init__(
        self,
        clock: Clock,
        worker_class: str = REAL_WORKER,
        *,
        num_workers: int = 2,
        threads: int = 1,
        timeout_s: float = 2.0,
        start: Callable[[asyncio.AbstractEventLoop, bool], PoolWorker] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """threads: of each worker. timeout_s: one that takes longer over a job, without the time for which it was starved of a
        processor, is taken for dead. start: makes a worker, gently where nobody waits for it.

        options: of a worker class that draws with a video model, which may fill a GPU: each worker is told its `rank` besides,
        whole sub-clips are drawn as one job, and there is no spare.
        """
        self._clock = clock
        ranks = itertools.count()

        def start_own(loop: asyncio.AbstractEventLoop, gently: bool) -> WorkerProcess:
            own = {**options, "rank": next(ranks)} if options else None
            assert self._shelf
            return WorkerProcess(worker_class, threads, loop, own, shelf=self._shelf.folder, gently=gently)

        self._shelf: Shelf | None = None
        self._start = start or start_own
        self.films = bool(options)
        self._timeout_s = timeout_s
        self._queue: DispatchQueue[_Order] = DispatchQueue(num_workers)
        self._members: list[_Member] = []
        self._spare: _Member | None = None
        self._stills: dict[Look, Picture] = {}
        self._wanted: Counter[Look] = Counter()
        self._opening = asyncio.Lock()  # one avatar at a time, beside what is on air
        self._numbers = itertools.count()
        self.turns = Turns()
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._was_ready = False
        self.costs = Costs()
        self.num_workers = num_workers
        self.restarts = 0

    def prepare(self) -> None:
        """Start the workers, and later the spare. A process takes tens of milliseconds to start here, seconds over there."""
        if not self._members:
            self._shelf = Shelf()
            for _ in range(self.num_workers):
                self._admit(_Member(self._start(asyncio.get_running_loop(), False)))
            if not self.films:
                self._go(self._have_spare(), "spare-worker")

    @property
    def is_ready(self) -> bool:
        """Whether all workers are warm, or have been: one that still loads takes the processor from a broadcast that begins."""
        self._was_ready = self._was_ready or (
            bool(self._members) and all(member.process.ready.is_set() for member in self._members)
        )
        return self._was_ready

    @property
    def has_room(self) -> bool:
        """Whether a job asked for now would be begun at once."""
        return not len(self._queue) and any(member.is_idle for member in self._members)

    def load(self) -> float:
        """The share of the workers that is taken, over the last seconds; 1 is all."""
        return self._queue.work.total(self._clock.now_s()) / self.num_workers

    def load_of(self, broadcast: int) -> float:
        """One broadcast's part of `load`."""
        return self._queue.work.rate(broadcast, self._clock.now_s()) / self.num_workers

    def join(self) -> int:
        """A number for a new broadcast."""
        self.prepare()
        return next(self._numbers)

    async def close(self) -> None:
        """End the workers; returns when their processes have ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        members = self._members + ([self._spare] if self._spare else [])
        self._members, self._spare = [], None
        await asyncio.gather(*(member.process.close() for member in members))
        if self._shelf:
            self._shelf.close()

    # -- avatars --------------------------------------------------------------------------------------------------------

    async def open(self, look: Look) -> Picture:
        """Have a look ready in one worker, and soon in all; the avatar at rest. Raises RenderFailed or WorkerLost."""
        if look not in self._wanted and len(self._wanted) >= _MAX_LOOKS:
            raise RenderFailed(f"this server has {_MAX_LOOKS} avatars open already; end a broadcast first")
        self._wanted[look] += 1
        try:
            async with self._opening:
                if look not in self._stills:
                    self._stills[look] = await (await self._any_member()).open(look, gently=self.load() > _BUSY)
        except BaseException:
            self.forget(look)
            raise
        for member in [*self._members, *([self._spare] if self._spare else [])]:
            self._go(self._furnish(member), "furnish-worker")
        return self._stills[look]

    def forget_soon(self, look: Look) -> None:
        """As `forget`, once what was asked for before has been drawn."""

        async def later() -> None:
            await asyncio.sleep(_LINGER_S)
            self.forget(look)

        self._go(later(), "forget-avatar")

    def forget(self, look: Look) -> None:
        """One broadcast less wants it."""
        self._wanted[look] -= 1
        if self._wanted[look] > 0:
            return
        del self._wanted[look]
        self._stills.pop(look, None)
        for member in [*self._members, *([self._spare] if self._spare else [])]:
            if look in member.looks:
                member.looks.discard(look)
                member.process.forget(look)

    async def _furnish(self, member: _Member) -> None:
        """Open what is wanted and what it does not have."""
        for look in list(self._wanted):
            async with self._opening:
                if look not in self._wanted or look in member.looks or member.process.lost.is_set():
                    continue
                try:
                    await member.open(look, gently=True)
                except (RenderFailed, WorkerLost) as error:
                    log.error("%s could not be opened in another worker: %s", look.avatar.name, error)
                self._dispatch()

    async def _any_member(self) -> _Member:
        while True:
            able = [member for member in self._members if member.process.ready.is_set() and not member.process.lost.is_set()]
            if able:
                return next((member for member in able if member.is_idle), able[0])
            self._news.clear()
            await self._news.wait()

    # -- workers --------------------------------------------------------------------------------------------------------

    def _admit(self, member: _Member) -> None:
        self._members.append(member)
        self._go(self._keep(member), "pool-worker")

    async def _keep(self, member: _Member) -> None:
        """Until it is lost; then another takes its place: the spare, at once, where there is one."""
        await _either(member.process.ready, member.process.lost)
        was_ready = member.process.ready.is_set()
        if was_ready:
            self._dispatch()
            self._go(self._furnish(member), "furnish-worker")
            await member.process.lost.wait()
        log.error("render worker %s was lost; another takes its place", member.process.pid)
        self._members.remove(member)
        self.restarts += 1
        if not was_ready:
            await asyncio.sleep(_AGAIN_S)
        spare, self._spare = self._spare, None
        if spare and not spare.process.lost.is_set():  # none was made where there is to be none
            self._go(self._have_spare(), "spare-worker")
        else:
            spare = await self._new_member()
        self._admit(spare)

    async def _have_spare(self) -> None:
        await asyncio.sleep(_SPARE_AFTER_S)
        if self._spare is None or self._spare.process.lost.is_set():
            self._spare = spare = await self._new_member(gently=True)
            await _either(spare.process.ready, spare.process.lost)
            await self._furnish(spare)

    async def _new_member(self, *, gently: bool = False) -> _Member:
        starting = asyncio.ensure_future(in_thread(self._start, asyncio.get_running_loop(), gently))
        try:
            return _Member(await asyncio.shield(starting))
        except asyncio.CancelledError:
            await (await starting).close()  # the pool closes while a process starts: it is not left behind
            raise

    # -- jobs -----------------------------------------------------------------------------------------------------------

    async def ask(
        self, share: Share, job: Job, due_s: float, on_picture: OnPicture | None = None, every_s: float = 0.0
    ) -> Done:
        """Wait for a worker and for what it makes of the job. A job whose worker is lost is tried once more, by another.

        every_s: as in `RenderShare.pictures`.
        Raises Superseded, RenderFailed or WorkerLost.
        """
        order = _Order(share, job, due_s, asyncio.get_running_loop().create_future(), on_picture, every_s)
        if order.is_old:
            raise Superseded("the job is of an old epoch")
        self._enqueue(order)
        try:
            return await order.answer
        finally:
            order.answer.cancel()  # whoever asked has left: what waits is dropped, what is being done is not heard
            self._queue.drop(lambda each: each is order)

    def supersede(self, share: Share) -> None:
        """Drop what is old now."""
        for order in self._queue.drop(lambda order: order.share is share and order.is_old):
            _fail(order, Superseded("another epoch has begun"))

    def leave(self, share: Share) -> None:
        """A broadcast is over."""
        self._queue.work.forget(share.number)

    def _enqueue(self, order: _Order) -> None:
        try:
            self._queue.put(order.share.number, order.due_s, order)
        except QueueFull as error:
            return _fail(order, RenderFailed(str(error)))
        self._dispatch()

    def _dispatch(self) -> None:
        """Give out what can be given out; best to the worker that did the same for a broadcast last: it knows what stands still
        in its pictures, and what was heard before.
        """
        self._news.set()
        while any(member.is_idle for member in self._members):
            order = self._queue.take(lambda each: any(m.can_do(each) for m in self._members), self._clock.now_s())
            if order is None:
                return
            able = [member for member in self._members if member.can_do(order)]
            member = next((member for member in able if member.did_last(order)), able[0])
            member.begin(order)
            self._go(self._carry_out(member, order), "pool-job")

    async def _carry_out(self, member: _Member, order: _Order) -> None:
        began_s = self._clock.now_s()
        order.tries += 1
        job, skipped = order.job, order.num_done(began_s)
        if isinstance(job, PictureJob):
            job = job.without(skipped)
        try:
            done = await member.process.ask(job, self._timeout_s, lambda i, picture: order.hand_on(skipped + i, picture))
        except RenderFailed as error:
            _fail(order, error)
        except WorkerLost as error:
            member.is_over = True
            if order.tries < _TRIES and not order.is_old:
                self._enqueue(order)
            else:
                _fail(order, error)
        else:
            self._note_cost(job, done)
            if order.answer.done():
                pass
            elif order.is_old:
                _fail(order, Superseded("another epoch has begun"))
            else:
                order.answer.set_result(done)
        finally:
            member.order = None
            now_s = self._clock.now_s()
            self._queue.work.note(order.share.number, now_s - began_s, now_s)
        self._dispatch()

    def _note_cost(self, job: Job, done: Done) -> None:
        if isinstance(job, PictureJob) and len(job.motion):
            self.costs.note("picture", done.cpu_s, len(job.motion) * job.look.width * job.look.height / 1e6)
        elif isinstance(job, SubClipJob) and job.num_steps == FULL_STEPS and not len(job.future):
            self.costs.note("motion", done.cpu_s, job.num_frames)

    def _go(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _fail(order: _Order, error: Exception) -> None:
    if not order.answer.done():
        order.answer.set_exception(error)


async def _either(one: asyncio.Event, other: asyncio.Event) -> None:
    """Until one of both is set."""
    waiting = [asyncio.ensure_future(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
