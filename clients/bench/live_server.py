"""A real server in a process of its own, for one measurement, and how much processor it takes."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

from clients.bench.processes import processor_s
from clients.python.server import request

_START_TIMEOUT_S = 180.0


class ServerFailed(Exception):
    """The server did not come up. The message holds what it said."""


class LiveServer:
    """`with LiveServer() as server`: `rostrum serve` on a free port of 127.0.0.1, ended with the block."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._log = tempfile.NamedTemporaryFile(prefix="rostrum-serve-", suffix=".log")  # noqa: SIM115
        self.url = f"http://127.0.0.1:{_free_port()}"

    def __enter__(self) -> LiveServer:
        port = self.url.rpartition(":")[2]
        command = [sys.executable, "-m", "clients.cli.main", "serve", "--port", port, *self._arguments]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    @property
    def said(self) -> str:
        """The end of what the server wrote."""
        return Path(self._log.name).read_text(errors="replace")[-4000:]

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_s(self) -> float:
        """Processor seconds so far, its render workers included. NaN where the system does not tell (it has no /proc)."""
        return processor_s(self._process.pid)

    async def loop_lag_ms(self) -> float | None:
        """How late its event loop wakes, 95th percentile of its last seconds; None where it does not tell."""
        text = (await request("GET", f"{self.url}/metrics")).body.decode()
        found = re.search(r"^rostrum_event_loop_lag_p95_seconds (\S+)", text, re.MULTILINE)
        return 1e3 * float(found[1]) if found else None

    def _wait_until_ready(self) -> None:
        give_up_at = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < give_up_at:
            if self._process.poll() is not None:
                raise ServerFailed(f"rostrum serve ended with status {self._process.returncode}:\n{self.said}")
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(self.url + "/readyz", timeout=5).close()
                return
            time.sleep(0.1)
        raise ServerFailed(f"rostrum serve was not ready within {_START_TIMEOUT_S:.0f} s:\n{self.said}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
