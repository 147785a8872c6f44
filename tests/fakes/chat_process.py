"""What stands in for a language model inside its process. Importing it loads no model code."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from engines.mllm.chat import CannotPerceive, ChatError, ChatRequest


class FakeChat:
    """Answers what it is told to do, after doing it."""

    def __init__(self, folder: Path, device: str | None) -> None:
        if folder.name == "broken":
            raise ChatError("broken is not a checkpoint", is_lasting=True)
        self.hears, self.sees = False, True
        self._folder = folder

    def answer(self, request: ChatRequest, is_cancelled: Callable[[], bool]) -> str:
        word = str(request.messages[0].parts[0])
        match word:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "raise":
                raise RuntimeError("a fault on purpose")
            case "deaf":
                raise CannotPerceive("no ears", is_lasting=True)
            case "wait":
                while not is_cancelled():
                    time.sleep(0.005)
                raise ChatError("cancelled")
        return f"{self._folder.name}: {word}"
