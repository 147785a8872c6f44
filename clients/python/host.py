"""`rostrum-host`: a file speaks as the host of a broadcast, over real WebRTC; what a viewer gets can be recorded."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from aiortc import RTCConfiguration, RTCPeerConnection

from clients.python.backoff import tries
from clients.python.control import Control, ControlRefused, Message
from clients.python.server import Broadcast, Detour, Server, ServerError, connected, exchange
from clients.python.sound import SILENT_DB, Listening, SoundError, SoundMicrophone, peak_db, read_sound
from clients.python.viewer import Viewer
from clients.python.voice_delay import voice_delays_ms
from streamer.webrtc import notice_losses_soon, offer_loopback

RESUME_S = 30.0  # the server gives the broadcast up then
_RECONNECT_S = 5.0  # for one try
_UNHEARD_S = 2.0
_LOOK_S = 0.25


class Host:
    """`async with Host(server, broadcast, microphone) as host`: on air inside the block; leaving it ends the broadcast.

    A connection that breaks is made again, for 30 s: the server keeps the broadcast for so long. `on_link` is told so in words.
    """

    def __init__(
        self,
        server: Server,
        broadcast: Broadcast,
        microphone: SoundMicrophone,
        on_link: Callable[[str], None] = lambda words: None,
        detour: Detour | None = None,
        on_event: Callable[[Message], None] | None = None,
    ) -> None:
        self.server = server
        self.broadcast = broadcast
        self.microphone = microphone
        self.control = Control(broadcast.control_url + "?role=host", on_event, broadcast.host_token)
        self.reconnects = 0
        self._on_link = on_link
        self._detour = detour
        self._pc: RTCPeerConnection | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Host:
        try:
            await self._stack.enter_async_context(self.control)
            await self._connect()
        except BaseException:
            await self._leave()
            raise
        self._keeping = asyncio.create_task(self._keep(), name="host link")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._leave()

    async def spoken(self) -> None:
        """Wait until the whole file has been spoken once."""
        await self.microphone.ended.wait()

    async def lost(self) -> None:
        """Drop the connection without a word, as a network does; it is made again."""
        assert self._pc
        await self._pc.close()

    async def _connect(self, timeout_s: float = 15.0) -> None:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        try:
            pc.addTransceiver(Listening(self.microphone), direction="sendonly")
            await exchange(pc, self.broadcast.whip_url, self.broadcast.host_token, self._detour)
            await connected(pc, timeout_s)
        except BaseException:
            await pc.close()
            raise
        self._pc = pc

    async def _keep(self) -> None:
        while True:
            assert self._pc
            await self._broken(self._pc)
            self._on_link("the connection is lost; trying again")
            await self._pc.close()
            problem: ServerError | None = None
            async for _ in tries(RESUME_S):
                try:
                    await self._connect(_RECONNECT_S)
                    problem = None
                    break
                except ServerError as error:
                    problem = error
            if problem:
                return self._on_link(f"the connection is lost for good: {problem}")
            self.reconnects += 1
            self._on_link("back on air")

    async def _broken(self, pc: RTCPeerConnection) -> None:
        """Until the connection has failed, or the server has not heard it for a while: it knows first."""
        unheard_s = 0.0
        while pc.connectionState == "connected" and unheard_s < _UNHEARD_S:
            await asyncio.sleep(_LOOK_S)
            is_unheard = self.control.latest.get("state", {}).get("state") == "idle"
            unheard_s = unheard_s + _LOOK_S if is_unheard else 0.0

    async def _leave(self) -> None:
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._pc:
            await self._pc.close()
        await self._stack.aclose()
        await self.server.end(self.broadcast)


@dataclass(frozen=True, slots=True)
class Report:
    """What `--json` prints: figures of one run, as a viewer saw it. None: could not be measured."""

    broadcast: str
    spoken_s: float
    first_frame_ms: float | None
    frames_received: int
    fps_received: float
    frame_gap_ms_p95: float | None
    voice_delay_ms_median: float | None
    prompt_to_air_ms: float | None
    holds: int
    not_recorded: int
    warnings: tuple[str, ...]


async def perform(
    sound: Path,
    url: str,
    avatar: str | None = None,
    size: str = "512x512",
    fps: int = 25,
    prompt: str = "",
    record: Path | None = None,
    seconds: float | None = None,
) -> Report:
    """Go on air with a file, watch, and report. `seconds` beyond the file's length repeats it.

    Raises SoundError, ServerError, ControlRefused.
    """

    def tell(words: str) -> None:
        print(f"rostrum-host: {words}", file=sys.stderr)

    samples = await asyncio.to_thread(read_sound, sound)
    warnings = _warnings(sound, peak_db(samples))
    for line in warnings:
        tell(line)
    microphone = SoundMicrophone(samples, loop=seconds is not None and seconds > len(samples) / 48_000)
    server = Server(url, os.environ.get("ROSTRUM_KEY"))
    broadcast = await server.make_broadcast(avatar, size, fps)
    air_in_ms: float | None = None
    async with Host(server, broadcast, microphone, tell) as host:
        print(f"on air: {broadcast.watch_url}", file=sys.stderr)
        viewer = Viewer(broadcast.whep_url, record, on_link=tell)
        async with viewer:
            await viewer.picture()
            if prompt:
                await host.control.wait_for("horizon", lambda horizon: horizon["aired_s"] > 0, timeout_s=30)
                accepted = await host.control.prompt(prompt)
                air_in_ms = 1000 * accepted["on_air_in_s"]
            if seconds is None:
                await host.spoken()
                await asyncio.sleep(_delay_s(host))  # the end of the voice is still on its way to the air
            else:
                assert microphone.started_at is not None
                await asyncio.sleep(max(0.0, microphone.started_at + seconds - time.monotonic()))
        metrics = host.control.latest.get("metrics", {})
        spoken_s = microphone.spoken_s
    delays = voice_delays_ms(samples, microphone.started_at or 0.0, viewer.sound) if not microphone.loop else []
    return Report(
        broadcast=broadcast.id,
        spoken_s=round(spoken_s, 2),
        first_frame_ms=viewer.first_frame_ms,
        frames_received=viewer.tally["video"].frames,
        fps_received=round(viewer.tally["video"].per_s, 2),
        frame_gap_ms_p95=viewer.frame_gap_ms_p95,
        voice_delay_ms_median=round(statistics.median(delays), 1) if delays else None,
        prompt_to_air_ms=air_in_ms,
        holds=sum(metrics.get("holds", {}).values()),
        not_recorded=viewer.num_dropped,
        warnings=warnings,
    )


def _delay_s(host: Host) -> float:
    delay_ms = host.control.latest.get("metrics", {}).get("delay_ms")
    return 0.5 + (delay_ms["total"] / 1000 if delay_ms else 1.0)


def _warnings(sound: Path, peak: float) -> tuple[str, ...]:
    if peak < SILENT_DB:
        return (f"{sound} is silent (nothing louder than {SILENT_DB:.0f} dB): the avatar will not speak.",)
    return ()


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rostrum-host", description=__doc__)
    parser.add_argument("sound", type=Path, help="any audio or video that FFmpeg reads; it is the microphone")
    parser.add_argument("--server", default="http://127.0.0.1:8080", metavar="URL", help="default http://127.0.0.1:8080")
    parser.add_argument("--avatar", metavar="NAME", help="default: the server's first")
    parser.add_argument("--size", default="512x512", metavar="WxH")
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--prompt", default="", help="sent as soon as the voice is on air")
    parser.add_argument("--record", type=Path, metavar="FILE.mp4", help="what a viewer gets")
    parser.add_argument("--seconds", type=float, metavar="N", help="how long; default: until the file has been spoken")
    parser.add_argument("--json", action="store_true", help="end with one line of figures")
    parser.epilog = (
        "A server elsewhere asks for its key: set ROSTRUM_KEY. One on this machine is known by the key it keeps here."
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """0 done, 1 it said why not, 2 wrong usage, 130 interrupted."""
    arguments = parser().parse_args(argv)
    if arguments.record and not arguments.record.resolve().parent.is_dir():
        print(f"rostrum-host: there is no folder {arguments.record.parent} to record into", file=sys.stderr)
        return 1
    offer_loopback(None)
    notice_losses_soon()
    try:
        report = asyncio.run(
            perform(
                arguments.sound, arguments.server, arguments.avatar, arguments.size, arguments.fps, arguments.prompt,
                arguments.record, arguments.seconds,
            )
        )  # fmt: skip
    except (SoundError, ServerError, ControlRefused, OSError) as error:
        print(f"rostrum-host: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(
        f"{report.frames_received} pictures, {report.fps_received:.1f} a second; voice to viewer "
        + (f"{report.voice_delay_ms_median:.0f} ms" if report.voice_delay_ms_median is not None else "not measured"),
        file=sys.stderr,
    )
    if arguments.json:
        print(json.dumps(asdict(report)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
