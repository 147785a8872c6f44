"""The recogniser's process, from the server's side."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from engines.recognition.whisper import RecogniserError
from streamer.config import TranscriptSettings
from streamer.recogniser import RecogniserProcess
from tests.fakes.recogniser import DIE, FAIL, FAKE_RECOGNISER

VOICE = np.zeros(16_000, np.int16)


@pytest_asyncio.fixture
async def process() -> AsyncIterator[RecogniserProcess]:
    made = RecogniserProcess(TranscriptSettings("any"), FAKE_RECOGNISER)
    made.start()
    yield made
    await made.close()


async def test_a_voice_becomes_text_and_what_fails_or_dies_is_told_and_forgotten(process: RecogniserProcess) -> None:
    assert await process.text(VOICE) == "Goodbye, everybody!"
    with pytest.raises(RecogniserError, match="a fault on purpose"):
        await process.text(VOICE + FAIL)
    assert await process.text(VOICE) == "Goodbye, everybody!"
    with pytest.raises(RecogniserError, match="died"):
        await process.text(VOICE + DIE)
    assert await process.text(VOICE) == "Goodbye, everybody!"


async def test_a_model_that_cannot_be_loaded_is_named() -> None:
    process = RecogniserProcess(TranscriptSettings("broken"), FAKE_RECOGNISER)
    with pytest.raises(RecogniserError, match="broken is not a model"):
        await process.text(VOICE)
    await process.close()
    with pytest.raises(RuntimeError):
        await process.text(VOICE)
