"""HTTP and websockets: the edge of the one asyncio process.

========  ===================================  ========================================================================
method    path                                 what
========  ===================================  ========================================================================
GET       /                                    the studio page (`index.html` of the web root)
GET       /watch/{broadcast}                   the viewer page (`watch.html`)
GET       /web/{file}                          the pages' own files
GET       /api/avatars                         ``[{name, title, kind, thumbnail_url, picture_url}]``
GET       /api/avatars/{name}/thumbnail.jpg    and ``/picture.png``
POST      /api/avatars?name=anna&title=Anna    the picture as the body (at most 20 MB); hand-placed points, where the face is
                                               not found by itself, as JSON in `&points=`; 201 with the avatar, or 4xx
POST      /api/broadcasts                      JSON ``{avatar, size?, fps?}`` ("512x512", 25) → 201 ``{id, state, avatar, size,
                                               fps, watch_url, whip_url, whep_url, control_url}``
GET       /api/broadcasts/{broadcast}          the same, with `viewers`; 404 once it is over
DELETE    /api/broadcasts/{broadcast}          end it; 204
POST      /whip/{broadcast}                    the host's offer → 201 answer with Location, ETag (RFC 9725); makes the broadcast
                                               when the id is new (`?avatar=&size=&fps=`), 409 when it has a host
POST      /whep/{broadcast}                    a viewer's offer → 201 answer; 404 for an unknown broadcast
PATCH     the Location of either               trickled candidates (application/trickle-ice-sdpfrag) → 204; 412, 428
DELETE    the Location of either               leave; the host's ends the broadcast
WS        /control/{broadcast}?role=host       `streamer.protocol`; `role=viewer` only listens: hello, state
GET       /schema                              JSON Schema of the control messages
GET       /healthz  /readyz  /metrics          alive; able to take a broadcast; Prometheus text
========  ===================================  ========================================================================

Every error is ``{"error": {"code": ..., "message": ...}}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from engines.avatar_library import Avatar, AvatarError, AvatarLibrary
from streamer import director, protocol, reports, webrtc
from streamer.avatar_maker import MAX_PICTURE_BYTES, AvatarRefused, make_avatar
from streamer.broadcasts import Broadcasts, TooManyBroadcasts
from streamer.clock import Clock, SystemClock
from streamer.config import ConfigError, ServerSettings
from streamer.control import Role
from streamer.director import EmbeddedDirector
from streamer.directors import chat_model
from streamer.directors.model_director import ModelDirector
from streamer.metrics import Sample, exposition
from streamer.protocol import ErrorMessage
from streamer.render_pool import REAL_WORKER, RenderPool
from streamer.session import Session
from streamer.threads import in_thread

log = logging.getLogger(__name__)

_MAX_JSON_BYTES = 64 * 1024
_AVATAR_STATUS = {"not_found": 404, "name_taken": 409, "shipped": 409, "too_slow": 422, "failed": 422}


class Refused(HTTPException):
    """An HTTP error with a code for programs and a message for people."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, message, headers)
        self.code = code


class Server:
    """The application's state and its endpoints. `app()` makes the ASGI application."""

    def __init__(
        self,
        settings: ServerSettings,
        library: AvatarLibrary,
        *,
        worker_class: str = REAL_WORKER,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._library = library
        clock = clock or SystemClock()
        self._workers = RenderPool(clock, worker_class, num_workers=settings.workers, threads=settings.worker_threads)
        model = chat_model(settings.director)
        self._director = ModelDirector(model, EmbeddedDirector(), clock) if model else None
        self.broadcasts = Broadcasts(settings, library, self._workers, clock, self._director)

    def app(self) -> Starlette:
        """The ASGI application; its lifespan starts the spare worker and ends what runs."""
        peer = ["PATCH", "DELETE"]
        return Starlette(
            routes=[
                Route("/", self._page("index.html")),
                Route("/watch/{broadcast}", self._page("watch.html")),
                Route("/api/avatars", self.list_avatars, methods=["GET"]),
                Route("/api/avatars", self.make_avatar, methods=["POST"]),
                Route("/api/avatars/{name}/thumbnail.jpg", self.avatar_file("thumbnail.jpg")),
                Route("/api/avatars/{name}/picture.png", self.avatar_file("picture.png")),
                Route("/api/broadcasts", self.make_broadcast, methods=["POST"]),
                Route("/api/broadcasts/{broadcast}", self.show_broadcast, methods=["GET"]),
                Route("/api/broadcasts/{broadcast}", self.end_broadcast, methods=["DELETE"]),
                Route("/whip/{broadcast}", self.whip, methods=["POST"]),
                Route("/whip/{broadcast}/{peer}", self.host_peer, methods=peer),
                Route("/whep/{broadcast}", self.whep, methods=["POST"]),
                Route("/whep/{broadcast}/{peer}", self.viewer_peer, methods=peer),
                WebSocketRoute("/control/{broadcast}", self.control),
                Route("/schema", lambda _: JSONResponse(protocol.schema())),
                Route("/healthz", lambda _: PlainTextResponse("alive\n")),
                Route("/readyz", self.ready),
                Route("/metrics", self.metrics),
                Mount("/web", StaticFiles(directory=self._settings.web_root, check_dir=False)),
            ],
            middleware=[
                Middleware(
                    CORSMiddleware,
                    allow_origins=["*"],
                    allow_methods=["GET", "POST", "PATCH", "DELETE"],
                    allow_headers=["Authorization", "Content-Type", "If-Match"],
                    expose_headers=["Location", "ETag", "Link", "Accept-Patch", "Accept-Post"],
                )
            ],
            exception_handlers={
                HTTPException: _refuse,
                Exception: _fail,
                AvatarError: _refuse_avatar,
                AvatarRefused: _refuse_avatar,
                ConfigError: _refuse_setting,
                TooManyBroadcasts: _refuse_busy,
                webrtc.OfferError: _refuse_offer,
            },
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        webrtc.offer_loopback(self._settings.offer_loopback)
        self._workers.prepare()
        if self._director:
            self._director.start()
        self._warming = asyncio.create_task(in_thread(director.warm), name="warm-director")
        try:
            yield
        finally:
            await self.broadcasts.close()
            await self._warming
            await self._workers.close()
            if self._director:
                await self._director.close()

    # -- pages and avatars ----------------------------------------------------------------------------------------------

    def _page(self, file: str) -> Callable[[Request], Awaitable[Response]]:
        async def page(request: Request) -> Response:
            return FileResponse(self._settings.web_root / file, headers={"Cache-Control": "no-cache"})

        return page

    async def list_avatars(self, request: Request) -> Response:
        return JSONResponse([_avatar_json(avatar) for avatar in self._library.list()])

    def avatar_file(self, file: str) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            return FileResponse(self._library.get(request.path_params["name"]).folder / file)

        return serve

    async def make_avatar(self, request: Request) -> Response:
        picture = await _body(request, MAX_PICTURE_BYTES)
        if not picture:
            raise Refused(400, "empty", "the body is empty: send the picture itself")
        name = request.query_params.get("name")
        if not name:
            raise Refused(400, "bad_name", "name the avatar: /api/avatars?name=anna")
        self._library.new_folder(name, force=False)  # a name that cannot be is refused before any work
        points = _points(request.query_params.get("points"))
        await make_avatar(picture, name, self._library.user, request.query_params.get("title"), points)
        return JSONResponse(_avatar_json(self._library.get(name)), 201)

    # -- broadcasts -----------------------------------------------------------------------------------------------------

    async def make_broadcast(self, request: Request) -> Response:
        wish = _object(await _body(request, _MAX_JSON_BYTES))
        if unknown := set(wish) - {"avatar", "size", "fps"}:
            raise Refused(400, "unknown_setting", f"unknown: {', '.join(sorted(unknown))}; known are avatar, size, fps")
        avatar, size, fps = (None if wish.get(key) is None else str(wish[key]) for key in ("avatar", "size", "fps"))
        session = self.broadcasts.start(self.broadcasts.choose(avatar, size, fps))
        return JSONResponse(_broadcast_json(session, request), 201)

    async def show_broadcast(self, request: Request) -> Response:
        return JSONResponse(_broadcast_json(self._session(request), request))

    async def end_broadcast(self, request: Request) -> Response:
        self._session(request).end("the host ended it")
        return Response(status_code=204)

    def _session(self, request: Request) -> Session:
        broadcast = request.path_params["broadcast"]
        session = self.broadcasts.get(broadcast)
        if session is None:
            raise Refused(404, "unknown_broadcast", f"there is no broadcast {broadcast!r}; it may be over")
        return session

    # -- WHIP and WHEP --------------------------------------------------------------------------------------------------

    async def whip(self, request: Request) -> Response:
        offer = await _offer(request)
        broadcast, query = request.path_params["broadcast"], request.query_params
        session = self.broadcasts.get(broadcast)
        if session is None:
            webrtc.parse_offer(offer)
            chosen = self.broadcasts.choose(query.get("avatar"), query.get("size"), query.get("fps"))
            session = self.broadcasts.start(chosen, broadcast)
        peer, answer = await session.host(offer)
        return self._created(request, peer.id, peer.etag, answer)

    async def whep(self, request: Request) -> Response:
        session, offer = self._session(request), await _offer(request)
        peer, answer = await session.on_air.viewers.add(offer)
        return self._created(request, peer.id, peer.etag, answer)

    def _created(self, request: Request, peer_id: str, etag: str, answer: str) -> Response:
        headers = {
            "Location": f"{request.url.path.rstrip('/')}/{peer_id}",
            "ETag": etag,
            "Accept-Patch": "application/trickle-ice-sdpfrag",
        }
        if links := ", ".join(f'<{url}>; rel="ice-server"' for url in self._settings.ice_servers):
            headers["Link"] = links
        return Response(answer, 201, headers, media_type="application/sdp")

    async def host_peer(self, request: Request) -> Response:
        session = self._session(request)
        if request.method == "PATCH":
            return await self._trickle(session, request)
        if session.peer(request.path_params["peer"]) is None:
            raise Refused(404, "unknown_peer", "this session is over")
        session.end("the host ended it")
        return Response(status_code=204)

    async def viewer_peer(self, request: Request) -> Response:
        session = self._session(request)
        if request.method == "PATCH":
            return await self._trickle(session, request)
        await session.on_air.viewers.remove(request.path_params["peer"])  # who has left already has left: DELETE is idempotent
        return Response(status_code=204)

    async def _trickle(self, session: Session, request: Request) -> Response:
        peer = session.peer(request.path_params["peer"])
        if peer is None:
            raise Refused(404, "unknown_peer", "this session is over")
        _check_type(request, "application/trickle-ice-sdpfrag")
        match = request.headers.get("if-match")
        if match is None:
            raise Refused(428, "if_match_needed", f"say which session with If-Match: {peer.etag}")
        if match not in (peer.etag, "*"):
            raise Refused(412, "if_match_differs", "the ETag in If-Match is not this session's")
        await peer.trickle(_text(await _body(request, webrtc.MAX_SDP_BYTES)))
        return Response(status_code=204)

    # -- control, health ------------------------------------------------------------------------------------------------

    async def control(self, websocket: WebSocket) -> None:
        await websocket.accept()
        broadcast = websocket.path_params["broadcast"]
        session = self.broadcasts.get(broadcast)
        if session is None:
            text = f"there is no broadcast {broadcast!r}; it may be over"
            await websocket.send_text(ErrorMessage(code="unknown_broadcast", message=text).model_dump_json())
            return await websocket.close(4404, "unknown broadcast")
        role: Role = "host" if websocket.query_params.get("role", "host") == "host" else "viewer"
        await session.control.join(websocket, role, session.welcome(role))

    async def ready(self, request: Request) -> Response:
        if self._settings.max_broadcasts <= len(self.broadcasts):
            return PlainTextResponse("full\n", 503)
        if not self._library.names():
            return PlainTextResponse("no avatar\n", 503)
        if not (self._workers.is_ready and self._warming.done()):
            return PlainTextResponse("warming up\n", 503)
        return PlainTextResponse("ready\n")

    async def metrics(self, request: Request) -> Response:
        samples = [
            Sample("rostrum_broadcasts", "gauge", "Broadcasts that run.", len(self.broadcasts), {}),
            Sample("rostrum_broadcasts_started_total", "counter", "Broadcasts ever started.", self.broadcasts.started, {}),
        ]
        for session in self.broadcasts:
            samples += reports.samples(session.broadcast, session.metrics())
        return PlainTextResponse(exposition(samples), media_type="text/plain; version=0.0.4")


# -- what requests carry ------------------------------------------------------------------------------------------------


async def _body(request: Request, limit: int) -> bytes:
    """The body, refused as soon as it is known to be longer than `limit` bytes."""
    too_large = Refused(413, "too_large", f"the body may have {limit} bytes")
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > limit:
        raise too_large
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise too_large
    return bytes(body)


def _check_type(request: Request, wanted: str) -> None:
    given = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if given != wanted:
        raise Refused(415, "wrong_type", f"the Content-Type must be {wanted}, not {given or 'absent'}", {"Accept-Post": wanted})


async def _offer(request: Request) -> str:
    _check_type(request, "application/sdp")
    return _text(await _body(request, webrtc.MAX_SDP_BYTES))


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refused(400, "not_text", "the body is not UTF-8 text") from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refused(400, "bad_json", f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Refused(400, "bad_json", "the body must be a JSON object")
    return value


def _points(text: str | None) -> dict[str, tuple[float, float]] | None:
    """``{"nose_tip": [x, y], ...}`` in pixels of the picture as sent."""
    if text is None:
        return None
    try:
        return {str(name): (float(x), float(y)) for name, (x, y) in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Refused(400, "bad_points", 'points must be JSON such as {"nose_tip": [310, 240], ...}') from None


# -- what answers say ---------------------------------------------------------------------------------------------------


def _avatar_json(avatar: Avatar) -> dict[str, Any]:
    path = f"/api/avatars/{avatar.name}"
    return {**avatar.facts(), "thumbnail_url": f"{path}/thumbnail.jpg", "picture_url": f"{path}/picture.png"}


def _broadcast_json(session: Session, request: Request) -> dict[str, Any]:
    base, broadcast = str(request.base_url).rstrip("/"), session.broadcast
    return {
        "id": broadcast,
        "state": session.state,
        "avatar": session.avatar.on_air,
        "size": session.settings.size,
        "fps": session.settings.fps,
        "viewers": len(session.on_air.viewers),
        "watch_url": f"{base}/watch/{broadcast}",
        "whip_url": f"{base}/whip/{broadcast}",
        "whep_url": f"{base}/whep/{broadcast}",
        "control_url": f"ws{base.removeprefix('http')}/control/{broadcast}",
    }


def _error(status: int, code: str, message: str, headers: Any = None) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _error(error.status_code, getattr(error, "code", "http"), error.detail, error.headers)


async def _refuse_avatar(request: Request, error: Exception) -> Response:
    code: str = getattr(error, "code", "avatar_error")
    return _error(_AVATAR_STATUS.get(code, 400), code, str(error))


async def _refuse_setting(request: Request, error: Exception) -> Response:
    return _error(400, "bad_setting", str(error))


async def _refuse_busy(request: Request, error: Exception) -> Response:
    return _error(503, "busy", str(error), {"Retry-After": "30"})


async def _refuse_offer(request: Request, error: Exception) -> Response:
    assert isinstance(error, webrtc.OfferError)
    return _error(error.status, "bad_offer", str(error))


async def _fail(request: Request, error: Exception) -> Response:
    log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
    return _error(500, "internal", "the server failed over this request; its log says why")
