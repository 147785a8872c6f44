"""What somebody else's server says as it refuses a request."""

from __future__ import annotations

import json
from typing import Any

import httpx2

_MAX_BYTES = 64 * 1024
_MAX_CHARACTERS = 160


async def refusal(response: httpx2.Response, key: str = "") -> str:
    """The server's own error message, short enough to show, and without our key, which it may quote."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _MAX_BYTES:
            break
    text = body.decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return _short(text, key) or "no reason given"
    return message(found.get("error", found.get("detail", found)) if isinstance(found, dict) else found, key)


def message(error: Any, key: str = "") -> str:
    """Of the `error` member of an answer: an object with a message, or the message itself."""
    return _short(str(error.get("message", error) if isinstance(error, dict) else error), key)


def _short(text: str, key: str) -> str:
    return " ".join((text.replace(key, "•••") if key else text).split())[:_MAX_CHARACTERS]
