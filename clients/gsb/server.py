"""The page on which raters compare videos, and what it asks for.

======  =================  ===================================================================================================
GET     /                  the page
GET     /web/{file}        its files
POST    /api/session       ``{rater}`` → ``{rater, pairs: [{left, right, prompt, picture, answers}], criteria}``; makes the
                           rater
POST    /api/votes         ``{rater, pair, answers: {criterion: "left" | "same" | "right"}, took_s}`` → 204; `pair` counts from
                           0
GET     /media/{token}     a video or picture, in ranges too; the token says nothing of whose it is
======  =================  ===================================================================================================

The API wants the study's key as ``Authorization: Bearer``; the rater's link carries it behind a #, which browsers send to
nobody. A token of /media cannot be guessed, and stands for the key. Every error is ``{"error": {"code", "message"}}``.
"""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from clients.gsb.study import Study, StudyError
from export.evaluate.preference import CRITERIA
from streamer.access import bearer

WEB = Path(__file__).parents[1] / "web"
_PRIVATE = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
_MAX_BODY = 16 * 1024


class RatingServer:
    """`app()` makes the ASGI application."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._media: dict[str, Path] = {}
        for rater in study.raters():
            self._session(rater)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/api/session", self._join, methods=["POST"]),
                Route("/api/votes", self._vote, methods=["POST"]),
                Route("/media/{token}", self._medium),
                Mount("/web", StaticFiles(directory=WEB)),
            ],
            exception_handlers={StudyError: _refused},
        )

    async def _page(self, request: Request) -> Response:
        headers = {"Cache-Control": "no-cache", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"}
        return FileResponse(WEB / "gsb.html", headers=headers)

    async def _join(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        rater = _rater(await _body(request))
        self._study.join(rater)
        return JSONResponse(self._session(rater))

    async def _vote(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        body = await _body(request)
        rater, at, answers, took_s = _rater(body), body.get("pair"), body.get("answers"), body.get("took_s", 0)
        if rater not in self._study.raters():
            raise StudyError("nobody of that name has begun")
        turns = self._study.turns(rater)
        if not isinstance(at, int) or not 0 <= at < len(turns) or not isinstance(answers, dict):
            raise StudyError(f"pair is a number from 0 to {len(turns) - 1}, answers an object")
        took_s = float(took_s) if isinstance(took_s, int | float) and 0 <= took_s < 1e6 else 0.0
        self._study.vote(rater, turns[at], answers, round(took_s, 1))
        return Response(status_code=204)

    async def _medium(self, request: Request) -> Response:
        path = self._media.get(request.path_params["token"])
        if path is None or not path.is_file():
            return _error(404, "not_found", "There is no such video; load the page again.")
        return FileResponse(path, headers=_PRIVATE)

    def _session(self, rater: str) -> dict[str, Any]:
        answers, pairs = self._study.answers(rater), []
        for turn in self._study.turns(rater):
            shown: dict[str, Any] = {"prompt": turn.pair.prompt, "answers": answers.get(turn.pair.name, {})}
            for side, path in (("left", turn.left), ("right", turn.right), ("picture", Path(turn.pair.picture))):
                token = self._study.token(rater, turn.pair.name, side)
                self._media[token] = path
                shown[side] = f"/media/{token}" if path.is_file() else None
            pairs.append(shown)
        return {"rater": rater, "pairs": pairs, "criteria": list(CRITERIA)}

    def _refusal(self, request: Request) -> Response | None:
        shown = bearer(request.headers.get("authorization")) or ""
        if hmac.compare_digest(shown.encode(), self._study.key.encode()):
            return None
        return _error(401, "unauthorized", "This page is opened by the rater's link, whole: what follows the # is its key.")


async def _body(request: Request) -> dict[str, Any]:
    """A JSON object. Raises StudyError."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > _MAX_BODY:
            raise StudyError("that is too long")
    try:
        body = json.loads(data)
    except ValueError:
        raise StudyError("the body must be JSON") from None
    if not isinstance(body, dict):
        raise StudyError("the body must be a JSON object")
    return body


def _rater(body: dict[str, Any]) -> str:
    name = body.get("rater")
    if not isinstance(name, str):
        raise StudyError("rater must be a name")
    return " ".join(name.split())


async def _refused(request: Request, error: Exception) -> Response:
    return _error(400, "bad_request", str(error))


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)
