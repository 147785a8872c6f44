"""Settings of the server and of one broadcast. A bad value raises ConfigError, which names it and the values that work."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from streamer.plan import TIME_BASE_HZ

FRAME_RATES = (24, 25, 30, 48, 50)
MIN_SIDE, MAX_SIDE, MAX_PIXELS = 128, 1920, 1920 * 1088
BROADCAST_ID = re.compile(r"[a-z0-9][a-z0-9-]{2,63}")


class ConfigError(ValueError):
    """A setting that cannot be used; the message names it and what to write instead."""


def parse_size(text: str) -> tuple[int, int]:
    """``512x512`` or ``512`` to (width, height), both even."""
    match = re.fullmatch(r"(\d{2,5})(?:x(\d{2,5}))?", text.strip().lower())
    if not match:
        raise ConfigError(f"size: {text!r} is not of the form 512x512")
    width = int(match[1])
    height = int(match[2] or width)
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in (width, height)) or width * height > MAX_PIXELS:
        raise ConfigError(f"size: {text} is out of range; sides are {MIN_SIDE} to {MAX_SIDE}, at most 1920x1088 in all")
    if width % 2 or height % 2:
        raise ConfigError(f"size: {text} has an odd side; take {width + width % 2}x{height + height % 2}")
    return width, height


@dataclass(frozen=True, slots=True)
class BroadcastSettings:
    """What a host chooses. `segment_s`: how much voice one sub-clip covers, and so most of the delay."""

    avatar: str
    width: int = 512
    height: int = 512
    fps: int = 25
    segment_s: float = 0.4

    def __post_init__(self) -> None:
        if self.fps not in FRAME_RATES:
            raise ConfigError(f"fps: {self.fps} is not one of {', '.join(map(str, FRAME_RATES))}")
        assert TIME_BASE_HZ % self.fps == 0
        if not 0.2 <= self.segment_s <= 2.0:
            raise ConfigError(f"segment_s: {self.segment_s} is not between 0.2 and 2.0")
        parse_size(f"{self.width}x{self.height}")

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What the operator chooses. Times in seconds."""

    web_root: Path
    lineage_root: Path | None = None
    default_avatar: str | None = None
    segment_s: float = 0.4
    worker_threads: int = 1
    max_broadcasts: int = 4
    max_viewers: int = 200  # of one broadcast
    connect_timeout_s: float = 60.0  # a broadcast whose host never comes is ended
    resume_s: float = 30.0  # a host that was lost may come back for so long
    ice_servers: tuple[str, ...] = field(default=())  # stun: and turn: URLs, also told to the peers
    offer_loopback: bool | None = None  # 127.0.0.1 as an ICE candidate; None: when there is no other address
