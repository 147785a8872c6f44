"""SRT push: MPEG-TS through the system's ffmpeg, as the FFmpeg inside PyAV has no libsrt."""

from __future__ import annotations

import contextlib
import errno
import functools
import shutil
import subprocess
import threading
from urllib.parse import parse_qsl, urlencode, urlsplit

from streamer.encoder import Encoded
from streamer.outputs.muxing import Muxer
from streamer.outputs.output import OutputOver, StreamFormat

_WITHOUT = "SRT needs an ffmpeg with libsrt on this machine, such as Debian's: apt-get install ffmpeg"
_CLOSE_S = 2.0


def address(url: str, passphrase: str) -> tuple[str, str]:
    """(where to push, what may be shown of it). Raises ValueError."""
    parts = urlsplit(url)
    try:
        has_port = bool(parts.port)
    except ValueError:
        has_port = False
    if parts.scheme != "srt" or not parts.hostname or not has_port:
        raise ValueError(
            "an SRT address looks like srt://live.example.org:9000, with a passphrase beside it where one is needed"
        )
    query = dict(parse_qsl(parts.query))
    if passphrase:
        if not 10 <= len(passphrase) <= 79:
            raise ValueError("an SRT passphrase has 10 to 79 characters")
        query["passphrase"] = passphrase
    query.setdefault("mode", "caller")
    query.setdefault("pkt_size", "1316")
    return f"srt://{parts.netloc}?{urlencode(query)}", f"srt://{parts.netloc.rpartition('@')[2]}"


@functools.cache
def _program() -> str:
    """An ffmpeg that speaks SRT. Raises OutputOver."""
    found = shutil.which("ffmpeg")
    if found is None:
        raise OutputOver(_WITHOUT)
    said = subprocess.run([found, "-hide_banner", "-protocols"], capture_output=True, text=True, timeout=20).stdout
    if "srt" not in said.split():
        raise OutputOver(_WITHOUT)
    return found


class Srt:
    """A sink: an ffmpeg of its own that copies what comes through its pipe. It fails as that ends."""

    def __init__(self, url: str, stream: StreamFormat) -> None:
        command = [
            _program(), "-hide_banner", "-loglevel", "error", "-nostdin", "-probesize", "200000", "-analyzeduration", "500000",
            "-f", "mpegts", "-i", "pipe:0", "-c", "copy", "-f", "mpegts", "-flush_packets", "1",
            "-progress", "pipe:1", "-stats_period", "0.2", url,
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self._process.stdin
        self.is_on = False
        self._said = b""
        self._listening = [
            threading.Thread(target=listen, name="srt-listens", daemon=True) for listen in (self._read_log, self._read_progress)
        ]
        for thread in self._listening:
            thread.start()
        self._muxer = Muxer(self._process.stdin, "mpegts", stream, {"flush_packets": "1"})

    def _read_log(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self._said = line

    def _read_progress(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            name, _, value = line.decode().strip().partition("=")
            self.is_on = self.is_on or (name == "total_size" and value.isdigit() and int(value) > 0)

    def write(self, encoded: Encoded) -> None:
        try:
            self._muxer.write(encoded)
            if self._process.poll() is not None:
                raise BrokenPipeError
        except OSError:
            raise self._failure() from None

    def _failure(self) -> OSError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLOSE_S)
        for thread in self._listening:
            thread.join(_CLOSE_S)
        said = self._said.decode(errors="replace").strip().rpartition(": ")[2]
        if said == "Input/output error" and not self.is_on:
            said = "nobody answers there, or not to this passphrase"
        return OSError(errno.EPIPE, said or "the connection was lost")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._muxer.close()
        assert self._process.stdin
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._listening:
            thread.join(_CLOSE_S)
