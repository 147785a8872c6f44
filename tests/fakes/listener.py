"""A controller of a broadcast, as a test sees it."""

import asyncio
import json
from typing import Any

from websockets.asyncio.client import connect

from tests.fakes.peers import Running


async def make_broadcast(running: Running, avatar: str = "plain", **wish: object) -> dict[str, str]:
    made: dict[str, str] = (
        await running.http.post("/api/broadcasts", json={"avatar": avatar, "size": "256x256", **wish})
    ).json()
    return made


class Listener:
    """A host's control connection; keeps what it is told."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.told: list[dict[str, Any]] = []

    async def __aenter__(self) -> "Listener":
        self._socket = await connect(self._url, close_timeout=0.5)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def send(self, **message: object) -> None:
        await self._socket.send(json.dumps(message))

    async def until(self, type: str, **fields: object) -> dict[str, Any]:
        """The next message of this type with these fields."""
        async with asyncio.timeout(60):
            while True:
                message: dict[str, Any] = json.loads(await self._socket.recv())
                self.told.append(message)
                if message["type"] == type and all(message[key] == value for key, value in fields.items()):
                    return message
