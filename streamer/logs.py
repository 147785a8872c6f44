"""Log lines that say which broadcast they are about: as text for people, as one JSON object a line for machines."""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

_BROADCAST: ContextVar[str] = ContextVar("broadcast", default="")
_TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(about)s%(message)s"


def about(broadcast: str) -> None:
    """Whatever this task, and those it starts, log from now on is about this broadcast."""
    _BROADCAST.set(broadcast)


def set_up(level: str, form: Literal["text", "json"] = "text") -> None:
    """Once, before anything is logged; uvicorn's own lines are taken in."""
    logging.basicConfig(level=level.upper(), handlers=[stream_handler(form)])
    for noisy in ("aiortc", "aioice", "httpx2", "httpcore2"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def stream_handler(form: Literal["text", "json"]) -> logging.Handler:
    """To stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else logging.Formatter(_TEXT))
    handler.addFilter(_note_broadcast)
    return handler


def _note_broadcast(record: logging.LogRecord) -> bool:
    broadcast = _BROADCAST.get()
    vars(record).update(broadcast=broadcast, about=f"[{broadcast}] " if broadcast else "")
    return True


class JsonLines(logging.Formatter):
    """``{"at", "level", "logger", "message", "broadcast"?, "task"?, "error"?}``, UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if broadcast := getattr(record, "broadcast", ""):
            line["broadcast"] = broadcast
        if task := getattr(record, "taskName", None):  # from Python 3.12 on
            line["task"] = task
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
