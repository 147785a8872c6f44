"""A file as the microphone: any sound FFmpeg reads, at real-time pace."""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

RATE_HZ = 48_000
FRAME_SAMPLES = RATE_HZ // 50  # 20 ms, one Opus packet
SILENT_DB = -60.0
LONGEST_LATE_S = 0.5


class SoundError(Exception):
    """The file cannot be a microphone. The message names the file and the way out."""


def read_sound(path: Path | str) -> NDArray[np.int16]:
    """The first audio stream of `path` as mono int16 [n] at 48 kHz. Raises SoundError where there is none."""
    path = Path(path)
    if not path.is_file():
        raise SoundError(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise SoundError(f"{path} is empty (0 bytes). Record or export it again.")
    chunks: list[NDArray[np.int16]] = []
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise SoundError(f"{path} has no sound in it. Give a file with speech, such as WAV, MP3, M4A or MP4.")
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
            for frame in container.decode(audio=0):
                chunks += [resampled.to_ndarray()[0] for resampled in resampler.resample(frame)]
            chunks += [resampled.to_ndarray()[0] for resampled in resampler.resample(None)]
    except (av.FFmpegError, UnicodeDecodeError) as error:
        raise SoundError(f"{path} is not sound that FFmpeg can read ({error}). Give a WAV, MP3, M4A or MP4.") from error
    sound = np.concatenate(chunks) if chunks else np.zeros(0, np.int16)
    if not len(sound):
        raise SoundError(f"{path} holds no samples. Record or export it again.")
    return sound


def peak_db(sound: NDArray[np.int16]) -> float:
    """The loudest sample in dB of full scale; -inf for digital silence."""
    with np.errstate(divide="ignore"):
        return float(20 * np.log10(np.abs(sound.astype(np.int32)).max() / 32768))


class SoundMicrophone(MediaStreamTrack):
    """Mono sound int16 [n] at 48 kHz in frames of 20 ms, each at its time; silence after the end, or again from the start.

    As a microphone does, it goes on where nobody listens: what is not asked for within 0.5 s of its time is never heard.

    `started_at` is the time.monotonic() at which sample 0 was spoken, or None before that; `ended` is set once all of it has
    been spoken.
    """

    kind = "audio"

    def __init__(self, sound: NDArray[np.int16], loop: bool = False) -> None:
        super().__init__()
        self.sound = sound
        self.started_at: float | None = None
        self.ended = asyncio.Event()
        self.loop = loop
        self._frames = 0

    @property
    def duration_s(self) -> float:
        return len(self.sound) / RATE_HZ

    @property
    def spoken_s(self) -> float:
        """How much has been sent, silence and repetitions included."""
        return self._frames * FRAME_SAMPLES / RATE_HZ

    async def recv(self) -> av.AudioFrame:
        """The next 20 ms, when they are due: a sample has been spoken once the frame that holds it is handed over."""
        if self.readyState != "live":
            raise MediaStreamError
        now = time.monotonic()
        if self.started_at is None:
            self.started_at = now - FRAME_SAMPLES / RATE_HZ
        due = self.started_at + (self._frames + 1) * FRAME_SAMPLES / RATE_HZ
        if due > now:
            await asyncio.sleep(due - now)
        elif now - due > LONGEST_LATE_S:
            self._frames += int((now - due) * RATE_HZ / FRAME_SAMPLES)
        frame = av.AudioFrame.from_ndarray(self._samples(self._frames * FRAME_SAMPLES)[None], format="s16", layout="mono")
        frame.sample_rate, frame.time_base = RATE_HZ, Fraction(1, RATE_HZ)
        frame.pts = self._frames * FRAME_SAMPLES
        self._frames += 1
        if self.spoken_s >= self.duration_s:
            self.ended.set()
        return frame

    def _samples(self, start: int) -> NDArray[np.int16]:
        if self.loop:
            return np.take(self.sound, range(start, start + FRAME_SAMPLES), mode="wrap")
        chunk = self.sound[start : start + FRAME_SAMPLES]
        return np.pad(chunk, (0, FRAME_SAMPLES - len(chunk)))


class Listening(MediaStreamTrack):
    """One connection's ear at a microphone. A connection that closes stops its track; the microphone outlives it."""

    kind = "audio"

    def __init__(self, microphone: MediaStreamTrack) -> None:
        super().__init__()
        self._microphone = microphone

    async def recv(self) -> av.AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        frame = await self._microphone.recv()
        assert isinstance(frame, av.AudioFrame)
        return frame
