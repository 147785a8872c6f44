"""A speech server on 127.0.0.1: POST /v1/audio/speech, as OpenAI documents it, with a hum for a voice, or a fault as told."""

import io
import json
import threading
import wave
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import numpy as np

KEY = "sk-speech-0123456789"
SECONDS_A_CHARACTER = 0.05
RATE_HZ = 24_000

#: Writes the response to a request, whose JSON it is given.
Behaviour = Callable[["Connection", dict[str, Any]], None]


def hum(seconds: float, rate_hz: int = RATE_HZ) -> bytes:
    """Signed 16-bit mono, loud enough to light the fake worker's lamp."""
    return (12_000 * np.sin(2 * np.pi * 220 * np.arange(int(seconds * rate_hz)) / rate_hz)).astype("<i2").tobytes()


def wav(pcm: bytes, rate_hz: int, channels: int = 1) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm)
    return out.getvalue()


def speak(connection: "Connection", asked: dict[str, Any]) -> None:
    """Chunked PCM or WAV, 100 ms a chunk, as fast as it is taken."""
    pcm = hum(SECONDS_A_CHARACTER * len(asked["input"]))
    body = wav(pcm, RATE_HZ) if asked["response_format"] == "wav" else pcm
    connection.stream(f"audio/{asked['response_format']}", [body[i : i + 4801] for i in range(0, len(body), 4801)])


def failure(status: int, message: str) -> Behaviour:
    body = json.dumps({"error": {"message": message}}).encode()
    return lambda connection, asked: connection.whole(status, "application/json", body)


def raw(body: bytes, content_type: str = "audio/pcm") -> Behaviour:
    return lambda connection, asked: connection.whole(200, content_type, body)


def only_wav(connection: "Connection", asked: dict[str, Any]) -> None:
    """A server that knows no `pcm`."""
    if asked["response_format"] != "wav":
        return failure(400, "response_format must be one of wav, mp3")(connection, asked)
    speak(connection, asked)


def breaks_off(connection: "Connection", asked: dict[str, Any]) -> None:
    connection.send_response(200)
    connection.send_header("Content-Type", "audio/pcm")
    connection.send_header("Content-Length", "100000")
    connection.end_headers()
    connection.wfile.write(hum(0.2))
    connection.close_connection = True


def stalls(connection: "Connection", asked: dict[str, Any]) -> None:
    """Half a second of sound, and no end."""
    connection.stream("audio/pcm", [hum(0.5)], ends=False)
    connection.server.leaving.wait(60)


class Connection(BaseHTTPRequestHandler):
    """One request."""

    server: "SpeechServer"
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/audio/speech":
            return failure(404, f"no {self.path}")(self, asked)
        if self.server.key and self.headers.get("Authorization") != f"Bearer {self.server.key}":
            return failure(401, f"bad key {self.headers.get('Authorization')}")(self, asked)
        self.server.asked.append(asked)
        try:
            self.server.behaviour(self, asked)
        except (BrokenPipeError, ConnectionResetError):
            self.server.left.set()
            self.close_connection = True

    def whole(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, content_type: str, pieces: list[bytes], *, ends: bool = True) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if ends:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        pass


class SpeechServer(ThreadingHTTPServer):
    """`with SpeechServer(behaviour) as server: server.url`. `asked` keeps what it was asked."""

    daemon_threads = True

    def __init__(self, behaviour: Behaviour = speak, key: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.behaviour, self.key = behaviour, key
        self.asked: list[dict[str, Any]] = []
        self.leaving, self.left = threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> "SpeechServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.leaving.set()
        self.shutdown()
        self.server_close()
