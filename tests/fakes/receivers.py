"""Real programs of the system that take what a broadcast sends: nginx for RTMP, ffmpeg for SRT, Janus for RTP and viewers."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

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
