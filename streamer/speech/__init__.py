"""Voices: text to sound. `espeak` is embedded, `openai` asks any server that speaks OpenAI's speech protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

import numpy as np

from streamer.config import SpeechSettings
from streamer.media import Sound
from streamer.plan import TIME_BASE_HZ
from streamer.recording import Recording
from streamer.speech.text import sentences

LONGEST_S = 300.0  # of speech for one sentence
_PAUSE_S = 0.25  # after a sentence of a recording


class SpeechError(RuntimeError):
    """Text that could not be spoken; the message says why, and the way out."""


class Voice(Protocol):
    """Who speaks. `speak` may be left at any moment (`aclose`): nothing of it goes on then."""

    def check(self) -> None:
        """Raises SpeechError where nothing could be spoken at all; looks at this machine only."""

    def speak(self, text: str, voice: str | None = None, language: str | None = None) -> AsyncGenerator[Sound, None]:
        """One sentence as pieces of 48 kHz mono sound, as they come. Raises SpeechError."""

    async def close(self) -> None: ...


def voice_of(settings: SpeechSettings) -> Voice:
    """The voice that the settings ask for."""
    if settings.backend == "openai":
        from streamer.speech.openai import OpenAIVoice  # brings in HTTP and TLS

        return OpenAIVoice(settings.url, settings.model, settings.voice, key=settings.key())
    from streamer.speech.espeak import EspeakVoice

    return EspeakVoice(settings.voice, settings.language)


async def spoken(text: str, settings: SpeechSettings) -> Recording:
    """A whole text as a recording. Raises SpeechError."""
    found = sentences(text)
    if not found:
        raise SpeechError("--text: there is no word in it to be said")
    voice = voice_of(settings)
    pieces = []
    try:
        for sentence in found:
            async with aclosing(voice.speak(sentence)) as sounds:
                pieces += [sound async for sound in sounds]
            pieces.append(np.zeros(round(_PAUSE_S * TIME_BASE_HZ), np.int16))
    finally:
        await voice.close()
    return Recording.of(np.concatenate(pieces))
