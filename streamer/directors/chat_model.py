"""A language model as the directors see it, wherever it runs."""

from __future__ import annotations

from typing import Protocol

from engines.mllm.chat import ChatRequest


class ChatModel(Protocol):
    """Answers questions; shared by every broadcast of the server."""

    @property
    def backend(self) -> str:
        """ "openai" or "transformers"."""
        ...

    def start(self) -> None:
        """Begin to load what there is to load; returns at once. Without it, the first question does so."""
        ...

    async def ask(self, request: ChatRequest) -> str:
        """The answer's text. Takes as long as it takes: the caller sets the deadline, by cancelling. Raises ChatError."""
        ...

    def notes(self) -> tuple[str, ...]:
        """What falls short of the usual way, for people: such as that the server takes no JSON Schema."""
        ...

    async def close(self) -> None: ...
