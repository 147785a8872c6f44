"""An OpenAI-compatible server on 127.0.0.1 that checks what it is asked, and answers, or misbehaves, as a test tells it."""

import base64
import io
import json
import threading
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

KEY = "sk-test-0123456789"


@dataclass
class Asked:
    """One request as the server understood it."""

    body: dict[str, Any]
    headers: dict[str, str]
    text: str = ""  # all text parts
    sounds: list[NDArray[np.int16]] = field(default_factory=list)
    pictures: list[NDArray[np.uint8]] = field(default_factory=list)

    @property
    def format(self) -> str:
        return self.body.get("response_format", {}).get("type", "text")

    @property
    def schema_name(self) -> str:
        return self.body.get("response_format", {}).get("json_schema", {}).get("name", "")


#: What to do with a request: it is given the connection and the request, and writes the response.
Behaviour = Callable[["Connection", Asked], None]


def answer(text: str | dict[str, Any], *, pieces: int = 7, after_s: float = 0.0) -> Behaviour:
    """Stream this as the model's words, `after_s` later."""
    words = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)

    def behave(connection: "Connection", asked: Asked) -> None:
        connection.server.leaving.wait(after_s)
        if not asked.body.get("stream"):
            return connection.whole(words)
        step = max(1, -(-len(words) // pieces))
        connection.events([words[i : i + step] for i in range(0, len(words), step)])

    return behave


def unstreamed(text: str | dict[str, Any]) -> Behaviour:
    """One JSON body, whatever was asked for."""
    words = text if isinstance(text, str) else json.dumps(text)
    return lambda connection, asked: connection.whole(words)


def failure(status: int, message: str = "on purpose", headers: dict[str, str] | None = None) -> Behaviour:
    """An error, as OpenAI words it."""
    body = {"error": {"message": message, "type": "test", "param": None, "code": None}}
    return lambda connection, asked: connection.send(status, "application/json", json.dumps(body).encode(), headers)


def raw(body: bytes, content_type: str = "application/json", status: int = 200) -> Behaviour:
    """These bytes, whatever they are."""
    return lambda connection, asked: connection.send(status, content_type, body)


def silence() -> Behaviour:
    """Take the request and never answer it."""

    def behave(connection: "Connection", asked: Asked) -> None:
        connection.server.leaving.wait(60)
        connection.close_connection = True

    return behave


def ramble() -> Behaviour:
    """Words without end."""

    def behave(connection: "Connection", asked: Asked) -> None:
        connection.start_events()
        while not connection.server.leaving.is_set():
            connection.event({"choices": [{"delta": {"content": "and then, " * 40}}]})

    return behave


def break_off(text: str) -> Behaviour:
    """Some words, then the connection is cut."""

    def behave(connection: "Connection", asked: Asked) -> None:
        connection.start_events()
        connection.event({"choices": [{"delta": {"content": text}}]})
        connection.close_connection = True
        connection.connection.close()

    return behave


def no_schemas(then: Behaviour, *, takes: tuple[str, ...] = ("json_object", "text")) -> Behaviour:
    """A server that knows only these response formats."""

    def behave(connection: "Connection", asked: Asked) -> None:
        if asked.format in takes:
            return then(connection, asked)
        failure(400, f"response_format {asked.format!r} is not supported")(connection, asked)

    return behave


def by_kind(**behaviours: Behaviour) -> Behaviour:
    """By the name of the schema that is asked for; 501 for others."""
    return lambda connection, asked: behaviours.get(asked.schema_name, failure(501))(connection, asked)


class Connection(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: "_HTTPServer"

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        fake = self.server.fake
        if self.path != "/v1/chat/completions":
            return failure(404, f"no {self.path} here")(self, Asked({}, {}))
        if fake.key and self.headers.get("authorization") != f"Bearer {fake.key}":
            return failure(401, f"Incorrect API key provided: {self.headers.get('authorization')}")(self, Asked({}, {}))
        try:
            asked = _read(json.loads(body), dict(self.headers))
        except (ValueError, KeyError, TypeError) as error:
            return failure(400, f"{type(error).__name__}: {error}")(self, Asked({}, {}))
        fake.note(asked)
        try:
            fake.behaviour()(self, asked)
        except (BrokenPipeError, ConnectionResetError):
            fake.abandoned.set()
            self.close_connection = True

    def send(self, status: int, content_type: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def whole(self, text: str) -> None:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        body = {"id": "1", "object": "chat.completion", "model": "fake", "choices": [choice]}
        self.send(200, "application/json", json.dumps(body).encode())

    def start_events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def event(self, data: dict[str, Any] | str) -> None:
        words = data if isinstance(data, str) else json.dumps(data)
        payload = f"data: {words}\n\n".encode()
        self.wfile.write(f"{len(payload):x}\r\n".encode() + payload + b"\r\n")

    def events(self, pieces: list[str]) -> None:
        """The pieces as vLLM streams them: a role first, then deltas, a reason to stop, figures of use, `[DONE]`."""
        self.start_events()
        self.event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]})
        for piece in pieces:
            self.event({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self.event({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": len(pieces)}})
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    fake: "MllmServer"
    leaving: threading.Event

    def handle_error(self, request: Any, client_address: Any) -> None:
        self.fake.abandoned.set()  # a client that left in the middle


class MllmServer:
    """`with MllmServer(answer({...})) as server: server.url`. Behaviours are used up in order, the last one stays."""

    def __init__(self, *script: Behaviour, key: str = "") -> None:
        self.key = key
        self.requests: list[Asked] = []
        self.abandoned = threading.Event()  # a client left before its answer was written
        self._script = list(script)
        self._lock = threading.Lock()
        self._came = threading.Condition()
        self._http = _HTTPServer(("127.0.0.1", 0), Connection)
        self._http.fake = self
        self._http.leaving = threading.Event()
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def script(self, *behaviours: Behaviour) -> None:
        """From now on."""
        with self._lock:
            self._script = list(behaviours)

    def behaviour(self) -> Behaviour:
        with self._lock:
            return self._script.pop(0) if len(self._script) > 1 else self._script[0]

    def note(self, asked: Asked) -> None:
        with self._came:
            self.requests.append(asked)
            self._came.notify_all()

    def wait_for(self, count: int, timeout_s: float = 60.0) -> None:
        """Until so many requests have come. Raises TimeoutError."""
        with self._came:
            if not self._came.wait_for(lambda: len(self.requests) >= count, timeout_s):
                raise TimeoutError(f"{len(self.requests)} requests came, not {count}")

    def __enter__(self) -> "MllmServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._http.leaving.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)


def _read(body: dict[str, Any], headers: dict[str, str]) -> Asked:
    """Raises for anything a chat completion may not have."""
    asked = Asked(body, headers)
    texts = []
    if not body["model"] or not isinstance(body["messages"], list):
        raise ValueError("model and messages are needed")
    for message in body["messages"]:
        if message["role"] not in ("system", "user", "assistant"):
            raise ValueError(f"role {message['role']!r}")
        content = message["content"]
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            match part["type"]:
                case "text":
                    texts.append(part["text"])
                case "input_audio" if part["input_audio"]["format"] == "wav":
                    with wave.open(io.BytesIO(base64.b64decode(part["input_audio"]["data"], validate=True))) as file:
                        if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, 16_000):
                            raise ValueError("sound must be 16-bit mono at 16 kHz")
                        asked.sounds.append(np.frombuffer(file.readframes(file.getnframes()), "<i2"))
                case "image_url":
                    head, _, data = part["image_url"]["url"].partition(";base64,")
                    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data, validate=True), np.uint8), cv2.IMREAD_COLOR)
                    if head not in ("data:image/jpeg", "data:image/png") or picture is None:
                        raise ValueError("not a picture")
                    asked.pictures.append(np.asarray(picture, np.uint8))
                case other:
                    raise ValueError(f"content of type {other!r}")
    if (form := body.get("response_format")) and form["type"] == "json_schema":
        _check_strict(form["json_schema"]["schema"])
    asked.text = "\n".join(texts)
    return asked


def _check_strict(schema: Any) -> None:
    """What OpenAI's strict mode insists on: every property required, no others allowed."""
    if isinstance(schema, list):
        for each in schema:
            _check_strict(each)
    elif isinstance(schema, dict):
        if schema.get("type") == "object":
            missing = set(schema["properties"]) - set(schema.get("required", []))
            if missing or schema.get("additionalProperties") is not False:
                raise ValueError(f"Invalid schema: 'required' must name every property and no others be allowed; {missing}")
        for each in schema.values():
            _check_strict(each)
