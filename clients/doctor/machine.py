"""Has this machine what a broadcast needs: models, avatars, a worker that is fast enough, encoders, a voice, room on disk?"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import AsyncIterator

import av
import numpy as np

from clients.doctor.finding import Finding
from engines.avatar_library import AvatarError, AvatarLibrary, user_root
from engines.backends.doctor import examine
from engines.motion import rest
from streamer.config import ServerSettings
from streamer.plan import Look
from streamer.render_worker import RenderWorker
from streamer.speech import SpeechError, voice_of

_FREE_BYTES = 1 << 30
_SHARED, _SHARED_BYTES = "/dev/shm", 256 << 20
_SIZE, _FPS, _NUM_FRAMES = (512, 512), 25, 50


async def avatars() -> AsyncIterator[Finding]:
    """Whether each can be opened."""
    library = AvatarLibrary.default()
    names = library.names()
    for name in names:
        try:
            library.get(name)
        except AvatarError as error:
            yield Finding("avatars", "bad", str(error), f"remove it (`rostrum avatar remove {name}`), or make it again")
    if names:
        yield Finding("avatars", "good", f"{len(names)}: {', '.join(names)}")
    else:
        yield Finding("avatars", "bad", "there is none", "make one: rostrum avatar create picture.jpg --name anna")


async def models(settings: ServerSettings) -> AsyncIterator[Finding]:
    """Whether they load, and how fast one worker draws."""
    began = time.perf_counter()
    own = None if settings.drawing.is_video else settings.drawing.weights
    try:
        worker = RenderWorker(threads=settings.worker_threads, model=str(own or "portrait"))
        worker.warm()
    except (OSError, RuntimeError, ValueError) as error:
        out = "leave out --weights" if own else "install Rostrum again: its weights are part of the package"
        yield Finding("models", "bad", f"they do not load: {error}", out)
        return
    yield Finding("models", "good", f"loaded and warm in {time.perf_counter() - began:.1f} s")
    library = AvatarLibrary.default()
    if not library.names():
        return
    look = Look(library.get(settings.default_avatar or library.names()[0]).folder, *_SIZE)
    worker.open(look)
    began = time.process_time()
    motion = rest(_NUM_FRAMES) + np.linspace(0, 0.2, _NUM_FRAMES, dtype=np.float32)[:, None]
    drawn = sum(1 for _ in worker.pictures(look, motion))
    ms = 1e3 * (time.process_time() - began) / drawn
    text = f"a picture of {_SIZE[0]}x{_SIZE[1]} takes {ms:.1f} ms of one core; {_FPS} a second allow {1e3 / _FPS:.0f}"
    if ms < 0.6 * 1e3 / _FPS:
        yield Finding("workers", "good", text)
    else:
        yield Finding("workers", "bad", text, "choose a smaller picture, or render elsewhere: a faster machine")


async def backends() -> AsyncIterator[Finding]:
    """What could run a video model here; the portrait model needs none of it."""
    for each in examine():
        if each.is_usable:
            yield Finding("backend", "good", f"{each.backend}: {each.reason}")
        else:
            way_out = "the portrait model does without it; video models (--model wan-1.3b) would be faster with it"
            yield Finding("backend", "note", f"{each.backend} cannot run: {each.reason}", way_out)


async def media() -> AsyncIterator[Finding]:
    """Encoders in PyAV, and FFmpeg for SRT."""
    missing = [name for name in ("libx264", "libopus", "aac") if name not in av.codecs_available]
    if missing:
        yield Finding(
            "encoders", "bad", f"PyAV has no {', '.join(missing)}", "install PyAV's wheel: pip install --force-reinstall av"
        )
    else:
        yield Finding("encoders", "good", "H.264, Opus and AAC are there")
    if not shutil.which("ffmpeg"):
        yield Finding("encoders", "note", "ffmpeg is not installed", "needed for SRT alone: apt-get install ffmpeg")


async def voice(settings: ServerSettings) -> AsyncIterator[Finding]:
    """Whether text can be spoken: a word is."""
    speaker = voice_of(settings.speech)
    try:
        samples = 0
        async for sound in speaker.speak("Hello."):
            samples += len(sound)
        where = settings.speech.url or "espeak-ng"
        yield Finding("voice", "good", f"{where} says a word of {samples / 48_000:.1f} s")
    except SpeechError as error:
        yield Finding("voice", "note", str(error), "needed for typed text alone")
    finally:
        await speaker.close()


async def disk() -> AsyncIterator[Finding]:
    """Room for avatars, and in the memory that pictures come back through."""
    home = user_root()
    existing = next(each for each in (home, *home.parents) if each.is_dir())
    free = shutil.disk_usage(existing).free
    text = f"{free / 1e9:.1f} GB free for {home}"
    if not os.access(existing, os.W_OK):
        yield Finding("disk", "bad", f"{home} cannot be written", "give this user the folder, or set ROSTRUM_HOME to another")
    elif free < _FREE_BYTES:
        yield Finding("disk", "bad", text, "make room, or set ROSTRUM_HOME to a larger disk")
    else:
        yield Finding("disk", "good", text)
    if os.access(_SHARED, os.W_OK) and (free := shutil.disk_usage(_SHARED).free) < _SHARED_BYTES:
        out = "in a container: --shm-size=1g (docker), an emptyDir with medium: Memory (Kubernetes)"
        yield Finding("disk", "bad", f"{free / 1e6:.0f} MB free in {_SHARED}: too few for pictures of two broadcasts", out)
