"""Hostile input, generated: it is refused with a reason, costs little, and the server goes on."""

import asyncio
import io
import json
import random
import re
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from websockets.asyncio.client import connect

from engines.background_library import BackgroundLibrary
from streamer import avatar_maker, listening, protocol, webrtc
from streamer.avatar_maker import AvatarMaker, AvatarRefused
from streamer.config import Limits, ServerSettings
from streamer.host import Host
from streamer.outputs.whep import Viewer
from streamer.server import Server
from tests.fakes.avatars import fake_library
from tests.fakes.peers import FakeViewer, Running, running_server

OFFER = """v=0\r
o=- 1 2 IN IP4 127.0.0.1\r
s=-\r
t=0 0\r
a=group:BUNDLE 0 1\r
m=audio 9 UDP/TLS/RTP/SAVPF 111\r
c=IN IP4 0.0.0.0\r
a=rtcp-mux\r
a=ice-ufrag:R6Ni\r
a=ice-pwd:qcO0mXgtZEszM0w7nLfP8V7u\r
a=fingerprint:sha-256 AE:6D:BD:5C:61:E5:82:6E:1C:2D:B7:DC:45:A7:1C:A6:19:88:98:89:F1:68:B2:40:9C:E3:17:AD:F3:A8:EC:5A\r
a=setup:actpass\r
a=mid:0\r
a=sendrecv\r
a=rtpmap:111 opus/48000/2\r
a=fmtp:111 minptime=10;useinbandfec=1\r
a=candidate:1 1 udp 2130706431 192.0.2.9 40000 typ host\r
m=video 9 UDP/TLS/RTP/SAVPF 96\r
c=IN IP4 0.0.0.0\r
a=rtcp-mux\r
a=ice-ufrag:R6Ni\r
a=ice-pwd:qcO0mXgtZEszM0w7nLfP8V7u\r
a=fingerprint:sha-256 AE:6D:BD:5C:61:E5:82:6E:1C:2D:B7:DC:45:A7:1C:A6:19:88:98:89:F1:68:B2:40:9C:E3:17:AD:F3:A8:EC:5A\r
a=setup:actpass\r
a=mid:1\r
a=recvonly\r
a=rtpmap:96 H264/90000\r
a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r
"""
LINES = OFFER.split("\r\n")[:-1]
SOME = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def damaged_offers(draw: st.DrawFn) -> str:
    """A good offer with lines left out, repeated, exchanged, cut short, or with a word of them turned into something else."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(("drop", "repeat", "swap", "cut", "word", "number", "prefix"))):
            case "drop":
                lines[at] = ""
            case "repeat":
                lines += [lines[at]] * draw(st.integers(1, 40))
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "cut":
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
            case "word":
                words = lines[at].split(" ")
                words[draw(st.integers(0, len(words) - 1))] = draw(st.text(max_size=12))
                lines[at] = " ".join(words)
            case "number":
                number = draw(st.sampled_from(["0", "9", "-1", "99999999999", "1e9", "NaN"]))
                lines[at] = re.sub(r"\d+", number, lines[at])
            case "prefix":
                lines[at] = draw(st.sampled_from("vostacm=bz")) + "=" + lines[at][2:]
    return "\r\n".join(line for line in lines if line) + "\r\n"


# -- descriptions -------------------------------------------------------------------------------------------------------


@SOME
@given(damaged_offers() | st.text(max_size=300))
def test_an_offer_is_understood_or_refused_and_never_anything_else(sdp: str) -> None:
    try:
        offer = webrtc.parse_offer(sdp)
        webrtc.kinds_and_codecs(offer)
        webrtc.parse_offer(webrtc.strip_mdns(sdp))
    except webrtc.OfferError as error:
        assert 400 <= error.status < 500 and str(error)


@SOME
@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from([*LINES, "a=candidate:", "a=candidate:1 1 udp x y z typ host"])).map("\n".join)
)
def test_a_fragment_is_understood_or_refused_and_never_anything_else(fragment: str) -> None:
    try:
        webrtc.candidates_in(fragment)
    except webrtc.OfferError as error:
        assert error.status == 400


@FEW
@given(damaged_offers())
def test_whatever_is_offered_is_answered_or_refused_and_leaves_nothing_open(sdp: str) -> None:
    async def offer() -> None:
        for peer in (Host(lambda track: None, lambda: None), Viewer(webrtc.WallTicks(), lambda *_: None, lambda: None)):
            try:
                await peer.answer(sdp)
            except webrtc.OfferError as error:
                assert 400 <= error.status < 500
            await peer.close()

    asyncio.run(offer())


def test_an_offer_with_a_flood_of_candidates_is_refused() -> None:
    flood = "".join(f"a=candidate:{i} 1 udp 1 192.0.2.1 {i} typ host\r\n" for i in range(1, 300))
    with pytest.raises(webrtc.OfferError, match="candidates"):
        webrtc.parse_offer(OFFER + flood)
    with pytest.raises(webrtc.OfferError, match="candidates"):
        webrtc.candidates_in("a=mid:0\r\n" + flood)


# -- control messages ---------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
TYPES = (
    "prompt",
    "emotion",
    "action",
    "camera",
    "edit",
    "delete",
    "undo",
    "avatar",
    "interrupt",
    "mute",
    "idle",
    "end",
    "ping",
)
FIELDS = (
    "id",
    "text",
    "emotion",
    "intensity",
    "action",
    "move",
    "speed",
    "on",
    "start_pts",
    "end_pts",
    "avatar",
    "cue",
    "at_pts",
)
messages = st.fixed_dictionaries({"type": st.sampled_from(TYPES)}, optional=dict.fromkeys(FIELDS, json_values))


@SOME
@given(st.binary(max_size=200) | st.text(max_size=200) | messages.map(json.dumps) | json_values.map(json.dumps))
def test_a_message_is_understood_or_answered_with_an_error(text: str | bytes) -> None:
    try:
        protocol.parse(text)
    except protocol.BadMessage as error:
        assert error.answer.message
        error.answer.model_dump_json()


@pytest.mark.parametrize("text", ["[" * 8000, '{"type":' * 900, '{"type":"ping","id":"\\ud800"}', '{"type":"mute","on":1e999}'])
def test_messages_that_break_parsers_are_answered(text: str) -> None:
    with pytest.raises(protocol.BadMessage):
        protocol.parse(text)


# -- a whole server -----------------------------------------------------------------------------------------------------


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_server(tmp_path) as server:
        yield server


async def test_a_live_server_takes_a_storm_of_bad_input_and_goes_on(running: Running) -> None:
    show = (await running.http.post("/api/broadcasts", json={"size": "256x256"})).json()
    rng = random.Random(1)
    async with connect(show["control_url"]) as socket:
        for _ in range(25):
            junk = rng.randbytes(rng.randrange(200))
            await socket.send(rng.choice([junk, junk.hex(), json.dumps({"type": rng.choice(TYPES[:-3]), "text": junk.hex()})]))
            lines = rng.sample(LINES, rng.randrange(len(LINES)))
            for way in ("whip_url", "whep_url"):
                answer = await running.http.post(
                    show[way], content="\r\n".join(lines), headers={"Content-Type": "application/sdp"}
                )
                assert answer.status_code in (201, 400, 406, 409, 429), answer.text
        await socket.send('{"type": "ping", "id": "still here"}')
        async with asyncio.timeout(60):
            while json.loads(await socket.recv()).get("id") != "still here":
                pass
    viewer = FakeViewer()
    assert (await viewer.watch(running.http, show["whep_url"])).status_code == 201
    await viewer.until(lambda: bool(viewer.frames))
    await viewer.close()


@pytest.mark.parametrize(
    "path",
    ["/web/%2e%2e/%2e%2e/etc/passwd", "/web/..%5c..%5cx", "/web//etc/passwd", "/api/avatars/%2e%2e/picture.png",
     "/api/avatars/..%2f..%2fx/thumbnail.jpg", "/api/avatars/%00/picture.png", "/api/broadcasts/%0a", "/watch/%2e%2e%2f"],
)  # fmt: skip
async def test_no_path_leads_out_of_what_is_served(tmp_path: Path, path: str) -> None:
    (tmp_path / "watch.html").write_text("watch")
    app = Server(ServerSettings(web_root=tmp_path), fake_library(tmp_path, "plain")).app()
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")
    answer = await http.get(path)
    assert answer.status_code in (307, 400, 401, 404) or answer.text == "watch"
    assert "root:" not in answer.text


# -- slow ones ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[tuple[str, int]]:
    """Where a server listens that waits 0.3 s for headers and for a body."""
    limits = Limits(header_s=0.3, body_s=0.3)
    app = Server(ServerSettings(web_root=tmp_path, limits=limits), fake_library(tmp_path, "plain")).app()
    serving = uvicorn.Server(listening.config(app, limits, port=0, log_level="error", lifespan="off", timeout_keep_alive=1))
    task = asyncio.create_task(serving.serve())
    while not serving.started:  # noqa: ASYNC110, uvicorn tells in no other way
        await asyncio.sleep(0.01)
    yield serving.servers[0].sockets[0].getsockname()
    serving.should_exit = True
    await task


HEAD = b"POST /whep/some-show HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\nContent-Length: 500\r\n\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"", b""),
        (HEAD[:40], b""),
        (HEALTH + HEAD[:40], b"200 OK"),  # the second request of a connection that is kept
        (b"POST /api/broadcasts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{", b"408 Request Timeout"),
    ],
)
async def test_who_never_finishes_a_request_is_let_go(patient: tuple[str, int], said: bytes, answer: bytes) -> None:
    reader, writer = await asyncio.open_connection(*patient[:2])
    writer.write(said)
    async with asyncio.timeout(60):
        told = await reader.read()  # until the server closes
    assert (answer in told) if answer else told == b""
    writer.close()


async def test_who_takes_his_time_between_requests_is_served(patient: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*patient[:2])
    for _ in range(2):
        writer.write(HEALTH)
        assert b"200 OK" in await reader.readuntil(b"alive\n")
        await asyncio.sleep(0.4)  # longer than a request may take
    writer.close()


# -- pictures -----------------------------------------------------------------------------------------------------------


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that would be that large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(bytes(2**20), 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _maker(root: Path, at_once: int) -> AvatarMaker:
    return AvatarMaker(fake_library(root, "plain"), BackgroundLibrary(root / "backgrounds"), at_once)


async def test_a_picture_that_unpacks_into_gigabytes_is_refused_by_its_header(tmp_path: Path) -> None:
    maker = _maker(tmp_path, at_once=1)
    with pytest.raises(AvatarRefused) as refused:
        await maker.make(bomb(60_000, 60_000), "berta")
    assert refused.value.code == "picture_too_large"
    with pytest.raises(AvatarRefused) as refused:
        await maker.make_background(bomb(60_000, 60_000), "beach")
    assert refused.value.code == "picture_too_large"


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", b"#!/bin/sh", b"PK\x03\x04", b"RIFF1234AVI "]
)
async def test_what_a_file_is_counts_and_not_what_it_is_called(
    tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(avatar_maker, "_in_a_process", None)  # it is not even looked at closely
    with pytest.raises(AvatarRefused) as refused:
        await _maker(tmp_path, at_once=1).make(data, "face")
    assert refused.value.code == "not_a_picture"


async def test_pictures_beyond_what_can_be_worked_on_are_refused_not_queued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, file = asyncio.Event(), io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "PNG")

    async def wait(picture: bytes, request: dict[str, object]) -> dict[str, object]:
        await go.wait()
        return {}

    monkeypatch.setattr(avatar_maker, "_in_a_process", wait)
    maker = _maker(tmp_path, at_once=2)
    working = [asyncio.create_task(maker.make(file.getvalue(), name)) for name in ("anna", "berta")]
    await asyncio.sleep(0)
    for name, code in (("anna", "name_taken"), ("clara", "busy")):
        with pytest.raises(AvatarRefused) as refused:
            await maker.make(file.getvalue(), name)
        assert refused.value.code == code
    go.set()
    await asyncio.gather(*working)
    await maker.make(file.getvalue(), "clara")
