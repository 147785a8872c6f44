"""Recordings and avatars that benchmarks use."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.avatar_library import Avatar, AvatarLibrary, AvatarNotFound
from engines.specs import SAMPLE_RATE_HZ
from streamer.recording import Recording


def write_wav(path: Path, audio: NDArray[np.int16], rate_hz: int = SAMPLE_RATE_HZ) -> Path:
    """Mono 16-bit sound as a WAV file."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(np.ascontiguousarray(audio).tobytes())
    return path


def with_silence(audio: NDArray[np.int16], seconds: float) -> NDArray[np.int16]:
    """The sound, and then as near to silence as a good microphone comes (-70 dB)."""
    hiss = np.random.default_rng(0).normal(0, 10, round(seconds * SAMPLE_RATE_HZ)).astype(np.int16)
    return np.concatenate([audio, hiss])


def recording_of(audio: NDArray[np.int16], scratch: Path) -> Recording:
    """16 kHz mono sound as `rostrum render` would open it from a file in the folder `scratch`."""
    return Recording.open(write_wav(scratch / "voice.wav", audio))


def babble(seconds: float, seed: int = 0) -> NDArray[np.int16]:
    """Sound with the rhythm of speech: a buzz through gliding vowel formants, in syllables and phrases. 16 kHz mono.

    It drives every stage as speech does; what the face does to it means nothing.
    """
    rng = np.random.default_rng(seed)
    num = round(seconds * SAMPLE_RATE_HZ)
    time_s = np.arange(num) / SAMPLE_RATE_HZ
    pitch_hz = 120 + 25 * np.sin(2 * np.pi * 0.37 * time_s) + 8 * np.sin(2 * np.pi * 2.3 * time_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE_HZ
    knots = np.arange(0, seconds + 0.4, 0.18)
    first, second = (np.interp(time_s, knots, rng.uniform(*span, len(knots))) for span in ((300, 850), (900, 2300)))
    sound = np.zeros(num)
    for harmonic in range(1, 28):
        hz = harmonic * pitch_hz
        gain = 1 / (1 + ((hz - first) / 110) ** 2) + 0.6 / (1 + ((hz - second) / 170) ** 2)
        sound += gain * np.sin(harmonic * phase) / harmonic**0.5
    syllables = np.clip(np.interp(time_s, knots, rng.choice([0.05, 0.6, 1.0], len(knots))), 0, 1)
    phrases = (np.sin(2 * np.pi * time_s / 4.0) > -0.85).astype(float)
    sound *= syllables * np.convolve(phrases, np.hanning(800) / 400, mode="same")
    sound += 0.02 * rng.standard_normal(num) * syllables
    return (sound / max(1e-9, np.abs(sound).max()) * 0.5 * 32767).astype(np.int16)


def chosen_avatars(names: str) -> list[Avatar]:
    """Avatars by comma-separated names; every shipped one when empty. Raises AvatarError."""
    library = AvatarLibrary.default()
    if names:
        return [library.get(name.strip()) for name in names.split(",") if name.strip()]
    avatars = library.list()
    shipped = [avatar for avatar in avatars if avatar.facts()["shipped"]] or avatars
    if not shipped:
        raise AvatarNotFound("There are no avatars: make one with `rostrum avatar create`.")
    return shipped
