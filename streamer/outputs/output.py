"""One way out of a broadcast, in a thread of its own: what it writes to may be slow, fail or hang, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from streamer.encoder import Encoded
from streamer.protocol import OutputKind, OutputState
from streamer.threads import in_thread

log = logging.getLogger(__name__)

_QUEUE_S = 4.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_CLOSE_S = 5.0
_HANGS_S = 10.0
_MOST_LOST = 3


class OutputOver(Exception):
    """It cannot go on, and trying again will not help. The message says why, and the way out."""


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """What every output is told of the one stream."""

    width: int
    height: int
    fps: int


@dataclass(frozen=True, slots=True)
class Report:
    """How an output stands. `to` names where it goes, without its key; `link` is what people open, where there is such."""

    id: str
    kind: OutputKind
    to: str
    state: OutputState
    reason: str = ""
    link: str = ""
    sent_bytes: int = 0
    retries: int = 0
    dropped_turns: int = 0


class Sink(Protocol):
    """Where packets are written; made, written to and closed in the output's thread. May raise OSError or OutputOver.

    `is_on`: what was written arrives; looked at after each write.
    """

    is_on: bool

    def write(self, encoded: Encoded) -> None: ...

    def close(self) -> None: ...


class Output(Protocol):
    """A way out, as the broadcast sees it. `put` never waits. `intra_every_s`: how often it needs an intra frame."""

    intra_every_s: float
    wants_aac: bool

    def put(self, encoded: Encoded) -> None: ...

    def report(self) -> Report: ...

    async def stop(self) -> None: ...


class ThreadedOutput:
    """Packets to a sink. It begins with an intra frame; where the sink fails it is made anew, after a pause that doubles.

    Bounded: a sink that has been behind for 4 s loses all that waits, and goes on at the next intra frame. One that has not
    come back for 10 s is left behind with its thread, and made anew; the third time the output fails.
    """

    wants_aac = True

    def __init__(
        self,
        about: Report,
        make_sink: Callable[[], Sink],
        stream: StreamFormat,
        want_intra: Callable[[], None],
        changed: Callable[[], None],
        intra_every_s: float = 2.0,
        first_pause_s: float = _FIRST_PAUSE_S,
    ) -> None:
        """`changed` is called in the event loop whenever the state has changed."""
        self.intra_every_s = intra_every_s
        self._about = about
        self._make_sink = make_sink
        self._fps = stream.fps
        self._want_intra = want_intra
        self._changed = changed
        self._first_pause_s = first_pause_s
        self._loop = asyncio.get_running_loop()
        self._stopping = threading.Event()
        self._state: OutputState = "starting"
        self._reason = ""
        self._sent_bytes = self._retries = self._dropped_turns = self._num_lost = 0
        self._start()

    def _start(self) -> None:
        self._waiting: queue.Queue[Encoded | None] = queue.Queue(round(_QUEUE_S * self._fps) * 2)
        self._is_open = True  # packets are taken
        self._is_started = False
        self._turns_in_sink = 0  # since it was last seen to come back
        self._thread = threading.Thread(target=self._run, name=f"output-{self._about.id}", daemon=True)
        self._thread.start()

    def put(self, encoded: Encoded) -> None:
        """This turn's packets, from the event loop."""
        if not self._is_open:
            return
        if not self._is_started:
            if not any(packet.is_intra for packet in encoded.video):
                self._want_intra()
                return
            self._is_started = True
        self._turns_in_sink += bool(encoded.video)
        if self._turns_in_sink > _HANGS_S * self._fps:
            return self._lose_thread()
        try:
            self._waiting.put_nowait(encoded)
        except queue.Full:
            self._dropped_turns += self._waiting.qsize() + 1
            self._empty()
            self._is_started = False

    def _lose_thread(self) -> None:
        self._num_lost += 1
        self._retries += 1
        reason = f"it has taken nothing for {_HANGS_S:g} s"
        if self._num_lost < _MOST_LOST:
            self._enter("retrying", reason)
            self._start()
        else:
            self._is_open = False
            self._thread = threading.Thread()
            self._enter("failed", f"{reason}, for the {_MOST_LOST}rd time")

    def report(self) -> Report:
        return replace(
            self._about,
            state=self._state,
            reason=self._reason,
            sent_bytes=self._sent_bytes,
            retries=self._retries,
            dropped_turns=self._dropped_turns,
        )

    async def stop(self) -> None:
        """What waits is written, and the sink closed; one that hangs is left to itself."""
        self._is_open = False
        self._stopping.set()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            self._empty()
            self._waiting.put_nowait(None)
        if self._thread.is_alive():
            await in_thread(self._thread.join, _CLOSE_S)
        if self._thread.is_alive():
            log.warning("output %s to %s hangs and is left", self._about.id, self._about.to)

    # -- in the output's thread -----------------------------------------------------------------------------------------

    def _is_lost(self) -> bool:
        return threading.current_thread() is not self._thread

    def _run(self) -> None:
        pause_s = self._first_pause_s
        while not self._stopping.is_set():
            sent_before = self._sent_bytes
            try:
                self._carry(self._waiting)
            except (OSError, OutputOver) as error:
                if self._is_lost():
                    return
                self._is_open = False
                if isinstance(error, OutputOver):
                    return self._enter("failed", str(error))
                if self._stopping.is_set():
                    return self._enter("ended", f"it broke off: {describe(error)}")
                self._retries += 1
                if self._sent_bytes > sent_before:
                    pause_s = self._first_pause_s
                self._enter("retrying", f"{describe(error)}; again in {pause_s:g} s")
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                self._empty()
                self._turns_in_sink = 0
                self._is_started, self._is_open = False, not self._stopping.is_set()
            if self._is_lost():
                return
        self._enter("ended", "")

    def _carry(self, waiting: queue.Queue[Encoded | None]) -> None:
        """From an intra frame until the output is stopped."""
        encoded = waiting.get()
        if encoded is None:
            return
        sink = self._make_sink()
        try:
            while encoded is not None and not self._is_lost():
                sink.write(encoded)
                self._turns_in_sink = 0
                self._sent_bytes += sum(map(len, encoded.contained()))
                if self._state != "on" and sink.is_on:
                    self._enter("on", "")
                encoded = waiting.get()
        except BaseException:
            try:
                sink.close()
            except (OSError, OutputOver) as error:
                log.debug("output %s closed with %s", self._about.id, error)
            raise
        sink.close()

    def _enter(self, state: OutputState, reason: str) -> None:
        self._state, self._reason = state, reason
        level = logging.WARNING if state in ("retrying", "failed") else logging.INFO
        said = f"{state}: {reason}" if reason else state
        log.log(level, "output %s (%s to %s) is %s", self._about.id, self._about.kind, self._about.to, said)
        with contextlib.suppress(RuntimeError):  # the loop is closed: there is nobody to tell
            self._loop.call_soon_threadsafe(self._changed)

    def _empty(self) -> None:
        while True:
            try:
                self._waiting.get_nowait()
            except queue.Empty:
                return


def describe(error: BaseException) -> str:
    """What went wrong without the address, which may hold a key."""
    text = getattr(error, "strerror", None) or str(error).partition(":")[0]
    return text or type(error).__name__
