"""What a multimodal language model is asked, whoever runs it: text, sound and pictures, and a schema to answer in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

SOUND_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Mono voice, int16 [n] at `SOUND_RATE_HZ`."""

    samples: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture. `mime`: image/jpeg or image/png."""

    data: bytes
    mime: str = "image/jpeg"


Part = str | Sound | Picture


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn of the conversation."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question. The answer is to be one JSON object that fits `schema` (JSON Schema), of at most `max_tokens` tokens."""

    messages: tuple[ChatMessage, ...]
    schema_name: str
    schema: dict[str, Any]
    max_tokens: int = 800

    @property
    def has_sound(self) -> bool:
        return any(isinstance(part, Sound) for message in self.messages for part in message.parts)

    @property
    def has_picture(self) -> bool:
        return any(isinstance(part, Picture) for message in self.messages for part in message.parts)


class ChatError(RuntimeError):
    """No usable answer. The message says why and the way out.

    retry_after_s: how long to leave the model alone, where it said so itself. is_lasting: asking again will not help (a wrong
    key, an unknown model, a checkpoint that is not there).
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None, is_lasting: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.is_lasting = is_lasting


class CannotPerceive(ChatError):
    """The model takes no sound, or no picture; text it may still take."""
