"""What the server answers: an avatar in JSON, and for each kind of error its status, code and message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.websockets import WebSocket

from engines.avatar_library import Avatar, AvatarError
from streamer import protocol, webrtc
from streamer.avatar_maker import AvatarRefused
from streamer.broadcasts import BroadcastExists, TooManyBroadcasts
from streamer.config import ConfigError
from streamer.protocol import ErrorMessage

log = logging.getLogger(__name__)

_BLOCK_BYTES = 65_536
_AVATAR_STATUS = {
    "not_found": 404,
    "name_taken": 409,
    "too_many_backgrounds": 409,
    "shipped": 409,
    "too_slow": 422,
    "failed": 422,
    "busy": 503,
}


def avatar_json(avatar: Avatar) -> dict[str, Any]:
    path = f"/api/avatars/{avatar.name}"
    return {**avatar.facts(), "thumbnail_url": f"{path}/thumbnail.jpg", "picture_url": f"{path}/picture.png"}


def so_far(path: Path, request: Request) -> Response:
    """A file to be kept, as long as it is now. What is written to it meanwhile is not sent: its length is told by then."""
    whole = FileResponse(path, filename=path.name, stat_result=path.stat())
    if request.method != "GET" or "range" in request.headers:
        return whole  # which sends no more than it was asked for

    async def blocks() -> AsyncIterator[bytes]:
        left = int(whole.headers["content-length"])
        with await asyncio.to_thread(path.open, "rb") as file:
            while left and (block := await asyncio.to_thread(file.read, min(left, _BLOCK_BYTES))):
                left -= len(block)
                yield block

    return StreamingResponse(blocks(), headers=whole.headers, media_type=whole.media_type)


async def turn_away(websocket: WebSocket, code: protocol.Code, message: str, close_code: int) -> None:
    await websocket.send_text(ErrorMessage(code=code, message=message).model_dump_json())
    await websocket.close(close_code, code)


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


async def _refuse_taken(request: Request, error: Exception) -> Response:
    return _error(409, "broadcast_taken", str(error))


async def _refuse_offer(request: Request, error: Exception) -> Response:
    assert isinstance(error, webrtc.OfferError)
    return _error(error.status, "bad_offer", str(error), {"Retry-After": "2"} if error.status == 409 else None)


async def _fail(request: Request, error: Exception) -> Response:
    log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
    return _error(500, "internal", "the server failed over this request; its log says why")


#: Error class → what answers it.
REFUSALS: dict[Any, Any] = {
    HTTPException: _refuse,
    Exception: _fail,
    AvatarError: _refuse_avatar,
    AvatarRefused: _refuse_avatar,
    ConfigError: _refuse_setting,
    TooManyBroadcasts: _refuse_busy,
    BroadcastExists: _refuse_taken,
    webrtc.OfferError: _refuse_offer,
}
