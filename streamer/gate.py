"""What every request and websocket must pass before anything looks at it: by which name, from which page, how often.

- **Host.** A browser that is led here by a name of somebody else's (DNS rebinding) sends that name. An address or `localhost`
  cannot be somebody else's; other names are those the operator has given as origins.
- **Origin.** A page from elsewhere may neither change anything here nor open a websocket, whatever cookies its visitor has.
- **Rate.** Each address has an allowance of requests.
"""

from __future__ import annotations

import ipaddress
import math
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamer.access import is_loopback
from streamer.clock import Clock
from streamer.config import ServerSettings
from streamer.limits import Limiter

#: Asked for by machines, by whatever name they know this one; nothing in them is secret.
_FOR_MACHINES = ("/healthz", "/readyz", "/metrics")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # viewer links hold a token
    "Content-Security-Policy": _POLICY,
}


class Gate:
    """ASGI middleware, the outermost."""

    def __init__(self, app: ASGIApp, settings: ServerSettings, clock: Clock) -> None:
        self._app = app
        self._origins = frozenset(settings.origins)
        self._names = frozenset(urlsplit(origin).hostname or "" for origin in settings.origins)
        self._clock = clock
        self._requests = Limiter(settings.limits.requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await (self._refusal(scope) or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        if scope["path"] in _FOR_MACHINES:
            return None
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(hostname(host)):
            text = f"this server is not known as {host!r}; where it is meant to be, add --origin https://{hostname(host)}"
            return refusal(421, "unknown_host", text)
        origin = headers.get("origin")
        is_change = scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS
        if origin is not None and is_change and origin not in self._origins and urlsplit(origin).netloc != host:
            text = f"pages of {origin} may not do this here; where they are meant to, add --origin {origin}"
            return refusal(403, "cross_origin", text)
        if wait_s := self._requests.take(address_of(scope), self._clock.now_s()):
            return refusal(429, "too_many", "too many requests from this address", wait_s)
        return None

    def _is_ours(self, name: str) -> bool:
        if not name or name in self._names or is_loopback(name):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def refusal(status: int, code: str, message: str, wait_s: float = 0.0) -> JSONResponse:
    """The body that every refused request gets; `wait_s`: when to come again."""
    headers = {"Retry-After": str(math.ceil(wait_s))} if wait_s else None
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def hostname(host: str) -> str:
    """``[::1]:8080`` → ``::1``, ``localhost:8080`` → ``localhost``; a Host header that is none comes back as it is."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return host


def address_of(scope: Scope) -> str:
    """Whose allowance it is: an IPv4 address, or the /64 that an IPv6 customer has to himself."""
    client = scope.get("client")
    address = str(client[0]) if client else ""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address


def is_at_home(scope: Scope) -> bool:
    """Whether a browser on this machine asks, by a name of this machine, with nobody between."""
    headers, client = Headers(scope=scope), scope.get("client")
    is_direct = not any(name in headers for name in _PROXY_HEADERS)
    return client is not None and is_direct and is_loopback(client[0]) and is_loopback(hostname(headers.get("host", "")))
