"""The headless host and viewer against a whole server, over real WebRTC on this machine."""

import asyncio
import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from clients.python.control import ControlRefused
from clients.python.host import Host, main, perform
from clients.python.server import Server, ServerError
from clients.python.sound import RATE_HZ, SoundMicrophone
from clients.python.viewer import Viewer
from streamer.webrtc import offer_loopback
from tests.clients.test_sound import tone, write_wav
from tests.fakes.avatars import fake_library
from tests.fakes.running_server import RunningServer
from tests.fakes.worker import DARK_LUMA, LIT_LUMA


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    offer_loopback(None)
    with RunningServer(fake_library(tmp_path_factory.mktemp("avatars"), "anna"), max_broadcasts=2) as server:
        yield server.url


def bursts(seconds: float) -> np.ndarray:
    """A voice that sounds for half of every second."""
    sound = tone(seconds) * 2
    at = np.arange(len(sound)) / RATE_HZ % 1.0
    sound[at >= 0.5] = 0
    return sound


async def test_what_is_said_is_seen_and_heard_together_in_the_recording(server_url: str, tmp_path: Path) -> None:
    got = tmp_path / "got.mp4"
    report = await perform(write_wav(tmp_path / "voice.wav", bursts(4)), server_url, size="256x256", record=got)

    assert report.frames_received > 50
    assert report.not_recorded == 0
    with av.open(str(got)) as file:
        lamp = [
            (float(frame.time or 0), frame.to_ndarray(format="gray")[20:60, 20:60].mean()) for frame in file.decode(video=0)
        ]
    with av.open(str(got)) as file:
        level = np.concatenate([np.abs(frame.to_ndarray()).max(0) for frame in file.decode(audio=0)])
    lit = np.array([brightness > (DARK_LUMA + LIT_LUMA) / 2 for _, brightness in lamp])
    loud = np.array([level[max(0, int(t * RATE_HZ)) : int((t + 0.04) * RATE_HZ)].max(initial=0.0) > 0.05 for t, _ in lamp])
    assert lit.sum() > 15
    assert (lit == loud).mean() > 0.9


async def test_a_prompt_is_answered_with_the_time_it_goes_on_air(server_url: str) -> None:
    server = Server(server_url)
    broadcast = await server.make_broadcast()
    async with Host(server, broadcast, SoundMicrophone(bursts(3), loop=True)) as host, Viewer(broadcast.whep_url) as viewer:
        await viewer.picture()
        await host.control.wait_for("state", lambda message: message["state"] == "live")
        accepted = await host.control.prompt("very happy, nods")
        assert accepted["type"] == "accepted"
        assert accepted["on_air_in_s"] >= 0
        with pytest.raises(ControlRefused, match="nothing in this was understood"):
            await host.control.prompt("qwxz qwxz")


async def test_leaving_ends_the_broadcast_for_everybody(server_url: str) -> None:
    server = Server(server_url)
    broadcast = await server.make_broadcast()
    async with Host(server, broadcast, SoundMicrophone(bursts(1), loop=True)):
        assert (await server.broadcast(broadcast.id)).whep_url == broadcast.whep_url
    for _ in range(100):
        try:
            await server.broadcast(broadcast.id)
        except ServerError as error:
            assert error.status == 404
            return
        await asyncio.sleep(0.05)
    pytest.fail("the broadcast goes on without its host")


async def test_a_second_host_is_refused_and_the_first_goes_on(server_url: str) -> None:
    server = Server(server_url)
    broadcast = await server.make_broadcast()
    async with Host(server, broadcast, SoundMicrophone(bursts(1), loop=True)) as host:
        await host.control.wait_for("state", lambda message: message["state"] == "live")
        second = Host(server, broadcast, SoundMicrophone(bursts(1)))
        with pytest.raises(ServerError, match="has a host already"):
            await second.__aenter__()


async def test_an_unknown_avatar_is_refused_by_name(server_url: str, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="nobody") as caught:
        await perform(write_wav(tmp_path / "voice.wav", bursts(1)), server_url, avatar="nobody")
    assert caught.value.status == 404


def run(*words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(list(words))
    return status, out.getvalue(), err.getvalue()


def test_a_silent_file_is_played_with_a_warning(server_url: str, tmp_path: Path) -> None:
    voice = write_wav(tmp_path / "silence.wav", np.zeros(RATE_HZ, np.int16))
    status, out, err = run(str(voice), "--server", server_url, "--json")
    assert status == 0
    assert "is silent" in err
    assert "is silent" in json.loads(out)["warnings"][0]


@pytest.mark.parametrize(("name", "content", "says"), [("a.wav", b"", "empty"), ("a.txt", b"Dear Sir or Madam", "not sound")])
def test_what_is_no_sound_ends_with_a_message_and_status_1(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    status, out, err = run(str(tmp_path / name), "--json")
    assert (status, out) == (1, "")
    assert says in err


def test_no_server_ends_with_a_message_that_says_what_to_start(tmp_path: Path) -> None:
    voice = write_wav(tmp_path / "voice.wav", bursts(0.2))
    status, _, err = run(str(voice), "--server", "http://127.0.0.1:9")
    assert status == 1
    assert "rostrum serve" in err
