"""WHIP out (RFC 9725): the broadcast published to an SFU, for more viewers than one machine can serve."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

import httpx2
from aiortc import RTCPeerConnection, RTCSessionDescription

from streamer import webrtc
from streamer.encoder import Encoded
from streamer.outputs.feed import Feed, Packetised, WantIntra
from streamer.outputs.output import OutputOver, Report, describe
from streamer.outputs.sender import Packetiser
from streamer.protocol import OutputState

log = logging.getLogger(__name__)

_TIMEOUT_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
#: Answers after which trying again does not help, and what they mean here.
_LASTING = {
    401: "it wants a token, or another one",
    403: "its token does not allow this",
    405: "there is no WHIP endpoint",
    406: "it does not take H.264 and Opus",
    415: "there is no WHIP endpoint",
}


def address(url: str) -> tuple[str, str]:
    """(where to publish, what may be shown of it). Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            "a WHIP address looks like https://sfu.example.org/whip/room, with a token beside it where one is needed"
        )
    return url, f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class WhipOutput:
    """An output that is a peer. A connection that fails, or is refused, is made anew after a pause that doubles."""

    wants_aac = False
    intra_every_s = math.inf  # the other end asks for what it needs

    def __init__(
        self,
        about: Report,
        url: str,
        token: str,
        clock: webrtc.WallTicks,
        want_intra: WantIntra,
        changed: Callable[[], None],
        ice_servers: tuple[str, ...] = (),
        first_pause_s: float = _FIRST_PAUSE_S,
    ) -> None:
        self._about = about
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._clock = clock
        self._want_intra = want_intra
        self._changed = changed
        self._ice_servers = ice_servers
        self._first_pause_s = first_pause_s
        self._cutters: dict[str, Packetiser] = {}
        self._feed: Feed | None = None
        self._state: OutputState = "starting"
        self._reason = ""
        self._sent_bytes = self._retries = 0
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"output-{about.id}")

    def put(self, encoded: Encoded) -> None:
        """This turn's packets, from the event loop."""
        if self._feed and self._state == "on":
            self._feed.put(Packetised(encoded, self._cutters))
            self._sent_bytes += sum(map(len, encoded.payloads()))

    def report(self) -> Report:
        return replace(self._about, state=self._state, reason=self._reason, sent_bytes=self._sent_bytes, retries=self._retries)

    async def stop(self) -> None:
        """Leave; the other end is told."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if self._state != "failed":
            self._enter("ended", "")

    async def _run(self) -> None:
        pause_s = self._first_pause_s
        while True:
            try:
                await self._publish()
                reason, pause_s = "the connection was lost", self._first_pause_s
            except OutputOver as error:
                return self._enter("failed", str(error))
            except (httpx2.HTTPError, OSError, ValueError, TimeoutError) as error:
                reason = describe(error)
            self._retries += 1
            self._enter("retrying", f"{reason}; again in {pause_s:g} s")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _publish(self) -> None:
        """Offer, connect, and stay until the connection is lost. Raises what went wrong before that."""
        pc, resource = webrtc.connection(self._ice_servers), ""
        feed = Feed(self._clock, self._want_intra, may_lower=False)  # it is the SFU that lowers
        for kind in ("video", "audio"):
            feed.attach(pc, kind)
        async with httpx2.AsyncClient(headers=self._headers, timeout=_TIMEOUT_S, follow_redirects=True) as http:
            try:
                await pc.setLocalDescription(await pc.createOffer())
                resource = await self._exchange(http, pc)
                webrtc.raise_socket_buffers(pc)
                await _until(pc, "connected", _TIMEOUT_S)
                self._feed = feed
                self._enter("on", "")
                await _until(pc, "closed", None)
            finally:
                self._feed = None
                await webrtc.close(pc)
                if resource:
                    with contextlib.suppress(httpx2.HTTPError):
                        await http.delete(resource)

    async def _exchange(self, http: httpx2.AsyncClient, pc: RTCPeerConnection) -> str:
        """Where this session can be ended. Raises HTTPError, OutputOver or ValueError."""
        offer = webrtc.answer_sdp(pc.localDescription.sdp)
        answer = await http.post(self._url, content=offer, headers={"Content-Type": "application/sdp"})
        if meaning := _LASTING.get(answer.status_code):
            raise OutputOver(f"the server refuses it: {meaning} ({answer.status_code})")
        if answer.status_code != 201:
            raise ValueError(f"the server answers {answer.status_code}")
        try:
            await pc.setRemoteDescription(RTCSessionDescription(webrtc.strip_mdns(answer.text), "answer"))
        except Exception as error:  # aiortc's parser raises nearly anything
            raise ValueError("the server's answer cannot be read") from error
        location = answer.headers.get("location", "")
        return urljoin(str(answer.url), location) if location else ""

    def _enter(self, state: OutputState, reason: str) -> None:
        self._state, self._reason = state, reason
        level = logging.WARNING if state in ("retrying", "failed") else logging.INFO
        said = f"{state}: {reason}" if reason else state
        log.log(level, "output %s (whip to %s) is %s", self._about.id, self._about.to, said)
        self._changed()


async def _until(pc: RTCPeerConnection, wanted: str, timeout_s: float | None) -> None:
    """Wait for a state of the connection; "closed" is any in which it is over. Raises TimeoutError, or OSError as it fails."""
    news = asyncio.Event()
    pc.on("connectionstatechange", news.set)
    async with asyncio.timeout(timeout_s):
        while (state := pc.connectionState) != wanted:
            if state in ("failed", "closed"):
                if wanted == "closed":
                    return
                raise ConnectionError("sound and picture cannot reach the server")
            news.clear()
            await news.wait()
