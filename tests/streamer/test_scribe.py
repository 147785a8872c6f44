import asyncio
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.recognition.whisper import RecogniserError
from streamer.features import VoiceWindow
from streamer.plan import s_from_pts
from streamer.recording import Recording
from streamer.scribe import Scribe, Written

SPEECH = Path(__file__).parents[1] / "data" / "speech.ogg"  # speaks at about 0.5–4 s


class Counts:
    """Writes one word more every time."""

    def __init__(self) -> None:
        self.voices: list[NDArray[np.int16]] = []

    async def text(self, voice: NDArray[np.int16]) -> str:
        self.voices.append(voice)
        return " ".join(f"word{i}" for i in range(len(self.voices)))


class Broken:
    async def text(self, voice: NDArray[np.int16]) -> str:
        raise RecogniserError("no model")


async def _write(to_text: Counts | Broken, told: list[Written]) -> Scribe:
    """Half a second of voice at a time, until the speech is over or the scribe gives up."""
    voice = VoiceWindow()
    scribe = Scribe(to_text, voice, told.append)
    task = asyncio.create_task(scribe.run())
    samples = Recording.open(SPEECH).voice[: 6 * 16_000]
    for start in range(0, len(samples), 8000):
        voice.push(samples[start : start + 8000])
        await asyncio.sleep(0.15)
    async with asyncio.timeout(60):
        while not scribe.problem and not (told and told[-1].utterance.is_over):  # noqa: ASYNC110, nothing tells
            await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return scribe


async def test_an_utterance_is_written_down_as_it_grows() -> None:
    told: list[Written] = []
    counts = Counts()
    await _write(counts, told)
    assert told[-1].utterance.is_over
    for earlier, later in pairwise(told):
        same = earlier.utterance.start == later.utterance.start
        assert later.before == (earlier.text if same else "")
    length_s = s_from_pts(told[-1].utterance.end - told[-1].utterance.start)
    assert len(counts.voices[-1]) == round(length_s * 16_000)


async def test_a_recogniser_that_fails_again_and_again_is_left_alone() -> None:
    told: list[Written] = []
    scribe = await _write(Broken(), told)
    assert scribe.problem == "no model"
    assert told == []
