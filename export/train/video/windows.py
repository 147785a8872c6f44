"""Pieces of clips as batches: cut, mirrored, recoloured, made smaller with padding round them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.codecs.mini import flows
from export.train.video.clips import Clip, load

#: How much more a pixel of the mouth counts than one of the background, and one of the face.
MOUTH_WEIGHT, FACE_WEIGHT = 10.0, 3.0
_KEPT = 96  # clips decoded at a time
_USES = 24  # windows cut from a clip before another takes its place


@dataclass(frozen=True, slots=True)
class Harm:
    """What is done to a window's pictures. Shares are chances."""

    padded: float = 0.3
    mirrored: float = 0.5
    coloured: float = 0.7


def changed(
    pictures: NDArray[np.uint8], mouth: NDArray[np.float32], harm: Harm, rng: np.random.Generator, crop: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pictures [f, h, w, 3] as −1 to 1, and the mouth's boxes [f, 4], both changed alike in all frames.

    crop: pixels a side, cut so that the first mouth is within the middle half, in place of the whole pictures.
    """
    h, w = pictures.shape[1:3]
    padded = rng.random() < harm.padded  # a small face, as Kling-Avatar's random padding makes it
    scale = rng.uniform(0.55, 1.0) if padded else 1.0
    shift = rng.uniform(0, 1, 2) * np.array((w, h)) * (1 - scale)
    if crop:
        side = min(crop, h, w)
        x, y = mouth[0, :2] * scale + shift - side * rng.uniform(0.25, 0.75, 2)
        shift -= np.array((int(np.clip(x, 0, w - side)), int(np.clip(y, 0, h - side))))
        h = w = side
    if padded:
        border = tuple(int(value) for value in rng.integers(0, 256, 3))
        matrix = np.array(((scale, 0, shift[0]), (0, scale, shift[1])))
        pictures = np.stack([cv2.warpAffine(p, matrix, (w, h), flags=cv2.INTER_AREA, borderValue=border) for p in pictures])
    else:
        left, top = (-shift).astype(int)
        pictures = pictures[:, top : top + h, left : left + w]
    mouth = mouth * np.float32(scale) + np.array((*shift, 0, 0), np.float32)
    x = pictures.astype(np.float32) / 127.5 - 1
    if rng.random() < harm.mirrored:
        x = x[:, :, ::-1]
        mouth = mouth * np.array((-1, 1, 1, 1), np.float32) + np.array((w - 1, 0, 0, 0), np.float32)
    if rng.random() < harm.coloured:
        mixed = (np.eye(3) + rng.normal(0, 0.08, (3, 3))) * rng.uniform(0.8, 1.15)
        x = np.clip(x @ mixed.astype(np.float32) + rng.normal(0, 0.06, 3).astype(np.float32), -1, 1)
    return x, mouth


def levels(x: NDArray[np.float32]) -> NDArray[np.uint8]:
    """−1 to 1 as pictures have it."""
    return np.clip(np.round((x + 1) * 127.5), 0, 255).astype(np.uint8)


def importance(mouth: NDArray[np.float32], h: int, w: int) -> NDArray[np.float32]:
    """Weights [f, h, w] of pixels: a soft box over the mouth, a wider one over the face."""
    x, y, half_w, half_h = (mouth[:, i, None] for i in range(4))

    def box(up: float, wide: float, high: float) -> NDArray[np.float32]:
        """Up by so many half heights."""
        across = np.clip((wide * half_w - np.abs(np.arange(w) - x)) / 4 + 1, 0, 1)
        down = np.clip((high * half_h - np.abs(np.arange(h) - y + up * half_h)) / 4 + 1, 0, 1)
        return (down[:, :, None] * across[:, None]).astype(np.float32)

    return np.maximum(1 + (FACE_WEIGHT - 1) * box(1.6, 2.0, 3.2), 1 + (MOUTH_WEIGHT - 1) * box(0, 1, 1))


@dataclass(frozen=True, slots=True)
class Videos:
    """A known frame and eight later ones.

    video [b, 3, 9, h, w]; weight [b, 9, h, w], importance; flow [b, 9, 2, h / 4, w / 4], as `flows` gives it.
    """

    video: Tensor
    weight: Tensor
    flow: Tensor


class Pieces:
    """Clips in memory, a few at a time, and windows of them. Not for two threads."""

    def __init__(self, paths: Sequence[Path], seed: int, rank: int = 0) -> None:
        if not paths:
            raise ValueError("there are no clips to train on")
        self._paths = list(paths)
        self.rng = np.random.default_rng((seed, rank))
        self._clips: list[tuple[Clip, int]] = []

    def clip(self) -> Clip:
        if len(self._clips) < min(_KEPT, len(self._paths)):
            self._clips.append((load(self._paths[self.rng.integers(len(self._paths))]), _USES))
            i = len(self._clips) - 1
        else:
            i = int(self.rng.integers(len(self._clips)))
        clip, uses = self._clips[i]
        if uses == 0:
            clip = load(self._paths[self.rng.integers(len(self._paths))])
            uses = _USES
        self._clips[i] = (clip, uses - 1)
        return clip

    def video(self, size: int, harm: Harm, crop: int | None = None) -> Videos:
        """A known frame and eight later ones, maybe after a gap. crop: as in `changed`."""
        videos, weights, moves = [], [], []
        for _ in range(size):
            clip = self.clip()
            gap = 1 if self.rng.random() < 0.5 else int(self.rng.integers(1, len(clip.pictures) - 8))
            start = int(self.rng.integers(0, len(clip.pictures) - 7 - gap))
            frames = np.r_[start, start + gap : start + gap + 8]
            x, mouth = changed(clip.pictures[frames], clip.mouth[frames], harm, self.rng, crop)
            videos.append(x.transpose(3, 0, 1, 2))
            weights.append(importance(mouth, *x.shape[1:3]))
            moves.append(flows(levels(x)))
        return Videos(*(torch.from_numpy(np.stack(parts)).float() for parts in (videos, weights, moves)))
