"""Sound pushed over a websocket: how an agent speaks through the avatar. The contract is that of agent frameworks' audio sinks
(push audio, end a segment, clear the buffer, be told what was really played).

    /push/{broadcast}?rate=24000

Binary messages are signed 16-bit little-endian mono at `rate`, at most 64 KiB each; they may come faster than they are said.
Text messages are JSON: `{"type": "end"}` after the last of a segment, `{"type": "clear"}` to drop at once what is not on air
yet. For each segment there is one `playback_finished`, with how much of it was on air and whether it was interrupted, and
before it `playback_started` where any of it was.

Bounded: a connection holds ten seconds of sound. `room` says how many samples, all in all, may have been sent by now. Whoever
keeps to it can always clear at once; what comes beyond is left in the socket (back-pressure), and a `clear` waits behind it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from streamer.control import Connection
from streamer.plan import TIME_BASE_HZ
from streamer.protocol import Message
from streamer.session import Session
from streamer.speech.pcm import Pcm48k
from streamer.voice_over import Line, LineCut, Moment, TooManyLines

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 48_000
MAX_AGENTS = 4  # of one broadcast
_ROOM_STEP_S = 0.1


class EndSegment(Message):
    type: Literal["end"]


class Clear(Message):
    type: Literal["clear"]


class Ready(Message):
    """The first message."""

    type: Literal["ready"] = "ready"
    rate_hz: int
    ahead_s: float = Field(description="how much is held that has not been said")


class Room(Message):
    type: Literal["room"] = "room"
    samples: int = Field(description="that may have been sent since the connection was made, at `rate_hz`")


class PlaybackStarted(Message):
    type: Literal["playback_started"] = "playback_started"
    segment: int = Field(description="from 0")
    start_pts: int = Field(description="ticks of 1/48000 s on the broadcast's media clock")


class PlaybackFinished(Message):
    type: Literal["playback_finished"] = "playback_finished"
    segment: int
    position_s: float = Field(description="how much of it has been on air")
    interrupted: bool


class PushError(Message):
    type: Literal["error"] = "error"
    code: Literal["bad_rate", "bad_message", "busy", "unknown_broadcast"]
    message: str


_CLIENT: TypeAdapter[EndSegment | Clear] = TypeAdapter(Annotated[EndSegment | Clear, Field(discriminator="type")])
_SERVER: TypeAdapter[Any] = TypeAdapter(
    Annotated[Ready | Room | PlaybackStarted | PlaybackFinished | PushError, Field(discriminator="type")]
)


def schema() -> dict[str, Any]:
    """JSON Schema of the text messages."""
    return {"client": _CLIENT.json_schema(), "server": _SERVER.json_schema(mode="serialization")}


class Push:
    """One agent's connection, from `serve` to its end."""

    def __init__(self, websocket: WebSocket, session: Session, rate_hz: int) -> None:
        self._websocket = websocket
        self._session = session
        self._rate_hz = rate_hz
        self._out = Connection(websocket, "host")
        self._pcm = Pcm48k(rate_hz)
        self._line: Line | None = None  # the segment that is being pushed
        self._lines: deque[Line] = deque()  # all that are not over
        self._segments: dict[Line, int] = {}  # of those
        self._num_segments = 0
        self._received = 0
        self._room = 0
        self._is_dropping = False  # the rest of a segment that was interrupted by somebody else

    async def serve(self) -> None:
        """Until either side closes. A segment that was not ended is interrupted then."""
        session = self._session
        session.agents += 1
        session.speak_without_host()
        self._out.send(Ready(rate_hz=self._rate_hz, ahead_s=session.voice_over.ahead / TIME_BASE_HZ))
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(self._out.write(), name="push-write"),
                    tasks.create_task(self._read(), name="push-read"),
                    tasks.create_task(self._tell_room(), name="push-room"),
                ]
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in running:
                    task.cancel()
        finally:
            session.agents -= 1
            if self._line:
                session.silence(self._line)

    async def _read(self) -> None:
        while True:
            try:
                frame = await self._websocket.receive()
            except (WebSocketDisconnect, RuntimeError):
                return
            if frame["type"] == "websocket.disconnect":
                return
            if data := frame.get("bytes"):
                await self._take(data)
            elif text := frame.get("text"):
                self._obey(text)

    async def _take(self, data: bytes) -> None:
        self._received += len(data) // 2
        if self._is_dropping:
            return
        if self._line is None:
            try:
                self._line = self._session.voice_over.open(self._told)
            except TooManyLines as error:
                self._out.send(PushError(code="busy", message=f"{error}; this segment is dropped"))
                self._is_dropping = True
                return
            self._pcm = Pcm48k(self._rate_hz)
            self._lines.append(self._line)
            self._segments[self._line] = self._num_segments
            self._num_segments += 1
        try:
            await self._line.write(self._pcm.push(data))
        except LineCut:
            self._line, self._is_dropping = None, True

    def _obey(self, text: str) -> None:
        try:
            message = _CLIENT.validate_json(text)
        except ValidationError as error:
            why = error.errors(include_url=False)[0]["msg"]
            self._out.send(PushError(code="bad_message", message=f'send {{"type": "end"}} or {{"type": "clear"}}: {why}'))
            return
        line, self._line = self._line, None
        self._is_dropping = False
        if isinstance(message, Clear):
            for each in tuple(self._lines):
                self._session.silence(each)
        elif line and not line.is_over:
            line.add(self._pcm.flush())
            line.finish()

    def _told(self, line: Line, moment: Moment) -> None:
        segment = self._segments[line]
        if moment == "begun":
            assert line.start is not None
            self._out.send(PlaybackStarted(segment=segment, start_pts=line.start))
        elif moment in ("ended", "interrupted"):
            position_s = round(line.played_s, 3)
            self._out.send(PlaybackFinished(segment=segment, position_s=position_s, interrupted=moment == "interrupted"))
            self._lines.remove(line)
            del self._segments[line]

    async def _tell_room(self) -> None:
        """Whenever there is a tenth of a second more of it."""
        voice_over = self._session.voice_over
        while True:
            held = sum(line.buffered for line in self._lines)
            room = self._received + (voice_over.ahead - held) * self._rate_hz // TIME_BASE_HZ
            if room >= self._room + _ROOM_STEP_S * self._rate_hz:
                self._room = room
                self._out.send(Room(samples=room))
            await voice_over.wait()


async def push(websocket: WebSocket, session: Session | None) -> None:
    """Serve one accepted websocket of `/push/{broadcast}`."""
    if session is None:
        text = f"there is no broadcast {websocket.path_params['broadcast']!r}; it may be over"
        return await _refuse(websocket, 4404, PushError(code="unknown_broadcast", message=text))
    given = websocket.query_params.get("rate", "24000")
    if not (given.isdigit() and MIN_RATE_HZ <= int(given) <= MAX_RATE_HZ):
        text = f"rate: {given!r} is not a sample rate between {MIN_RATE_HZ} and {MAX_RATE_HZ} Hz"
        return await _refuse(websocket, 4400, PushError(code="bad_rate", message=text))
    if session.agents >= MAX_AGENTS:
        text = f"{MAX_AGENTS} connections push sound into this broadcast already"
        return await _refuse(websocket, 4429, PushError(code="busy", message=text))
    await Push(websocket, session, int(given)).serve()


async def _refuse(websocket: WebSocket, code: int, error: PushError) -> None:
    await websocket.send_text(error.model_dump_json())
    await websocket.close(code, error.code)
