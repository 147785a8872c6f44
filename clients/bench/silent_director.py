"""A language model's server that can be told to fall silent: it has the least to say to each question, until it has nothing."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

_LEAST = {"storyline": {"beats": []}, "voice_caption": {"emotion": "calm"}, "portrait_caption": {"description": "a portrait"}}


class SilentDirector:
    """`with SilentDirector() as director`: an OpenAI-compatible server at `director.url`."""

    def __init__(self) -> None:
        self._speaks = threading.Event()
        self._speaks.set()
        self._leaving = threading.Event()
        director = self

        class Connection(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
                director.wait()
                answer = _LEAST.get(asked.get("response_format", {}).get("json_schema", {}).get("name"), {})
                message = {"role": "assistant", "content": json.dumps(answer)}
                body = json.dumps({"choices": [{"message": message}]}).encode()
                with contextlib.suppress(OSError):  # who asked has given up waiting
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Connection)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def fall_silent(self) -> None:
        """From now on it takes questions and answers none."""
        self._speaks.clear()

    def speak(self) -> None:
        self._speaks.set()

    def wait(self) -> None:
        while not self._leaving.is_set() and not self._speaks.wait(0.1):
            pass

    def __enter__(self) -> SilentDirector:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._leaving.set()
        self._http.shutdown()
        self._http.server_close()
