"""A language model that says what a test tells it to, after a while."""

import asyncio
import json
from typing import Any

from engines.mllm.chat import ChatRequest


class ScriptedModel:
    """By kind of question (`storyline`, `voice_caption`, `portrait_caption`): a list of (seconds, answer), the last one stays.

    An answer is JSON, text, or an exception to raise.
    """

    backend = "scripted"

    def __init__(self, **replies: list[tuple[float, Any]]) -> None:
        self.replies = {
            "storyline": [(0.0, {"beats": []})],
            "voice_caption": [(0.0, "")],
            "portrait_caption": [(0.0, "")],
        } | replies
        self.asked: list[ChatRequest] = []
        self.cancelled = 0
        self.most_open = 0
        self._open = 0

    def start(self) -> None:
        pass

    def notes(self) -> tuple[str, ...]:
        return ()

    async def close(self) -> None:
        pass

    def count(self, kind: str) -> int:
        """How often that question has come."""
        return sum(request.schema_name == kind for request in self.asked)

    async def ask(self, request: ChatRequest) -> str:
        self.asked.append(request)
        replies = self.replies[request.schema_name]
        after_s, answer = replies.pop(0) if len(replies) > 1 else replies[0]
        self._open += 1
        self.most_open = max(self.most_open, self._open)
        try:
            await asyncio.sleep(after_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self._open -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, str) else json.dumps(answer)
