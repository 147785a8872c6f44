"""STUN and TURN servers, as they are written and as peers are told of them."""

from pathlib import Path

import httpx
import pytest

from streamer import webrtc
from streamer.config import ConfigError, ServerSettings
from streamer.ice_server import IceServer
from tests.fakes.listener import make_broadcast
from tests.fakes.peers import FakeViewer, running_server

TURN = "turn:rostrum:s3cret@turn.example:3478?transport=udp"


def test_the_user_of_a_turn_server_is_told_apart_from_its_address() -> None:
    assert IceServer.parse(TURN) == IceServer("turn:turn.example:3478?transport=udp", "rostrum", "s3cret")
    assert IceServer.parse("stun:[2001:db8::1]:3478") == IceServer("stun:[2001:db8::1]:3478")


@pytest.mark.parametrize("text", ["turn.example", "http://turn.example", 'stun:x"y', "turn:a:b c@host", ""])
def test_what_is_no_server_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(ConfigError, match="ice-server: ") as caught:
        ServerSettings(web_root=Path(), ice_servers=(text,))
    assert "b c" not in str(caught.value)


async def test_peers_are_told_of_it_and_so_is_our_own_end(tmp_path: Path) -> None:
    async with running_server(tmp_path, ice_servers=("stun:127.0.0.1:9", TURN.replace("turn.example", "127.0.0.1"))) as running:
        made, viewer = await make_broadcast(running), FakeViewer()
        answer: httpx.Response = await viewer.watch(running.http, made["whep_url"])
        assert answer.headers["link"] == (
            '<stun:127.0.0.1:9>; rel="ice-server", <turn:127.0.0.1:3478?transport=udp>; rel="ice-server"; '
            'username="rostrum"; credential="s3cret"; credential-type="password"'
        )
        await viewer.close()
    pc = webrtc.connection((TURN,))
    (server,) = pc._RTCPeerConnection__configuration.iceServers  # type: ignore[attr-defined]
    assert (server.username, server.credential) == ("rostrum", "s3cret")
    await pc.close()
