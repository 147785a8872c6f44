"""How many broadcasts a server takes."""

import asyncio
import gc
import weakref
from pathlib import Path

import pytest

from engines.avatar_library import AvatarLibrary
from engines.background_library import BackgroundLibrary
from streamer.broadcasts import Broadcasts, TooManyBroadcasts
from streamer.config import BroadcastSettings, ServerSettings
from streamer.render_pool import RenderPool
from tests.fakes import virtual_time
from tests.fakes.avatars import write_avatar
from tests.fakes.virtual_broadcast import pool_of
from tests.fakes.virtual_time import LoopClock
from tests.fakes.virtual_worker import Workers


def broadcasts_on(pool: RenderPool, folder: Path) -> Broadcasts:
    """Of a server that has the avatar anna."""
    write_avatar(folder, "anna")
    settings = ServerSettings(folder, max_broadcasts=100)
    return Broadcasts(settings, AvatarLibrary(folder, folder), BackgroundLibrary(folder), pool, LoopClock())


def test_a_server_takes_as_many_broadcasts_as_its_workers_were_measured_to_carry(tmp_path: Path) -> None:
    chosen = BroadcastSettings("anna", 512, 512)

    async def main() -> int:
        pool = pool_of(Workers(), 2)
        broadcasts = broadcasts_on(pool, tmp_path)
        for _ in range(50):
            pool.costs.note("motion", 0.005, 1)
            pool.costs.note("picture", 0.009, 512 * 512 / 1e6)
        with pytest.raises(TooManyBroadcasts, match=r"takes 0.40 render workers, and of its 2 only 0.\d\d are free") as refused:
            for _ in range(100):
                broadcasts.start(chosen)
        assert "smaller" in str(refused.value)
        broadcasts.start(BroadcastSettings("anna", 128, 128))  # which still finds room
        taken = len(broadcasts)
        await broadcasts.close()
        await pool.close()
        return taken

    assert virtual_time.run(main()) == 5


def test_a_first_broadcast_is_taken_even_where_it_is_too_much(tmp_path: Path) -> None:
    async def main() -> None:
        pool = pool_of(Workers(), 1)
        broadcasts = broadcasts_on(pool, tmp_path)
        for _ in range(50):
            pool.costs.note("motion", 1.0, 1)
            pool.costs.note("picture", 1.0, 1)
        broadcasts.start(BroadcastSettings("anna", 512, 512))
        await broadcasts.close()
        await pool.close()

    virtual_time.run(main())


def test_a_broadcast_that_is_over_is_let_go_soon(tmp_path: Path) -> None:
    async def main() -> None:
        pool = pool_of(Workers(), 1)
        broadcasts = broadcasts_on(pool, tmp_path)
        session = broadcasts.start(BroadcastSettings("anna", 128, 128), "one")
        vars(session)["itself"] = session  # as those that talk to each other hold each other
        await asyncio.sleep(1.0)
        session.end("enough")
        gone = weakref.ref(session)
        del session
        await asyncio.sleep(5.0)
        assert gone() is None and len(broadcasts) == 0
        await pool.close()

    gc.disable()
    try:
        virtual_time.run(main())
    finally:
        gc.enable()
