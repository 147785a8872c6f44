"""Talking to a Rostrum server: its JSON interface, and WHIP and WHEP exchanges (RFC 9725), by the standard library."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode, urljoin, urlsplit

from aiortc import RTCPeerConnection, RTCSessionDescription

from streamer import access

TIMEOUT_S = 20.0


class ServerError(Exception):
    """The server refused, or did not answer. `code` and `status` are the server's; "unreachable" and 0 for no answer."""

    def __init__(self, message: str, code: str = "unreachable", status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One broadcast, by its absolute addresses. host_token: what whoever speaks and directs shows; None where nobody asks."""

    id: str
    url: str
    watch_url: str
    whip_url: str  # with what to make again after a restart of the server
    whep_url: str
    control_url: str  # ws: or wss:
    push_url: str
    host_token: str | None = None


class Detour(Protocol):
    """What stands between a peer and the server: it changes the descriptions on their way."""

    def offer(self, sdp: str) -> str: ...
    async def answer(self, sdp: str) -> str: ...


class Server:
    """A server by its address, such as ``http://127.0.0.1:8080``. Every method raises ServerError.

    key: the server's; without one, the key that is kept on this machine where the server is on it.
    """

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url.rstrip("/") + "/"
        self._key = key or access.kept_key(urlsplit(self.url).hostname or "")

    async def avatars(self) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = await self._json("GET", "api/avatars")
        return answer

    async def add_avatar(self, name: str, picture: bytes) -> dict[str, Any]:
        """Make an avatar of a picture file's bytes."""
        path = "api/avatars?" + urlencode({"name": name})
        answer: dict[str, Any] = await self._json("POST", path, picture, "application/octet-stream")
        return answer

    async def make_broadcast(
        self,
        avatar: str | None = None,
        size: str = "512x512",
        fps: int = 25,
        broadcast_id: str | None = None,
        **choices: str | int,
    ) -> Broadcast:
        """A broadcast that waits for its host. Without a name, the first avatar is taken. choices: bitrate, background."""
        if avatar is None:
            known = await self.avatars()
            if not known:
                raise ServerError("the server has no avatars; make one with `rostrum avatar create`", "no_avatars", 404)
            avatar = known[0]["name"]
        wanted = json.dumps({"avatar": avatar, "size": size, "fps": fps, "id": broadcast_id, **choices}).encode()
        return self._broadcast(await self._json("POST", "api/broadcasts", wanted, "application/json"))

    async def broadcast(self, broadcast_id: str) -> Broadcast:
        """One that exists already."""
        return self._broadcast(await self._json("GET", f"api/broadcasts/{broadcast_id}"))

    async def end(self, broadcast: Broadcast) -> None:
        """End it; nothing happens where it has ended already."""
        try:
            await request("DELETE", broadcast.url, token=broadcast.host_token or self._key)
        except ServerError as error:
            if error.status != 404:
                raise

    def _broadcast(self, answer: dict[str, Any]) -> Broadcast:
        names = ("watch_url", "whip_url", "whep_url", "control_url", "push_url")
        urls = {name: urljoin(self.url, answer[name]) for name in names}
        for name in ("control_url", "push_url"):
            urls[name] = urls[name].replace("http", "ws", 1)
        urls["whip_url"] += "?" + urlencode({name: answer[name] for name in ("avatar", "size", "fps", "background", "bitrate")})
        url, token = urljoin(self.url, f"api/broadcasts/{answer['id']}"), answer["tokens"].get("host")
        return Broadcast(id=answer["id"], url=url, host_token=token, **urls)

    async def _json(self, method: str, path: str, body: bytes | None = None, content_type: str | None = None) -> Any:
        answer = await request(method, urljoin(self.url, path), body, content_type, self._key)
        return json.loads(answer.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


async def request(
    method: str, url: str, body: bytes | None = None, content_type: str | None = None, token: str | None = None
) -> Answer:
    """One HTTP request, off the event loop; `token` is shown as a Bearer. Raises ServerError."""
    return await asyncio.to_thread(_request, method, url, body, content_type, token)


def _request(method: str, url: str, body: bytes | None, content_type: str | None, token: str | None) -> Answer:
    headers = {"content-type": content_type} if content_type else {}
    headers |= bearer(token)
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=TIMEOUT_S) as reply:
            return Answer(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.read())
    except urllib.error.HTTPError as error:
        raise _refusal(error.code, error.read(), url) from None
    except (OSError, ValueError) as error:
        raise ServerError(f"{url} does not answer ({error}); is `rostrum serve` running there?") from None


def _refusal(status: int, body: bytes, url: str) -> ServerError:
    try:
        error = json.loads(body)["error"]
        return ServerError(error["message"], error["code"], status)
    except (ValueError, KeyError, TypeError):
        return ServerError(f"{url} answered {status}", "http", status)


def bearer(token: str | None) -> dict[str, str]:
    """The header that shows a token, if there is one to show."""
    return {"authorization": f"Bearer {token}"} if token else {}


async def exchange(pc: RTCPeerConnection, url: str, token: str | None = None, detour: Detour | None = None) -> str:
    """Offer `pc` to a WHIP or WHEP endpoint; the resource's address comes back. Raises ServerError."""
    await pc.setLocalDescription(await pc.createOffer())
    sdp = pc.localDescription.sdp
    answer = await request("POST", url, (detour.offer(sdp) if detour else sdp).encode(), "application/sdp", token)
    sdp = answer.body.decode()
    await pc.setRemoteDescription(RTCSessionDescription(await detour.answer(sdp) if detour else sdp, "answer"))
    return urljoin(url, answer.headers["location"])


async def connected(pc: RTCPeerConnection, timeout_s: float = 15.0) -> None:
    """Wait until media can flow. Raises ServerError where the network does not let it."""
    settled = asyncio.Event()
    pc.on("connectionstatechange", settled.set)
    try:
        async with asyncio.timeout(timeout_s):
            while pc.connectionState not in ("connected", "failed", "closed"):
                settled.clear()
                await settled.wait()
    except TimeoutError:
        pass
    if pc.connectionState != "connected":
        raise ServerError(
            "sound and picture cannot reach the server: UDP is blocked on the way (open it, or set up TURN)", "ice_failed"
        )
