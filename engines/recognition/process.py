"""What runs inside the recogniser's own process, far behind the stream in the queue for a core: one voice after the other.

When the pipe closes, the process leaves.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import traceback
from multiprocessing.connection import Connection

from engines.recognition.whisper import Recogniser, RecogniserError

NICE = 15


def serve(pipe: Connection, recogniser_class: str, model: str, language: str | None, threads: int) -> None:
    """The process's main function. `recogniser_class` is ``module:Class``. Sends None once it is loaded, then a text for every
    voice (int16 [n] at 16 kHz) that comes; a RecogniserError in place of either."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    os.nice(NICE)
    module, _, name = recogniser_class.partition(":")
    with contextlib.suppress(EOFError, OSError):
        try:
            recogniser: Recogniser = getattr(importlib.import_module(module), name)(model, language, threads)
        except RecogniserError as error:
            return pipe.send(error)
        pipe.send(None)
        while True:
            voice = pipe.recv()
            try:
                pipe.send(recogniser.text(voice))
            except Exception as error:
                traceback.print_exc()
                pipe.send(RecogniserError(f"{type(error).__name__}: {error}"))
