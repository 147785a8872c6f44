"""SIGTERM: broadcasts may come to their end, hosts are told, and then the server stops by itself."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

from clients.cli.draining_server import DrainingServer
from streamer.config import ServerSettings
from streamer.server import Server
from tests.fakes.avatars import fake_library
from tests.fakes.listener import Listener, make_broadcast
from tests.fakes.peers import Running
from tests.fakes.worker import FAKE_WORKER


@dataclass
class Stopping(Running):
    asgi: DrainingServer
    serving: "asyncio.Task[None]"


@pytest.fixture
async def running(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stopping]:
    server = Server(ServerSettings(web_root=tmp_path), fake_library(tmp_path, "plain"), worker_class=FAKE_WORKER)
    config = uvicorn.Config(server.app(), port=0, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=3)
    asgi = DrainingServer(config, server, drain_s=request.param)
    serving = asyncio.create_task(asgi.serve())
    while not asgi.started:  # noqa: ASYNC110, uvicorn tells in no other way
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{asgi.servers[0].sockets[0].getsockname()[1]}"
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        yield Stopping(url, server, http, asgi, serving)
    asgi.should_exit = True
    await serving


@pytest.mark.parametrize("running", [60.0], indirect=True)
async def test_hosts_are_told_and_may_end_what_they_have_begun(running: Stopping) -> None:
    made = await make_broadcast(running)
    async with Listener(made["control_url"]) as host:
        await host.until("hello")
        running.asgi.handle_exit(signal.SIGTERM, None)
        told = await host.until("draining")
        assert 50 < told["ends_in_s"] <= 60 and "stopped" in told["reason"]
        async with Listener(made["control_url"]) as late:
            await late.until("draining")
        ready = await running.http.get("/readyz")
        assert (ready.status_code, ready.text) == (503, "draining\n")
        refused = await running.http.post("/api/broadcasts", json={})
        assert refused.status_code == 503 and "about to stop" in refused.json()["error"]["message"]
        assert (await running.http.get(f"/api/broadcasts/{made['id']}")).status_code == 200  # it goes on
        assert "rostrum_draining 1\n" in (await running.http.get("/metrics")).text
        await host.send(type="end")
        await asyncio.wait_for(running.serving, 60)


@pytest.mark.parametrize("running", [0.3], indirect=True)
async def test_what_goes_on_is_ended_when_the_time_is_up(running: Stopping) -> None:
    made = await make_broadcast(running)
    async with Listener(made["control_url"]) as host:
        running.asgi.handle_exit(signal.SIGTERM, None)
        assert "shutting down" in (await host.until("state", state="ended"))["reason"]
    await asyncio.wait_for(running.serving, 60)


@pytest.mark.parametrize("running", [60.0], indirect=True)
async def test_a_second_signal_does_not_wait(running: Stopping) -> None:
    await make_broadcast(running)
    running.asgi.handle_exit(signal.SIGTERM, None)
    running.asgi._captured_signals.clear()
    running.asgi.handle_exit(signal.SIGTERM, None)
    running.asgi._captured_signals.clear()  # uvicorn would raise it again, in this process
    await asyncio.wait_for(running.serving, 60)
