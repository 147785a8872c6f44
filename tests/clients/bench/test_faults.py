"""Each fault of the bench, small and short, on a whole server with a stand-in worker: all is well again after it."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import aioice.ice
import pytest

from clients.bench.fault_kinds import FAULTS, Fault
from clients.bench.fault_scene import Scene, Sizes
from clients.bench.faults import figures
from clients.bench.silent_director import SilentDirector
from clients.cli.main import main
from clients.python import host as host_module
from clients.python import viewer as viewer_module
from clients.python.server import Server
from clients.python.sound import SoundMicrophone
from streamer.config import DirectorSettings
from streamer.webrtc import offer_loopback
from tests.clients.test_host import bursts
from tests.fakes.avatars import fake_library
from tests.fakes.running_server import RunningServer

SMALL = Sizes(seconds=0.7, outage_s=2.5, messages=8, viewers=3, settle_s=0.3, usual_s=1.0, after_s=0.8)


@pytest.fixture(scope="module")
def director() -> Iterator[SilentDirector]:
    with SilentDirector() as director:
        yield director


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory, director: SilentDirector) -> Iterator[str]:
    offer_loopback(None)
    directing = DirectorSettings("openai", director.url, "test", soft_s=0.3, hard_s=1.0)
    library = fake_library(tmp_path_factory.mktemp("avatars"), "anna")
    with RunningServer(library, max_broadcasts=6, director=directing) as server:
        yield server.url


async def happens(url: str, director: SilentDirector, *names: str) -> dict[str, Any]:
    """To one broadcast, one after the other: the line of all of them."""

    async def inject(scene: Scene) -> None:
        for name in names:
            await FAULTS[name].inject(scene)

    api = Server(url)
    broadcast = await api.make_broadcast("anna", "256x256")
    microphone = SoundMicrophone(bursts(10), loop=True)
    async with Scene(url, os.getpid(), api, broadcast, microphone, SMALL, 25, director) as scene:
        line = await figures(scene, names[0], Fault(", ".join(names), inject), give_up_s=120)
    assert line["recovery_ms"] is not None, line
    assert line["rss_mb_after"] > 0 and line["av_skew_ms_after"] is not None
    return line


async def test_a_bad_network_costs_pictures_and_no_more(server_url: str, director: SilentDirector) -> None:
    line = await happens(server_url, director, "loss_10", "jitter_50", "reorder")
    assert "ended" not in line["host_message"]


async def test_a_network_that_goes_and_comes_is_told_of_and_got_over(
    server_url: str, director: SilentDirector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_module, "_UNHEARD_S", 0.2)
    monkeypatch.setattr(viewer_module, "STALLED_S", 1.5)
    host, viewer = await asyncio.gather(*(happens(server_url, director, name) for name in ("host_outage", "viewer_outage")))
    assert "connection is lost" in host["host_message"]
    assert viewer["recovery_ms"] > 0


async def test_a_worker_that_dies_is_replaced_and_a_director_that_falls_silent_holds_nothing_up(
    server_url: str, director: SilentDirector
) -> None:
    line = await happens(server_url, director, "worker_kill", "director_outage")
    assert line["host_message"] and "ended" not in line["host_message"]


async def test_a_processor_that_others_take_is_got_over(server_url: str, director: SilentDirector) -> None:
    await happens(server_url, director, "processor_taken")


async def test_what_is_malformed_is_answered_and_nothing_else_happens(server_url: str, director: SilentDirector) -> None:
    line = await happens(server_url, director, *(name for name in FAULTS if name.startswith("malformed_")))
    assert line["host_message"]


async def test_viewers_that_are_killed_leave_nothing_behind(
    server_url: str, director: SilentDirector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aioice.ice, "CONSENT_FAILURES", 3)  # they are missed sooner
    await happens(server_url, director, "viewers_leave")


def test_a_fault_that_is_not_known_is_named_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "faults", "--only", "earthquake"]) == 2
    said = capsys.readouterr().err
    assert "earthquake" in said and "worker_hang" in said
