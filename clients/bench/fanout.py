"""`rostrum bench fanout`: a live broadcast and more and more viewers, each served over real WebRTC, and what that takes."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from typing import Any

import numpy as np

from clients.bench import machine, voices
from clients.bench.live import START_S
from clients.bench.live_server import LiveServer, ServerFailed
from clients.python.host import Host
from clients.python.server import Server, ServerError
from clients.python.sound import RATE_HZ, SoundMicrophone
from clients.python.viewer import Viewer
from engines.avatar_library import AvatarError
from engines.specs import SAMPLE_RATE_HZ
from streamer.webrtc import offer_loopback

_LEAVE_S = 3.0


def run(arguments: argparse.Namespace) -> int:
    """0 measured; 1 with a message where serving, speaking or watching failed."""
    try:
        counts = [int(count) for count in arguments.viewers.split(",")]
        if not counts or min(counts) < 1:
            raise ValueError
    except ValueError:
        print(f"rostrum bench fanout: --viewers: {arguments.viewers!r} is not like 1,10,50,100", file=sys.stderr)
        return 2
    try:
        avatar = voices.chosen_avatars(arguments.avatar)[0].name
        offer_loopback(None)
        with LiveServer("--log-level", "warning") as server:
            asyncio.run(_broadcast(server, avatar, counts, arguments))
    except (AvatarError, ServerFailed, ServerError, OSError) as error:
        print(f"rostrum bench fanout: {error}", file=sys.stderr)
        return 1
    return 0


async def _broadcast(server: LiveServer, avatar: str, counts: list[int], arguments: argparse.Namespace) -> None:
    seconds = START_S + sum(arguments.seconds + 0.1 * count + 20 for count in counts)
    microphone = SoundMicrophone(np.repeat(voices.babble(seconds), RATE_HZ // SAMPLE_RATE_HZ))
    api = Server(server.url)
    broadcast = await api.make_broadcast(avatar, arguments.size, arguments.fps)
    async with Host(api, broadcast, microphone) as host:
        async with Viewer(broadcast.whep_url) as first:
            await first.picture(START_S)
            await host.control.wait_for("metrics", lambda message: message["delay_ms"] is not None, START_S)
        alone = await _measure_alone(server, arguments.seconds)
        for count in counts:
            machine.say(f"{count} viewers")
            found = await _measure(server, broadcast.whep_url, count, arguments.seconds)
            machine.show({**found, **_each(found, alone), "fps": arguments.fps, "size": arguments.size}, arguments.json)


async def _measure_alone(server: LiveServer, seconds: float) -> float:
    """Percent of a core that the broadcast takes while nobody watches: it is drawn, but not encoded."""
    began, began_cpu_s = time.monotonic(), server.cpu_s()
    await asyncio.sleep(seconds)
    return 100 * (server.cpu_s() - began_cpu_s) / (time.monotonic() - began)


async def _measure(server: LiveServer, whep_url: str, count: int, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "clients.bench.counting_viewers", whep_url, str(count), str(seconds)]
    watching = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert watching.stdout
    if not await watching.stdout.readline():
        raise ServerError(f"the {count} viewers did not all come to see a picture", "no_picture")
    began, began_cpu_s = time.monotonic(), server.cpu_s()
    await asyncio.sleep(seconds)
    cpu_percent = 100 * (server.cpu_s() - began_cpu_s) / (time.monotonic() - began)
    said = json.loads(await watching.stdout.readline())
    await watching.wait()
    await asyncio.sleep(_LEAVE_S)
    first = [ms for ms in said["first_picture_ms"] if ms is not None]
    return {
        "viewers": count,
        "cpu_percent": round(cpu_percent, 1),
        "first_picture_ms_p95": round(_percentile(first, 95)),
        "fps_received_p5": round(_percentile(said["fps"], 5), 2),
        "freezes": said["freezes"],
        "packets_lost": said["packets_lost"],
        "viewers_cpu_percent": round(said["cpu_percent"], 1),
        "load_average_1min": round(os.getloadavg()[0], 2),
    }


def _each(found: dict[str, Any], alone: float) -> dict[str, float]:
    """What the first viewer costs is the encoder's, too."""
    share = (found["cpu_percent"] - alone) / found["viewers"]
    return {"cpu_percent_alone": round(alone, 1), "cpu_percent_each": round(share, 3)}


def _percentile(values: list[float], percent: int) -> float:
    """Of a list of any length; of one value, that value."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]
