"""Everything that `rostrum bench faults` does to a broadcast. Each returns when it is over."""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import signal
import struct
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from clients.bench.fault_scene import Scene
from clients.bench.impaired import PERFECT, Impairment
from clients.bench.processes import family, is_worker
from clients.python.server import ServerError, request

Inject = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done, in words and in deed."""

    what: str
    inject: Inject
    needs_director: bool = False


# -- the network --------------------------------------------------------------------------------------------------------


def _network(impairment: Impairment) -> Inject:
    async def inject(scene: Scene) -> None:
        scene.impair(impairment)
        await asyncio.sleep(scene.sizes.seconds)
        scene.impair(PERFECT)

    return inject


async def _host_outage(scene: Scene) -> None:
    scene.host_network.impairment = Impairment(cut=True)
    await asyncio.sleep(scene.sizes.outage_s)
    scene.host_network.impairment = PERFECT


async def _viewer_outage(scene: Scene) -> None:
    scene.viewer_network.impairment = Impairment(cut=True)
    await asyncio.sleep(scene.sizes.outage_s)
    scene.viewer_network.impairment = PERFECT


# -- the machine --------------------------------------------------------------------------------------------------------


async def _busiest_worker(scene: Scene) -> int:
    """The one that draws. Raises ServerError where the server has none."""
    before = family(scene.server_pid)
    await asyncio.sleep(1.0)
    used = {pid: ticks - before.get(pid, ticks) for pid, ticks in family(scene.server_pid).items() if is_worker(pid)}
    if not used:
        raise ServerError("the server has no render worker to do anything to")
    return max(used, key=used.__getitem__)


def _worker(send: signal.Signals) -> Inject:
    async def inject(scene: Scene) -> None:
        os.kill(await _busiest_worker(scene), send)

    return inject


async def _processor_taken(scene: Scene) -> None:
    """Twice as many programs as there are cores, each with as much right to them as the server's."""
    busy = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass") for _ in range(2 * (os.cpu_count() or 1))
    ]
    try:
        await asyncio.sleep(scene.sizes.outage_s)
    finally:
        for process in busy:
            process.kill()
        await asyncio.gather(*(process.wait() for process in busy))


async def _disk_full(scene: Scene) -> None:
    """No file of the server's may grow: a write fails where it would on a full disk."""
    before = resource.prlimit(scene.server_pid, resource.RLIMIT_FSIZE)
    resource.prlimit(scene.server_pid, resource.RLIMIT_FSIZE, (0, before[1]))
    await asyncio.sleep(scene.sizes.outage_s)
    resource.prlimit(scene.server_pid, resource.RLIMIT_FSIZE, before)


async def _director_outage(scene: Scene) -> None:
    assert scene.director
    scene.director.fall_silent()
    until = scene.now_s() + scene.sizes.outage_s
    while scene.now_s() < until:
        await scene.host.control.prompt("very happy, nods")
        await asyncio.sleep(1.0)
    scene.director.speak()


# -- malformed input ----------------------------------------------------------------------------------------------------


def _by_control(*bad: str | bytes) -> Inject:
    async def inject(scene: Scene) -> None:
        for i in range(scene.sizes.messages):
            await scene.host.control.send_text(bad[i % len(bad)])
        await scene.host.control.ask("ping")  # they are taken in order: all have been answered

    return inject


def _by_http(url: Callable[[Scene], str], content_type: str, *bad: bytes) -> Inject:
    async def inject(scene: Scene) -> None:
        for i in range(scene.sizes.messages):
            try:
                await request("POST", url(scene), bad[i % len(bad)], content_type, scene.broadcast.host_token)
            except ServerError as error:
                if error.status >= 500 or error.status == 0:
                    raise
            else:
                raise ServerError(f"{url(scene)} took {bad[i % len(bad)][:40]!r} for good")

    return inject


def _broadcasts(scene: Scene) -> str:
    return f"{scene.url}/api/broadcasts"


async def _pictures(scene: Scene) -> None:
    for i in range(scene.sizes.messages):
        begins = (b"%PDF-1.7", b"<svg>", b"PK\x03\x04", b"RIFF0000AVI ", b"\x89PNG\r\n\x1a\n")[i % 5]
        try:
            await scene.api.add_avatar(f"bench-{i}", begins + os.urandom(2000))
        except ServerError as error:
            if error.status >= 500 and error.code != "busy":
                raise
        else:
            raise ServerError(f"{begins!r} became an avatar")


async def _datagrams(scene: Scene) -> None:
    """Junk where media is received: not STUN, STUN that lies about its length or is signed by nobody, DTLS, RTP, RTCP."""
    rng = random.Random(0)
    stun = struct.pack("!HHI", 1, 8, 0x2112A442) + rng.randbytes(12)
    for i in range(scene.sizes.messages):
        junk = rng.randbytes(rng.randrange(1, 1200))
        for network in (scene.host_network, scene.viewer_network):
            network.inject((junk, stun, stun + junk, b"\x16\xfe\xfd" + junk, b"\x80\x6f" + junk, b"\x80\xc8" + junk)[i % 6])
    await asyncio.sleep(0.5)


# -- viewers ------------------------------------------------------------------------------------------------------------


async def _viewers_leave(scene: Scene) -> None:
    """In groups: as many as a small machine can run at once, each group gone before the next comes."""
    left = scene.sizes.viewers
    while left > 0:
        number = min(left, 20)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "clients.bench.ghost_viewers", scene.broadcast.whep_url, str(number),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout
        said = await process.stdout.readline()
        if process.returncode is None:
            process.kill()
        await process.wait()
        if not said.startswith(b"watching"):
            raise ServerError(f"{number} viewers could not come")
        left -= number


# -- the table ----------------------------------------------------------------------------------------------------------

_SDP, _JSON = "application/sdp", "application/json"
_NO_JSON = ("{", "", "nonsense", '{"type": ', "[" * 6000)
_NO_TEXT = (b"\x00\xff", bytes(range(256)), b"\xed\xa0\x80")
_WRONG: tuple[Any, ...] = ({"type": "launch"}, {"type": "emotion", "emotion": 7}, {"type": "mute", "more": 1}, [], 7, None)
_LARGE = ("x" * 20_000, json.dumps({"type": "x" * 20_000}))
_NO_OFFERS = (b"", b"v=0", b"m=audio x y z\r\n", b"\xff\xfe", b"a" * 70_000)
_NO_REQUESTS = (b"{", b"[1]", b'{"fps": "x"}', b"[" * 6000)

FAULTS: dict[str, Fault] = {
    "loss_1": Fault("1 % of all datagrams are lost", _network(Impairment(loss=0.01))),
    "loss_5": Fault("5 % of all datagrams are lost", _network(Impairment(loss=0.05))),
    "loss_10": Fault("10 % of all datagrams are lost", _network(Impairment(loss=0.10))),
    "jitter_50": Fault("datagrams take up to 50 ms longer", _network(Impairment(delay_s=(0.0, 0.05)))),
    "jitter_200": Fault("datagrams take 50 to 200 ms longer", _network(Impairment(delay_s=(0.05, 0.2)))),
    "reorder": Fault("every tenth datagram is overtaken by later ones", _network(Impairment(reorder=0.1))),
    "host_outage": Fault("the host's network is gone, and comes back", _host_outage),
    "viewer_outage": Fault("the viewer's network is gone, and comes back", _viewer_outage),
    "worker_kill": Fault("the worker that draws is killed", _worker(signal.SIGKILL)),
    "worker_hang": Fault("the worker that draws stands still", _worker(signal.SIGSTOP)),
    "processor_taken": Fault("other programs want all of the processor", _processor_taken),
    "disk_full": Fault("nothing can be written", _disk_full),
    "director_outage": Fault("the language model falls silent while it is asked", _director_outage, needs_director=True),
    "malformed_text": Fault("control messages that are no JSON", _by_control(*_NO_JSON)),
    "malformed_binary": Fault("control messages that are not even text", _by_control(*_NO_TEXT)),
    "malformed_fields": Fault("control messages of unknown types, with wrong fields", _by_control(*map(json.dumps, _WRONG))),
    "malformed_large": Fault("control messages larger than they may be", _by_control(*_LARGE)),
    "malformed_offers": Fault("WHIP offers that are none", _by_http(lambda scene: scene.broadcast.whip_url, _SDP, *_NO_OFFERS)),
    "malformed_requests": Fault("broadcasts asked for by what is no JSON", _by_http(_broadcasts, _JSON, *_NO_REQUESTS)),
    "malformed_pictures": Fault("pictures that are none", _pictures),
    "malformed_datagrams": Fault("datagrams that are no media", _datagrams),
    "viewers_leave": Fault("viewers come and are gone without a word", _viewers_leave),
}
