"""A whole broadcast pushed to real receivers of this machine, which decode it: an RTMP server, and an SRT listener."""

import asyncio
import json
import socket
import statistics
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.fakes import receivers
from tests.fakes.listener import Listener, make_broadcast
from tests.fakes.peers import FakeHost, running_server
from tests.fakes.stream import Played


async def _until_on(control: Listener, kind: str) -> None:
    while True:
        told = await control.until("outputs")
        if any(output["kind"] == kind and output["state"] == "on" for output in told["outputs"]):
            return


def _is_even(at_s: list[float]) -> bool:
    return bool(np.allclose(np.diff(at_s), 1 / 25, atol=1.5e-3))  # RTMP counts milliseconds


async def test_a_live_broadcast_goes_by_rtmp_and_srt_while_it_is_recorded(tmp_path: Path) -> None:
    ffmpeg, srt_port, caught = receivers.program("ffmpeg"), receivers.free_port(socket.SOCK_DGRAM), tmp_path / "caught.ts"
    listen = f"srt://127.0.0.1:{srt_port}?mode=listener&passphrase=ten-or-more"
    catch = [ffmpeg, "-v", "error", "-i", listen, "-c", "copy", "-t", "2.5", str(caught)]
    catching = await asyncio.create_subprocess_exec(*catch)
    with receivers.rtmp_server(tmp_path) as rtmp_url:
        async with running_server(tmp_path, recordings_root=tmp_path / "recordings") as running:
            made, host = await make_broadcast(running), FakeHost()
            async with Listener(made["control_url"]) as control:
                await host.go_live(running.http, made["whip_url"])
                await control.until("state", state="live")
                await control.send(type="start_output", kind="rtmp", url=rtmp_url, key="secret", id="r")
                assert "secret" not in json.dumps(await control.until("accepted", id="r"))
                await control.send(type="start_output", kind="srt", url=f"srt://127.0.0.1:{srt_port}", key="ten-or-more")
                await control.send(type="start_output", kind="record")
                await _until_on(control, "rtmp")
                by_rtmp = await asyncio.to_thread(Played, f"{rtmp_url}/secret", 60)
                await asyncio.wait_for(catching.wait(), 60)
                exposed = (await running.http.get("/metrics")).text
                assert 'kind="record"} 1' in exposed and "rostrum_output_up" in exposed
                await control.send(type="end")
                told = await control.until("state", state="ended")
                assert told["reason"] == "the host ended it"
            await host.close()
            recorded = await _download(running.http, tmp_path)
    by_srt = Played(str(caught))
    assert len(by_rtmp.at_s) == 60 and _is_even(by_rtmp.at_s)
    assert len(by_srt.at_s) >= 40 and by_srt.sound_s > 1.5
    assert len(recorded.at_s) > 60 and _is_even(recorded.at_s) and recorded.lit_s
    assert abs(statistics.median(recorded.skews_s())) <= 0.04  # one by one, a picture of a busy machine may be held


async def _download(http: httpx.AsyncClient, folder: Path) -> Played:
    name = next((folder / "recordings").iterdir()).name
    answer = await http.get(f"/recordings/{name}")
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    (folder / "got.mp4").write_bytes(answer.content)
    return Played(str(folder / "got.mp4"))


@pytest.mark.parametrize("name", ["nobody.mp4", "..%2f..%2fetc%2fpasswd", "a.txt"])
async def test_only_recordings_can_be_downloaded(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").write_text("private")
    async with running_server(tmp_path, recordings_root=tmp_path) as running:
        assert (await running.http.get(f"/recordings/{name}")).status_code == 404


async def test_recordings_are_the_hosts_and_hls_is_for_whoever_may_watch(tmp_path: Path) -> None:
    (tmp_path / "show-1a.mp4").write_bytes(b"film")
    async with running_server(tmp_path, recordings_root=tmp_path, key="the-key-of-this-test") as running:
        asked = {"id": "show", "avatar": "plain"}
        made = await running.http.post("/api/broadcasts", json=asked, headers=_bearer("the-key-of-this-test"))
        tokens = made.json()["tokens"]
        for path, role, wrong_role in (
            ("/recordings/show-1a.mp4", "host", "viewer"),
            ("/hls/show/index.m3u8", "viewer", None),
        ):
            assert (await running.http.get(path)).status_code == 401
            if wrong_role:
                assert (await running.http.get(path, headers=_bearer(tokens[wrong_role]))).status_code == 403
            answer = await running.http.get(path, headers=_bearer(tokens[role]))
            assert answer.status_code == (200 if role == "host" else 404)  # HLS is not on yet


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
