"""Qwen2.5-Omni and Qwen2.5-VL checkpoints on this machine, each in a process of its own: serving itself never imports torch."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import multiprocessing
import threading
from pathlib import Path
from typing import Any

from engines.mllm.chat import ChatError, ChatRequest
from engines.mllm.process import QWEN, Answer, Ask, Cancel, Loaded, NoAnswer, serve

log = logging.getLogger(__name__)

_LOAD_S = 600.0
_JOIN_S = 5.0


class TransformersModel:
    """The checkpoint in `folder`; pictures go to the one in `seeing_folder`, where it is given. `device`: as torch names it.

    A process that died is started again by the next question.
    """

    @property
    def backend(self) -> str:
        return "transformers"

    def __init__(
        self, folder: Path, *, seeing_folder: Path | None = None, device: str | None = None, chat_class: str = QWEN
    ) -> None:
        self._main = _Checkpoint(folder, device, chat_class)
        self._seeing = _Checkpoint(seeing_folder, device, chat_class) if seeing_folder else self._main

    def start(self) -> None:
        self._main.process()
        self._seeing.process()

    async def ask(self, request: ChatRequest) -> str:
        """Questions are answered in turn. Raises ChatError: not loaded, out of memory, died, or CannotPerceive."""
        return await (self._seeing if request.has_picture else self._main).process().ask(request)

    def notes(self) -> tuple[str, ...]:
        loading = {each.folder for each in (self._main, self._seeing) if not each.process().loaded.done()}
        return tuple(f"{folder.name} is being loaded" for folder in sorted(loading))

    async def close(self) -> None:
        for checkpoint in {self._main, self._seeing}:
            await checkpoint.close()


class _Checkpoint:
    def __init__(self, folder: Path, device: str | None, chat_class: str) -> None:
        self.folder = folder
        self._with = (chat_class, folder, device)
        self._process: _Process | None = None

    def process(self) -> _Process:
        """The one that runs, or a new one."""
        if self._process is None or self._process.is_lost:
            self._process = _Process(*self._with)
        return self._process

    async def close(self) -> None:
        if self._process:
            await self._process.close()


class _Process:
    """One model process, from this side. Its thread waits on the pipe."""

    def __init__(self, chat_class: str, folder: Path, device: str | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._folder = folder
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._ended = asyncio.Event()
        self.is_lost = False
        self.loaded: asyncio.Future[Loaded] = self._loop.create_future()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs, chat_class, folder, device), name="rostrum-director", daemon=True
        )
        self._process.start()
        theirs.close()
        threading.Thread(target=self._read, name=f"director-{self._process.pid}", daemon=True).start()

    async def ask(self, request: ChatRequest) -> str:
        async with asyncio.timeout(_LOAD_S):
            await asyncio.shield(self.loaded)
        number = next(self._numbers)
        answer: asyncio.Future[str] = self._loop.create_future()
        self._waiting[number] = answer
        try:
            self._send(Ask(number, request))
            return await answer
        except asyncio.CancelledError:
            self._send(Cancel(number))
            raise
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        """Ends the process; returns when it has ended."""
        self._process.terminate()
        try:
            async with asyncio.timeout(_JOIN_S):
                await self._ended.wait()
        except TimeoutError:
            self._process.kill()
            await self._ended.wait()

    def _send(self, message: Ask | Cancel) -> None:
        with contextlib.suppress(OSError):  # it died: its reader tells whoever waits
            self._pipe.send(message)

    def _read(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._tell(self._settle, self._pipe.recv())
        self._process.join(_JOIN_S)
        self._pipe.close()
        self._tell(self._give_up)

    def _tell(self, callback: Any, *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed before the process ended
            self._loop.call_soon_threadsafe(callback, *args)

    def _settle(self, message: Loaded | Answer | NoAnswer) -> None:
        match message:
            case Loaded():
                log.info("%s is loaded", self._folder)
                self.loaded.set_result(message)
            case Answer() if (waiting := self._waiting.get(message.number)) and not waiting.done():
                waiting.set_result(message.text)
            case NoAnswer(number=0):
                self._fail(self.loaded, message.error)
            case NoAnswer() if waiting := self._waiting.get(message.number):
                self._fail(waiting, message.error)

    def _give_up(self) -> None:
        self.is_lost = True
        self._ended.set()
        error = ChatError(f"the process of {self._folder.name} ended with status {self._process.exitcode}")
        self._fail(self.loaded, error)
        for waiting in self._waiting.values():
            self._fail(waiting, error)

    @staticmethod
    def _fail(waiting: asyncio.Future[Any], error: ChatError) -> None:
        if not waiting.done():
            waiting.set_exception(error)
            waiting.exception()  # whoever waited may have left
