"""What a clip shows and says, in words: as the embedded director describes a portrait and a voice, and what is said in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engines.motion import BLENDSHAPES
from engines.recognition.whisper import HeardSpeech
from export.curate.reading import Reading
from streamer.hearing import captions_of
from streamer.seeing import colour, expression, framing_of


class Listener(Protocol):
    """What writes down a voice, int16 [n] at 16 kHz; `engines.recognition.whisper.Whisper` does."""

    def heard(self, voice: NDArray[np.int16]) -> HeardSpeech: ...


@dataclass(frozen=True, slots=True)
class Caption:
    """text: one line about the picture and the voice. language: empty where nobody listened or nobody speaks."""

    text: str
    framing: str
    face_emotion: str
    voice_emotion: str
    transcript: str = ""
    language: str = ""
    language_probability: float = 0.0


def caption(reading: Reading, listener: Listener | None = None) -> Caption:
    """Raises RecogniserError where the listener does."""
    track, words = reading.track, []
    framing = face_emotion = voice_emotion = ""
    if track.found.any():
        _, top, _, bottom = track.box
        framing = framing_of((bottom - top) / reading.size[1])
        shapes = np.median(track.blendshapes[track.found], axis=0)
        emotion, face = expression(dict(zip(BLENDSHAPES, shapes.tolist(), strict=True)))
        face_emotion = emotion or "calm"
        words += [framing, face]
        if reading.stills:
            corners = np.concatenate(
                [still[: len(still) // 8, edge].reshape(-1, 3) for still in reading.stills for edge in _SIDES]
            )
            words.append(f"in front of {colour(np.median(corners, axis=0).astype(np.float64))}")
    heard = HeardSpeech("", "", 0.0)
    if len(reading.audio):
        longest = _longest_mood(reading.audio)
        voice_emotion = longest
        words.append("the voice is calm" if longest == "calm" else f"the voice shows {longest}")
        if listener is not None:
            heard = listener.heard(reading.audio)
    return Caption(", ".join(words), framing, face_emotion, voice_emotion, heard.text, heard.language, heard.probability)


_SIDES = (slice(0, 12), slice(-12, None))  # columns of a still's upper corners


def _longest_mood(audio: NDArray[np.int16]) -> str:
    """The emotion that the voice shows for most of the clip."""
    captions = captions_of(audio)
    ends = [*(each.start for each in captions[1:]), captions[-1].start + max(1, 3 * len(audio) - captions[-1].start)]
    lasts: dict[str, int] = {}
    for each, end in zip(captions, ends, strict=True):
        lasts[each.emotion] = lasts.get(each.emotion, 0) + int(end) - int(each.start)
    return max(lasts, key=lambda emotion: lasts[emotion])
