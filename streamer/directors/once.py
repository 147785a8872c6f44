"""One plan from a language model, for a command line: it is waited for, and whatever fails, the embedded planner answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engines.mllm.chat import ChatError, Sound
from streamer.briefing import Briefing, Plan
from streamer.clock import SystemClock
from streamer.config import DirectorSettings
from streamer.director import EmbeddedDirector
from streamer.directors import chat_model
from streamer.directors.model_director import ModelDirector
from streamer.plan import Pts

_PATIENCE_S = 600.0  # nobody is on air; a local checkpoint may have to be loaded first


def plan_once(
    settings: DirectorSettings,
    briefing: Briefing,
    sound: Sound | None = None,
    picture: Path | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Plan:
    """The plan of the director that the settings name. What it hears and sees replaces the briefing's own captions.

    tell: gets a line for people where anything falls short. Blocks; never raises for what a model does. Raises ConfigError.
    """
    return asyncio.run(_plan(settings, briefing, sound, picture, tell))


async def _plan(
    settings: DirectorSettings, briefing: Briefing, sound: Sound | None, picture: Path | None, tell: Callable[[str], None]
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
        if sound:
            try:
                heard = await director.hear(sound, _PATIENCE_S)
                briefing = replace(briefing, voice=(heard.caption(Pts(0)),), transcript=heard.transcript)
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
