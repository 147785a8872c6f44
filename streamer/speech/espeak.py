"""The embedded voice: espeak-ng, in a process of its own for each sentence. A hundred languages, no model, no network."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncGenerator, Awaitable
from typing import TypeVar

from streamer.media import Sound
from streamer.plan import TIME_BASE_HZ
from streamer.speech import LONGEST_S, SpeechError
from streamer.speech.pcm import PcmError, SpeechStream
from streamer.speech.text import language_of

_PROGRAM = "espeak-ng"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,40}")
_WORDS_A_MINUTE = 165
_RATE_HZ = 22_050  # unless its WAV header says otherwise
_SILENT_S = 10.0  # it answers within milliseconds

_T = TypeVar("_T")


class EspeakVoice:
    """voice: one of `espeak-ng --voices`, a variant such as `en+f3` included. language: of text whose letters tell none."""

    def __init__(self, voice: str | None = None, language: str = "en") -> None:
        self._voice = voice
        self._language = language

    def check(self) -> None:
        if shutil.which(_PROGRAM) is None:
            raise SpeechError(
                "there is no voice on the server: install espeak-ng (`sh deploy/system-packages.sh voice`), "
                "or name a speech server with --speech-url"
            )

    async def speak(self, text: str, voice: str | None = None, language: str | None = None) -> AsyncGenerator[Sound, None]:
        self.check()
        name = voice or language or (language_of(text) or self._voice or self._language)
        if not _NAME.fullmatch(name):
            raise SpeechError(f"{name!r} cannot be the name of a voice; `espeak-ng --voices` lists them")
        process = await asyncio.create_subprocess_exec(
            _PROGRAM, "-v", name, "-s", str(_WORDS_A_MINUTE), "-b", "1", "--stdin", "--stdout",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin and process.stdout and process.stderr
        try:
            with contextlib.suppress(ConnectionError):  # it may have refused already
                process.stdin.write(text.encode())
                process.stdin.write_eof()
            stream, given = SpeechStream(_RATE_HZ), 0
            while data := await _within(process.stdout.read(8192)):
                given += len(sound := _pushed(stream, data))
                yield sound
                if given > LONGEST_S * TIME_BASE_HZ:
                    raise SpeechError(f"espeak-ng speaks for more than {LONGEST_S:.0f} s; the text is too long")
            yield stream.flush()
            said = (await _within(process.stderr.read(2000))).decode(errors="replace").strip()
            if await _within(process.wait()) or not given:
                why = said or "no sound"
                raise SpeechError(f"espeak-ng cannot speak as {name!r}: {why}; `espeak-ng --voices` lists the voices")
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def close(self) -> None:
        """Nothing is left open between sentences."""


def _pushed(stream: SpeechStream, data: bytes) -> Sound:
    try:
        return stream.push(data)
    except PcmError as error:
        raise SpeechError(f"espeak-ng gave {error}") from None


async def _within(waiting: Awaitable[_T]) -> _T:
    try:
        async with asyncio.timeout(_SILENT_S):
            return await waiting
    except TimeoutError:
        raise SpeechError(f"espeak-ng gave nothing for {_SILENT_S:.0f} s") from None
