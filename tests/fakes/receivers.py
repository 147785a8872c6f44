"""Real programs of the system that take what a broadcast sends: nginx for RTMP, ffmpeg for SRT, Janus for RTP and viewers."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

RTMP_MODULES = (Path("/usr/lib/nginx/modules/ngx_rtmp_module.so"), Path("/usr/share/nginx/modules/ngx_rtmp_module.so"))


def program(name: str) -> str:
    """Where it is. Skips the test, or fails it under CI, where it is not."""
    return found if (found := shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")) else missing(name)


def missing(name: str) -> str:
    reason = f"no {name} on this machine: `sh deploy/system-packages.sh outputs` installs Debian's where it may"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def rtmp_server(folder: Path) -> Iterator[str]:
    """nginx with its RTMP module; the address of an application that takes any stream."""
    nginx = program("nginx")
    module = next((path for path in RTMP_MODULES if path.is_file()), None) or missing("RTMP module for nginx")
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"load_module {module}; daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nrtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; }} }} }}\n"
    )
    with subprocess.Popen([nginx, "-p", folder, "-c", configuration], stderr=subprocess.DEVNULL) as server:
        try:
            wait_for_port(port, server)
            yield f"rtmp://127.0.0.1:{port}/live"
        finally:
            server.terminate()


def wait_for_port(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        assert server.poll() is None, "it did not start"
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.05)
    raise AssertionError("it does not listen")


class Janus:
    """A Janus that runs, over its HTTP interface, with one session."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._session = ""

    async def open(self) -> None:
        self._session = f"/janus/{(await self._ask('/janus', janus='create'))['data']['id']}"

    async def attach(self) -> str:
        """A handle of the VideoRoom plugin."""
        found = await self._ask(self._session, janus="attach", plugin="janus.plugin.videoroom")
        return f"{self._session}/{found['data']['id']}"

    async def tell(self, handle: str, jsep: dict[str, str] | None = None, **body: object) -> dict[str, Any]:
        """Ask the plugin; the event that answers."""
        message: dict[str, object] = {"janus": "message", "body": body}
        if jsep:
            message["jsep"] = jsep
        answer = await self._ask(handle, **message)
        while answer["janus"] != "event" and answer.get("plugindata") is None:
            answer = (await self._http.get(self._session)).json()
        assert "error" not in answer["plugindata"]["data"], answer
        return answer

    async def _ask(self, path: str, **message: object) -> dict[str, Any]:
        answer: dict[str, Any] = (await self._http.post(path, json={"transaction": "t", **message})).json()
        assert answer["janus"] in ("success", "ack"), answer
        return answer


@contextlib.asynccontextmanager
async def janus_server(folder: Path) -> AsyncIterator[Janus]:
    """Debian's Janus with VideoRoom alone, on a free port of 127.0.0.1."""
    janus, port = program("janus"), free_port()
    (folder / "janus.jcfg").write_text(
        f'general: {{ configs_folder = "{folder}" }}\n'
        'plugins: { disable = "libjanus_audiobridge.so,libjanus_duktape.so,libjanus_echotest.so,libjanus_lua.so,'
        "libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,libjanus_streaming.so,libjanus_textroom.so,"
        'libjanus_videocall.so,libjanus_voicemail.so" }\n'
        'transports: { disable = "libjanus_websockets.so,libjanus_pfunix.so,libjanus_rabbitmq.so,libjanus_nanomsg.so,'
        'libjanus_mqtt.so" }\n'
    )
    (folder / "janus.transport.http.jcfg").write_text(
        f'general: {{ base_path = "/janus", http = true, port = {port}, ip = "127.0.0.1", https = false }}\n'
    )
    (folder / "janus.plugin.videoroom.jcfg").write_text(
        'room-1: { publishers = 2, videocodec = "h264", audiocodec = "opus", fir_freq = 1 }\n'
    )
    with (folder / "janus.log").open("wb") as log:
        running = await asyncio.create_subprocess_exec(
            janus, "-F", str(folder), "-C", f"{folder}/janus.jcfg", stdout=log, stderr=log
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            async with asyncio.timeout(60):
                while True:
                    assert running.returncode is None, (folder / "janus.log").read_text()
                    with contextlib.suppress(httpx.HTTPError):
                        await http.get("/janus/info")
                        break
                    await asyncio.sleep(0.05)
            found = Janus(http)
            await found.open()
            yield found
    finally:
        running.terminate()
        await running.wait()
