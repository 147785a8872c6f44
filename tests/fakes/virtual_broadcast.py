"""A whole session in virtual time: its voice, its workers and its turns; no network, no process, no waiting."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from streamer.config import BroadcastSettings, ServerSettings
from streamer.media import AudioChunk
from streamer.plan import TIME_BASE_HZ, Pts
from streamer.playout import Turn
from streamer.render_pool import RenderPool
from streamer.session import Session
from tests.fakes.virtual_time import LoopClock
from tests.fakes.virtual_worker import Workers, pose_in

BLOCK = 960


@dataclass(repr=False)  # a loop that ends prints its result
class VirtualBroadcast:
    """Speak into it with `speak`; what went on air is in `turns`, each with the time at which it did."""

    session: Session
    turns: list[tuple[float, Turn]] = field(default_factory=list)

    @property
    def poses(self) -> list[tuple[float, np.ndarray]]:
        """(time, pose) of each turn on which a picture of a clip was on air."""
        return [(at, pose_in(turn.picture)) for at, turn in self.turns if turn.pts is not None and turn.picture is not None]

    def holds(self, since_s: float = 0.0) -> int:
        return sum(turn.hold is not None for at, turn in self.turns if at >= since_s and turn.pts is not None)


class _Voice:
    """In place of an ingest: a voice that comes in real time, 20 ms a piece."""

    def __init__(self, loud: Callable[[float], bool]) -> None:
        self._loud = loud

    async def __aiter__(self):  # type: ignore[no-untyped-def]
        loop, pts = asyncio.get_running_loop(), 0
        began_s = loop.time()
        while True:
            pts += BLOCK
            await asyncio.sleep(began_s + pts / TIME_BASE_HZ - loop.time())
            level = 8000 if self._loud(pts / TIME_BASE_HZ) else 0
            sound = np.full(BLOCK, level, np.int16)
            yield AudioChunk(Pts(pts - BLOCK), sound, sound[::3])

    def silent_for_s(self) -> float:
        return 0.0

    def detach(self) -> None:
        pass


def pool_of(workers: Workers, num_workers: int) -> RenderPool:
    return RenderPool(LoopClock(), num_workers=num_workers, start=workers.start)


def broadcast_in(
    pool: RenderPool, name: str = "one", loud: Callable[[float], bool] = lambda s: True, **settings: object
) -> VirtualBroadcast:
    """A session that is not run yet."""
    chosen = BroadcastSettings("anna", 128, 128, **settings)  # type: ignore[arg-type]
    session = Session(name, lambda name: Path(name), chosen, ServerSettings(Path()), pool, LoopClock())
    session.ingest = _Voice(loud)  # type: ignore[assignment]
    session.listener.run = asyncio.Event().wait  # type: ignore[assignment,method-assign]
    broadcast = VirtualBroadcast(session)
    playout = session.on_air._playout
    take = playout.turn

    def turn() -> Turn:
        taken = take()
        broadcast.turns.append((asyncio.get_running_loop().time(), taken))
        return taken

    playout.turn = turn  # type: ignore[method-assign]
    return broadcast


async def on_air(pool: RenderPool, *broadcasts: VirtualBroadcast, seconds: float, meanwhile: object = None) -> None:
    """Run them all for so long, then end them and close the pool. meanwhile: a coroutine beside them."""
    tasks = [asyncio.create_task(each.session.run()) for each in broadcasts]
    beside = asyncio.ensure_future(meanwhile) if meanwhile is not None else None  # type: ignore[call-overload]
    await asyncio.sleep(seconds)
    for each in broadcasts:
        each.session.end("enough")
    await asyncio.gather(*tasks)
    await pool.close()
    if beside:
        await beside
