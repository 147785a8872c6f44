"""The outputs of one broadcast beside its viewers: started and stopped by its hosts, at any time."""

from __future__ import annotations

import asyncio
import math
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from streamer import protocol
from streamer.encoder import Encoded
from streamer.media import Rendition
from streamer.outputs import rtmp, srt, whip
from streamer.outputs.feed import WantIntra
from streamer.outputs.hls import INTRA_EVERY_S, Hls, Playlist
from streamer.outputs.output import Output, Report, Sink, StreamFormat, ThreadedOutput
from streamer.outputs.recording import Recording
from streamer.outputs.whip import WhipOutput
from streamer.plan import TIME_BASE_HZ, ticks_per_frame
from streamer.protocol import ErrorMessage, OutputKind, OutputReport, OutputsMessage
from streamer.webrtc import WallTicks

_MOST = 8
_MOST_OVER = 8  # of those that have ended or failed, how many are still told of
RECORDING_NAME = re.compile(r"[a-z0-9][a-z0-9-]*\.mp4")


class OutputRefused(ValueError):
    """An output that cannot be started, or stopped; `answer` says why, and the way out."""

    def answer(self, to: protocol.Command) -> ErrorMessage:
        if isinstance(to, protocol.StopOutput):
            return ErrorMessage(id=to.id, code="unknown_output", path="stop_output.output", message=str(self))
        return ErrorMessage(id=to.id, code="bad_output", path="start_output.url", message=str(self))


class OutputBoard:
    """Takes every turn's packets. Bounded: eight at once. Asks for intra frames as often as the neediest output wants."""

    def __init__(
        self,
        broadcast: str,
        stream: StreamFormat,
        want_intra: WantIntra,
        tell: Callable[[BaseModel], None],
        recordings_root: Path | None = None,
        clock: WallTicks | None = None,
        ice_servers: tuple[str, ...] = (),
    ) -> None:
        """`tell` is given the outputs message, in the event loop, at each change and once a second while there are any."""
        self._broadcast = broadcast
        self._stream = stream
        self._want_intra = want_intra
        self._tell = tell
        self._recordings_root = recordings_root
        self._clock = clock or WallTicks()
        self._ice_servers = ice_servers
        self._running: dict[str, Output] = {}
        self._over: list[Report] = []
        self._stopping: set[asyncio.Task[None]] = set()
        self._last_intra: int | None = None
        self._turns = 0
        self.playlist: Playlist | None = None  # of HLS, once it has been on

    def __len__(self) -> int:
        """How many take packets."""
        return len(self._running)

    @property
    def renditions(self) -> set[Rendition]:
        """Those that must be encoded for them: all take the one that everybody takes."""
        return {"h264"} if self._running else set()

    @property
    def wants_aac(self) -> bool:
        return any(output.wants_aac for output in self._running.values())

    def take(self, message: protocol.StartOutput | protocol.StopOutput) -> str:
        """What a host wants, and in a few words what was done. Raises OutputRefused."""
        if isinstance(message, protocol.StopOutput):
            self.stop(message.output)
            return "stopped"
        report = self.start(message.kind, message.url, message.key)
        return f"{report.kind} to {report.to}"

    def start(self, kind: OutputKind, url: str = "", key: str = "") -> Report:
        """Begin to send. Raises OutputRefused."""
        if len(self._running) >= _MOST:
            raise OutputRefused(f"there are {_MOST} outputs already; stop one first")
        output_id = secrets.token_hex(4)
        try:
            output = self._make(output_id, kind, url.strip(), key.strip())
        except ValueError as error:
            raise OutputRefused(str(error)) from None
        self._running[output_id] = output
        self._want_intra("h264")
        self._tell(self.message())
        return output.report()

    def _make(self, output_id: str, kind: OutputKind, url: str, key: str) -> Output:
        stream = self._stream
        match kind:
            case "record":
                if self._recordings_root is None:
                    raise OutputRefused("this server keeps no recordings; start it with --recordings DIR")
                path = self._recordings_root / f"{self._broadcast}-{output_id}.mp4"
                about = Report(output_id, kind, path.name, "starting", link=f"/recordings/{path.name}")
                return self._threaded(about, lambda: Recording(path, stream), 5.0)
            case "rtmp":
                to, shown = rtmp.address(url, key)
                return self._threaded(Report(output_id, kind, shown, "starting"), lambda: rtmp.sink(to, stream), 2.0)
            case "srt":
                to, shown = srt.address(url, key)
                return self._threaded(Report(output_id, kind, shown, "starting"), lambda: srt.Srt(to, stream), 2.0)
            case "hls":
                if any(output.report().kind == "hls" for output in self._running.values()):
                    raise OutputRefused("HLS is on already")
                self.playlist = playlist = Playlist()
                about = Report(output_id, kind, "players by HTTP", "starting", link=f"/hls/{self._broadcast}/index.m3u8")
                return self._threaded(about, lambda: Hls(playlist, stream), INTRA_EVERY_S)
            case "whip":
                to, shown = whip.address(url)
                about = Report(output_id, kind, shown, "starting")
                return WhipOutput(about, to, key, self._clock, self._want_intra, self._note_change, self._ice_servers)

    def _threaded(self, about: Report, make_sink: Callable[[], Sink], intra_every_s: float) -> Output:
        return ThreadedOutput(
            about, make_sink, self._stream, lambda: self._want_intra("h264"), self._note_change, intra_every_s
        )

    def put(self, encoded: Encoded) -> None:
        """This turn's packets, to everybody."""
        for output in self._running.values():
            output.put(encoded)
        if encoded.video and self._running:
            self._turns += 1
            if self._turns % self._stream.fps == 0:
                self._tell(self.message())
        for packet in encoded.video:
            if packet.is_intra or self._last_intra is None:
                self._last_intra = packet.tick
            every_s = min((output.intra_every_s for output in self._running.values()), default=math.inf)
            if packet.tick + ticks_per_frame(self._stream.fps) - self._last_intra >= every_s * TIME_BASE_HZ:
                self._want_intra("h264")

    def stop(self, output_id: str) -> None:
        """It ends by itself, with what it has; told when it has. Raises OutputRefused."""
        if output_id not in self._running:
            raise OutputRefused(f"there is no output {output_id!r} that runs")
        task = asyncio.get_running_loop().create_task(self._stop(output_id), name=f"output-{output_id}-stops")
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def _stop(self, output_id: str) -> None:
        if output := self._running.pop(output_id, None):
            await output.stop()
            self._remember(output.report())
            self._tell(self.message())

    def _note_change(self) -> None:
        for output_id, output in list(self._running.items()):
            if (report := output.report()).state in ("failed", "ended"):
                del self._running[output_id]
                self._remember(report)
        self._tell(self.message())

    def _remember(self, report: Report) -> None:
        self._over = [*self._over, report][-_MOST_OVER:]

    def reports(self) -> list[Report]:
        """Those that run, and the last of those that are over."""
        return self._over + [output.report() for output in self._running.values()]

    def message(self) -> OutputsMessage:
        """The same, as hosts are told it."""
        return OutputsMessage(outputs=tuple(OutputReport.model_validate(report) for report in self.reports()))

    async def close(self) -> None:
        """Stop all; what waits is written."""
        await asyncio.gather(*(self._stop(output_id) for output_id in list(self._running)), *self._stopping)
