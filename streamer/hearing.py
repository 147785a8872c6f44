"""What the host's voice says without words: a caption whenever its emotion changes, calm where nothing is sure.

Nothing is claimed before two seconds of speech have been heard, a claim needs evidence that lasts, and it is let go of more
slowly than it was made, so that a face does not flicker between two. What a voice sounds like for a minute is taken for its
habit, up to a point: a mild claim ends then, a strong one stays.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engines.voice_emotion import EmotionJudge, HeardSecond, VoiceEar
from streamer.briefing import VoiceCaption
from streamer.plan import TIME_BASE_HZ, Pts, pts_from_s

VOICE_RATE_HZ = 16_000
TICKS_PER_SAMPLE = TIME_BASE_HZ // VOICE_RATE_HZ
WINDOW_S = 4  # seconds of voice judged together
_CLAIM, _KEEP = 0.3, -0.74  # evidence, in nats, that makes a claim and that lets it go
_DOUBT = -1.0  # evidence before anything is heard
_FOLLOW = 0.3  # of the way to the newest evidence, a second of speech
_FOLLOW_KNOWN = 0.12  # the same where the voice is known beforehand
_HABIT_S, _HABIT_MOST = 60.0, 1.0  # seconds of speech in which evidence becomes what this voice is like; nats at most
_FORGET_S = 4.0  # of silence, after which a feeling is over
_STEP = 0.15  # of intensity worth another caption
_BEGINNING_S = 12
_NOTICED_S = 3.0  # how long a mood is heard before it is claimed, about
_CALM = VoiceCaption(Pts(0), "calm", 0.5, "the voice is calm")


class VoiceMood:
    """Evidence in, a second at a time; captions out."""

    def __init__(self, first: Mapping[str, float] | None = None) -> None:
        """first: what is known of the voice beforehand (a file); by default it is taken for calm."""
        self._first = dict(first or {})
        self._follow = _FOLLOW_KNOWN if first else _FOLLOW
        self._evidence = dict(self._first)
        self._habit: dict[str, float] = {}  # what this voice always sounds like, and so says nothing
        self._silent_s = 0.0
        self.caption = _CALM

    def push(self, evidence: Mapping[str, float] | None, at: Pts) -> VoiceCaption | None:
        """One second's evidence by emotion (None: nobody spoke), heard by `at`. A caption where the mood is another now."""
        if evidence is None:
            self._silent_s += 1
            if self._silent_s >= _FORGET_S:
                self._evidence = dict(self._first)
                return self._become("calm", _CALM.intensity, at)
            return None
        self._silent_s = 0.0
        for emotion, new in evidence.items():
            habit = self._habit.get(emotion, 0.0)
            self._habit[emotion] = min(_HABIT_MOST, max(0.0, habit + (new - habit) / _HABIT_S))
            known = self._evidence.get(emotion, _DOUBT)
            self._evidence[emotion] = known + self._follow * (new - habit - known)
        best = max(self._evidence, key=lambda emotion: self._evidence[emotion])
        now = self.caption.emotion
        held = self._evidence.get(now, -math.inf)
        if held > _KEEP and self._evidence[best] < held + _CLAIM:
            best = now
        elif self._evidence[best] < _CLAIM:
            return self._become("calm", _CALM.intensity, at)
        return self._become(best, intensity(self._evidence[best]), at)

    def _become(self, emotion: str, strength: float, at: Pts) -> VoiceCaption | None:
        if emotion == self.caption.emotion and abs(strength - self.caption.intensity) < _STEP:
            return None
        text = "the voice is calm" if emotion == "calm" else f"the voice shows {emotion}"
        self.caption = VoiceCaption(at, emotion, round(strength, 2), text)
        return self.caption


def intensity(evidence: float) -> float:
    """0.4 where an emotion is just claimed, towards 0.9 where it is beyond doubt."""
    return 0.35 + 0.55 * (1 - math.exp(-max(0.0, evidence) / 2.5))


class Hearing:
    """A voice as it goes on: who speaks, and in what mood. Costs about 1.5 % of a core; keeps five seconds.

    The model code is in `engines.voice_emotion`; time is that of the samples pushed.
    """

    def __init__(self, ear: VoiceEar | None = None, judge: EmotionJudge | None = None) -> None:
        self._ear = ear or VoiceEar()
        self._judge = judge or EmotionJudge()
        self._seconds: deque[HeardSecond] = deque(maxlen=WINDOW_S)
        self._mood = VoiceMood()
        self._end = 0

    @property
    def speech_probability(self) -> float:
        """Whether somebody speaks just now, 0–1, by the newest 32 ms."""
        return self._ear.speaking

    @property
    def caption(self) -> VoiceCaption:
        """What holds now."""
        return self._mood.caption

    def push(self, voice: NDArray[np.int16]) -> list[VoiceCaption]:
        """int16 [n] at 16 kHz, right behind what came before. The captions of where the mood changed, oldest first."""
        changes = []
        for at, evidence in self.listen(voice):
            if caption := self._mood.push(evidence, at):
                changes.append(caption)
        return changes

    def listen(self, voice: NDArray[np.int16]) -> Iterator[tuple[Pts, dict[str, float] | None]]:
        """The evidence of each second that `voice` completes, and the second's end; None where nobody speaks."""
        for second in self._ear.push(voice):
            self._seconds.append(second)
            self._end += VOICE_RATE_HZ
            evidence = self._judge.weigh(tuple(self._seconds)) if second.speech > 0 else None
            if not second.speech or evidence is not None:
                yield Pts(self._end * TICKS_PER_SAMPLE), evidence


def captions_of(voice: NDArray[np.int16], hearing: Hearing | None = None) -> tuple[VoiceCaption, ...]:
    """A whole recording's captions, int16 [n] at 16 kHz: the first one at 0, each set back to where its mood began.

    The mood that the recording begins in is the one that its first `_BEGINNING_S` of speech show together.
    """
    whole = np.concatenate([voice, np.zeros(-len(voice) % VOICE_RATE_HZ, np.int16)])
    evidence = list((hearing or Hearing()).listen(whole))
    beginning = [each for _, each in evidence if each is not None][:_BEGINNING_S]
    mood = VoiceMood()
    if beginning:
        mood = VoiceMood({emotion: float(np.mean([each[emotion] for each in beginning])) for emotion in beginning[0]})
        mood.push({}, Pts(0))
    captions = [mood.caption]
    for at, each in evidence:
        if caption := mood.push(each, at):
            start = Pts(max(0, at - pts_from_s(_NOTICED_S)))
            captions = [earlier for earlier in captions if earlier.start < start] + [replace(caption, start=start)]
    return tuple(captions)
