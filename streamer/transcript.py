"""The words of a recording, written down by a Whisper model in this very process: nobody is on air."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.recognition.whisper import Recogniser, Whisper
from streamer.captions import SpokenWord
from streamer.config import TranscriptSettings
from streamer.plan import pts_from_s


def spoken_words(
    voice: NDArray[np.int16], settings: TranscriptSettings, recogniser: Recogniser | None = None
) -> list[SpokenWord]:
    """What is said in int16 [n] at 16 kHz, and when. Raises RecogniserError."""
    writer = recogniser or Whisper(settings.model, settings.language, settings.threads)
    return [SpokenWord(word.text, pts_from_s(word.start_s), pts_from_s(word.end_s)) for word in writer.words(voice)]
