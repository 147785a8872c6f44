"""Clean clips spoilt in known ways, one for each thing that a filter is to notice: what calibration labels its clips by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.specs import SAMPLE_RATE_HZ
from export.curate.faces import LIPS, FaceTrack, Picture
from export.curate.perturb import blurred, covered, motion_blurred
from export.curate.reading import Reading
from export.curate.video import FPS, through_h264

Sound = NDArray[np.int16]
#: A frame, its face's landmarks [478, 3] and pixels between its eyes → the frame spoilt.
Spoiler = Callable[[Picture, NDArray[np.float32], float], Picture]


@dataclass(frozen=True, slots=True)
class Spoilt:
    """filters: which of them are to notice it. Strengths differ from clip to clip, from slight to plain."""

    name: str
    filters: tuple[str, ...]


# -- pictures: the clip is read anew --


def _blur(rng: np.random.Generator) -> Spoiler:
    amount = _between(rng, 0.03, 0.10)
    return lambda picture, points, unit: blurred(picture, unit, amount)


def _motion_blur(rng: np.random.Generator) -> Spoiler:
    amount, angle = _between(rng, 0.12, 0.4), float(rng.uniform(0, np.pi))
    return lambda picture, points, unit: motion_blurred(picture, unit, amount, angle)


def _cover(rng: np.random.Generator) -> Spoiler:
    amount, seed = float(rng.uniform(0.5, 1.0)), int(rng.integers(2**31))

    def spoil(picture: Picture, points: NDArray[np.float32], unit: float) -> Picture:
        x, y = points[list(LIPS), :2].mean(axis=0).tolist()
        return covered(picture, (x, y), unit, amount, np.random.default_rng(seed))

    return spoil


def _grain(rng: np.random.Generator) -> Spoiler:
    sigma = _between(rng, 10, 30)
    return lambda picture, points, unit: np.clip(picture + rng.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)


def _light(rng: np.random.Generator) -> Spoiler:
    kind = int(rng.integers(3))
    gain, lift = ((0.1, 0.3), (2.2, 3.5), (0.15, 0.3))[kind], (0, 20, 150)[kind]
    by = float(rng.uniform(*gain))
    return lambda picture, points, unit: np.clip(picture.astype(np.float32) * by + lift, 0, 255).astype(np.uint8)


def _far_away(rng: np.random.Generator) -> Spoiler:
    shrink = float(rng.uniform(3.0, 4.5))

    def spoil(picture: Picture, points: NDArray[np.float32], unit: float) -> Picture:
        height, width = picture.shape[:2]
        less = cv2.resize(picture, (round(width / shrink), round(height / shrink)), interpolation=cv2.INTER_AREA)
        top, left = (height - less.shape[0]) // 2, (width - less.shape[1]) // 2
        rest = height - less.shape[0] - top, width - less.shape[1] - left
        return np.asarray(cv2.copyMakeBorder(less, top, rest[0], left, rest[1], cv2.BORDER_REPLICATE), np.uint8)

    return spoil


def _second_face(rng: np.random.Generator) -> Spoiler:
    share = float(rng.uniform(0.7, 1.0))

    def spoil(picture: Picture, points: NDArray[np.float32], unit: float) -> Picture:
        other = cv2.resize(picture[:, ::-1], None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        other = cv2.copyMakeBorder(other, picture.shape[0] - other.shape[0], 0, 0, 0, cv2.BORDER_REPLICATE)
        return np.concatenate([picture, other], axis=1)

    return spoil


def _hidden(rng: np.random.Generator) -> Spoiler:
    left = float(rng.uniform(0.2, 0.6))  # of the time
    seen = iter(rng.random(10_000) < left)

    def spoil(picture: Picture, points: NDArray[np.float32], unit: float) -> Picture:
        return picture if next(seen) else np.full_like(picture, picture.mean())

    return spoil


def _tilted(rng: np.random.Generator) -> Spoiler:
    angle = float(rng.choice([-1, 1]) * rng.uniform(42, 60))

    def spoil(picture: Picture, points: NDArray[np.float32], unit: float) -> Picture:
        height, width = picture.shape[:2]
        view = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 0.9)
        return np.asarray(cv2.warpAffine(picture, view, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)

    return spoil


PICTURES: dict[Spoilt, Callable[[np.random.Generator], Spoiler]] = {
    Spoilt("out of focus", ("lip_clarity", "sharpness")): _blur,
    Spoilt("motion blur", ("lip_clarity", "sharpness")): _motion_blur,
    Spoilt("mouth covered", ("lip_clarity",)): _cover,
    Spoilt("grain", ("noise",)): _grain,
    Spoilt("dark, burnt out or foggy", ("exposure",)): _light,
    Spoilt("far away", ("face_px",)): _far_away,
    Spoilt("two people", ("num_faces",)): _second_face,
    Spoilt("out of the picture at times", ("face_share",)): _hidden,
    Spoilt("head on its side", ("turned",)): _tilted,
}
COMPRESSED = Spoilt("compressed hard", ("lip_clarity",))


def compressed(frames: NDArray[np.uint8], rng: np.random.Generator) -> list[Picture]:
    """[T, h, w, 3] through H.264 at a constant rate factor of 40 to 48."""
    return through_h264(frames, int(rng.integers(40, 49)))


# -- time and sound: what was read is changed --


def readings(clean: Reading, others: list[Sound], rng: np.random.Generator) -> Iterator[tuple[Spoilt, Reading]]:
    """The same clip with its time or sound spoilt. others: voices of other clips."""
    num = clean.num_frames
    gap = int(rng.integers(8, max(9, min(50, num // 3))))
    at = int(rng.integers(num // 6, max(num // 6 + 1, num - gap - num // 6)))
    keep = np.r_[:at, at + gap : num]
    track = clean.track
    cut = FaceTrack(track.landmarks[keep], track.found[keep], track.num_faces[keep], track.pose[keep], track.blendshapes[keep])
    yield Spoilt("a piece cut out", ("coherence",)), replace(clean, track=cut, smalls=clean.smalls[keep])
    audio = clean.audio
    if others:
        other = others[int(rng.integers(len(others)))]
        yield Spoilt("somebody else's sound", ("sync",)), replace(clean, audio=np.resize(other, len(audio)))
    by = int(rng.choice([-1, 1]) * rng.integers(4, 13)) * SAMPLE_RATE_HZ // FPS
    late = np.concatenate([np.zeros(max(0, by), np.int16), audio[max(0, -by) :]])[: len(audio)]
    yield Spoilt("sound 0.16–0.48 s off", ("sync",)), replace(clean, audio=late)
    from export.train.augment import coloured_noise, music, with_background

    voice = (audio / 32768).astype(np.float32)
    behind = music(len(voice), rng)
    yield (
        Spoilt("music under the voice", ("music",)),
        replace(clean, audio=_pcm(with_background(voice, behind, rng.uniform(0, 12)))),
    )
    hiss = coloured_noise(len(voice), rng.uniform(-6, 0), rng)
    yield (
        Spoilt("noise under the voice", ("snr_db",)),
        replace(clean, audio=_pcm(with_background(voice, hiss, rng.uniform(-3, 12)))),
    )
    alone = music(len(voice), rng) if rng.random() < 0.5 else hiss
    yield Spoilt("nobody speaks", ("speech",)), replace(clean, audio=_pcm(0.1 * alone))


def _pcm(sound: NDArray[np.float32]) -> Sound:
    return (np.clip(sound / max(1.0, float(np.abs(sound).max())), -1, 1) * 32767).astype(np.int16)


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """Evenly over the logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
