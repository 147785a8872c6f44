"""The control websocket as a client sees it: send a change, wait for its answer, look at the latest of each event."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from clients.python.backoff import LONGEST_S, tries
from clients.python.server import ServerError, bearer

Message = dict[str, Any]
_KEPT = 2_000


class ControlRefused(Exception):
    """The server's answer to a message was an error. `message` is that answer."""

    def __init__(self, message: Message) -> None:
        super().__init__(message["message"])
        self.message = message


class Control:
    """`async with Control(url) as control`. Events stay in `events` (the last 2,000) and, by type, in `latest`.

    A link that breaks is opened again until the block is left; what is sent meanwhile is refused, never kept.
    """

    def __init__(self, url: str, on_event: Callable[[Message], None] | None = None, token: str | None = None) -> None:
        self._url = url
        self._token = token
        self._on_event = on_event
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ids = itertools.count(1)
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._changed = asyncio.Condition()
        self.latest: dict[str, Message] = {}
        self.events: deque[Message] = deque(maxlen=_KEPT)

    async def __aenter__(self) -> Control:
        await self._open()
        self._reader = asyncio.create_task(self._run(), name="control reader")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._socket and self._reader
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()

    async def _open(self) -> None:
        try:
            self._socket = await connect(self._url, additional_headers=bearer(self._token))
        except (OSError, InvalidHandshake, TimeoutError) as error:
            raise ServerError(f"the control link {self._url} cannot be opened ({error})") from None

    async def _run(self) -> None:
        loop, pauses = asyncio.get_running_loop(), tries()
        while True:
            opened_s = loop.time()
            await self._read()
            if self.latest.get("state", {}).get("state") == "ended":
                return
            if loop.time() - opened_s > LONGEST_S:
                pauses = tries()
            await anext(pauses)
            with contextlib.suppress(ServerError):
                await self._open()

    async def ask(self, type: str, **fields: Any) -> Message:
        """Send a message and wait for the answer to it. Raises ControlRefused, ServerError."""
        request_id = f"client-{next(self._ids)}"
        answer = self._answers[request_id] = asyncio.get_running_loop().create_future()
        await self.send_text(json.dumps({"type": type, "id": request_id, **fields}))
        try:
            async with asyncio.timeout(10):
                message = await answer
        except TimeoutError:
            raise ServerError(f"no answer to the message {type!r} within 10 s") from None
        finally:
            self._answers.pop(request_id, None)
        if message["type"] == "error":
            raise ControlRefused(message)
        return message

    async def prompt(self, text: str) -> Message:
        """Direct in free words; the answer says when it goes on air."""
        return await self.ask("prompt", text=text)

    async def send_text(self, text: str | bytes) -> None:
        """Any message at all, as it is."""
        assert self._socket, "use `async with`"
        try:
            await self._socket.send(text)
        except ConnectionClosed:
            raise ServerError("the control link is down; it is being opened again") from None

    async def wait_for(self, type: str, where: Callable[[Message], bool] = lambda _: True, timeout_s: float = 10.0) -> Message:
        """The latest event of a type for which `where` holds, now or soon. Raises ServerError after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                while type not in self.latest or not where(self.latest[type]):
                    await self._changed.wait()
                return self.latest[type]
        except TimeoutError:
            raise ServerError(f"no {type} event within {timeout_s:g} s; the latest is {self.latest.get(type)}") from None

    async def _read(self) -> None:
        assert self._socket
        try:
            async for text in self._socket:
                await self._take(json.loads(text))
        except ConnectionClosed:
            pass
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ServerError("the control link broke before the answer came"))

    async def _take(self, message: Message) -> None:
        answer = self._answers.get(message.get("id") or "")
        if answer and not answer.done():
            answer.set_result(message)
        self.events.append(message)
        if self._on_event:
            self._on_event(message)
        async with self._changed:
            self.latest[message["type"]] = message
            self._changed.notify_all()
