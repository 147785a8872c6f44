"""The doctor tries what it tells of: sockets are bound, a real TURN server relays, a running server is watched."""

import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aioice.ice
import pytest

from clients.cli.main import main
from clients.doctor import connection, machine, running
from clients.doctor.finding import Finding
from streamer.config import DrawingSettings, ServerSettings, SpeechSettings
from tests.fakes.avatars import fake_library
from tests.fakes.running_server import RunningServer


async def findings(check: AsyncIterator[Finding]) -> list[Finding]:
    return [finding async for finding in check]


@pytest.fixture
def on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


@pytest.fixture(scope="module")
def turn_port() -> Iterator[int]:
    """A coturn that relays on this machine for the user `rostrum`."""
    if not shutil.which("turnserver"):
        pytest.skip("coturn is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    words = [
        "turnserver", "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}", "--realm=test",
        "--lt-cred-mech", "--user=rostrum:right", "--allow-loopback-peers", "--no-tls", "--no-dtls", "--no-cli",
        "--log-file=stdout", "--pidfile=",
    ]  # fmt: skip
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _wait_for_stun(port)
    yield port
    process.kill()
    process.wait()


def _wait_for_stun(port: int) -> None:
    """Until a binding request (RFC 8489) is answered."""
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.2)
        for _ in range(150):
            asking.sendto(bytes.fromhex("000100002112a442") + bytes(12), ("127.0.0.1", port))
            try:
                asking.recv(2000)
                return
            except OSError:
                continue
    pytest.fail("coturn does not answer")


def settings(**wish: Any) -> ServerSettings:
    return ServerSettings(web_root=Path(), **wish)


# -- connection ---------------------------------------------------------------------------------------------------------


async def test_a_turn_server_is_connected_through(on_loopback: None, turn_port: int) -> None:
    servers = (f"stun:127.0.0.1:{turn_port}", f"turn:rostrum:right@127.0.0.1:{turn_port}?transport=udp")
    stun, turn = await findings(connection.ice_servers(settings(ice_servers=servers)))
    assert stun.verdict == "good" and "seen as 127.0.0.1" in stun.found
    assert turn.verdict == "good" and "connected through it" in turn.found
    assert "right" not in turn.found


async def test_a_turn_server_that_refuses_the_user_is_told_apart_from_one_that_is_not_there(
    on_loopback: None, turn_port: int
) -> None:
    (wrong,) = await findings(connection.ice_servers(settings(ice_servers=(f"turn:rostrum:wrong@127.0.0.1:{turn_port}",))))
    assert wrong.verdict == "bad" and "refuses" in wrong.found and "password" in wrong.way_out
    assert "wrong" not in wrong.found
    (absent,) = await findings(connection.ice_servers(settings(ice_servers=("turn:rostrum:x@127.0.0.1:9?transport=tcp",))))
    assert absent.verdict == "bad" and "cannot be reached" in absent.found


async def test_two_ends_connect_over_udp_where_a_port_is_free(on_loopback: None) -> None:
    (connected,) = await findings(connection.udp(settings()))
    assert connected.verdict == "good" and " ms" in connected.found
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
        one.bind(("", 0))
        first = one.getsockname()[1]
        two.bind(("", first + 1))
        (taken,) = await findings(connection.udp(settings(udp_ports=range(first, first + 2))))
    assert taken.verdict == "bad" and f"0 of 2 UDP ports from {first}" in taken.found and "--udp-ports" in taken.way_out


async def test_without_an_address_nobody_can_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [])
    (none,) = await findings(connection.candidates(settings()))
    assert none.verdict == "bad" and "--loopback" in none.way_out
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    (private,) = await findings(connection.candidates(settings()))
    assert private.verdict == "note" and "--ice-server" in private.way_out


@pytest.mark.parametrize(
    ("host", "tls", "origins", "verdict"),
    [
        ("127.0.0.1", False, (), "good"),
        ("0.0.0.0", False, (), "note"),
        ("192.168.1.5", False, (), "bad"),
        ("192.168.1.5", True, (), "good"),
        ("127.0.0.1", False, ("https://studio.example",), "good"),
        ("127.0.0.1", False, ("http://studio.example",), "bad"),
    ],
)
async def test_where_a_browser_gives_a_microphone(host: str, tls: bool, origins: tuple[str, ...], verdict: str) -> None:
    (found,) = await findings(connection.page(host, 8080, tls, origins))
    assert found.verdict == verdict


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (found,) = await findings(connection.port("127.0.0.1", port))
        assert found.verdict == "note" and "--url" in found.way_out
    (free,) = await findings(connection.port("127.0.0.1", port))
    assert free.verdict == "good"


# -- a running server, the machine ----------------------------------------------------------------------------------------


async def test_a_running_server_is_watched(tmp_path: Path) -> None:
    with RunningServer(fake_library(tmp_path, "plain")) as server:
        ready, seen = await findings(running.server(server.url))
        assert ready.verdict == "good" and seen.verdict == "good" and "a viewer here sees it" in seen.found
    (gone,) = await findings(running.server(server.url))
    assert gone.verdict == "bad" and "rostrum serve" in gone.way_out


async def test_a_voice_that_is_not_there_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    speech = SpeechSettings("openai", url="http://127.0.0.1:9/v1", model="m")
    (found,) = await findings(machine.voice(settings(speech=speech)))
    assert found.verdict == "note" and "--speech-url" in found.found


async def test_a_folder_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROSTRUM_HOME", str(tmp_path))
    assert (await findings(machine.disk()))[0].verdict == "good"
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert (await findings(machine.disk()))[0].verdict == "bad"


@pytest.mark.parametrize(
    ("words", "about", "found"),
    [(["--ice-server", "turn.example"], "settings", "ice-server"), (["--url", "http://127.0.0.1:9"], "server", "127.0.0.1:9")],
)
def test_each_finding_is_one_object_a_line_and_a_bad_one_is_a_failure(
    capsys: pytest.CaptureFixture[str], words: list[str], about: str, found: str
) -> None:
    assert main(["doctor", "--json", *words]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert (said["about"], said["verdict"]) == (about, "bad")
    assert found in said["found"] and said["way_out"]


@pytest.fixture(scope="module")
def video_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    from tests.fakes.tiny_wan import write_weights

    return write_weights(tmp_path_factory.mktemp("wan"))


async def test_video_weights_are_told_by_their_headers(video_weights: Path) -> None:
    from clients.doctor.weights import weights

    found = await findings(weights(DrawingSettings("wan", video_weights)))
    assert found[0].verdict == "good"
    assert "2 blocks of width 48" in found[0].found and "hears as infinitetalk does" in found[0].found
    assert "GB of GPU memory are wanted" in found[1].found
    (wrong, *_) = await findings(weights(DrawingSettings("wan-14b", video_weights)))
    assert wrong.verdict == "bad" and "is no wan-14b: 2 blocks of width 48" in wrong.found


async def test_video_weights_that_lack_a_part_or_do_not_fit_each_other_are_told(video_weights: Path, tmp_path: Path) -> None:
    from clients.doctor.weights import weights
    from tests.fakes.tiny_conditioners import write_umt5, write_wav2vec2

    folder = tmp_path / "wan"
    deaf_to_one = write_wav2vec2(tmp_path / "ears", layers=2)
    for slip, said in (
        ({"adapter": str(video_weights / "vae")}, "which nothing here uses"),
        ({"text_encoder": str(write_umt5(tmp_path / "umt5", dim=12))}, "gives 12 features, and the transformer takes 20"),
        (
            {"audio_encoder": str(deaf_to_one)},
            "gives 16 features, and the transformer takes 24",
        ),
        ({"tiny_vae": str(video_weights / "vae")}, "lacks"),
    ):
        folder.mkdir(exist_ok=True)
        (folder / "weights.json").write_text(json.dumps({"base": str(video_weights)} | slip))
        found = await findings(weights(DrawingSettings("wan", folder)))
        assert [f.verdict for f in found if said in f.found] == ["bad"], said
