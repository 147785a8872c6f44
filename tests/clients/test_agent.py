"""An agent speaks through the avatar over a real socket: push audio, end, clear, and be told what was played."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from clients.python.agent import AvatarVoice, Playback
from clients.python.server import ServerError
from tests.fakes.listener import Listener, make_broadcast
from tests.fakes.peers import FakeViewer, Running, lamp_is_lit, running_server
from tests.fakes.speech_server import hum

RATE_HZ = 24_000


@dataclass
class OnAir:
    running: Running
    made: dict[str, str]


@pytest.fixture
async def on_air(tmp_path: Path) -> AsyncIterator[OnAir]:
    async with running_server(tmp_path) as running:
        yield OnAir(running, await make_broadcast(running))


def lit(viewer: FakeViewer) -> bool:
    return bool(viewer.frames) and lamp_is_lit(viewer.frames[-1][2])


def lit_lately(viewer: FakeViewer) -> bool:
    """In one of the last two seconds' frames: a busy machine hands over many at once."""
    return any(lamp_is_lit(frame) for _, _, frame in viewer.frames[-50:])


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
async def test_a_pushed_segment_is_seen_heard_and_told_to_be_played_whole(on_air: OnAir, rate_hz: int) -> None:
    viewer, started = FakeViewer(), asyncio.Event()
    await viewer.watch(on_air.running.http, on_air.made["whep_url"])
    async with AvatarVoice(on_air.made["push_url"], rate_hz, on_started=started.set) as voice:
        await voice.push_audio(hum(1.2, rate_hz))
        await voice.end_segment()
        await asyncio.wait_for(started.wait(), 60)
        await viewer.until(lambda: lit_lately(viewer))
        assert await voice.finished() == Playback(0, pytest.approx(1.2, abs=0.01), interrupted=False)
        await viewer.until(lambda: not lit(viewer))
    await viewer.close()


async def test_clearing_drops_what_is_not_on_air_and_says_how_much_was(on_air: OnAir) -> None:
    viewer, told = FakeViewer(), list[Playback]()
    await viewer.watch(on_air.running.http, on_air.made["whep_url"])
    async with AvatarVoice(on_air.made["push_url"], on_finished=told.append) as voice:
        pushing = asyncio.create_task(voice.push_audio(hum(60)))
        await viewer.until(lambda: lit(viewer))
        assert not pushing.done()  # a minute is more than is held
        await voice.clear_buffer()
        await asyncio.wait_for(pushing, 60)
        await voice.finished()
        await viewer.until(lambda: not lit(viewer))
        assert [(each.segment, each.interrupted) for each in told] == [(0, True)]
        assert 0 < told[0].position_s < 60
        await voice.push_audio(hum(0.4))  # and it speaks again
        await voice.end_segment()
        assert await voice.finished() == Playback(1, pytest.approx(0.4, abs=0.01), interrupted=False)
    await viewer.close()


async def test_a_host_who_interrupts_stops_the_agent_too(on_air: OnAir) -> None:
    async with Listener(on_air.made["control_url"]) as control, AvatarVoice(on_air.made["push_url"]) as voice:
        await voice.push_audio(hum(5))
        await control.until("aired")
        await control.send(type="interrupt")
        await voice.push_audio(hum(5))  # the rest of that segment is not said
        await voice.end_segment()
        finished = await voice.finished()
        assert finished and finished.interrupted and finished.position_s < 5
        await voice.push_audio(hum(0.3))
        await voice.end_segment()
        assert await voice.finished() == Playback(1, pytest.approx(0.3, abs=0.01), interrupted=False)


async def test_whoever_ignores_the_room_there_is_is_held_back_by_the_socket(on_air: OnAir) -> None:
    async with connect(f"{on_air.made['push_url']}?rate=48000", compression=None, close_timeout=0.1) as socket:
        piece, sent = hum(0.5, 48_000), 0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                while True:
                    await socket.send(piece)
                    sent += 1
        socket.transport.abort()
        session = on_air.running.server.broadcasts.get(on_air.made["id"])
        assert session and session.voice_over.buffered_s < 12 < sent / 2 < 100


async def test_an_agent_that_leaves_in_the_middle_is_cut_off(on_air: OnAir) -> None:
    viewer = FakeViewer()
    await viewer.watch(on_air.running.http, on_air.made["whep_url"])
    async with Listener(on_air.made["control_url"]):
        async with AvatarVoice(on_air.made["push_url"]) as voice:
            await voice.push_audio(hum(9.5))
            await viewer.until(lambda: lit(viewer))
        await viewer.until(lambda: not lit(viewer), timeout_s=8)
    await viewer.close()


async def test_what_cannot_be_pushed_is_refused(on_air: OnAir) -> None:
    url = on_air.made["push_url"]
    for bad, code in ((f"{url}?rate=1", "bad_rate"), (f"{url[:-3]}xyz?rate=24000", "unknown_broadcast")):
        async with connect(bad) as socket:
            assert json.loads(await socket.recv())["code"] == code
    async with connect(f"{url}?rate=24000") as socket:
        for text in ("{", '{"type": "dance"}', "[]"):
            await socket.send(text)
            while (message := json.loads(await socket.recv()))["type"] != "error":
                pass
            assert message["code"] == "bad_message" and "clear" in message["message"]
        async with AvatarVoice(url), AvatarVoice(url), AvatarVoice(url):
            with pytest.raises(ServerError, match="4 connections"):
                await AvatarVoice(url).__aenter__()
    with pytest.raises(ServerError, match="cannot be opened"):
        await AvatarVoice("ws://127.0.0.1:9/push/x").__aenter__()
