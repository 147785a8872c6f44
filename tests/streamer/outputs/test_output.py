"""An output on its own: whatever becomes of it, the broadcast does not wait, and the host is told."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from streamer.encoder import Encoded
from streamer.outputs import rtmp
from streamer.outputs.board import OutputBoard, OutputRefused
from streamer.outputs.output import OutputOver, Report, Sink, StreamFormat, ThreadedOutput
from tests.fakes.stream import FPS, HEIGHT, WIDTH, turns

STREAM = StreamFormat(WIDTH, HEIGHT, FPS)
ABOUT = Report("one", "rtmp", "somewhere", "starting")


class Watched:
    """An output, and a wait for what becomes of it."""

    def __init__(self, make_sink: Callable[[], Sink]) -> None:
        self.intras_wanted = 0
        self._changed = asyncio.Event()
        self.output = ThreadedOutput(ABOUT, make_sink, STREAM, self._want_intra, self._changed.set, first_pause_s=0.01)

    def _want_intra(self) -> None:
        self.intras_wanted += 1

    async def until(self, condition: Callable[[Report], bool]) -> Report:
        async with asyncio.timeout(60):
            while not condition(report := self.output.report()):
                self._changed.clear()
                await self._changed.wait()
        return report


class Kept:
    """A sink that keeps what it is given, and fails or hangs when told to."""

    def __init__(self) -> None:
        self.is_on = True
        self.written: list[Encoded] = []
        self.fails: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.is_closed = False

    def write(self, encoded: Encoded) -> None:
        self.gate.wait(30)
        if self.fails:
            raise self.fails
        self.written.append(encoded)

    def close(self) -> None:
        self.is_closed = True


async def test_an_output_that_fails_is_begun_anew_with_an_intra_frame() -> None:
    broken, whole = Kept(), Kept()
    broken.fails = ConnectionResetError(104, "Connection reset by peer")
    sinks = [broken, whole]
    watched = Watched(lambda: sinks.pop(0))
    stream = list(turns(30, intra_every=10))
    watched.output.put(stream[0])
    report = await watched.until(lambda report: report.state == "retrying")
    assert report.reason == "Connection reset by peer; again in 0.01 s" and broken.is_closed
    for encoded in stream[1:]:
        watched.output.put(encoded)
        await asyncio.sleep(0.005)
    await watched.until(lambda report: report.state == "on")
    await watched.output.stop()
    assert whole.written[0].video[0].is_intra and watched.intras_wanted
    assert whole.is_closed and watched.output.report().state == "ended"


async def test_an_output_that_cannot_go_on_says_so_and_is_not_tried_again() -> None:
    def no_sink() -> Sink:
        raise OutputOver("the disk is full")

    watched = Watched(no_sink)
    watched.output.put(next(turns(1)))
    report = await watched.until(lambda report: report.state == "failed")
    assert (report.reason, report.retries) == ("the disk is full", 0)
    await watched.output.stop()


async def test_an_output_that_is_behind_loses_what_waits_and_goes_on_with_an_intra_frame() -> None:
    slow = Kept()
    slow.gate.clear()
    watched = Watched(lambda: slow)
    for encoded in turns(230, intra_every=25):
        watched.output.put(encoded)
    dropped = watched.output.report().dropped_turns
    assert dropped >= 200 and watched.intras_wanted
    slow.gate.set()
    await watched.output.stop()
    ticks = [encoded.video[0].tick for encoded in slow.written]
    after_gap = [slow.written[i] for i in range(1, len(ticks)) if ticks[i] != ticks[i - 1] + 1920]
    assert [encoded.video[0].is_intra for encoded in after_gap] == [True]


async def test_an_output_that_hangs_is_left_behind_and_begun_anew() -> None:
    stuck, whole = Kept(), Kept()
    stuck.gate.clear()
    sinks = [stuck, whole]
    watched = Watched(lambda: sinks.pop(0))
    for encoded in turns(12 * FPS):
        watched.output.put(encoded)
    report = await watched.until(lambda report: report.state == "on")
    assert report.retries == 1 and whole.written
    stuck.gate.set()
    await watched.output.stop()


async def test_what_cannot_be_an_output_is_refused_with_the_way_out(tmp_path: Path) -> None:
    board = OutputBoard("show", STREAM, lambda _: None, lambda _: None)
    for kind, url, key, word in (
        ("rtmp", "http://example.org/live", "k", "rtmp://"),
        ("rtmp", "rtmp://example.org/live", "", "stream key"),
        ("srt", "srt://example.org", "", "srt://live.example.org:9000"),
        ("srt", "srt://example.org:9000", "short", "10 to 79"),
        ("record", "", "", "--recordings"),
    ):
        with pytest.raises(OutputRefused, match=word):
            board.start(kind, url, key)  # type: ignore[arg-type]
    assert len(board) == 0 and board.reports() == []


async def test_no_more_than_eight_outputs_are_started(tmp_path: Path) -> None:
    board = OutputBoard("show", STREAM, lambda _: None, lambda _: None, tmp_path)
    for _ in range(8):
        board.start("record")
    with pytest.raises(OutputRefused, match="stop one first"):
        board.start("record")
    await board.close()


async def test_intra_frames_come_as_often_as_the_neediest_output_wants(tmp_path: Path) -> None:
    wanted: list[int] = []
    board = OutputBoard("show", STREAM, lambda _: wanted.append(1), lambda _: None, tmp_path)
    board.start("record")
    stream = list(turns(200, intra_every=1000))
    wanted.clear()
    for encoded in stream[:124]:
        board.put(encoded)
    assert not wanted
    board.put(stream[124])  # the next picture is 5 s after the last intra frame
    assert wanted
    await board.close()


async def test_a_stream_key_is_shown_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    caplog.set_level(logging.DEBUG)
    changed = asyncio.Event()
    board = OutputBoard("show", STREAM, lambda _: None, lambda _: changed.set())
    board.start("rtmp", f"rtmp://user:secret@127.0.0.1:{port}/live", "very-secret")
    board.put(next(turns(1)))
    async with asyncio.timeout(60):
        while board.reports()[0].state != "retrying":
            changed.clear()
            await changed.wait()
    told = repr(board.reports())
    assert "refused" in told and f"rtmp://127.0.0.1:{port}/live" in told
    assert "secret" not in told + caplog.text
    await board.close()


def test_an_rtmp_key_may_stand_beside_its_address_or_in_it() -> None:
    assert rtmp.address("rtmp://a.example/live/", "k")[0] == "rtmp://a.example/live/k"
    assert rtmp.address("rtmp://a.example/live/k", "") == ("rtmp://a.example/live/k", "rtmp://a.example/live")
