"""Clips that nobody trained on, made on the spot: avatars kept aside, drawn speaking with voices kept aside.

What calibration spoils where the user gives no clips of their own. They have been through H.264 at an ordinary rate, as all
clips have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.avatar_library import SHIPPED_ROOT, Avatar
from engines.codecs.portrait.codec import PortraitCodec
from engines.motion import Motion
from export.curate.faces import Picture
from export.curate.video import through_h264

#: Shipped avatars that no discriminator is trained on: a photo and a painting.
HELD_OUT = ("grace", "otto")
SIZES = ((320, 320), (384, 384), (448, 336), (320, 448), (512, 512))
_CLIP_S = 5.0
_LANGUAGES = ("en", "de", "es", "ja", "ko", "fr", "it", "pt")


@dataclass(frozen=True, slots=True, eq=False)
class CleanClip:
    """frames: RGB [T, h, w, 3] at 25 a second. audio: int16 at 16 kHz, as long."""

    name: str
    frames: NDArray[np.uint8]
    audio: NDArray[np.int16]


def drawn_frames(codec: PortraitCodec, motion: Motion) -> Iterator[Picture]:
    """Motion [T, 64] at 50 a second, drawn at 25."""
    for row in motion[np.arange(len(motion) // 2) * 2]:
        yield codec.decode_rgb(row)


def rehearse(num: int, seed: int = 0, avatars: list[Avatar] | None = None) -> Iterator[CleanClip]:
    """Clips of 5 s. Raises EngineMissing where espeak-ng, which speaks here, is not installed."""
    from export.train.data.clips import as_pcm, perform, storyline
    from export.train.data.make import joined, trimmed
    from export.train.data.speech import Utterance
    from export.train.data.texts import sentence
    from export.train.data.voices.espeak import Espeak

    engine = Espeak()
    aside = [voice for voice in engine.cast() if voice.split == "val" and voice.language in _LANGUAGES]
    cast = avatars or [Avatar.load(SHIPPED_ROOT / name) for name in HELD_OUT]
    for number in range(num):
        rng = np.random.default_rng([seed, number])
        voice = aside[int(rng.integers(len(aside)))]
        spoken: list[Utterance] = []
        while sum(each.duration_s for each in spoken) < _CLIP_S:
            spoken.append(trimmed(engine.speak(voice, sentence(voice.language, rng), rng)))
        whole = joined(spoken, rng)
        audio = whole.audio[: round(_CLIP_S * 16_000)]
        audio = audio * (0.1 / (float(np.sqrt(np.mean(audio**2))) + 1e-6))
        audio = audio + rng.normal(0, 10 ** rng.uniform(-4, -3), len(audio)).astype(np.float32)  # a room is never silent
        motion = perform(whole.phones, audio, storyline(_CLIP_S, rng), rng)
        avatar = cast[number % len(cast)]
        codec = PortraitCodec(avatar, SIZES[int(rng.integers(len(SIZES)))])
        frames = np.stack(through_h264(np.stack(list(drawn_frames(codec, motion))), int(rng.integers(17, 27))))
        yield CleanClip(f"{number:02d}-{avatar.name}-{voice.language}", frames, as_pcm(audio, len(motion)))
