"""Work for a pool's workers that needs no models."""

import os
import time
from pathlib import Path

_avatar: Path | None = None
_word = ""


def start(avatar: Path, word: str) -> None:
    global _avatar, _word
    _avatar, _word = avatar, word


def read(name: str) -> tuple[str, bytes, str]:
    """A file of the avatar as the worker has it."""
    assert _avatar
    return _avatar.name, (_avatar / name).read_bytes(), _word


def slow(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()
