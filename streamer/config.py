"""Settings of the server and of one broadcast. A bad value raises ConfigError, which names it and the values that work."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from engines.catalog import STATISTICS, WEIGHTS
from streamer.ice_server import IceServer
from streamer.limits import Rate
from streamer.plan import BACKGROUNDS, TIME_BASE_HZ, Background

MODELS = ("portrait", "mini", "wan-1.3b", "wan-14b", "wan")  # wan: of any size
FRAME_RATES = (24, 25, 30, 48, 50)
MIN_SIDE, MAX_SIDE, MAX_PIXELS = 128, 1920, 1920 * 1088
MIN_KBPS, MAX_KBPS = 150, 20_000
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


def parse_bitrate(text: str) -> int | None:
    """``2500``, ``2500k`` or ``2.5M`` to kb/s; ``auto`` to None."""
    if text.strip().lower() == "auto":
        return None
    match = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)([km]?)", text.strip().lower())
    if not match:
        raise ConfigError(f"bitrate: {text!r} is not of the form 2500k or 2.5M, nor auto")
    kbps = round(float(match[1]) * (1000 if match[2] == "m" else 1))
    if not MIN_KBPS <= kbps <= MAX_KBPS:
        raise ConfigError(f"bitrate: {text} is out of range; take {MIN_KBPS}k to {MAX_KBPS // 1000}M, or auto")
    return kbps


def bitrate_for(width: int, height: int, fps: int) -> int:
    """Bits a second for a talking head: 2.0 Mb/s at 512x512@25, 9.6 at 1920x1080@48; what it does not need it does not take."""
    return int(min(12e6, max(0.6e6, 2.0e6 * (width * height / 512**2) ** 0.75 * (fps / 25) ** 0.5)))


@dataclass(frozen=True, slots=True)
class BroadcastSettings:
    """What a host chooses. `segment_s`: how much voice one sub-clip covers, and so most of the delay. `kbps`: what the video
    takes, in thousands of bits a second; None: what the pictures need, at most as much as is usual for their size and rate."""

    avatar: str
    width: int = 512
    height: int = 512
    fps: int = 25
    segment_s: float = 0.24
    background: Background | Path = "keep"
    kbps: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.background, Path) and self.background not in BACKGROUNDS:
            raise ConfigError(f"background: {self.background!r} is not one of {', '.join(BACKGROUNDS)}")
        if self.fps not in FRAME_RATES:
            raise ConfigError(f"fps: {self.fps} is not one of {', '.join(map(str, FRAME_RATES))}")
        assert TIME_BASE_HZ % self.fps == 0
        if not 0.2 <= self.segment_s <= 1.0:
            raise ConfigError(f"segment_s: {self.segment_s} is not between 0.2 and 1.0")
        parse_size(f"{self.width}x{self.height}")
        if self.kbps is not None:
            parse_bitrate(str(self.kbps))

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def background_name(self) -> str:
        """As a host chooses it."""
        return self.background.stem if isinstance(self.background, Path) else self.background

    @property
    def bitrate(self) -> int | str:
        """As `parse_bitrate` reads it."""
        return self.kbps or "auto"


@dataclass(frozen=True, slots=True)
class DirectorSettings:
    """Who directs. Times in seconds; the keys of servers come from the environment alone and are not kept here.

    openai: `url` (it ends before /chat/completions) and `model`; `hearing_model` and `seeing_model` where other models caption
    voice and portrait. transformers: `path`, a Qwen2.5-Omni or Qwen2.5-VL checkpoint; `seeing_path` where another one sees.
    """

    backend: Literal["embedded", "openai", "transformers"] = "embedded"
    url: str = ""
    model: str = ""
    hearing_model: str | None = None
    seeing_model: str | None = None
    key_env: str | None = None  # the environment variable that holds the key
    path: Path | None = None
    seeing_path: Path | None = None
    device: str | None = None  # as torch names it; None: a GPU where there is one
    soft_s: float = 1.5  # then the embedded plan goes on air, and the model's may refine it
    hard_s: float = 8.0  # then the model's is not waited for any more
    listen_every_s: float = 4.0
    listen_for_s: float = 8.0  # of voice in one caption

    def __post_init__(self) -> None:
        if self.backend == "openai":
            if urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).hostname:
                raise ConfigError(f"director-url: {self.url!r} is not an address such as http://127.0.0.1:8000/v1")
            if not self.model:
                raise ConfigError("director-model: name the model that the server offers, such as Qwen/Qwen2.5-Omni-7B")
            self.key()
        if self.backend == "transformers":
            for name, path in (("director-path", self.path), ("director-seeing-path", self.seeing_path)):
                if path and not (path / "config.json").is_file():
                    raise ConfigError(f"{name}: {path} is not a checkpoint: it has no config.json")
            if not self.path:
                raise ConfigError("director-path: give the folder of a Qwen2.5-Omni or Qwen2.5-VL checkpoint")
        if not 0 < self.soft_s <= self.hard_s <= 120:
            raise ConfigError(f"director-deadlines: {self.soft_s} and {self.hard_s} s must rise, and end by 120 s")
        if not 0.5 <= self.listen_every_s <= 60 or not 1 <= self.listen_for_s <= 15:
            raise ConfigError("director-listen: every 0.5 to 60 s, for 1 to 15 s")

    def key(self) -> str:
        """The server's key, "" where none is needed. Raises ConfigError where the variable is not set."""
        return _secret("director-key-env", self.key_env)


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """Who speaks text. espeak: `voice` is one of `espeak-ng --voices`, `language` that of text whose letters tell none. openai:
    `url` (it ends before /audio/speech), `model`, and `voice` as the server names it."""

    backend: Literal["espeak", "openai"] = "espeak"
    url: str = ""
    model: str = ""
    voice: str | None = None
    language: str = "en"
    key_env: str | None = None  # the environment variable that holds the server's key

    def __post_init__(self) -> None:
        if self.backend == "openai":
            if urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).hostname:
                raise ConfigError(f"speech-url: {self.url!r} is not an address such as http://127.0.0.1:8880/v1")
            if not self.model:
                raise ConfigError("speech-model: name the model that the server offers, such as tts-1")
            self.key()

    def key(self) -> str:
        """The server's key, "" where none is needed. Raises ConfigError where the variable is not set."""
        return _secret("speech-key-env", self.key_env)


def _secret(setting: str, variable: str | None) -> str:
    if not variable:
        return ""
    if not (key := os.environ.get(variable, "").strip()):
        raise ConfigError(f"{setting}: the environment variable {variable} is not set")
    return key


@dataclass(frozen=True, slots=True)
class Limits:
    """What one visitor may ask of the server. "Of one address": an IPv4 address or an IPv6 /64."""

    requests: Rate = field(default=Rate(600, 60))  # of one address, of any kind
    offers: Rate = field(default=Rate(60, 10))  # of one address: WHIP and WHEP
    offers_each: Rate = field(default=Rate(300, 30))  # to one broadcast
    broadcasts: Rate = field(default=Rate(20, 0.5))  # of one address
    avatars: Rate = field(default=Rate(6, 0.1))  # of one address
    messages: Rate = field(default=Rate(100, 30))  # of one control connection; more are read later, not refused
    controls: int = 64  # control connections of one broadcast
    avatars_at_once: int = 2  # pictures being worked on; more are refused
    body_s: float = 60.0  # for a whole body to arrive
    header_s: float = 10.0  # for a request's headers to arrive
    connections: int = 1000  # of the whole server


@dataclass(frozen=True, slots=True)
class TranscriptSettings:
    """What writes down the words: a Whisper model in CTranslate2's format. `language`: such as "en"; None: it tells itself."""

    model: str  # a folder, or a name that faster-whisper downloads
    language: str | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        if importlib.util.find_spec("faster_whisper") is None:
            raise ConfigError("transcript: faster-whisper is not installed: pip install 'rostrum[transcript]'")
        path = Path(self.model)
        if path.exists() and not (path / "model.bin").is_file():
            raise ConfigError(f"transcript: {path} is not a Whisper model in CTranslate2's format: it has no model.bin")
        if self.language is not None and not re.fullmatch(r"[a-z]{2,3}", self.language):
            raise ConfigError(f"transcript-language: {self.language!r} is not a language code, such as en, zh, ja or ko")


@dataclass(frozen=True, slots=True)
class DrawingSettings:
    """Which model draws: the portrait's, or a video transformer of the weights in a folder (see `engines.video_weights`).

    weights: of the portrait model and mini, None for those that are shipped; the portrait's as `rostrum export` writes them.
    """

    model: str = "portrait"
    weights: Path | None = None

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ConfigError(f"model: {self.model!r} is not one of {', '.join(MODELS)}")
        if self.is_video and (self.folder is None or not self.folder.is_dir()):
            raise ConfigError(f"weights: {self.model} needs the folder of its weights, and {self.folder} is none")
        if not self.is_video and self.weights and not (self.weights / STATISTICS).is_file():
            raise ConfigError(
                f"weights: {self.weights} is no folder of the portrait model: `rostrum export onnx --model portrait` writes one"
            )

    @property
    def is_video(self) -> bool:
        return self.model != "portrait"

    @property
    def folder(self) -> Path | None:
        """Of the weights."""
        return WEIGHTS / "mini" if self.model == "mini" and self.weights is None else self.weights

    @property
    def goes_on(self) -> bool:
        """Whether clips need those before them: with weights that do not land on anchors, or go on from several frames."""
        file = self.folder / "weights.json" if self.is_video and self.folder else None
        if file is None or not file.is_file():
            return False
        try:
            given = json.loads(file.read_text())
        except json.JSONDecodeError as error:
            raise ConfigError(f"weights: {file} is not JSON: {error}") from None
        return not given.get("lands", True) or given.get("goes_on_from", 1) != 1

    @property
    def worker_class(self) -> str:
        """As the render pool takes it."""
        return "streamer.video_worker:VideoWorker" if self.is_video else "streamer.render_worker:RenderWorker"

    def worker_options(self, segment_s: float) -> dict[str, object]:
        """What that class takes besides threads, for a broadcast of such sub-clips."""
        if not self.is_video:
            return {"model": str(self.weights)} if self.weights else {}
        return {"model": self.model, "weights": self.folder, "warm_frames": round(segment_s * 25)}

    @property
    def segment_s(self) -> float:
        """Voice in one sub-clip, where none is chosen: the less, the weaker a model is that fills it in."""
        return {"portrait": 0.24, "mini": 0.32}.get(self.model, 0.96)

    @property
    def film_frames(self) -> int:
        """Of a sub-clip of a film that a video model draws, after the frame it begins from."""
        return 8 if self.model == "mini" else 32

    @property
    def timeout_s(self) -> float:
        """A worker that takes longer over a job is taken for dead; while it waits for a processor, that time does not run."""
        return 60.0 if self.is_video else 2.0


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What the operator chooses. Times in seconds."""

    web_root: Path
    lineage_root: Path | None = None
    recordings_root: Path | None = None  # None: nothing can be recorded
    default_avatar: str | None = None
    segment_s: float = 0.24
    kbps: int | None = None  # of broadcasts that choose none
    workers: int = field(default_factory=lambda: min(4, os.cpu_count() or 1))  # render workers, shared by the broadcasts
    worker_threads: int = 1
    max_broadcasts: int = 4
    max_viewers: int = 200  # of one broadcast
    connect_timeout_s: float = 60.0  # a broadcast whose host never comes is ended
    resume_s: float = 30.0  # a host that was lost may come back for so long
    ice_servers: tuple[str, ...] = field(default=())  # stun: and turn: URLs, also told to the peers
    director: DirectorSettings = field(default_factory=DirectorSettings)
    speech: SpeechSettings = field(default_factory=SpeechSettings)
    drawing: DrawingSettings = field(default_factory=DrawingSettings)
    key: str | None = None  # None: nobody is asked for a token
    public: bool = False  # watching needs no token
    trust_loopback: bool = True  # the studio page gives the key to a browser on this machine
    origins: tuple[str, ...] = ()  # such as https://studio.example: names by which browsers may reach this server
    limits: Limits = field(default_factory=Limits)
    transcript: TranscriptSettings | None = None
    udp_ports: range | None = None  # for ICE; None: any that the system gives
    offer_loopback: bool | None = None  # 127.0.0.1 as an ICE candidate; None: when there is no other address

    def __post_init__(self) -> None:
        if self.workers > 1 and self.drawing.goes_on:
            raise ConfigError(
                f"workers: {self.workers}, but with these weights a clip goes on from the one before: take 1 (a server a GPU)"
            )
        for server in self.ice_servers:
            try:
                IceServer.parse(server)
            except ValueError as error:
                raise ConfigError(f"ice-server: {error}") from None
        for origin in self.origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
                raise ConfigError(f"origin: {origin!r} is not of the form https://studio.example")
