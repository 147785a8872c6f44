"""What stands in for Whisper inside its process. Importing it loads no model code."""

import os
import signal

import numpy as np
from numpy.typing import NDArray

from engines.recognition.whisper import HeardWord, RecogniserError

FAKE_RECOGNISER = "tests.fakes.recogniser:FakeRecogniser"
DIE, FAIL = 1, 2  # as the first sample


class FakeRecogniser:
    """Hears "goodbye everybody" in any voice."""

    def __init__(self, model: str, language: str | None, threads: int) -> None:
        if model == "broken":
            raise RecogniserError("broken is not a model")

    def text(self, voice: NDArray[np.int16]) -> str:
        if voice[0] == DIE:
            os.kill(os.getpid(), signal.SIGKILL)
        if voice[0] == FAIL:
            raise RuntimeError("a fault on purpose")
        return "Goodbye, everybody!"

    def words(self, voice: NDArray[np.int16]) -> list[HeardWord]:
        return [HeardWord(" Goodbye,", 1.0, 1.4), HeardWord(" everybody!", 1.5, 2.0)]
