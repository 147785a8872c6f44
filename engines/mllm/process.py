"""What runs inside the language model's own process: it loads a checkpoint, then answers one question after the other.

The models' code is imported here by name, and only here. When the pipe closes, the process leaves at once, whatever it does.
"""

from __future__ import annotations

import importlib
import os
import queue
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from engines.mllm.chat import ChatError, ChatRequest

QWEN = "engines.mllm.qwen:QwenChat"


class LocalChat(Protocol):
    """What a class that answers offers; `engines.mllm.qwen.QwenChat` is the real one."""

    hears: bool
    sees: bool

    def answer(self, request: ChatRequest, is_cancelled: Callable[[], bool]) -> str: ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """Ready."""

    hears: bool
    sees: bool


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """A question; `number` rises with each."""

    number: int
    request: ChatRequest


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nobody waits for this one any more."""

    number: int


@dataclass(frozen=True, slots=True)
class Answer:
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """`number` 0: the checkpoint could not be loaded."""

    number: int
    error: ChatError


def serve(pipe: Connection, chat_class: str, folder: Path, device: str | None) -> None:
    """The process's main function. `chat_class` is ``module:Class``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    os.nice(5)  # frames come first
    questions: queue.SimpleQueue[Ask] = queue.SimpleQueue()
    cancelled: set[int] = set()
    threading.Thread(target=_read, args=(pipe, questions, cancelled), name="pipe-reader", daemon=True).start()
    module, _, name = chat_class.partition(":")
    try:
        chat: LocalChat = getattr(importlib.import_module(module), name)(folder, device)
    except Exception as error:
        pipe.send(NoAnswer(0, _as_chat_error(error)))
        return
    pipe.send(Loaded(chat.hears, chat.sees))
    while True:
        asked = questions.get()
        if asked.number not in cancelled:
            pipe.send(_answer(chat, asked, cancelled))
        cancelled.difference_update([number for number in cancelled if number <= asked.number])


def _answer(chat: LocalChat, asked: Ask, cancelled: set[int]) -> Answer | NoAnswer:
    try:
        return Answer(asked.number, chat.answer(asked.request, lambda: asked.number in cancelled))
    except Exception as error:
        return NoAnswer(asked.number, _as_chat_error(error))


def _as_chat_error(error: Exception) -> ChatError:
    if isinstance(error, ChatError):
        return error
    if isinstance(error, ModuleNotFoundError):
        return ChatError(f"{error}: install rostrum[director]", is_lasting=True)
    traceback.print_exc()
    return ChatError(f"{type(error).__name__}: {error}")


def _read(pipe: Connection, questions: queue.SimpleQueue[Ask], cancelled: set[int]) -> None:
    try:
        while True:
            message: Any = pipe.recv()
            if isinstance(message, Cancel):
                cancelled.add(message.number)
            else:
                questions.put(message)
    except (EOFError, OSError):
        os._exit(0)
