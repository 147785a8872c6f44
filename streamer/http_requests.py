"""What HTTP requests carry, read with every doubt: each fault is a `Refused` that names it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request


class Refused(HTTPException):
    """An HTTP error with a code for programs and a message for people."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, message, headers)
        self.code = code


async def body(request: Request, limit: int, within_s: float) -> bytes:
    """The body. Raises Refused as soon as it is known to be longer than `limit` bytes, or takes longer to arrive."""
    too_large = Refused(413, "too_large", f"the body may have {limit} bytes")
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > limit:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            async for piece in request.stream():
                body += piece
                if len(body) > limit:
                    raise too_large
    except TimeoutError:
        raise Refused(408, "too_slow", "the body took too long to arrive", {"Connection": "close"}) from None
    except ClientDisconnect:
        raise Refused(400, "broken_off", "the body broke off") from None
    return bytes(body)


def check_type(request: Request, wanted: str) -> None:
    given = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if given != wanted:
        raise Refused(415, "wrong_type", f"the Content-Type must be {wanted}, not {given or 'absent'}", {"Accept-Post": wanted})


def text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refused(400, "not_text", "the body is not UTF-8 text") from None


def number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None


def json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refused(400, "bad_json", f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Refused(400, "bad_json", "the body must be a JSON object")
    return value


def points(text: str | None) -> dict[str, tuple[float, float]] | None:
    """``{"nose_tip": [x, y], ...}`` in pixels of the picture as sent."""
    if text is None:
        return None
    try:
        return {str(name): (float(x), float(y)) for name, (x, y) in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Refused(400, "bad_points", 'points must be JSON such as {"nose_tip": [310, 240], ...}') from None
