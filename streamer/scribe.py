"""Writes down what the host says, beside the stream: captions for people, and the words that cues wait for.

What is written down is data: it can ring a cue that a host has set, and instructs nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engines.recognition.whisper import RecogniserError
from engines.voice_activity import VoiceActivity
from streamer.features import VoiceWindow
from streamer.plan import Pts, pts_from_s
from streamer.threads import in_thread
from streamer.utterances import Utterance, Utterances

log = logging.getLogger(__name__)

_TURN_S = 0.1
_FORGIVEN = 3  # failures in a row, after which nothing is written down any more


class SpeechToText(Protocol):
    """What writes one voice down; `streamer.recogniser.RecogniserProcess` is the real one. Raises RecogniserError."""

    async def text(self, voice: NDArray[np.int16]) -> str: ...


@dataclass(frozen=True, slots=True)
class Written:
    """An utterance as far as it is written down. `before`: what was written of the same one until now."""

    utterance: Utterance
    text: str
    before: str


class Scribe:
    """One broadcast's. One voice is out at a time; what comes meanwhile is looked at afterwards. Utterances that nobody comes
    to write down in time are left out, the oldest first, and the log says so."""

    def __init__(self, to_text: SpeechToText, voice: VoiceWindow, tell: Callable[[Written], None]) -> None:
        self._to_text = to_text
        self._voice = voice
        self._tell = tell
        self._utterances = Utterances()
        self._heard_until = Pts(0)
        self._written: tuple[Pts, str] = (Pts(-1), "")  # start and text of the utterance written last
        self._failures = 0
        self.problem = ""  # why nothing is written down any more

    async def run(self) -> None:
        """For as long as the broadcast lasts, or until the recogniser has failed for good."""
        activity = await in_thread(VoiceActivity)
        while not self.problem:
            await self._listen(activity)
            while utterance := self._utterances.next():
                await self._write(utterance)
                await self._listen(activity)
            await asyncio.sleep(_TURN_S)

    async def _listen(self, activity: VoiceActivity) -> None:
        end, dropped = self._voice.end, self._utterances.dropped
        voice = self._voice.read(self._heard_until, end)
        self._heard_until = end
        self._utterances.push(await in_thread(activity.push, voice))
        if self._utterances.dropped > dropped:
            log.warning("an utterance was not written down: the recogniser is too slow for this machine")

    async def _write(self, utterance: Utterance) -> None:
        if utterance.start < self._voice.end - pts_from_s(self._voice.capacity_s):
            log.warning("an utterance was not written down: the recogniser is more than %.0f s late", self._voice.capacity_s)
            return
        try:
            text = await self._to_text.text(self._voice.read(utterance.start, utterance.end))
        except RecogniserError as error:
            self._failures += 1
            log.warning("an utterance was not written down: %s", error)
            if self._failures == _FORGIVEN:
                self.problem = str(error)
            return
        self._failures = 0
        start, before = self._written
        self._written = utterance.start, text
        self._tell(Written(utterance, text, before if start == utterance.start else ""))
