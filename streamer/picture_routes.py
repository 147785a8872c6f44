"""The pictures that a host chooses from, over HTTP: avatars, and backgrounds of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from engines.avatar_library import AvatarLibrary
from engines.background_library import BackgroundLibrary
from streamer.avatar_maker import MAX_PICTURE_BYTES, AvatarMaker
from streamer.http_answers import avatar_json
from streamer.http_requests import Refused, points

Endpoint = Callable[[Request], Awaitable[Response]]


class PictureRoutes:
    """Everything here is the studio's alone."""

    def __init__(
        self,
        avatars: AvatarLibrary,
        backgrounds: BackgroundLibrary,
        at_once: int,
        *,
        allow: Callable[[Request], object],
        take: Callable[[Request, int], Awaitable[bytes]],
        is_shown: Callable[[Path], bool],
    ) -> None:
        """allow: raises Refused for whoever may not. take: a body of at most so many bytes, and not too many of them in a short
        time. is_shown: whether a background is on air."""
        self._avatars, self._backgrounds = avatars, backgrounds
        self._maker = AvatarMaker(avatars, backgrounds, at_once)
        self._allow, self._take, self._is_shown = allow, take, is_shown

    def routes(self) -> list[Route]:
        return [
            Route("/api/avatars", self._allowed(self._list_avatars), methods=["GET"]),
            Route("/api/avatars", self._allowed(self._make_avatar), methods=["POST"]),
            Route("/api/avatars/{name}/thumbnail.jpg", self._allowed(self._avatar_file("thumbnail.jpg"))),
            Route("/api/avatars/{name}/picture.png", self._allowed(self._avatar_file("picture.png"))),
            Route("/api/backgrounds", self._allowed(self._list_backgrounds), methods=["GET"]),
            Route("/api/backgrounds", self._allowed(self._add_background), methods=["POST"]),
            Route("/api/backgrounds/{name}.jpg", self._allowed(self._background)),
            Route("/api/backgrounds/{name}", self._allowed(self._remove_background), methods=["DELETE"]),
        ]

    def _allowed(self, endpoint: Endpoint) -> Endpoint:
        async def asked(request: Request) -> Response:
            self._allow(request)
            return await endpoint(request)

        return asked

    async def _picture(self, request: Request) -> bytes:
        picture = await self._take(request, MAX_PICTURE_BYTES)
        if not picture:
            raise Refused(400, "empty", "the body is empty: send the picture itself")
        return picture

    async def _list_avatars(self, request: Request) -> Response:
        return JSONResponse([avatar_json(avatar) for avatar in self._avatars.list()])

    def _avatar_file(self, file: str) -> Endpoint:
        async def serve(request: Request) -> Response:
            return FileResponse(self._avatars.get(request.path_params["name"]).folder / file)

        return serve

    async def _make_avatar(self, request: Request) -> Response:
        picture = await self._picture(request)
        name = request.query_params.get("name")
        if not name:
            raise Refused(400, "bad_name", "name the avatar: /api/avatars?name=anna")
        placed = points(request.query_params.get("points"))
        await self._maker.make(picture, name, request.query_params.get("title"), placed)
        return JSONResponse(avatar_json(self._avatars.get(name)), 201)

    async def _list_backgrounds(self, request: Request) -> Response:
        return JSONResponse([_background_json(name) for name in self._backgrounds.names()])

    async def _add_background(self, request: Request) -> Response:
        picture = await self._picture(request)
        name = await self._maker.make_background(picture, request.query_params.get("title", ""))
        return JSONResponse(_background_json(name), 201)

    async def _background(self, request: Request) -> Response:
        return FileResponse(self._backgrounds.path(request.path_params["name"]))

    async def _remove_background(self, request: Request) -> Response:
        name = request.path_params["name"]
        if self._is_shown(self._backgrounds.path(name)):
            raise Refused(409, "on_air", f"{name} is on air; end that broadcast first")
        self._backgrounds.remove(name)
        return Response(status_code=204)


def _background_json(name: str) -> dict[str, Any]:
    return {"name": name, "title": name.rpartition("-")[0], "picture_url": f"/api/backgrounds/{name}.jpg"}
