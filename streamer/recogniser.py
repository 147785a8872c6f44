"""The recogniser from the server's side: one process for every broadcast, started again by the next voice where it has died."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import numpy as np
from numpy.typing import NDArray

from engines.recognition.process import serve
from engines.recognition.whisper import WHISPER, RecogniserError
from streamer.config import TranscriptSettings
from streamer.threads import in_thread

log = logging.getLogger(__name__)

_JOIN_S = 5.0


class RecogniserProcess:
    """Voices wait for each other in one thread; a broadcast gives one at a time, so no more wait than there are broadcasts."""

    def __init__(self, settings: TranscriptSettings, recogniser_class: str = WHISPER) -> None:
        self._with = (recogniser_class, settings.model, settings.language, settings.threads)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recogniser")
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._is_closed = False

    def start(self) -> None:
        """Load it, beside everything else."""
        self._thread.submit(self._load)

    async def text(self, voice: NDArray[np.int16]) -> str:
        """What is said in int16 [n] at 16 kHz. Raises RecogniserError."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, voice)

    async def close(self) -> None:
        """Ends the process; returns when it has ended. What waits gets a RecogniserError."""
        self._is_closed = True
        if self._process:
            self._process.kill()  # it keeps nothing
        await in_thread(self._thread.shutdown, cancel_futures=True)

    def _ask(self, voice: NDArray[np.int16]) -> str:
        try:
            pipe = self._open()
            pipe.send(voice)
            answer = pipe.recv()
        except (EOFError, OSError):
            self._forget()
            raise RecogniserError("the recogniser's process has died; it is started again") from None
        if isinstance(answer, RecogniserError):
            raise answer
        return str(answer)

    def _load(self) -> None:
        with contextlib.suppress(RecogniserError, EOFError, OSError):  # the first voice will meet it again
            self._open()

    def _open(self) -> Connection:
        """The pipe to a process that has loaded its model. Raises RecogniserError, EOFError."""
        if self._pipe is None:
            if self._is_closed:
                raise RecogniserError("the recogniser is shut down")
            context = multiprocessing.get_context("spawn")
            pipe, theirs = context.Pipe()
            self._process = context.Process(target=serve, args=(theirs, *self._with), name="rostrum-recogniser", daemon=True)
            self._process.start()
            theirs.close()
            self._pipe = pipe
            if isinstance(answer := pipe.recv(), RecogniserError):
                self._forget()
                raise answer
            log.info("the recogniser is loaded: %s", self._with[1])
        return self._pipe

    def _forget(self) -> None:
        if self._process:
            self._process.join(_JOIN_S)
        if self._pipe:
            self._pipe.close()
        self._process = self._pipe = None
