"""Directors that ask a multimodal language model, and what they ask it."""

from __future__ import annotations

from streamer.config import DirectorSettings
from streamer.directors.chat_model import ChatModel
from streamer.directors.openai import OpenAIModel
from streamer.directors.transformers import TransformersModel


def chat_model(settings: DirectorSettings) -> ChatModel | None:
    """The model that the settings name; None for the embedded director. Raises ConfigError where its key is missing."""
    match settings.backend:
        case "openai":
            return OpenAIModel(
                settings.url,
                settings.model,
                key=settings.key(),
                hearing_model=settings.hearing_model,
                seeing_model=settings.seeing_model,
            )
        case "transformers":
            assert settings.path is not None
            return TransformersModel(settings.path, seeing_folder=settings.seeing_path, device=settings.device)
        case "embedded":
            return None
