"""WHIP out: a broadcast published to somebody else's server, a real SFU among them."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from aiortc import RTCPeerConnection, RTCSessionDescription

from clients.python.server import connected
from streamer.encoder import Encoder
from streamer.outputs.output import Report
from streamer.outputs.whip import WhipOutput
from streamer.webrtc import WallTicks
from tests.fakes import receivers
from tests.fakes.listener import Listener, make_broadcast
from tests.fakes.peers import FakeHost, FakeViewer, lamp_is_lit, running_server
from tests.fakes.whip_server import WhipServer, whip_server


class Published:
    """An output, and a wait for what becomes of it."""

    def __init__(self, url: str, token: str) -> None:
        self._changed = asyncio.Event()
        about = Report("one", "whip", "somewhere", "starting")
        self.encoder = Encoder(160, 128, 25)
        self.output = WhipOutput(about, url, token, WallTicks(), self.encoder.want_intra, self._changed.set, first_pause_s=0.01)

    async def until(self, condition: Callable[[Report], bool]) -> Report:
        async with asyncio.timeout(60):
            while not condition(report := self.output.report()):
                self._changed.clear()
                await self._changed.wait()
        return report

    async def stop(self) -> None:
        await self.output.stop()
        self.encoder.close()


async def _take(viewer: FakeViewer, offer: str) -> str:
    await viewer.pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    await viewer.pc.setLocalDescription()
    return viewer.pc.localDescription.sdp


def _receiver() -> FakeViewer:
    viewer = FakeViewer()
    viewer.pc = RTCPeerConnection()
    viewer.pc.on("track", lambda track: viewer._readers.append(asyncio.create_task(viewer._read(track))))
    return viewer


async def test_a_server_that_is_busy_is_asked_again_until_it_takes_the_broadcast() -> None:
    viewer = _receiver()
    async with whip_server(WhipServer(lambda offer: _take(viewer, offer), refuse=2)) as server:
        published = Published(server.url, server.token)
        await published.until(lambda report: report.state == "retrying")
        report = await published.until(lambda report: report.state == "on")
        assert report.retries == 2 and server.num_offers == 3
        await published.stop()
        await asyncio.wait_for(server.left.wait(), 60)
        await viewer.close()


async def test_a_server_that_is_lost_is_published_to_again() -> None:
    viewers = [_receiver(), _receiver()]
    taken = iter(viewers)
    async with whip_server(WhipServer(lambda offer: _take(next(taken), offer))) as server:
        published = Published(server.url, server.token)
        await published.until(lambda report: report.state == "on")
        await connected(viewers[0].pc)
        await viewers[0].close()
        report = await published.until(lambda report: report.retries == 1 and report.state == "on")
        assert report.reason == ""
        await published.stop()
        await viewers[1].close()


async def test_a_refused_token_is_said_and_not_tried_again() -> None:
    viewer = _receiver()
    async with whip_server(WhipServer(lambda offer: _take(viewer, offer))) as server:
        published = Published(server.url, "a wrong one")
        report = await published.until(lambda report: report.state == "failed")
        assert "wants a token" in report.reason and server.num_offers == 1
        await published.stop()
        await viewer.close()


async def test_a_live_broadcast_is_watched_through_a_real_sfu(tmp_path: Path) -> None:
    """Janus' VideoRoom takes what we publish, by the WHIP endpoint that its users put before it, and serves a viewer."""
    viewer, host = _receiver(), FakeHost()
    async with receivers.janus_server(tmp_path) as janus:
        publisher = await janus.attach()

        async def publish(offer: str) -> str:
            await janus.tell(publisher, request="join", ptype="publisher", room=1, id=7)
            answer = await janus.tell(publisher, {"type": "offer", "sdp": offer}, request="publish")
            sdp: str = answer["jsep"]["sdp"]
            return sdp

        async with whip_server(WhipServer(publish)) as sfu, running_server(tmp_path) as running:
            made = await make_broadcast(running)
            async with Listener(made["control_url"]) as control:
                await host.go_live(running.http, made["whip_url"])
                await control.send(type="start_output", kind="whip", url=sfu.url, key=sfu.token, id="w")
                assert sfu.token not in json.dumps(await control.until("accepted", id="w"))
                while all(output["state"] != "on" for output in (await control.until("outputs"))["outputs"]):
                    pass
                subscriber = await janus.attach()
                streams = [{"feed": 7}]
                offer = await janus.tell(subscriber, request="join", ptype="subscriber", room=1, streams=streams)
                answer = {"type": "answer", "sdp": await _take(viewer, offer["jsep"]["sdp"])}
                await janus.tell(subscriber, answer, request="start")
                await viewer.until(lambda: {lamp_is_lit(frame) for _, _, frame in viewer.frames[-100:]} == {True, False}, 60)
                await viewer.until(lambda: len(viewer.sounds) > 50, 60)
            await host.close()
    await viewer.close()
