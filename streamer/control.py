"""The control room: everybody who is connected to one broadcast's control websocket."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Literal

from pydantic import BaseModel
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from streamer import protocol
from streamer.protocol import ErrorMessage

Role = Literal["host", "controller", "viewer"]
Answer = BaseModel | Awaitable[BaseModel] | None
_QUEUE = 64
_MAX_ANSWERING = 32


class Connection:
    """One websocket. Bounded: a client that does not read loses the oldest of what waits for it."""

    def __init__(self, websocket: WebSocket, role: Role) -> None:
        self.role: Role = role
        self._websocket = websocket
        self._waiting: asyncio.Queue[str | None] = asyncio.Queue(_QUEUE)

    def send(self, message: BaseModel) -> None:
        self._put(message.model_dump_json())

    def finish(self) -> None:
        """Send what waits, then close."""
        self._put(None)

    def _put(self, text: str | None) -> None:
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(text)

    async def write(self) -> None:
        """Until finished or gone."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while (text := await self._waiting.get()) is not None:
                await self._websocket.send_text(text)
            if self._websocket.application_state is WebSocketState.CONNECTED:
                await self._websocket.close()

    async def read(self, on_text: Callable[[str | bytes], None], wait_s: Callable[[], float]) -> None:
        """Until the client leaves. One that says too much is read more slowly: the network holds the rest back."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                frame = await self._websocket.receive()
                if frame["type"] == "websocket.disconnect":
                    return
                while pause_s := wait_s():  # noqa: ASYNC110, a bucket fills by itself
                    await asyncio.sleep(pause_s)
                on_text(frame.get("text") or frame.get("bytes") or b"")


class ControlRoom:
    """Takes the hosts' commands in the order in which they arrive and tells everybody what happens; viewers only listen."""

    def __init__(self, command: Callable[[protocol.Command], Answer]) -> None:
        """`command` takes one command; an answer that takes time is awaited beside the commands that follow."""
        self._command = command
        self._connections: set[Connection] = set()
        self._answering: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def has_hosts(self) -> bool:
        """Whether anybody who may direct is connected."""
        return any(connection.role != "viewer" for connection in self._connections)

    def tell(self, message: BaseModel, *, hosts_only: bool = True) -> None:
        """Send to everybody who directs, and to viewers too where it concerns them."""
        for connection in self._connections:
            if connection.role != "viewer" or not hosts_only:
                connection.send(message)

    async def join(
        self, websocket: WebSocket, role: Role, welcome: Iterable[BaseModel], wait_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        """Serve one accepted websocket until it closes, from either side. `welcome` is what it is told first.

        wait_s: asked at each message: how long until it may be taken.
        """
        connection = Connection(websocket, role)
        for message in welcome:
            connection.send(message)
        self._connections.add(connection)
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(connection.write(), name="control-write")
                take = functools.partial(self._take, connection)
                reading = tasks.create_task(connection.read(take, wait_s), name="control-read")
                await asyncio.wait((writing, reading), return_when=asyncio.FIRST_COMPLETED)
                writing.cancel()
                reading.cancel()
        finally:
            self._connections.discard(connection)

    def close(self) -> None:
        """Let everybody go, after what has been told. Answers that are not there yet are not waited for."""
        for task in self._answering:
            task.cancel()
        for connection in self._connections:
            connection.finish()

    def _take(self, connection: Connection, text: str | bytes) -> None:
        try:
            message = protocol.parse(text)
        except protocol.BadMessage as error:
            connection.send(error.answer)
            return
        if isinstance(message, protocol.Ping):
            connection.send(protocol.Pong(id=message.id))
        elif connection.role == "controller" and isinstance(message, protocol.End):
            connection.send(ErrorMessage(id=message.id, code="forbidden", message="only the host may end the broadcast"))
        elif connection.role == "viewer":
            text = "this connection only listens; connect with role=host"
            connection.send(ErrorMessage(id=message.id, code="forbidden", message=text))
        elif len(self._answering) >= _MAX_ANSWERING:
            connection.send(ErrorMessage(id=message.id, code="busy", message="too many commands wait for their answer already"))
        elif isinstance(answer := self._command(message), BaseModel):
            connection.send(answer)
        elif answer is not None:
            task = asyncio.ensure_future(self._answer(connection, answer))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, connection: Connection, answer: Awaitable[BaseModel]) -> None:
        connection.send(await answer)
