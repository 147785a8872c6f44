"""The emotion in a voice, from how it sounds and not from its words: anger, joy, sadness, or calm.

A second of voice at a time: Silero says where in it somebody speaks, Whisper's encoder (the one that drives the lips) what
the voice is like there, and `engines.prosody` how it moves. The last few seconds together are judged by a linear
discriminant over the mean of Whisper's features and the prosodic measures.

Weights: engines/weights/voice/emotion.npz, made by `python -m export.train.voice_emotion` (see the README there).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines import prosody
from engines.features import SpeechEncoder
from engines.prosody import VoiceFrames
from engines.specs import FEATURE_DIM, SAMPLE_RATE_HZ
from engines.voice_activity import CHUNK, VoiceActivity

WEIGHTS = Path(__file__).parent / "weights" / "voice" / "emotion.npz"
VOICE_EMOTIONS = ("calm", "anger", "joy", "sadness")
SPEECH = 0.5  # probability from which a chunk counts as speech
_WINDOW = 17_280  # samples that the encoder hears at once: the second and 80 ms before it
_LEAST_SPEECH_S = 1.6  # to judge by
_FEATURE_RATE = 50


@lru_cache(maxsize=1)
def _shared_encoder() -> SpeechEncoder:
    """One for all broadcasts: single windows leave nothing behind in it."""
    return SpeechEncoder()


@dataclass(frozen=True, slots=True, eq=False)
class HeardSecond:
    """What is kept of one second of voice.

    speech: share of it with somebody speaking, 0–1. level_db: of its loud frames. sound: the sum [384] of the speech features
    where somebody speaks, and `num_sound` of them. frames: 100 prosodic frames, cut to those with speech about them.
    """

    speech: float
    level_db: float
    sound: NDArray[np.float32]
    num_sound: int
    frames: VoiceFrames


class VoiceEar:
    """Listens to an endless voice. Keeps two seconds of sound at most."""

    def __init__(self, encoder: SpeechEncoder | None = None) -> None:
        self._encoder = encoder or _shared_encoder()
        self._activity = VoiceActivity()
        self._sound = np.zeros(_WINDOW - SAMPLE_RATE_HZ, np.int16)  # from `_WINDOW` before the end of the next second
        self._speech = np.zeros(0, np.float32)  # probabilities of the chunks of the next second
        self._ahead = 0  # samples of the second that the first of them began before it
        self._loud_db = -100.0
        self.speaking = 0.0  # the newest probability of speech

    def push(self, samples: NDArray[np.int16]) -> list[HeardSecond]:
        """int16 [n] at 16 kHz, right behind what came before, to the seconds that it completed."""
        found = self._activity.push(samples)
        if len(found):
            self.speaking = float(found[-1])
        self._speech = np.concatenate([self._speech, found])
        self._sound = np.concatenate([self._sound, samples])
        seconds = []
        while len(self._sound) >= _WINDOW:
            seconds.append(self._hear())
        return seconds

    def _hear(self) -> HeardSecond:
        window = self._sound[:_WINDOW]
        num_chunks = min(len(self._speech), -(-(SAMPLE_RATE_HZ - self._ahead) // CHUNK))
        chunk_ends = (np.arange(num_chunks) + 1) * CHUNK + self._ahead
        speech, used = self._speech[:num_chunks], int((chunk_ends <= SAMPLE_RATE_HZ).sum())
        self._sound, self._speech = self._sound[SAMPLE_RATE_HZ:], self._speech[used:]
        ahead, self._ahead = self._ahead, self._ahead + used * CHUNK - SAMPLE_RATE_HZ
        at = lambda times: np.clip((times - ahead) // CHUNK, 0, max(0, num_chunks - 1)).astype(np.int64)  # noqa: E731
        if not num_chunks or speech.max() < SPEECH:
            nothing = prosody.analyse(np.zeros(0, np.int16))
            return HeardSecond(0.0, -100.0, np.zeros(FEATURE_DIM, np.float32), 0, nothing)
        is_speech = speech >= SPEECH
        features = self._encoder.read_window((window / 32768).astype(np.float32))[-_FEATURE_RATE:]
        here = is_speech[at((np.arange(_FEATURE_RATE) + 0.5) * SAMPLE_RATE_HZ / _FEATURE_RATE)]
        frames = prosody.analyse(window[-SAMPLE_RATE_HZ - prosody.WINDOW + prosody.HOP :], self._loud_db)
        level = float(np.percentile(frames.level_db, 95))
        self._loud_db = level if self._loud_db < level else self._loud_db + 0.1 * (level - self._loud_db)
        spoken = is_speech[at(np.arange(len(frames)) * prosody.HOP)]
        sound = features[here].sum(axis=0)
        return HeardSecond(float(is_speech.mean()), level, sound, int(here.sum()), frames.where(spoken))


def measure(seconds: Sequence[HeardSecond], least_speech_s: float = _LEAST_SPEECH_S) -> NDArray[np.float32] | None:
    """The mean speech feature [384] and the prosodic measures of these seconds; None where too little is said in them."""
    num_sound = sum(second.num_sound for second in seconds)
    if num_sound < least_speech_s * _FEATURE_RATE:
        return None
    frames = seconds[0].frames
    for second in seconds[1:]:
        frames = frames.then(second.frames)
    measures = prosody.describe(frames)
    if measures is None:
        return None
    sound = sum((second.sound for second in seconds), np.zeros(FEATURE_DIM, np.float32)) / num_sound
    return np.concatenate([sound, measures])


class EmotionJudge:
    """Weighs what `measure` gives. Evidence is in nats: 0 is undecided between the emotion and calm, 2 is clear."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        """Raises FileNotFoundError naming the file and how to make it."""
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} is missing: reinstall rostrum, or write it with python -m export.train.voice_emotion"
            )
        with np.load(path) as file:
            self._mean, self._scale, self._weights, self._bias = (
                file[name].astype(np.float32) for name in ("mean", "scale", "weights", "bias")
            )

    def weigh(self, seconds: Sequence[HeardSecond]) -> dict[str, float] | None:
        """Evidence for each emotion against calm; None where too little is said in these seconds."""
        measures = measure(seconds)
        if measures is None:
            return None
        evidence = np.clip((measures - self._mean) / self._scale, -3, 3) @ self._weights + self._bias
        return dict(zip(VOICE_EMOTIONS[1:], evidence.tolist(), strict=True))
