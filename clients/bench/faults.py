"""`rostrum bench faults`: things go wrong on a real server, over real WebRTC; what viewers and the host notice of each.

Host and viewer reach the server through relays of their own (`impaired`), so nothing outside this process is needed. Each fault
meets a broadcast of its own that runs well, and gets one line:

    fault, frames_lost, holds, recovery_ms, av_skew_ms_after, rss_mb_before, rss_mb_after, host_message

frames_lost: pictures that did not reach the viewer, at the rate before, from the fault's beginning until all is well again.
holds: pictures repeated in that time. recovery_ms: from the fault's end to the first second in which everything is as before
(null: not within 30 s). av_skew_ms_after: median over the 3 s after; one picture's time is in it (40 ms at 25 a second, 120
where every third is drawn), as aiortc hands a picture over when the next one comes. rss_mb: of the server and its workers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from clients.bench import machine, voices
from clients.bench.fault_kinds import FAULTS, Fault
from clients.bench.fault_scene import Scene, Sizes
from clients.bench.live_server import LiveServer, ServerFailed
from clients.bench.silent_director import SilentDirector
from clients.python.control import ControlRefused
from clients.python.server import Server, ServerError
from clients.python.sound import RATE_HZ, SoundMicrophone
from engines.avatar_library import AvatarError
from engines.specs import SAMPLE_RATE_HZ
from streamer.webrtc import notice_losses_soon, offer_loopback

GIVE_UP_S = 30.0
_VOICE_S = 60.0


def run(arguments: argparse.Namespace) -> int:
    """0 measured, whatever was found; 1 with a message where that failed; 2 for a fault that is not known."""
    names = [name for name in arguments.only.split(",") if name] or list(FAULTS)
    if unknown := set(names) - set(FAULTS):
        print(f"rostrum bench faults: no fault {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}", file=sys.stderr)
        return 2
    sizes = Sizes(arguments.seconds, arguments.outage, arguments.messages, arguments.viewers)
    offer_loopback(None)
    notice_losses_soon()
    try:
        avatar = voices.chosen_avatars(arguments.avatar)[0].name
        with tempfile.TemporaryDirectory(prefix="rostrum-faults-") as scratch:
            for needs_director in (False, True):
                chosen = [name for name in names if FAULTS[name].needs_director is needs_director]
                if chosen:
                    with _server(needs_director, Path(scratch)) as (server, director):
                        for name in chosen:
                            line = asyncio.run(_measure(server, director, avatar, name, sizes, arguments))
                            _show(line, arguments.json)
    except (AvatarError, ServerFailed, ServerError, ControlRefused, OSError) as error:
        print(f"rostrum bench faults: {error}", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def _server(needs_director: bool, scratch: Path) -> Iterator[tuple[LiveServer, SilentDirector | None]]:
    flags = ["--log-level", "warning", "--lineage", str(scratch)]
    if not needs_director:
        with LiveServer(*flags) as server:
            yield server, None
        return
    with SilentDirector() as director:
        flags += ["--director", "openai", "--director-url", director.url, "--director-model", "bench"]
        with LiveServer(*flags) as server:
            yield server, director


async def _measure(
    server: LiveServer, director: SilentDirector | None, avatar: str, name: str, sizes: Sizes, arguments: argparse.Namespace
) -> dict[str, Any]:
    machine.say(f"{name}: {FAULTS[name].what}")
    api = Server(server.url)
    broadcast = await api.make_broadcast(avatar, arguments.size, arguments.fps)
    sound = np.repeat(voices.babble(_VOICE_S), RATE_HZ // SAMPLE_RATE_HZ)
    microphone = SoundMicrophone(sound, loop=True)
    async with Scene(server.url, server.pid, api, broadcast, microphone, sizes, arguments.fps, director) as scene:
        try:
            return await figures(scene, name, FAULTS[name])
        except ServerError as error:
            raise ServerFailed(f"{name}: {error}\nThe server said:\n{server.said}") from None


async def figures(scene: Scene, name: str, fault: Fault, give_up_s: float = GIVE_UP_S) -> dict[str, Any]:
    """Run one fault on a scene that is on air, and wait until all is well again. Raises ServerError."""
    await scene.is_on_air()
    usual = await scene.usual()
    rss_before_mb, began_s = scene.rss_mb(), scene.begin()
    await fault.inject(scene)
    ended_s = scene.now_s()
    well_s = await scene.is_well_again(usual, ended_s, give_up_s)
    holds = scene.holds()
    lost = scene.frames_lost(began_s, well_s or scene.now_s(), usual)
    await asyncio.sleep(scene.sizes.after_s)
    return {
        "fault": name,
        "frames_lost": lost,
        "holds": holds,
        "recovery_ms": None if well_s is None else round(max(0.0, well_s - ended_s) * 1e3),
        "av_skew_ms_after": scene.skew_ms(scene.now_s() - scene.sizes.after_s),
        "rss_mb_before": round(rss_before_mb, 1),
        "rss_mb_after": round(scene.rss_mb(), 1),
        "host_message": scene.host_was_told(),
        "load_average_1min": machine.facts()["load_average_1min"],
    }


def _show(line: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(line, ensure_ascii=False), flush=True)
        return
    words = "   ".join(f"{key} {value}" for key, value in line.items() if key not in ("fault", "host_message"))
    print(f"{line['fault']:<20} {words}\n{'':<20} host: {line['host_message'] or '–'}", flush=True)
