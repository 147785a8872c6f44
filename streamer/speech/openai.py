"""A voice behind any server that speaks OpenAI's speech protocol: POST /v1/audio/speech, answered with PCM or WAV.

https://platform.openai.com/docs/api-reference/audio/createSpeech: `pcm` is 24 kHz, 16 bits, little-endian, mono, no header. The
server is not trusted: what it sends is bounded, and every way of failing becomes a SpeechError that says what to do.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import urlsplit

import httpx2

from streamer.media import Sound
from streamer.plan import TIME_BASE_HZ
from streamer.refusals import refusal
from streamer.speech import LONGEST_S, SpeechError
from streamer.speech.pcm import PcmError, SpeechStream

log = logging.getLogger(__name__)

_PCM_RATE_HZ = 24_000  # unless the Content-Type says otherwise
_CONNECT_S = 3.0
_FIRST_S, _NEXT_S = 20.0, 10.0  # without a byte
_REFUSALS = (400, 415, 422)  # a server that does not know the format
_FORMATS = ("pcm", "wav")  # the second where the first is refused


class OpenAIVoice:
    """`model` at `url`, which ends before `/audio/speech` (http://127.0.0.1:8880/v1). key: the bearer token, never logged."""

    def __init__(self, url: str, model: str, voice: str | None = None, *, key: str = "") -> None:
        self._model, self._voice = model, voice or "alloy"
        self._where = urlsplit(url).netloc.rpartition("@")[2]
        self._key = key
        self._format = _FORMATS[0]
        self._client = httpx2.AsyncClient(
            base_url=url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx2.Timeout(None, connect=_CONNECT_S),
            follow_redirects=False,
        )

    def check(self) -> None:
        """Only asking tells."""

    async def speak(self, text: str, voice: str | None = None, language: str | None = None) -> AsyncGenerator[Sound, None]:
        body = {"model": self._model, "voice": voice or self._voice, "input": text}
        if language:
            body["language"] = language  # not OpenAI's own, but many servers take it
        try:
            async with aclosing(self._asked(body)) as spoken:
                async for sound in spoken:
                    yield sound
        except _FormatRefused as refused:
            if self._format == _FORMATS[-1]:
                raise SpeechError(str(refused)) from None
            log.warning("%s takes no `pcm`: asking for `wav` from now on (%s)", self._where, refused)
            self._format = _FORMATS[-1]
            try:
                async with aclosing(self._asked(body)) as spoken:
                    async for sound in spoken:
                        yield sound
            except _FormatRefused:
                self._format = _FORMATS[0]  # it was not the format
                raise SpeechError(str(refused)) from None

    async def _asked(self, body: dict[str, str]) -> AsyncGenerator[Sound, None]:
        given = 0
        try:
            async with asyncio.timeout(_FIRST_S) as patience:
                request = self._client.stream("POST", "audio/speech", json={**body, "response_format": self._format})
                async with request as response:
                    if response.status_code != 200:
                        raise self._refused(response.status_code, await refusal(response, self._key))
                    stream = SpeechStream(_rate(response.headers.get("content-type", "")))
                    async for data in response.aiter_bytes(8192):
                        patience.reschedule(None)  # whoever listens may take their time
                        given += len(sound := stream.push(data))
                        yield sound
                        if given > LONGEST_S * TIME_BASE_HZ:
                            raise SpeechError(f"{self._where} speaks for more than {LONGEST_S:.0f} s over one sentence")
                        patience.reschedule(asyncio.get_running_loop().time() + _NEXT_S)
                    yield stream.flush()
        except TimeoutError:
            raise SpeechError(f"{self._where} gave no sound for {_NEXT_S if given else _FIRST_S:.0f} s") from None
        except PcmError as error:
            raise SpeechError(f"{self._where} was asked for {self._format} and gave {error}") from None
        except httpx2.ConnectError as error:
            raise SpeechError(f"nothing answers at {self._where}: {error}; see --speech-url") from error
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise SpeechError(f"the connection to {self._where} broke: {type(error).__name__} {error}".rstrip()) from error
        except httpx2.InvalidURL as error:
            raise SpeechError(f"{self._where}: {error}; see --speech-url") from error
        if not given:
            raise SpeechError(f"{self._where} answered without any sound")

    async def close(self) -> None:
        await self._client.aclose()

    def _refused(self, status: int, said: str) -> SpeechError:
        if status in _REFUSALS:
            return _FormatRefused(f"{self._where} refused the request ({status}): {said}")
        if status in (401, 403):
            return SpeechError(f"{self._where} refused the key ({status}): {said}; see --speech-key-env")
        if status == 404:
            return SpeechError(f"{self._where} knows no such model, voice or address (404): {said}")
        if status == 429:
            return SpeechError(f"{self._where} has no room (429): {said}")
        if 300 <= status < 400:
            return SpeechError(f"{self._where} sends elsewhere ({status}); give the address itself with --speech-url")
        return SpeechError(f"{self._where} failed ({status}): {said}")


class _FormatRefused(SpeechError):
    """The request as such: another format may be taken."""


def _rate(content_type: str) -> int:
    """Of `audio/pcm; rate=24000`."""
    found = re.search(r"rate=(\d{4,5})\b", content_type)
    return int(found[1]) if found and 8000 <= int(found[1]) <= 96_000 else _PCM_RATE_HZ
