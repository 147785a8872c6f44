"""A broadcast whose pictures are drawn by actors of a Ray cluster; skipped where Ray is not installed."""

import asyncio
import importlib.util
import os
import signal
from pathlib import Path

import pytest

from tests.fakes.listener import Listener, make_broadcast
from tests.fakes.peers import FakeHost, FakeViewer, ToneTrack, bar_place, lamp_is_lit, running_server

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed: pip install rostrum[ray]"
)


async def test_a_broadcast_is_drawn_on_ray_and_an_actor_that_is_killed_costs_its_clip(tmp_path: Path) -> None:
    async with running_server(tmp_path, pool="ray", workers=1) as running:
        pool = running.server._workers
        pool.prepare()
        async with asyncio.timeout(120):
            while not pool.is_ready:  # noqa: ASYNC110, nothing tells
                await asyncio.sleep(0.1)
        made, viewer, host = await make_broadcast(running), FakeViewer(), FakeHost(ToneTrack(lambda s: True))
        async with Listener(made["control_url"]) as control:
            await viewer.watch(running.http, made["whep_url"])
            await host.go_live(running.http, made["whip_url"])
            await viewer.until(lambda: any(lamp_is_lit(frame) for _, _, frame in viewer.frames[-20:]), 60)
            before = (await control.until("metrics"))["worker_restarts"]
            pid = pool._members[0].process.pid
            assert pid and pid != os.getpid()
            os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(120):
                while (await control.until("metrics"))["worker_restarts"] == before:
                    pass
            seen = len(viewer.frames)
            await viewer.until(lambda: len({bar_place(frame) for _, _, frame in viewer.frames[seen:]} - {None}) > 10, 120)
        await host.close()
        await viewer.close()
