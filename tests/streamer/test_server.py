"""The HTTP edge: what each endpoint answers, bad input above all."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from PIL import Image
from websockets.asyncio.client import ClientConnection, connect

from streamer.protocol import MAX_MESSAGE_BYTES
from tests.fakes.peers import FakeHost, FakeViewer, Running, running_server

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    (tmp_path / "index.html").write_text("<title>studio</title>")
    (tmp_path / "watch.html").write_text("<title>viewer</title>")
    async with running_server(tmp_path, "plain", "second") as server:
        yield server


async def _broadcast(running: Running, **wish: object) -> dict[str, str]:
    response = await running.http.post("/api/broadcasts", json=wish)
    assert response.status_code == 201, response.text
    made: dict[str, str] = response.json()
    return made


def _code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


async def _message(socket: ClientConnection, *types: str) -> dict[str, object]:
    async with asyncio.timeout(60):
        while True:
            message: dict[str, object] = json.loads(await socket.recv())
            if message["type"] in types:
                return message


# -- pages, avatars, health ---------------------------------------------------------------------------------------------


async def test_the_pages_and_their_files_are_served(running: Running) -> None:
    assert "studio" in (await running.http.get("/")).text
    assert "viewer" in (await running.http.get("/watch/whatever")).text
    assert (await running.http.get("/web/index.html")).status_code == 200
    assert (await running.http.get("/web/../../etc/passwd")).status_code == 404


async def test_avatars_are_listed_with_their_pictures(running: Running) -> None:
    avatars = (await running.http.get("/api/avatars")).json()
    assert [avatar["name"] for avatar in avatars] == ["plain", "second"]
    for url in (avatars[0]["thumbnail_url"], avatars[0]["picture_url"]):
        picture = await running.http.get(url)
        assert picture.status_code == 200 and picture.headers["content-type"].startswith("image/")
    assert _code(await running.http.get("/api/avatars/nobody/picture.png")) == (404, "not_found")
    assert (await running.http.get("/api/avatars/..%2f..%2fetc/picture.png")).status_code in (400, 404)


async def test_health_readiness_and_metrics_are_told(running: Running) -> None:
    assert (await running.http.get("/healthz")).status_code == 200
    while (answer := await running.http.get("/readyz")).status_code == 503:
        assert answer.text == "warming up\n"
        await asyncio.sleep(0.05)
    assert answer.status_code == 200
    await _broadcast(running)
    assert (await running.http.get("/readyz")).status_code == 200
    text = (await running.http.get("/metrics")).text
    assert "rostrum_broadcasts 1\n" in text and "rostrum_viewers{broadcast=" in text
    assert "client" in (await running.http.get("/schema")).json()


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        ("?name=anna", b"", (400, "empty")),
        ("", b"x", (400, "bad_name")),
        ("?name=anna&points=nose", b"x", (400, "bad_points")),
        ("?name=../anna", b"x", (400, "bad_name")),
        ("?name=plain", b"x", (409, "shipped")),
        ("?name=fresh-face", b"x", (400, "not_a_picture")),
        ("?name=anna", bytes(21 * 1024 * 1024), (413, "too_large")),
    ],
)
async def test_an_upload_that_cannot_be_an_avatar_is_refused(
    running: Running, query: str, body: bytes, expected: tuple[int, str]
) -> None:
    assert _code(await running.http.post(f"/api/avatars{query}", content=body)) == expected


async def test_a_picture_of_the_hosts_own_is_kept_chosen_as_background_and_removed_when_it_is_off_air(running: Running) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (320, 200), (10, 90, 200)).save(picture, "PNG")
    answer = await running.http.post("/api/backgrounds?title=Beach.png", content=picture.getvalue())
    assert answer.status_code == 201, answer.text
    beach = answer.json()
    assert beach["title"] == "beach" and (await running.http.get("/api/backgrounds")).json() == [beach]
    assert (await running.http.get(beach["picture_url"])).headers["content-type"] == "image/jpeg"
    made = await _broadcast(running, background=beach["name"])
    assert made["background"] == beach["name"]
    here = f"/api/backgrounds/{beach['name']}"
    assert _code(await running.http.delete(here)) == (409, "on_air")
    await running.http.delete(f"/api/broadcasts/{made['id']}")
    assert (await running.http.delete(here)).status_code == 204
    assert _code(await running.http.delete(here)) == (404, "not_found")
    refused = await running.http.post("/api/broadcasts", json={"background": beach["name"]})
    assert _code(refused) == (400, "bad_setting") and "background" in refused.text


@pytest.mark.parametrize(("body", "expected"), [(b"", (400, "empty")), (b"<svg/>", (400, "not_a_picture"))])
async def test_what_cannot_be_a_background_is_refused(running: Running, body: bytes, expected: tuple[int, str]) -> None:
    assert _code(await running.http.post("/api/backgrounds", content=body)) == expected


# -- broadcasts ---------------------------------------------------------------------------------------------------------


async def test_a_broadcast_is_made_shown_and_ended(running: Running) -> None:
    made = await _broadcast(running, avatar="second", size="256x192", fps=30, background="green", bitrate="1.5M")
    assert (made["avatar"], made["size"], made["fps"], made["state"]) == ("second", "256x192", 30, "connecting")
    assert (made["background"], made["bitrate"]) == ("green", 1500)
    assert (await _broadcast(running))["bitrate"] == "auto"
    assert made["control_url"].startswith("ws://")
    assert (await running.http.get(f"/api/broadcasts/{made['id']}")).json()["viewers"] == 0
    assert (await running.http.delete(f"/api/broadcasts/{made['id']}")).status_code == 204
    assert _code(await running.http.get(f"/api/broadcasts/{made['id']}")) == (404, "unknown_broadcast")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "bad_json"),
        (b"[1]", "bad_json"),
        (b"[" * 5000, "bad_json"),
        (b'{"size": "huge"}', "bad_setting"),
        (b'{"background": "beach"}', "bad_setting"),
        (b'{"bitrate": 5}', "bad_setting"),
        (b'{"bitrate": [1]}', "bad_setting"),
        (b'{"size": "20000x20000"}', "bad_setting"),
        (b'{"fps": 29}', "bad_setting"),
        (b'{"fps": "fast"}', "bad_setting"),
        (b'{"colour": "red"}', "unknown_setting"),
        (b'{"avatar": "../plain"}', "bad_name"),
    ],
)
async def test_a_broadcast_that_cannot_be_is_refused_with_the_reason(running: Running, body: bytes, code: str) -> None:
    assert _code(await running.http.post("/api/broadcasts", content=body)) == (400, code)


async def test_one_broadcast_too_many_is_refused_and_the_others_go_on(tmp_path: Path) -> None:
    async with running_server(tmp_path, max_broadcasts=1) as running:
        first = await _broadcast(running)
        assert _code(await running.http.post("/api/broadcasts", json={})) == (503, "busy")
        assert (await running.http.get("/readyz")).status_code == 503
        assert (await running.http.get(f"/api/broadcasts/{first['id']}")).status_code == 200


# -- WHIP and WHEP ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["whip", "whep"])
async def test_an_offer_that_is_none_is_refused(running: Running, way: str) -> None:
    url = (await _broadcast(running))[f"{way}_url"]
    post = running.http.post
    assert _code(await post(url, content="v=0", headers={"Content-Type": "text/plain"})) == (415, "wrong_type")
    assert _code(await post(url, content="")) == (415, "wrong_type")
    assert _code(await post(url, content="", headers=SDP)) == (400, "bad_offer")
    assert _code(await post(url, content="hello", headers=SDP)) == (400, "bad_offer")
    assert _code(await post(url, content=b"\xff\xfe", headers=SDP)) == (400, "not_text")
    assert _code(await post(url, content="v=0\r\nm=audio x y z\r\n", headers=SDP)) == (400, "bad_offer")
    assert _code(await post(url, content="a" * 70_000, headers=SDP)) == (413, "too_large")


async def test_a_viewer_of_no_broadcast_gets_404(running: Running) -> None:
    assert _code(await running.http.post("/whep/nothing-here", content="v=0", headers=SDP)) == (404, "unknown_broadcast")


async def test_a_viewer_that_takes_neither_h264_nor_vp8_is_told_so(running: Running) -> None:
    viewer = FakeViewer()
    await viewer.pc.setLocalDescription()
    offer = viewer.pc.localDescription.sdp.replace("H264", "H265").replace("VP8", "VP9")
    response = await running.http.post((await _broadcast(running))["whep_url"], content=offer, headers=SDP)
    assert response.status_code == 406 and "H.264" in response.json()["error"]["message"]
    await viewer.close()


async def test_whip_answers_as_rfc_9725_says(running: Running) -> None:
    host = FakeHost()
    response = await host.go_live(running.http, (await _broadcast(running))["whip_url"])
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/sdp"
    etag, location = response.headers["etag"], response.headers["location"]
    patch = running.http.patch
    candidate = "a=ice-ufrag:{0}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:9 1 udp 1 192.0.2.77 9 typ host\r\n"
    ufrag = host.pc.localDescription.sdp.split("a=ice-ufrag:")[1].split("\r\n")[0]
    assert _code(await patch(location, content="", headers=FRAGMENT)) == (428, "if_match_needed")
    assert _code(await patch(location, content="", headers={**FRAGMENT, "If-Match": '"x"'})) == (412, "if_match_differs")
    assert _code(await patch(location, content="", headers={**SDP, "If-Match": etag})) == (415, "wrong_type")
    trickled = await patch(location, content=candidate.format(ufrag), headers={**FRAGMENT, "If-Match": etag})
    assert trickled.status_code == 204
    restart = await patch(location, content=candidate.format("other"), headers={**FRAGMENT, "If-Match": etag})
    assert _code(restart) == (422, "bad_offer")
    assert (await patch("/whip/x/y", content="", headers=FRAGMENT)).status_code == 404
    assert (await running.http.delete(location)).status_code == 204
    assert (await running.http.delete(location)).status_code == 404
    await host.close()


async def test_a_second_host_is_refused_while_the_first_is_heard(running: Running) -> None:
    made = await _broadcast(running)
    first, second = FakeHost(), FakeHost()
    assert (await first.go_live(running.http, made["whip_url"])).status_code == 201
    async with connect(f"{made['control_url']}?role=host") as socket:
        hello = await _message(socket, "hello")
        if hello["state"] != "live":
            await _message(socket, "state")
        assert _code(await second.go_live(running.http, made["whip_url"])) == (409, "bad_offer")
    await first.close()
    await second.close()


async def test_whip_to_a_new_id_makes_the_broadcast_it_names(running: Running) -> None:
    host = FakeHost()
    response = await host.go_live(running.http, "/whip/my-show?avatar=second&size=256x256&fps=30")
    assert response.status_code == 201
    made = (await running.http.get("/api/broadcasts/my-show")).json()
    assert (made["avatar"], made["size"], made["fps"]) == ("second", "256x256", 30)
    await host.close()


@pytest.mark.parametrize("query", ["?avatar=nobody", "?size=1x1", "?fps=0"])
async def test_whip_with_bad_settings_makes_nothing(running: Running, query: str) -> None:
    host = FakeHost()
    assert (await host.go_live(running.http, f"/whip/my-show{query}")).status_code in (400, 404)
    assert (await running.http.get("/api/broadcasts/my-show")).status_code == 404
    await host.close()


# -- control ------------------------------------------------------------------------------------------------------------


async def test_bad_messages_are_answered_and_the_connection_and_the_broadcast_go_on(running: Running) -> None:
    made = await _broadcast(running)
    async with connect(made["control_url"]) as socket:
        assert (await _message(socket, "hello"))["protocol"] == 1
        for bad, code in [
            ("{", "bad_json"),
            ('{"type": "launch"}', "unknown_type"),
            ('{"type": "emotion", "emotion": "hunger"}', "invalid"),
            ("x" * (MAX_MESSAGE_BYTES + 1), "too_large"),
            (b"\x00\x01", "bad_json"),
            ('{"type": "prompt", "text": "xyzzy"}', "not_understood"),
        ]:
            await socket.send(bad)
            assert (await _message(socket, "error"))["code"] == code
        await socket.send('{"type": "ping", "id": "still here"}')
        assert (await _message(socket, "pong"))["id"] == "still here"
    assert (await running.http.get(f"/api/broadcasts/{made['id']}")).status_code == 200


async def test_a_viewers_connection_only_listens(running: Running) -> None:
    made = await _broadcast(running)
    async with connect(f"{made['control_url']}?role=viewer") as socket:
        assert (await _message(socket, "hello"))["role"] == "viewer"
        await socket.send('{"type": "end"}')
        assert (await _message(socket, "error"))["code"] == "forbidden"
        await running.http.delete(f"/api/broadcasts/{made['id']}")
        assert await _message(socket, "state", "level", "horizon", "metrics") == {
            "type": "state", "state": "ended", "reason": "the host ended it",
        }  # fmt: skip


async def test_control_of_no_broadcast_says_so_before_it_closes(running: Running) -> None:
    async with connect(f"{running.url.replace('http', 'ws')}/control/nothing") as socket:
        assert (await _message(socket, "error"))["code"] == "unknown_broadcast"
