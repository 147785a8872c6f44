"""A WHIP endpoint in the test's event loop: somebody else answers the offers, this speaks HTTP (RFC 9725)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass
class WhipServer:
    """`answer` is given each offer whose token is right. The first `refuse` offers get a 503."""

    answer: Callable[[str], Awaitable[str]]
    token: str = "let-me-in"
    refuse: int = 0
    url: str = ""
    num_offers: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, request: Request) -> Response:
        self.num_offers += 1
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return Response(status_code=401)
        if self.num_offers <= self.refuse:
            return Response(status_code=503)
        answer = await self.answer((await request.body()).decode())
        return Response(answer, 201, {"Location": "/whip/one"}, media_type="application/sdp")

    async def delete(self, request: Request) -> Response:
        self.left.set()
        return Response(status_code=200)


@contextlib.asynccontextmanager
async def whip_server(server: WhipServer) -> AsyncIterator[WhipServer]:
    """It listens on 127.0.0.1 at its `url`."""
    routes = [Route("/whip", server.post, methods=["POST"]), Route("/whip/one", server.delete, methods=["DELETE"])]
    asgi = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(asgi.serve())
    while not asgi.started:  # noqa: ASYNC110, uvicorn tells in no other way
        await asyncio.sleep(0.01)
    server.url = f"http://127.0.0.1:{asgi.servers[0].sockets[0].getsockname()[1]}/whip"
    try:
        yield server
    finally:
        asgi.should_exit = True
        await serving
