"""The network goes away and comes back, through the bench's relay: host and viewer are on air again without being asked."""

import asyncio
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from clients.bench.impaired import PERFECT, ImpairedNetwork, Impairment
from clients.python import host as host_module
from clients.python import viewer as viewer_module
from clients.python.backoff import LONGEST_S, tries
from clients.python.host import Host
from clients.python.server import Server
from clients.python.sound import FRAME_SAMPLES, RATE_HZ, Listening, SoundMicrophone
from clients.python.viewer import Viewer
from streamer.webrtc import offer_loopback
from tests.clients.test_sound import tone
from tests.fakes import virtual_time
from tests.fakes.avatars import fake_library
from tests.fakes.running_server import RunningServer

CUT = Impairment(cut=True)


async def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110, nothing tells
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    offer_loopback(None)
    with RunningServer(fake_library(tmp_path_factory.mktemp("avatars"), "anna"), max_broadcasts=4) as server:
        yield server.url


async def test_a_host_that_was_cut_off_is_back_on_the_same_broadcast(server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_module, "_UNHEARD_S", 0.2)
    server = Server(server_url)
    broadcast, told = await server.make_broadcast(size="256x256"), []
    async with ImpairedNetwork() as network:
        microphone = SoundMicrophone(tone(1), loop=True)
        async with Host(server, broadcast, microphone, told.append, network) as host, Viewer(broadcast.whep_url) as viewer:
            await host.control.wait_for("state", lambda state: state["state"] == "live")
            network.impairment = CUT
            idle = await host.control.wait_for("state", lambda state: state["state"] == "idle")
            assert "lost" in idle["reason"]
            seen = viewer.tally["video"].frames
            network.impairment = PERFECT
            await host.control.wait_for("state", lambda state: state["state"] == "live", 60)
            await viewer.picture()
            await until(lambda: viewer.tally["video"].frames > seen)  # viewers go on seeing the same broadcast
            assert set(told) <= {"the connection is lost; trying again", "back on air"}  # none where ICE mends it first


async def test_a_host_whose_connection_is_gone_makes_another_and_says_so(server_url: str) -> None:
    server = Server(server_url)
    broadcast, told = await server.make_broadcast(size="256x256"), []
    async with Host(server, broadcast, SoundMicrophone(tone(1), loop=True), told.append) as host:
        await host.control.wait_for("state", lambda state: state["state"] == "live")
        await host.lost()
        await until(lambda: host.reconnects == 1)
        await host.control.wait_for("state", lambda state: state["state"] == "live", 60)
        assert told == ["the connection is lost; trying again", "back on air"]


async def test_a_viewer_that_was_cut_off_sees_the_picture_again(server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewer_module, "STALLED_S", 1.0)
    server = Server(server_url)
    broadcast, told = await server.make_broadcast(size="256x256"), []
    async with ImpairedNetwork() as network, Viewer(broadcast.whep_url, on_link=told.append, detour=network) as viewer:
        await viewer.picture()
        network.impairment = CUT
        await until(lambda: bool(told) and told[-1] == "the picture is lost; trying again")
        back = viewer.reconnects
        network.impairment = PERFECT
        await until(lambda: viewer.reconnects > back)
        seen = viewer.tally["video"].frames
        await until(lambda: viewer.tally["video"].frames > seen)
        assert told[-1] == "the picture is back"
    await server.end(broadcast)


async def test_what_a_microphone_hears_while_nobody_listens_is_not_caught_up() -> None:
    microphone = SoundMicrophone(np.arange(RATE_HZ, dtype=np.int16), loop=True)
    first = Listening(microphone)
    await first.recv()
    first.stop()
    assert microphone.started_at is not None
    microphone.started_at -= 3.0  # three seconds later
    frame = await Listening(microphone).recv()
    assert frame.pts is not None and abs(frame.pts / RATE_HZ - 3.0) < 0.2
    assert frame.pts % FRAME_SAMPLES == 0


def test_tries_grow_rarer_up_to_a_limit_and_then_end() -> None:
    async def times() -> list[float]:
        clock = virtual_time.LoopClock()
        return [clock.now_s() async for _ in tries(for_s=30)]

    at = virtual_time.run(times())
    pauses = np.diff(at)
    assert at[0] == 0 and 30 <= at[-1] < 30 + 1.3 * LONGEST_S
    assert pauses[0] < 0.6 and max(pauses) <= 1.3 * LONGEST_S
    assert pauses[-2:].mean() > 4 * pauses[0]
