"""A whole server in a thread of the test, on a free port, with a worker that needs no models."""

import socket
import threading
import time
from pathlib import Path
from types import TracebackType

import uvicorn

from engines.avatar_library import AvatarLibrary
from streamer.config import ServerSettings
from streamer.server import Server
from tests.fakes.recogniser import FAKE_RECOGNISER
from tests.fakes.worker import FAKE_WORKER

WEB_ROOT = Path(__file__).parents[2] / "clients" / "web"


class RunningServer:
    """`with RunningServer(library) as server: server.url`."""

    def __init__(self, library: AvatarLibrary, **settings: object) -> None:
        chosen = ServerSettings(web_root=WEB_ROOT, **settings)  # type: ignore[arg-type]
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        app = Server(chosen, library, worker_class=FAKE_WORKER, recogniser_class=FAKE_RECOGNISER).app()
        config = uvicorn.Config(app, log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=3)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> "RunningServer":
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join(15)
        self._socket.close()
