"""A host and a viewer over real WebRTC, on this machine, and a server for them in the same event loop."""

import asyncio
import contextlib
import fractions
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import av
import httpx
import numpy as np
import uvicorn
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from streamer.config import ServerSettings
from streamer.server import Server
from tests.fakes.avatars import fake_library
from tests.fakes.worker import FAKE_WORKER


@dataclass
class Running:
    """A server that listens on 127.0.0.1."""

    url: str
    server: Server
    http: httpx.AsyncClient


@contextlib.asynccontextmanager
async def running_server(root: Path, *avatars: str, **settings: object) -> AsyncIterator[Running]:
    """A server with fake avatars and fake workers, and a client for it."""
    library = fake_library(root, *(avatars or ("plain",)))
    server = Server(ServerSettings(web_root=root, **settings), library, worker_class=FAKE_WORKER)  # type: ignore[arg-type]
    config = uvicorn.Config(
        server.app(), port=0, log_level="warning", access_log=False, ws="websockets-sansio", ws_max_size=1 << 20
    )
    asgi = uvicorn.Server(config)
    serving = asyncio.create_task(asgi.serve())
    while not asgi.started:  # noqa: ASYNC110, uvicorn tells in no other way
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{asgi.servers[0].sockets[0].getsockname()[1]}"
    try:
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            yield Running(url, server, http)
    finally:
        asgi.should_exit = True
        await serving


class ToneTrack(MediaStreamTrack):
    """A microphone: `is_loud(seconds)` says when it sounds. Paced by wall time, 20 ms at a time."""

    kind = "audio"

    def __init__(self, is_loud: Callable[[float], bool]) -> None:
        super().__init__()
        self._is_loud = is_loud
        self._sent = 0
        self.started_s = 0.0

    async def recv(self) -> av.AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        if not self._sent:
            self.started_s = time.monotonic()
        await asyncio.sleep(max(0.0, self.started_s + self._sent / 48_000 - time.monotonic()))
        t = (self._sent + np.arange(960)) / 48_000
        loud = self._is_loud(self._sent / 48_000)
        samples = (12_000 * np.sin(2 * np.pi * 440 * t) if loud else np.zeros(960)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self._sent, fractions.Fraction(1, 48_000)
        self._sent += 960
        return frame


class FakeHost:
    """Sends a microphone by WHIP."""

    def __init__(self, track: MediaStreamTrack | None = None) -> None:
        self.track = track or ToneTrack(lambda s: s % 1 < 0.5)
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pc.addTransceiver(self.track, direction="sendonly")
        self.location = ""

    async def go_live(self, http: httpx.AsyncClient, whip: str) -> httpx.Response:
        await self.pc.setLocalDescription()
        headers = {"Content-Type": "application/sdp"}
        response = await http.post(whip, content=self.pc.localDescription.sdp, headers=headers)
        if response.status_code == 201:
            self.location = response.headers["location"]
            await self.pc.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
        return response

    async def close(self) -> None:
        await self.pc.close()


@dataclass
class FakeViewer:
    """Watches by WHEP; notes when each frame and each piece of sound came."""

    frames: list[tuple[float, float, av.VideoFrame]] = field(default_factory=list)  # wall s, media s, frame
    sounds: list[tuple[float, float, float]] = field(default_factory=list)  # wall s, media s, peak
    location: str = ""

    def __post_init__(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._readers: list[asyncio.Task[None]] = []
        self.pc.addTransceiver("video", direction="recvonly")
        self.pc.addTransceiver("audio", direction="recvonly")
        self.pc.on("track", lambda track: self._readers.append(asyncio.create_task(self._read(track))))
        self._news = asyncio.Event()

    async def watch(self, http: httpx.AsyncClient, whep: str) -> httpx.Response:
        await self.pc.setLocalDescription()
        headers = {"Content-Type": "application/sdp"}
        response = await http.post(whep, content=self.pc.localDescription.sdp, headers=headers)
        if response.status_code == 201:
            self.location = response.headers["location"]
            await self.pc.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
        return response

    async def _read(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                now_s = time.monotonic()
                if isinstance(frame, av.VideoFrame):
                    self.frames.append((now_s, float(frame.time or 0), frame))
                else:
                    assert isinstance(frame, av.AudioFrame)
                    peak = float(np.abs(frame.to_ndarray().astype(np.int32)).max())
                    self.sounds.append((now_s, float(frame.time or 0), peak))
                self._news.set()

    async def until(self, condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
        """Wait, frame by frame, until it holds. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def close(self) -> None:
        await self.pc.close()
        for reader in self._readers:
            reader.cancel()


def lamp_is_lit(frame: av.VideoFrame) -> bool:
    """Whether the fake worker drew loud voice into this frame."""
    luma = frame.to_ndarray(format="gray")
    return float(luma[luma.shape[0] // 8 : luma.shape[0] * 3 // 8].mean()) > 150


def bar_place(frame: av.VideoFrame) -> int | None:
    """The frame number modulo 25 that the fake worker drew; None for the picture at rest."""
    luma = frame.to_ndarray(format="gray").astype(np.float32)
    low = luma[luma.shape[0] * 5 // 8 : luma.shape[0] * 7 // 8].mean(axis=0)
    step = len(low) // 25
    places = low[: step * 25].reshape(25, step).mean(axis=1)
    best = int(places.argmax())
    return best if places[best] > 110 and float(np.median(places)) < 80 else None
