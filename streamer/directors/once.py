"""One plan from a language model, for a command line: it is waited for, and whatever fails, the embedded planner answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.mllm.chat import SOUND_RATE_HZ, ChatError, Sound
from streamer.briefing import Briefing, Plan
from streamer.clock import SystemClock
from streamer.config import DirectorSettings
from streamer.director import EmbeddedDirector
from streamer.directors import chat_model
from streamer.directors.model_director import ModelDirector
from streamer.plan import TIME_BASE_HZ, Pts

_LONGEST = 60 * SOUND_RATE_HZ
_PATIENCE_S = 600.0  # nobody is on air; a local checkpoint may have to be loaded first


def plan_once(
    settings: DirectorSettings,
    briefing: Briefing,
    voice: NDArray[np.int16] | None = None,
    picture: Path | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Plan:
    """The plan of the director that the settings name; what a model hears and sees replaces the briefing's own captions.

    voice: int16 [n] at 16 kHz, of which a model hears the first minute. tell: gets a line for people where anything falls
    short. Blocks; never raises for what a model does. Raises ConfigError.
    """
    return asyncio.run(_plan(settings, briefing, voice, picture, tell))


async def _plan(
    settings: DirectorSettings,
    briefing: Briefing,
    voice: NDArray[np.int16] | None,
    picture: Path | None,
    tell: Callable[[str], None],
) -> Plan:
    embedded = EmbeddedDirector()
    model = chat_model(settings)
    if model is None:
        return embedded.plan(briefing)
    director = ModelDirector(model, embedded, SystemClock())
    try:
        if picture:
            try:
                briefing = replace(briefing, portrait=await director.see(picture, _PATIENCE_S))
            except ChatError as error:
                tell(f"the portrait is not described by the model: {error}")
        if voice is not None:
            try:
                briefing = await _hear(director, briefing, voice, round(settings.listen_for_s * SOUND_RATE_HZ))
            except ChatError as error:
                tell(f"the voice is not heard by the model: {error}")
        reading = await director.read(briefing, _PATIENCE_S, _PATIENCE_S)
        for refused in reading.refused:
            tell(f"not believed: {refused}")
        return reading.plan(briefing, director.backend)
    except ChatError as error:
        tell(f"the embedded planner plans: {error}")
        return embedded.plan(briefing)
    finally:
        for note in director.notes():
            tell(note)
        await director.close()


async def _hear(director: ModelDirector, briefing: Briefing, voice: NDArray[np.int16], span: int) -> Briefing:
    """A caption for every `span` samples. Raises ChatError."""
    captions, transcript = [], []
    for begin in range(0, min(len(voice), _LONGEST), span):
        heard = await director.hear(Sound(voice[begin : begin + span]), _PATIENCE_S)
        captions.append(heard.caption(Pts(begin * TIME_BASE_HZ // SOUND_RATE_HZ)))
        transcript.append(heard.transcript)
    return replace(briefing, voice=tuple(captions), transcript=" ".join(transcript))
