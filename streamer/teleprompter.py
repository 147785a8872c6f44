"""The teleprompter: texts to be said, spoken by a voice one sentence at a time, ahead of the air by a few seconds at most."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from streamer import protocol
from streamer.desk import Refused
from streamer.plan import s_from_pts
from streamer.protocol import Caption, ErrorMessage
from streamer.speech import SpeechError, Voice
from streamer.speech.text import sentences
from streamer.voice_over import Line, LineCut, Moment, TooManyLines, VoiceOver

log = logging.getLogger(__name__)

_MAX_WAITING = 200  # sentences


@dataclass(frozen=True, slots=True)
class _Sentence:
    said: protocol.Say
    number: int  # in its text, from 0
    text: str


class Teleprompter:
    """Bounded to 200 sentences that wait; of those that are spoken, the voice-over bounds the sound. `clear` empties both."""

    def __init__(
        self,
        voice: Voice,
        voice_over: VoiceOver,
        *,
        tell: Callable[[Caption | ErrorMessage], None],
        heard: Callable[[str], None],
    ) -> None:
        """tell: to everybody who is connected. heard: the words of a sentence, as they reach the media clock."""
        self._voice = voice
        self._voice_over = voice_over
        self._tell = tell
        self._heard = heard
        self._waiting: deque[_Sentence] = deque()
        self._news = asyncio.Event()
        self._speaking: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Sentences that no sound has been asked for yet."""
        return len(self._waiting)

    def say(self, said: protocol.Say) -> int:
        """Queue a text; how many sentences it has. Raises Refused where nothing can be spoken, where too much waits, and for a
        text without a word in it."""
        try:
            self._voice.check()
        except SpeechError as error:
            raise Refused("no_voice", str(error)) from None
        found = sentences(said.text)
        if not found:
            raise Refused("invalid", "there is no word in this to be said", "text")
        if len(self._waiting) + len(found) > _MAX_WAITING:
            raise Refused(
                "busy", f"{len(self._waiting)} sentences wait to be said, at most {_MAX_WAITING} may; wait, or interrupt"
            )
        self._waiting.extend(_Sentence(said, number, text) for number, text in enumerate(found))
        self._news.set()
        return len(found)

    def clear(self) -> None:
        """Nothing that waits or is being spoken is said. What is on its way to the air is the voice-over's to cut."""
        waiting = list(self._waiting)
        self._waiting.clear()
        if self._speaking:
            self._speaking.cancel()
        for sentence in waiting:
            self._tell(_caption(sentence, "interrupted"))

    async def run(self) -> None:
        """For ever: one sentence after the other."""
        while True:
            while not self._waiting:
                self._news.clear()
                await self._news.wait()
            sentence = self._waiting.popleft()
            self._speaking = asyncio.create_task(self._speak(sentence), name="say")
            try:
                await asyncio.wait([self._speaking])
            finally:
                self._speaking.cancel()
            if not self._speaking.cancelled():
                self._speaking.result()

    async def _speak(self, sentence: _Sentence) -> None:
        said = sentence.said

        def told(line: Line, moment: Moment) -> None:
            if moment == "heard":
                self._heard(sentence.text)
            elif moment == "begun":
                self._tell(_caption(sentence, "on_air", line))
            else:
                self._tell(_caption(sentence, moment, line))

        try:
            line = self._voice_over.open(told)
        except TooManyLines as error:
            return self._fail(sentence, str(error))
        try:
            with contextlib.suppress(LineCut):
                async with aclosing(self._voice.speak(sentence.text, said.voice, said.language)) as spoken:
                    async for sound in spoken:
                        await line.write(sound)
        except SpeechError as error:
            self._fail(sentence, str(error))
        except Exception:
            log.exception("a sentence could not be spoken")
            self._fail(sentence, "the voice failed; the server's log says why")
        finally:
            line.finish()

    def _fail(self, sentence: _Sentence, why: str) -> None:
        """The rest of the text is not said either."""
        log.error("%r is not said: %s", sentence.text[:60], why)
        self._waiting = deque(each for each in self._waiting if each.said is not sentence.said)
        self._tell(ErrorMessage(id=sentence.said.id, code="speech_failed", message=f"not said: {why}"))
        self._tell(_caption(sentence, "failed"))

    async def close(self) -> None:
        await self._voice.close()


def _caption(sentence: _Sentence, state: protocol.CaptionState, line: Line | None = None) -> Caption:
    start = line.start if line else None
    return Caption(
        id=sentence.said.id,
        number=sentence.number,
        text=sentence.text,
        state=state,
        start_pts=start,
        start_s=None if start is None else round(s_from_pts(start), 3),
        played_s=round(line.played_s, 3) if line else 0.0,
    )
