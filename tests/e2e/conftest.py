"""A whole server in a process of its own, and Debian's Chromium with a recorded voice for a microphone."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from clients.python.sound import RATE_HZ, read_sound

SPEECH = Path(__file__).parents[1] / "data" / "speech.ogg"
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        reason = "no Chromium on this machine: `make test` installs Debian's where it may, or apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Waits are for a slow machine: only what never happens takes so long."""
    expect.set_options(timeout=60_000)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The speech sample as the 48 kHz WAV that Chromium plays into its fake microphone, over and over."""
    path = tmp_path_factory.mktemp("voice") / "voice.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(read_sound(SPEECH).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium_path: str, voice: Path) -> Iterator[Browser]:
    """Chromium whose microphone is allowed and speaks."""
    arguments = [*ARGUMENTS, "--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={voice}"]
    running = playwright.chromium.launch(executable_path=chromium_path, args=arguments)
    yield running
    running.close()


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`rostrum serve` as it is, the user's own avatars elsewhere."""
    home = tmp_path_factory.mktemp("home")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = home / "server.log"
    words = [sys.executable, "-m", "clients.cli.main", "serve", "--port", str(port), "--drain", "0"]
    environment = {**os.environ, "ROSTRUM_HOME": str(home), "PYTHONFAULTHANDLER": "1"}
    with log.open("w") as file:
        process = subprocess.Popen(words, stdout=file, stderr=file, env=environment)
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # where it stands is written to the log
            process.wait(20)
            pytest.fail(f"the server does not end when asked to:\n{log.read_text()}")
    tracebacks = re.findall(r"Traceback[\s\S]*?\n\S.*", log.read_text())
    assert not tracebacks, "\n".join(tracebacks)


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(3000):
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=1):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
    pytest.fail(f"the server was not ready within five minutes:\n{log.read_text()}")
