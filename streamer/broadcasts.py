"""The broadcasts of this server: made, found by id, and forgotten when they are over."""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from engines.avatar_library import AvatarLibrary
from engines.background_library import BackgroundLibrary, BackgroundNotFound
from streamer.clock import Clock
from streamer.config import BROADCAST_ID, BroadcastSettings, ConfigError, ServerSettings, parse_bitrate, parse_size
from streamer.directors.model_director import ModelDirector
from streamer.plan import BACKGROUNDS, Background
from streamer.render_pool import RenderPool
from streamer.scribe import SpeechToText
from streamer.session import Session

#: What a host may choose of a broadcast.
CHOICES = ("avatar", "size", "fps", "background", "bitrate")
_MOST = 0.9  # of the workers' time may be given away
_SWEPT_AFTER_S = 1.0

log = logging.getLogger(__name__)


class TooManyBroadcasts(RuntimeError):
    """This server carries no more; one has to end first."""


class BroadcastExists(RuntimeError):
    """There is one of this id already."""


class Broadcasts:
    """Bounded to `max_broadcasts`. Each runs as a task of its own."""

    def __init__(
        self,
        settings: ServerSettings,
        library: AvatarLibrary,
        backgrounds: BackgroundLibrary,
        pool: RenderPool,
        clock: Clock,
        director: ModelDirector | None = None,
        recogniser: SpeechToText | None = None,
    ) -> None:
        self._settings = settings
        self._library = library
        self._backgrounds = backgrounds
        self._pool = pool
        self._clock = clock
        self._director = director
        self._recogniser = recogniser
        self._running: dict[str, tuple[Session, asyncio.Task[None]]] = {}
        self._refuses = ""
        self.started = 0

    def __len__(self) -> int:
        return len(self._running)

    def __iter__(self) -> Iterator[Session]:
        return iter([session for session, _ in self._running.values()])

    def get(self, broadcast: str) -> Session | None:
        """One that is not over."""
        running = self._running.get(broadcast)
        return running[0] if running and running[0].state != "ended" else None

    def choose(self, wish: Mapping[str, object]) -> BroadcastSettings:
        """A host's choices, by the names in `CHOICES`, with what was not chosen filled in.

        Raises ConfigError, or AvatarError for an unknown avatar.
        """
        avatar, size, fps, background, bitrate = (None if wish.get(key) is None else str(wish[key]) for key in CHOICES)
        name = avatar or self._settings.default_avatar or next(iter(self._library.names()), None)
        if name is None:
            raise ConfigError("avatar: there is none yet; make one with `rostrum avatar create` or on the page")
        self._library.get(name)
        width, height = parse_size(size or "512x512")
        try:
            rate = int(fps or 25)
        except ValueError:
            raise ConfigError(f"fps: {fps!r} is not a number") from None
        wanted = self._background(background or "keep")
        kbps = parse_bitrate(bitrate) if bitrate else self._settings.kbps
        return BroadcastSettings(name, width, height, rate, self._settings.segment_s, wanted, kbps)

    def _background(self, name: str) -> Background | Path:
        drawing = self._settings.drawing
        if name != "keep" and drawing.is_video:
            raise ConfigError(f"background: {drawing.model} draws whole pictures and knows no person apart; leave it at keep")
        if name in BACKGROUNDS:
            return name
        try:
            return self._backgrounds.path(name)
        except BackgroundNotFound as error:
            raise ConfigError(f"background: {name!r} is not one of {', '.join(BACKGROUNDS)}, nor a picture. {error}") from None

    def start(self, chosen: BroadcastSettings, broadcast: str | None = None) -> Session:
        """A new broadcast, waiting for its host. Raises TooManyBroadcasts, BroadcastExists, ConfigError for a bad id."""
        broadcast = broadcast or secrets.token_hex(5)
        if not BROADCAST_ID.fullmatch(broadcast):
            raise ConfigError(f"broadcast: {broadcast!r} cannot be an id: use 3 to 64 of a-z, 0-9 and -")
        if broadcast in self._running:
            raise BroadcastExists(
                f"there is a broadcast {broadcast!r} already, or it is just ending; end it, or take another id"
            )
        if self._refuses:
            raise TooManyBroadcasts(self._refuses)
        if len(self._running) >= self._settings.max_broadcasts:
            raise TooManyBroadcasts(f"this server carries {self._settings.max_broadcasts} broadcasts; one has to end first")
        self._check_room(chosen)
        shared = (self._settings, self._pool, self._clock, self._director, self._recogniser)
        session = Session(broadcast, self._folder_of, chosen, *shared)
        task = asyncio.get_running_loop().create_task(session.run(), name=f"{broadcast}-run")
        self._running[broadcast] = (session, task)
        task.add_done_callback(lambda _: self._forget(broadcast))
        self.started += 1
        return session

    def _forget(self, broadcast: str) -> None:
        """Its peers hold one another in cycles, codecs and all: 1.6 MB that Python would find after dozens of broadcasts."""
        del self._running[broadcast]
        asyncio.get_running_loop().call_later(_SWEPT_AFTER_S, gc.collect)

    def _check_room(self, chosen: BroadcastSettings) -> None:
        """By what work costs on this machine, as measured. A first broadcast is taken in any case."""
        running = [session.settings for session in self if session.state != "ended"]
        wanted = [self._pool.costs.of_broadcast(each.width * each.height, each.fps) for each in (*running, chosen)]
        needs = [each for each in wanted if each is not None]
        has = self._pool.num_workers
        if running and needs and sum(needs) > _MOST * has:
            raise TooManyBroadcasts(
                f"this server is full: {chosen.size} at {chosen.fps} takes {needs[-1]:.2f} render workers, and of its {has} "
                f"only {max(0.0, _MOST * has - sum(needs[:-1])):.2f} are free; end a broadcast, or choose a smaller size"
            )

    def _folder_of(self, avatar: str) -> Path:
        return self._library.get(avatar).folder

    def refuse(self, why: str) -> None:
        """No new ones from now on."""
        self._refuses = why

    async def over(self, within_s: float) -> bool:
        """Wait until those that run have ended by themselves; whether they have."""
        tasks = [task for _, task in self._running.values()]
        return not tasks or not (await asyncio.wait(tasks, timeout=within_s))[1]

    async def close(self) -> None:
        """End all; returns when nothing of them is left."""
        tasks = [task for _, task in self._running.values()]
        for session, _ in self._running.values():
            session.end("the server is shutting down")
        await asyncio.gather(*tasks, return_exceptions=True)
