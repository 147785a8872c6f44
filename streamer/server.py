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
GET       /api/backgrounds                     ``[{name, title, picture_url}]``; /api/backgrounds/{name}.jpg is one
POST      /api/backgrounds?title=Beach         a picture as the body (at most 20 MB); 201 with the background, or 4xx
DELETE    /api/backgrounds/{name}              204; 409 while it is on air
POST      /api/broadcasts                      JSON ``{avatar, size?, fps?, background?, bitrate?, id?, microphone?}``: a size
                                               such as "512x512", "keep", "blur", "green" or a background's name, kb/s or
                                               "auto", false where the host types or pushes sound → 201 ``{id, state, avatar,
                                               size, fps, background, bitrate, watch_url, whip_url, whep_url, control_url,
                                               push_url, tokens}``
GET       /api/broadcasts/{broadcast}          the same, with `viewers`; 404 once it is over
DELETE    /api/broadcasts/{broadcast}          end it; 204
POST      /whip/{broadcast}                    the host's offer → 201 answer with Location, ETag (RFC 9725); makes the broadcast
                                               when the id is new (`?avatar=&size=&fps=&background=&bitrate=`), 409 when it has
                                               a host
POST      /whep/{broadcast}                    a viewer's offer → 201 answer; 404 for an unknown broadcast
PATCH     the Location of either               trickled candidates (application/trickle-ice-sdpfrag) → 204; 412, 428; 422 for an
                                               ICE restart, which aiortc cannot do: POST again, and the old one is replaced
DELETE    the Location of either               leave; the host's ends the broadcast
WS        /push/{broadcast}?rate=24000         `streamer.push`: an agent's sound in place of the microphone
WS        /control/{broadcast}?role=host       `streamer.protocol`; `role=controller` may not end it, `role=viewer` only listens
GET       /hls/{broadcast}/index.m3u8          low-latency HLS, while that output is on; its segments beside it
GET       /recordings/{file}                   what was recorded, as far as it goes
GET       /schema                              JSON Schema of the messages of both websockets
GET       /healthz  /readyz  /metrics          alive; able to take a broadcast; Prometheus text
========  ===================================  ========================================================================

Every error is ``{"error": {"code": ..., "message": ...}}``.

Who may do what is `streamer.access`'s to say: /api/avatars and making a broadcast are the studio's, /whip a host's, /control a
controller's, /whep a viewer's. A token is shown as ``Authorization: Bearer``; a websocket of a browser, which cannot set that,
shows it as the subprotocol ``bearer.TOKEN`` beside ``rostrum``: unlike an address it is written into no log, and unlike a first
message it is there before the connection is accepted. The studio page has the key as a cookie. A viewer's token, and no other,
may stand in the address, as ``?token=``, since that is how links are passed on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from engines.avatar_library import AvatarLibrary
from engines.background_library import BackgroundLibrary
from engines.recognition.whisper import WHISPER
from streamer import access, control, director, logs, process_metrics, protocol, push, reports, udp_ports, webrtc
from streamer.access import ROLES, Access, may
from streamer.broadcasts import CHOICES, Broadcasts
from streamer.clock import Clock, SystemClock
from streamer.config import ServerSettings
from streamer.director import EmbeddedDirector
from streamer.directors import chat_model
from streamer.directors.model_director import ModelDirector
from streamer.gate import Gate, address_of, is_at_home
from streamer.http_answers import REFUSALS, so_far, turn_away
from streamer.http_requests import Refused, body, check_type, json_object, number, text
from streamer.ice_server import IceServer
from streamer.limits import Bucket, Limiter
from streamer.metrics import exposition
from streamer.outputs.board import RECORDING_NAME
from streamer.picture_routes import PictureRoutes
from streamer.process_metrics import LoopLag
from streamer.recogniser import RecogniserProcess
from streamer.render_pool import RenderPool
from streamer.session import Session
from streamer.threads import in_thread

log = logging.getLogger(__name__)

_MAX_JSON_BYTES = 64 * 1024


class Server:
    """The application's state and its endpoints. `app()` makes the ASGI application."""

    def __init__(
        self,
        settings: ServerSettings,
        library: AvatarLibrary,
        *,
        worker_class: str | None = None,
        recogniser_class: str = WHISPER,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._library = library
        self._clock = clock = clock or SystemClock()
        worker_class = worker_class or settings.drawing.worker_class
        self._workers = RenderPool(
            clock,
            worker_class,
            num_workers=settings.workers,
            threads=settings.worker_threads,
            timeout_s=settings.drawing.timeout_s,
            options=settings.drawing.worker_options(settings.segment_s),
        )
        self.access = Access(settings.key, settings.public)
        limits = settings.limits
        self._offers, self._offers_each = Limiter(limits.offers), Limiter(limits.offers_each)
        self._starts, self._uploads = Limiter(limits.broadcasts), Limiter(limits.avatars)
        backgrounds = BackgroundLibrary(library.user.parent / "backgrounds")
        self._pictures = PictureRoutes(
            library,
            backgrounds,
            limits.avatars_at_once,
            allow=lambda request: self._need(request, "studio"),
            take=self._upload,
            is_shown=lambda path: any(
                session.settings.background == path for session in self.broadcasts if session.state != "ended"
            ),
        )
        model = chat_model(settings.director)
        self._director = ModelDirector(model, EmbeddedDirector(), clock) if model else None
        self._lag = LoopLag(clock)
        self._drained_at_s: float | None = None  # when what still runs is ended; None: nobody has asked the server to stop
        self._recogniser = RecogniserProcess(settings.transcript, recogniser_class) if settings.transcript else None
        self.broadcasts = Broadcasts(settings, library, backgrounds, self._workers, clock, self._director, self._recogniser)

    def app(self) -> Starlette:
        """The ASGI application; its lifespan starts the spare worker and ends what runs."""
        peer = ["PATCH", "DELETE"]
        return Starlette(
            routes=[
                Route("/", self.studio),
                Route("/watch/{broadcast}", self.watch),
                *self._pictures.routes(),
                Route("/api/broadcasts", self.make_broadcast, methods=["POST"]),
                Route("/api/broadcasts/{broadcast}", self.show_broadcast, methods=["GET"]),
                Route("/api/broadcasts/{broadcast}", self.end_broadcast, methods=["DELETE"]),
                Route("/whip/{broadcast}", self.whip, methods=["POST"]),
                Route("/whip/{broadcast}/{peer}", self.host_peer, methods=peer),
                Route("/whep/{broadcast}", self.whep, methods=["POST"]),
                Route("/whep/{broadcast}/{peer}", self.viewer_peer, methods=peer),
                Route("/recordings/{file}", self.recording),
                Route("/hls/{broadcast}/{file}", self.hls),
                WebSocketRoute("/control/{broadcast}", self.control),
                WebSocketRoute("/push/{broadcast}", self.push),
                Route("/schema", lambda _: JSONResponse({**protocol.schema(), "push": push.schema()})),
                Route("/healthz", lambda _: PlainTextResponse("alive\n")),
                Route("/readyz", self.ready),
                Route("/metrics", self.metrics),
                Mount("/web", StaticFiles(directory=self._settings.web_root, check_dir=False)),
            ],
            middleware=[
                Middleware(Gate, self._settings, self._clock),
                Middleware(
                    CORSMiddleware,
                    allow_origins=self._settings.origins,
                    allow_methods=["GET", "POST", "PATCH", "DELETE"],
                    allow_headers=["Authorization", "Content-Type", "If-Match"],
                    expose_headers=["Location", "ETag", "Link", "Accept-Patch", "Accept-Post", "Retry-After"],
                ),
            ],
            exception_handlers=REFUSALS,
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        webrtc.offer_loopback(self._settings.offer_loopback)
        if self._settings.udp_ports:
            udp_ports.bind_in(self._settings.udp_ports)
        webrtc.notice_losses_soon()
        self._workers.prepare()
        if self._director:
            self._director.start()
        lagging = asyncio.create_task(self._lag.run(), name="loop-lag")
        if self._recogniser:
            self._recogniser.start()
        self._warming = asyncio.create_task(in_thread(director.warm), name="warm-director")
        try:
            yield
        finally:
            lagging.cancel()
            await self.broadcasts.close()
            await self._warming
            await self._workers.close()
            if self._director:
                await self._director.close()
            if self._recogniser:
                await self._recogniser.close()

    async def drain(self, within_s: float) -> None:
        """No new broadcasts; hosts are told; returns when the last broadcast has ended, or the time is up."""
        self._drained_at_s = self._clock.now_s() + within_s
        self.broadcasts.refuse("the server is about to stop; go live on another one, or when it is back")
        log.info("draining: %d broadcasts may go on for %.0f s", len(self.broadcasts), within_s)
        for session in self.broadcasts:
            session.control.tell(self._draining())
        if not await self.broadcasts.over(within_s):
            log.warning("draining: %d broadcasts are ended, the time is up", len(self.broadcasts))
            await self.broadcasts.close()

    def _draining(self) -> protocol.Draining:
        assert self._drained_at_s is not None
        left_s = round(max(0.0, self._drained_at_s - self._clock.now_s()), 1)
        return protocol.Draining(ends_in_s=left_s, reason="the server is being stopped")

    # -- who asks, and how often ----------------------------------------------------------------------------------------

    def _role(self, asking: HTTPConnection, broadcast: str = "") -> access.Role | None:
        """What whoever asks may do in `broadcast`, or anywhere."""
        shown = access.bearer(asking.headers.get("authorization"))
        for protocol_name in asking.scope.get("subprotocols", ()):
            if protocol_name.startswith("bearer."):
                shown = protocol_name.removeprefix("bearer.")
        role = self.access.role(shown or asking.cookies.get(_cookie_of(asking)), broadcast)
        if role is None and may(self.access.role(asking.query_params.get("token"), broadcast), "viewer"):
            return "viewer"
        return role

    def _need(self, request: Request, wanted: access.Role, broadcast: str = "") -> access.Role:
        """The role of whoever asks. Raises Refused where it may not do what `wanted` may."""
        role = self._role(request, broadcast)
        if role is None:
            text = (
                f"this needs the {wanted}'s token, as `Authorization: Bearer`; `rostrum serve` prints the studio's at its start"
            )
            raise Refused(401, "no_token", text, {"WWW-Authenticate": "Bearer"})
        if not may(role, wanted):
            raise Refused(403, "forbidden", f"this is the {wanted}'s to do, and the token that came is a {role}'s")
        return role

    def _limit(self, limiter: Limiter, key: str, what: str) -> None:
        if wait_s := limiter.take(key, self._clock.now_s()):
            headers = {"Retry-After": str(math.ceil(wait_s))}
            raise Refused(429, "too_many", f"too many {what} in a short time; come again in {wait_s:.0f} s", headers)

    async def _body(self, request: Request, limit: int) -> bytes:
        return await body(request, limit, self._settings.limits.body_s)

    async def _upload(self, request: Request, limit: int) -> bytes:
        self._limit(self._uploads, address_of(request.scope), "pictures")
        return await self._body(request, limit)

    # -- pages --------------------------------------------------------------------------------------------------------

    async def studio(self, request: Request) -> Response:
        """The page, with the key as a cookie: for who comes with the key in the link, or sits at this machine."""
        if shown := request.query_params.get("key"):
            if self.access.role(shown) != "studio":
                raise Refused(
                    401, "wrong_key", "the key in this link is not this server's; take the link that it prints at its start"
                )
            return self._with_key(RedirectResponse("/", 303), request)  # and so the key leaves the address bar
        page = FileResponse(
            self._settings.web_root / "index.html", headers={"Cache-Control": "no-cache", "X-Frame-Options": "DENY"}
        )
        is_trusted = self._settings.trust_loopback and not self._settings.origins and is_at_home(request.scope)
        return self._with_key(page, request) if is_trusted else page

    def _with_key(self, response: Response, request: Request) -> Response:
        if self.access.key is not None:
            is_secure = request.url.scheme == "https"
            response.set_cookie(_cookie_of(request), self.access.key, httponly=True, samesite="strict", secure=is_secure)
        return response

    async def watch(self, request: Request) -> Response:
        return FileResponse(self._settings.web_root / "watch.html", headers={"Cache-Control": "no-cache"})

    # -- broadcasts -----------------------------------------------------------------------------------------------------

    async def make_broadcast(self, request: Request) -> Response:
        role = self._need(request, "studio")
        wish = json_object(await self._body(request, _MAX_JSON_BYTES))
        if unknown := set(wish) - {*(known := (*CHOICES, "id", "microphone"))}:
            raise Refused(400, "unknown_setting", f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(known)}")
        if not isinstance(microphone := wish.get("microphone", True), bool):
            raise Refused(400, "bad_setting", "microphone: true, or false where the host types or pushes sound")
        chosen = self.broadcasts.choose(wish)
        self._limit(self._starts, address_of(request.scope), "broadcasts")
        session = self.broadcasts.start(chosen, None if wish.get("id") is None else str(wish["id"]))
        if not microphone:
            session.speak_without_host()
        return JSONResponse(self._broadcast_json(session, request, role), 201)

    async def show_broadcast(self, request: Request) -> Response:
        role = self._need(request, "viewer", request.path_params["broadcast"])
        return JSONResponse(self._broadcast_json(self._session(request), request, role))

    async def end_broadcast(self, request: Request) -> Response:
        self._need(request, "host", request.path_params["broadcast"])
        self._session(request).end("the host ended it")
        return Response(status_code=204)

    def _broadcast_json(self, session: Session, request: Request, role: access.Role) -> dict[str, Any]:
        """What it is, where, and the tokens of everybody who may do less."""
        base, broadcast = str(request.base_url).rstrip("/"), session.broadcast
        tokens = {each: self.access.token(each, broadcast) for each in ROLES[1:] if may(role, each)}
        link = f"?token={tokens['viewer']}" if tokens.get("viewer") else ""
        return {
            "id": broadcast,
            "state": session.state,
            "avatar": session.avatar.on_air,
            "size": session.settings.size,
            "fps": session.settings.fps,
            "background": session.settings.background_name,
            "bitrate": session.settings.bitrate,
            "viewers": len(session.on_air.viewers),
            "watch_url": f"{base}/watch/{broadcast}{link}",
            "whip_url": f"{base}/whip/{broadcast}",
            "whep_url": f"{base}/whep/{broadcast}{link}",
            "control_url": f"ws{base.removeprefix('http')}/control/{broadcast}",
            "push_url": f"ws{base.removeprefix('http')}/push/{broadcast}",
            "tokens": {each: token for each, token in tokens.items() if token},
        }

    def _session(self, request: Request) -> Session:
        broadcast = request.path_params["broadcast"]
        session = self.broadcasts.get(broadcast)
        if session is None:
            raise Refused(404, "unknown_broadcast", f"there is no broadcast {broadcast!r}; it may be over")
        logs.about(broadcast)
        return session

    # -- WHIP and WHEP --------------------------------------------------------------------------------------------------

    async def whip(self, request: Request) -> Response:
        broadcast, query = request.path_params["broadcast"], request.query_params
        self._need(request, "host", broadcast)
        offer = await self._offer(request)
        session = self.broadcasts.get(broadcast)
        if session is None:
            webrtc.parse_offer(offer)
            chosen = self.broadcasts.choose(query)
            self._limit(self._starts, address_of(request.scope), "broadcasts")
            session = self.broadcasts.start(chosen, broadcast)
        peer, answer = await session.host(offer)
        return self._created(request, peer.id, peer.etag, answer)

    async def whep(self, request: Request) -> Response:
        self._need(request, "viewer", request.path_params["broadcast"])
        session, offer = self._session(request), await self._offer(request)
        peer, answer = await session.on_air.viewers.add(offer)
        return self._created(request, peer.id, peer.etag, answer)

    async def _offer(self, request: Request) -> str:
        check_type(request, "application/sdp")
        self._limit(self._offers, address_of(request.scope), "offers")
        self._limit(self._offers_each, request.path_params["broadcast"], "offers to this broadcast")
        return text(await self._body(request, webrtc.MAX_SDP_BYTES))

    def _created(self, request: Request, peer_id: str, etag: str, answer: str) -> Response:
        token = request.query_params.get("token")  # whoever came by a link goes by one
        headers = {
            "Location": f"{request.url.path.rstrip('/')}/{peer_id}" + (f"?{urlencode({'token': token})}" if token else ""),
            "ETag": etag,
            "Accept-Patch": "application/trickle-ice-sdpfrag",
        }
        if links := ", ".join(IceServer.parse(each).link for each in self._settings.ice_servers):
            headers["Link"] = links
        return Response(answer, 201, headers, media_type="application/sdp")

    async def host_peer(self, request: Request) -> Response:
        self._need(request, "host", request.path_params["broadcast"])
        session = self._session(request)
        if request.method == "PATCH":
            return await self._trickle(session, request)
        if session.peer(request.path_params["peer"]) is None:
            raise Refused(404, "unknown_peer", "this session is over")
        session.end("the host ended it")
        return Response(status_code=204)

    async def viewer_peer(self, request: Request) -> Response:
        self._need(request, "viewer", request.path_params["broadcast"])
        session = self._session(request)
        if request.method == "PATCH":
            return await self._trickle(session, request)
        await session.on_air.viewers.remove(request.path_params["peer"])  # who has left already has left: DELETE is idempotent
        return Response(status_code=204)

    async def _trickle(self, session: Session, request: Request) -> Response:
        peer = session.peer(request.path_params["peer"])
        if peer is None:
            raise Refused(404, "unknown_peer", "this session is over")
        check_type(request, "application/trickle-ice-sdpfrag")
        match = request.headers.get("if-match")
        if match is None:
            raise Refused(428, "if_match_needed", f"say which session with If-Match: {peer.etag}")
        if match not in (peer.etag, "*"):
            raise Refused(412, "if_match_differs", "the ETag in If-Match is not this session's")
        await peer.trickle(text(await self._body(request, webrtc.MAX_SDP_BYTES)))
        return Response(status_code=204)

    # -- outputs --------------------------------------------------------------------------------------------------------

    async def recording(self, request: Request) -> Response:
        file, root = request.path_params["file"], self._settings.recordings_root
        self._need(request, "host", file.rpartition("-")[0] or "-")
        if root is None or not RECORDING_NAME.fullmatch(file) or not (root / file).is_file():
            raise Refused(404, "unknown_recording", f"there is no recording {file!r}")
        return so_far(root / file, request)

    async def hls(self, request: Request) -> Response:
        self._need(request, "viewer", request.path_params["broadcast"])
        playlist, file = self._session(request).on_air.outputs.playlist, request.path_params["file"]
        if playlist and file == "index.m3u8":
            segment, part = (number(request.query_params.get(name)) for name in ("_HLS_msn", "_HLS_part"))
            token = request.query_params.get("token")  # whoever came by a link goes on by one
            if listed := await playlist.index(segment, part, f"?{urlencode({'token': token})}" if token else ""):
                return Response(listed, headers={"Cache-Control": "no-cache"}, media_type="application/vnd.apple.mpegurl")
        elif playlist and (data := await playlist.file(file)):
            return Response(data, headers={"Cache-Control": "max-age=60"}, media_type="video/mp4")
        raise Refused(404, "unknown_file", f"there is no {file} of this broadcast; is its HLS output on?")

    # -- control, health ------------------------------------------------------------------------------------------------

    async def control(self, websocket: WebSocket) -> None:
        broadcast = websocket.path_params["broadcast"]
        role = self._role(websocket, broadcast)
        asked = websocket.query_params.get("role") or ("host" if may(role, "host") else role or "host")
        wanted: control.Role = "host" if asked == "host" else "controller" if asked == "controller" else "viewer"
        await websocket.accept("rostrum" if "rostrum" in websocket.scope["subprotocols"] else None)
        session = self.broadcasts.get(broadcast)
        if not may(role, wanted):
            return await turn_away(websocket, "forbidden", f"this needs the {wanted}'s token", 4403)
        if session is None:
            return await turn_away(websocket, "unknown_broadcast", f"there is no broadcast {broadcast!r}; it may be over", 4404)
        if len(session.control) >= self._settings.limits.controls:
            return await turn_away(websocket, "busy", "this broadcast has as many control connections as it may have", 4429)
        bucket = Bucket(self._settings.limits.messages, self._clock.now_s())
        welcome = session.welcome(wanted)
        if self._drained_at_s is not None and wanted != "viewer":
            welcome.append(self._draining())
        await session.control.join(websocket, wanted, welcome, lambda: bucket.take(self._clock.now_s()))

    async def push(self, websocket: WebSocket) -> None:
        broadcast = websocket.path_params["broadcast"]
        role = self._role(websocket, broadcast)
        await websocket.accept("rostrum" if "rostrum" in websocket.scope["subprotocols"] else None)
        if not may(role, "host"):
            return await turn_away(websocket, "forbidden", "this needs the host's token", 4403)
        await push.push(websocket, self.broadcasts.get(broadcast))

    async def ready(self, request: Request) -> Response:
        why_not = self._not_ready()
        return PlainTextResponse(f"{why_not or 'ready'}\n", 503 if why_not else 200)

    def _not_ready(self) -> str:
        """Why no broadcast could be begun now, in a word or two; "" where one could."""
        if self._drained_at_s is not None:
            return "draining"
        if self._settings.max_broadcasts <= len(self.broadcasts):
            return "full"
        if not self._library.names():
            return "no avatar"
        return "" if self._workers.is_ready and self._warming.done() else "warming up"

    async def metrics(self, request: Request) -> Response:
        samples = reports.of_server(
            broadcasts=(len(self.broadcasts), self.broadcasts.started, self._settings.max_broadcasts),
            is_ready=not self._not_ready(),
            is_draining=self._drained_at_s is not None,
            workers=(self._workers.load(), self._workers.restarts),
        )
        samples += process_metrics.samples(self._lag)
        for session in self.broadcasts:
            samples += reports.samples(session.broadcast, session.metrics())
            samples += reports.queue_samples(session.broadcast, session.queues())
            samples += reports.output_samples(session.broadcast, session.on_air.outputs.reports())
        return PlainTextResponse(exposition(samples), media_type="text/plain; version=0.0.4")


def _cookie_of(asking: HTTPConnection) -> str:
    """Cookies are one for all ports of a name: two servers on one machine must not take each other's."""
    return f"rostrum-{asking.url.port or asking.url.scheme}"
