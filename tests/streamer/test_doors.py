"""Who gets in, from which page and by which name: the server as browsers, attackers' pages and programs meet it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from streamer.config import Limits, ServerSettings
from streamer.limits import Rate
from streamer.server import Server
from tests.fakes.avatars import fake_library
from tests.fakes.peers import FakeHost, FakeViewer, Running, running_server
from tests.fakes.running_server import WEB_ROOT, RunningServer

KEY = "the-key-of-this-test"
SDP = {"Content-Type": "application/sdp"}


@dataclass
class Locked:
    """A server that asks for tokens, in a thread of its own, and somebody who has none."""

    url: str
    http: httpx.AsyncClient


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    library = fake_library(tmp_path_factory.mktemp("avatars"), "plain")
    with RunningServer(library, key=KEY, max_broadcasts=50) as server:
        yield server.url


@pytest.fixture
async def locked(server_url: str) -> AsyncIterator[Locked]:
    async with httpx.AsyncClient(base_url=server_url, timeout=30) as http:
        yield Locked(server_url, http)
        for broadcast in re.findall(r'rostrum_viewers{broadcast="(.*?)"}', (await http.get("/metrics")).text):
            await http.delete(f"/api/broadcasts/{broadcast}", headers=bearer(KEY))


def visitor(root: Path, address: str = "127.0.0.1", **settings: object) -> httpx.AsyncClient:
    """Somebody at an address, who asks a server that has nothing to do."""
    app = Server(ServerSettings(web_root=WEB_ROOT, **({"key": KEY} | settings)), fake_library(root, "plain")).app()  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 1234)), base_url="http://127.0.0.1:8080")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


async def made(running: Locked | Running, **wish: object) -> dict[str, Any]:
    response = await running.http.post("/api/broadcasts", json=wish, headers=bearer(KEY))
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def first(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(60):
        message: dict[str, Any] = json.loads(await socket.recv())
        return message


# -- tokens -------------------------------------------------------------------------------------------------------------


async def test_without_a_token_nothing_is_done_and_nothing_is_told(locked: Locked) -> None:
    show = await made(locked, id="show")
    for method, path in [
        ("GET", "/api/avatars"),
        ("GET", "/api/avatars/plain/picture.png"),
        ("POST", "/api/avatars?name=anna"),
        ("POST", "/api/broadcasts"),
        ("GET", "/api/broadcasts/show"),
        ("DELETE", "/api/broadcasts/show"),
        ("POST", "/whip/show"),
        ("POST", "/whip/brand-new"),
        ("POST", "/whep/show"),
        ("DELETE", "/whip/show/x"),
        ("GET", "/api/broadcasts/nobody"),  # as for one that is there: names cannot be tried out
        ("POST", "/whep/nobody"),
    ]:
        response = await locked.http.request(method, path, headers=SDP)
        assert code(response) == (401, "no_token"), path
        assert response.headers["www-authenticate"] == "Bearer"
    assert (await locked.http.get("/api/broadcasts/show", headers=bearer(show["tokens"]["viewer"]))).status_code == 200


async def test_a_token_opens_its_role_and_no_higher_one(locked: Locked) -> None:
    show, other = await made(locked, id="show"), await made(locked, id="other")
    viewer, controller = show["tokens"]["viewer"], show["tokens"]["controller"]
    for token in (viewer, controller):
        assert code(await locked.http.delete("/api/broadcasts/show", headers=bearer(token))) == (403, "forbidden")
        assert code(await locked.http.post("/whip/show", headers=SDP | bearer(token))) == (403, "forbidden")
    assert code(await locked.http.delete("/api/broadcasts/show", headers=bearer(other["tokens"]["host"]))) == (401, "no_token")
    seen = (await locked.http.get("/api/broadcasts/show", headers=bearer(controller))).json()
    assert set(seen["tokens"]) == {"controller", "viewer"}
    assert set((await locked.http.get("/api/broadcasts/show", headers=bearer(viewer))).json()["tokens"]) == {"viewer"}
    assert (await locked.http.delete("/api/broadcasts/show", headers=bearer(show["tokens"]["host"]))).status_code == 204


async def test_a_host_and_a_viewer_with_their_tokens_get_through(locked: Locked) -> None:
    show, host, viewer = await made(locked), FakeHost(), FakeViewer()
    async with httpx.AsyncClient(base_url=locked.url, headers=bearer(show["tokens"]["host"])) as http:
        assert (await host.go_live(http, show["whip_url"])).status_code == 201
    async with httpx.AsyncClient(base_url=locked.url) as http:
        assert (await viewer.watch(http, show["whep_url"])).status_code == 201  # the link holds the token
        assert (await http.delete(viewer.location)).status_code == 204  # and so does what it leads to
        assert code(await http.delete(host.location)) == (401, "no_token")
    await host.close()
    await viewer.close()


async def test_only_a_viewers_token_may_stand_in_an_address(locked: Locked) -> None:
    show = await made(locked)
    for role, status in (("viewer", 200), ("controller", 200), ("host", 200)):
        answer = await locked.http.get(f"/api/broadcasts/{show['id']}?token={show['tokens'][role]}")
        assert answer.status_code == status and set(answer.json()["tokens"]) == {"viewer"}
    assert code(await locked.http.delete(f"/api/broadcasts/{show['id']}?token={show['tokens']['host']}"))[0] == 403


async def test_a_controller_directs_but_does_not_end_and_a_viewer_listens(locked: Locked) -> None:
    show = await made(locked)
    url = show["control_url"]
    async with connect(url, additional_headers=bearer(show["tokens"]["controller"])) as socket:
        assert (await first(socket))["role"] == "controller"
        await socket.send('{"type": "emotion", "emotion": "joy", "id": "joy"}')
        await socket.send('{"type": "end", "id": "end"}')
        told = [await first(socket) for _ in range(12)]
        assert {"accepted", "error"} <= {message["type"] for message in told if message.get("id") in ("joy", "end")}
    async with connect(f"{url}?role=viewer&token={show['tokens']['viewer']}") as socket:
        assert (await first(socket))["role"] == "viewer"
    async with connect(url, additional_headers=bearer(show["tokens"]["viewer"])) as socket:
        assert (await first(socket))["role"] == "viewer"


async def test_a_browsers_websocket_shows_its_token_as_a_subprotocol(locked: Locked) -> None:
    show = await made(locked)
    async with connect(show["control_url"], subprotocols=["rostrum", f"bearer.{show['tokens']['host']}"]) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == "rostrum"  # the token does not come back
        assert (await first(socket))["role"] == "host"


@pytest.mark.parametrize("query", ["", "?role=host", "?role=viewer", "?token=wrong"])
async def test_a_websocket_without_its_token_is_told_why_and_closed(locked: Locked, query: str) -> None:
    show = await made(locked)
    async with connect(show["control_url"] + query) as socket:
        assert (await first(socket))["code"] == "forbidden"
        with pytest.raises(ConnectionClosed):
            await first(socket)


async def test_where_watching_is_public_viewers_need_no_token_and_hosts_do(tmp_path: Path) -> None:
    async with running_server(tmp_path, key=KEY, public=True) as running:
        show, viewer = await made(running), FakeViewer()
        assert "token" not in show["watch_url"]
        assert (await viewer.watch(running.http, show["whep_url"])).status_code == 201
        assert code(await running.http.delete(f"/api/broadcasts/{show['id']}")) == (403, "forbidden")
        await viewer.close()


# -- the studio page ----------------------------------------------------------------------------------------------------


async def test_the_page_opened_on_this_machine_works_without_a_link(locked: Locked) -> None:
    page = await locked.http.get("/")
    cookie = page.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
    assert (await locked.http.get("/api/avatars")).status_code == 200  # the client keeps cookies as a browser does
    show = (await locked.http.post("/api/broadcasts", json={}, headers={"Origin": locked.url})).json()
    async with connect(
        show["control_url"], additional_headers={"Cookie": cookie.partition(";")[0]}, origin=locked.url
    ) as socket:  # type: ignore[arg-type]
        assert (await first(socket))["role"] == "host"


async def test_the_link_with_the_key_works_from_anywhere_and_hides_the_key(tmp_path: Path) -> None:
    there = visitor(tmp_path, "203.0.113.9")
    opened = await there.get(f"/?key={KEY}")
    assert (opened.status_code, opened.headers["location"]) == (303, "/")
    assert KEY in opened.headers["set-cookie"]
    assert (await there.get("/api/avatars")).status_code == 200
    assert code(await there.get("/?key=wrong")) == (401, "wrong_key")


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}),  # a proxy on this machine passes on what comes from elsewhere
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}),
        ("127.0.0.1", {"Via": "1.1 proxy"}),
        ("127.0.0.1", {"Host": "192.0.2.7:8080"}),
        ("203.0.113.9", {}),
        ("203.0.113.9", {"Host": "localhost"}),
    ],
)
async def test_who_is_not_surely_on_this_machine_gets_the_page_without_the_key(
    tmp_path: Path, address: str, headers: dict[str, str]
) -> None:
    page = await visitor(tmp_path, address).get("/", headers=headers)
    assert page.status_code == 200 and "set-cookie" not in page.headers


@pytest.mark.parametrize("settings", [{"trust_loopback": False}, {"origins": ("https://studio.example",)}])
async def test_a_strict_server_and_one_with_a_name_give_the_key_to_nobody(tmp_path: Path, settings: dict[str, object]) -> None:
    page = await visitor(tmp_path, **settings).get("/")
    assert page.status_code == 200 and "set-cookie" not in page.headers


# -- pages and names of others ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "a b"]
)
async def test_a_name_that_was_led_here_gets_nothing(tmp_path: Path, name: str) -> None:
    """DNS rebinding: the attacker's page talks to this machine by the attacker's name."""
    http = visitor(tmp_path)
    for path in ("/", "/api/avatars", "/web/index.html"):
        answer = await http.get(path, headers={"Host": name, **bearer(KEY)})
        assert code(answer) == (421, "unknown_host")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("name", ["localhost:8080", "127.0.0.1", "[::1]:8080", "192.0.2.7:8080", "studio.localhost"])
async def test_names_that_cannot_be_anybody_elses_are_served(tmp_path: Path, name: str) -> None:
    assert (await visitor(tmp_path).get("/", headers={"Host": name})).status_code == 200


async def test_machines_may_ask_for_health_by_any_name(tmp_path: Path) -> None:
    http = visitor(tmp_path)
    assert (await http.get("/healthz", headers={"Host": "rostrum-0.rostrum.svc"})).status_code == 200
    assert (await http.get("/metrics", headers={"Host": "rostrum:8080"})).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null"])
async def test_a_page_from_elsewhere_changes_nothing_though_its_visitor_has_the_cookie(locked: Locked, origin: str) -> None:
    """Cross-site requests, those of another port of this machine included: cookies do not tell ports apart."""
    cookie = (await locked.http.get("/")).headers["set-cookie"].partition(";")[0]
    for method, path in [
        ("POST", "/api/broadcasts"),
        ("POST", "/whip/a-show"),
        ("DELETE", "/api/broadcasts/x"),
        ("POST", "/api/avatars"),
    ]:
        answer = await locked.http.request(method, path, headers={"Origin": origin, "Content-Type": "text/plain"}, content="{}")
        assert code(answer) == (403, "cross_origin")
        assert "access-control-allow-origin" not in answer.headers
    with pytest.raises(InvalidStatus):
        url = f"{locked.url.replace('http', 'ws')}/control/x"
        await connect(url, additional_headers={"Cookie": cookie}, origin=origin)  # type: ignore[arg-type]
    read = await locked.http.get("/api/avatars", headers={"Origin": origin})
    assert "access-control-allow-origin" not in read.headers
    assert "rostrum_broadcasts 0\n" in (await locked.http.get("/metrics")).text


async def test_an_origin_of_the_operators_may_use_whip_and_read_where_a_session_is(tmp_path: Path) -> None:
    http, there = visitor(tmp_path, origins=("https://studio.example",)), {"Origin": "https://studio.example"}
    preflight = await http.options("/whip/any", headers={**there, "Access-Control-Request-Method": "PATCH"})
    assert preflight.status_code == 200 and "PATCH" in preflight.headers["access-control-allow-methods"]
    answer = await http.post("/whip/any", headers={**there, **bearer(KEY)})
    assert code(answer) == (415, "wrong_type")
    assert answer.headers["access-control-allow-origin"] == "https://studio.example"
    exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {"Location", "ETag", "Link"} <= exposed
    assert (await http.get("/schema", headers={"Host": "studio.example"})).status_code == 200


async def test_pages_say_what_they_may_load_and_tell_nobody_their_address(tmp_path: Path) -> None:
    page = await visitor(tmp_path).get("/")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["x-frame-options"] == "DENY"


# -- too much -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "method", "path"),
    [
        ("requests", "GET", "/schema"),
        ("offers", "POST", "/whip/some-show"),
        ("offers_each", "POST", "/whip/some-show"),
        ("avatars", "POST", "/api/avatars?name=anna"),
    ],
)
async def test_who_asks_too_often_is_told_when_to_come_again(tmp_path: Path, limit: str, method: str, path: str) -> None:
    http = visitor(tmp_path, key=None, limits=Limits(**{limit: Rate(3, 0.1)}))
    answers = [await http.request(method, path, headers=SDP) for _ in range(4)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, False, True]
    assert code(answers[-1]) == (429, "too_many")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 10


async def test_one_address_does_not_use_up_what_another_may_ask(tmp_path: Path) -> None:
    app = Server(ServerSettings(web_root=WEB_ROOT, limits=Limits(requests=Rate(1, 0.1))), fake_library(tmp_path, "plain")).app()

    async def asks(address: str) -> int:
        transport = httpx.ASGITransport(app, client=(address, 1))
        return (await httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1").get("/schema")).status_code

    assert [await asks(address) for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")] == [200, 429, 200]
    # An IPv6 customer has a whole /64 to ask from.
    assert [await asks(address) for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")] == [200, 429, 200]


async def test_a_controller_that_says_too_much_is_read_more_slowly_and_loses_nothing(tmp_path: Path) -> None:
    async with running_server(tmp_path, limits=Limits(messages=Rate(5, 20))) as running:
        show = (await running.http.post("/api/broadcasts", json={})).json()
        async with connect(show["control_url"]) as socket, asyncio.timeout(60):
            began = asyncio.get_running_loop().time()
            for i in range(25):
                await socket.send(json.dumps({"type": "ping", "id": str(i)}))
            pongs = 0
            while pongs < 25:
                pongs += json.loads(await socket.recv())["type"] == "pong"
            assert asyncio.get_running_loop().time() - began > 0.9  # 20 beyond the burst, at 20 a second


async def test_one_controller_too_many_is_turned_away(tmp_path: Path) -> None:
    async with running_server(tmp_path, limits=Limits(controls=1)) as running:
        show = (await running.http.post("/api/broadcasts", json={})).json()
        async with connect(show["control_url"]) as one, connect(show["control_url"]) as two:
            assert (await first(one))["type"] == "hello"
            assert (await first(two))["code"] == "busy"


async def test_a_broadcast_may_be_given_its_name_and_no_name_twice(locked: Locked) -> None:
    assert (await made(locked, id="morning-show"))["id"] == "morning-show"
    again = await locked.http.post("/api/broadcasts", json={"id": "morning-show"}, headers=bearer(KEY))
    assert code(again) == (409, "broadcast_taken")
    assert code(await locked.http.post("/api/broadcasts", json={"id": "../x"}, headers=bearer(KEY))) == (400, "bad_setting")
