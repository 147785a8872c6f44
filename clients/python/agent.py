"""An agent's mouth: push sound, end a segment, clear the buffer, be told what was really played.

    async with AvatarVoice(broadcast.push_url, rate_hz=24_000) as voice:
        await voice.push_audio(pcm)          # signed 16-bit mono; waits while ten seconds of it are not said yet
        await voice.end_segment()
        finished = await voice.finished()    # Playback(position_s=2.4, interrupted=False)

`livekit_output.py` and `pipecat_output.py` are this class as those two frameworks call it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from clients.python.server import ServerError, bearer

_PIECE_S = 0.1


@dataclass(frozen=True, slots=True)
class Playback:
    """A segment that is over: how much of it was on air, and whether it was cut short."""

    segment: int
    position_s: float
    interrupted: bool


class AvatarVoice:
    """One connection to `/push/{broadcast}`. Every method raises ServerError where the server has closed it."""

    def __init__(
        self,
        push_url: str,
        rate_hz: int = 24_000,
        *,
        token: str | None = None,
        on_started: Callable[[], None] | None = None,
        on_finished: Callable[[Playback], None] | None = None,
    ) -> None:
        self._url = f"{push_url}?rate={rate_hz}"
        self._token = token  # the host's
        self._piece = 2 * int(rate_hz * _PIECE_S)
        self.on_started = on_started
        self.on_finished = on_finished
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._sent = 0
        self._room = 0
        self._generation = 0  # of what is being pushed: `clear_buffer` makes another
        self._is_open = False  # a segment has been begun and not ended
        self._pending = 0  # segments that are not over
        self._last: Playback | None = None
        self._error: str | None = None

    async def __aenter__(self) -> AvatarVoice:
        try:
            self._socket = await connect(self._url, additional_headers=bearer(self._token), compression=None)
        except (OSError, InvalidHandshake, TimeoutError) as error:
            raise ServerError(f"{self._url} cannot be opened ({error})") from None
        self._reader = asyncio.create_task(self._read(), name="avatar voice")
        async with self._changed:
            await self._changed.wait_for(lambda: self._error or self._room)
        if self._error:
            await self.__aexit__(None, None, None)
            raise ServerError(self._error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._socket and self._reader
        await self._socket.close()
        await self._reader

    async def push_audio(self, pcm: bytes) -> None:
        """More of the segment, signed 16-bit little-endian mono; the first piece begins one. What `clear_buffer` overtakes is
        not sent."""
        generation = self._generation
        for at in range(0, len(pcm), self._piece):
            piece = pcm[at : at + self._piece]
            async with self._changed:
                await self._changed.wait_for(lambda: self._error or generation != self._generation or self._has_room())
                self._check()
                if generation != self._generation:
                    return
                if not self._is_open:
                    self._is_open = True
                    self._pending += 1
                self._sent += len(piece) // 2
                await self._send(piece)

    async def end_segment(self) -> None:
        """That was all of it; `finished` tells when it has been played."""
        self._is_open = False
        await self._send('{"type": "end"}')

    async def clear_buffer(self) -> None:
        """At once: what is not on air yet never is. Each segment that was not over is told to be interrupted."""
        async with self._changed:
            self._generation += 1
            self._is_open = False
            await self._send('{"type": "clear"}')
            self._changed.notify_all()

    async def finished(self) -> Playback | None:
        """Wait until nothing is left to be played; the last segment. None where nothing was pushed."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._error or not self._pending)
            self._check()
            return self._last

    def _has_room(self) -> bool:
        return self._sent < self._room

    def _check(self) -> None:
        if self._error:
            raise ServerError(self._error)

    async def _send(self, message: str | bytes) -> None:
        assert self._socket, "use `async with`"
        try:
            await self._socket.send(message)
        except ConnectionClosed:
            raise ServerError(self._error or "the server closed the connection") from None

    async def _read(self) -> None:
        assert self._socket
        try:
            async for text in self._socket:
                await self._take(json.loads(text))
        except ConnectionClosed:
            pass
        async with self._changed:
            self._error = self._error or "the server closed the connection"
            self._changed.notify_all()

    async def _take(self, message: dict[str, object]) -> None:
        async with self._changed:
            match message:
                case {"type": "room", "samples": int(samples)}:
                    self._room = samples
                case {"type": "playback_started"}:
                    if self.on_started:
                        self.on_started()
                case {"type": "playback_finished", "segment": int(segment), "position_s": float() | int() as position_s}:
                    self._pending -= 1
                    self._last = Playback(segment, float(position_s), bool(message["interrupted"]))
                    if self.on_finished:
                        self.on_finished(self._last)
                case {"type": "error", "message": str(text)}:
                    self._error = text
            self._changed.notify_all()
