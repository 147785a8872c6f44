"""SyncNet itself (Chung & Zisserman 2016), for whoever has its weights: `syncnet_v2.model`, by path.

The network and what is done around it follow github.com/joonson/syncnet_python, so that figures compare with those in papers:
five 224 × 224 frames in BGR, 0–255, against 20 steps of 13 MFCCs; LSE-D is the least mean distance over offsets of ±15 frames,
LSE-C how far the median distance lies above it. Needs torch and scipy (the extra `train`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.specs import SAMPLE_RATE_HZ
from export.curate.faces import FaceTrack, Picture, upright

SIDE = 224
REACH = 15  # frames
_FRAMES, _STEPS, _COEFFICIENTS = 5, 20, 13
_BATCH = 20
_BOX = 1.4  # of the face's box that is shown


@dataclass(frozen=True, slots=True)
class SyncNetScore:
    """confidence: LSE-C, higher is better. distance: LSE-D, lower is better. offset_frames: above 0 the lips come after the
    sound."""

    confidence: float
    distance: float
    offset_frames: int


class SyncNet(nn.Module):
    """Names and shapes as in the published state dict."""

    def __init__(self) -> None:
        super().__init__()

        def conv2d(a: int, b: int, size: int | tuple[int, int], padding: int) -> list[nn.Module]:
            return [nn.Conv2d(a, b, size, padding=padding), nn.BatchNorm2d(b), nn.ReLU()]

        def conv3d(a: int, b: int, size: tuple[int, int, int], stride: int, padding: int) -> list[nn.Module]:
            padded = (0, padding, padding)
            return [nn.Conv3d(a, b, size, (1, stride, stride), padded), nn.BatchNorm3d(b), nn.ReLU()]

        def head() -> nn.Sequential:
            return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))

        self.netcnnaud = nn.Sequential(
            *conv2d(1, 64, 3, 1), nn.MaxPool2d(1, 1), *conv2d(64, 192, 3, 1), nn.MaxPool2d(3, (1, 2)), *conv2d(192, 384, 3, 1),
            *conv2d(384, 256, 3, 1), *conv2d(256, 256, 3, 1), nn.MaxPool2d(3, 2), *conv2d(256, 512, (5, 4), 0),
        )  # fmt: skip
        self.netfcaud = head()
        self.netfclip = head()
        self.netcnnlip = nn.Sequential(
            *conv3d(3, 96, (5, 7, 7), 2, 0), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *conv3d(96, 256, (1, 5, 5), 2, 1), nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *conv3d(256, 256, (1, 3, 3), 1, 1), *conv3d(256, 256, (1, 3, 3), 1, 1), *conv3d(256, 256, (1, 3, 3), 1, 1),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)), *conv3d(256, 512, (1, 6, 6), 1, 0),
        )  # fmt: skip

    def lips(self, frames: Tensor) -> Tensor:
        """[b, 3, 5, 224, 224] → [b, 1024]."""
        return self.netfclip(self.netcnnlip(frames).flatten(1))

    def sound(self, mfcc: Tensor) -> Tensor:
        """[b, 1, 13, 20] → [b, 1024]."""
        return self.netfcaud(self.netcnnaud(mfcc).flatten(1))

    @classmethod
    def load(cls, path: Path) -> SyncNet:
        """Raises FileNotFoundError, and ValueError for a file of another kind."""
        if not path.is_file():
            raise FileNotFoundError(f"there is no SyncNet at {path}: give the file syncnet_v2.model")
        model = cls()
        try:
            model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:  # torch raises whatever its reader meets
            raise ValueError(f"{path} does not hold SyncNet's weights (syncnet_v2.model): {error}") from error
        return model.eval()

    @torch.inference_mode()
    def score(self, faces: NDArray[np.uint8], audio: NDArray[np.int16]) -> SyncNetScore:
        """faces: RGB [T, 224, 224, 3] of `face_pictures`, 25 a second. audio: 16 kHz, from the first frame on.

        Raises ValueError for clips shorter than ten frames.
        """
        num = min(len(faces), len(audio) * 25 // SAMPLE_RATE_HZ) - _FRAMES
        coefficients = mfcc(audio)
        num = min(num, (len(coefficients) - _STEPS) // 4 + 1)
        if num < 2 * _FRAMES:
            raise ValueError(f"{max(0, num)} frames with sound are too few for SyncNet")
        pictures = torch.from_numpy(np.ascontiguousarray(faces[..., ::-1].transpose(3, 0, 1, 2))).float()
        heard = torch.from_numpy(coefficients.T.copy()).float()
        seen, sounds = [], []
        for at in range(0, num, _BATCH):
            rows = range(at, min(num, at + _BATCH))
            seen.append(self.lips(torch.stack([pictures[:, i : i + _FRAMES] for i in rows])))
            sounds.append(self.sound(torch.stack([heard[None, :, 4 * i : 4 * i + _STEPS] for i in rows])))
        lips, sound = torch.cat(seen), nn.functional.pad(torch.cat(sounds), (0, 0, REACH, REACH))
        distances = torch.stack(
            [nn.functional.pairwise_distance(lips, sound[shift : shift + num]).mean() for shift in range(2 * REACH + 1)]
        )
        best = int(distances.argmin())
        least = float(distances[best])
        return SyncNetScore(float(distances.median()) - least, least, REACH - best)


def face_pictures(frames: Iterable[Picture], track: FaceTrack) -> NDArray[np.uint8]:
    """The face of each frame in a square, RGB [T, 224, 224, 3]: one box for all. Raises NoFaceFound."""
    left, top, right, bottom = track.box
    centre = np.array([(left + right) / 2, (top + bottom) / 2], np.float32)
    width = _BOX * max(right - left, bottom - top)
    return np.stack([upright(frame, centre, width, 0.0, SIDE) for frame in frames])


def mfcc(audio: NDArray[np.int16]) -> NDArray[np.float64]:
    """[n, 13] at 100 a second, as python_speech_features has them by default: 26 mel filters over a 512-point periodogram of
    25 ms, pre-emphasis 0.97, cepstra liftered by 22, the first one replaced by the log energy."""
    from scipy.fft import dct

    window, hop, size, num_filters = 400, 160, 512, 26
    sound = np.append(audio[:1], audio[1:] - 0.97 * audio[:-1]).astype(np.float64)
    num = 1 + max(0, int(np.ceil((len(sound) - window) / hop)))
    sound = np.pad(sound, (0, max(0, (num - 1) * hop + window - len(sound))))
    pieces = sound[np.arange(window) + np.arange(num)[:, None] * hop]
    power = np.abs(np.fft.rfft(pieces, size)) ** 2 / size
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), num_filters + 2) / 2595) - 1)
    bins = np.floor((size + 1) * edges / SAMPLE_RATE_HZ)
    at = np.arange(size // 2 + 1)[:, None]
    rising = (at - bins[:-2]) / (bins[1:-1] - bins[:-2])
    falling = (bins[2:] - at) / (bins[2:] - bins[1:-1])
    filters = np.where((at >= bins[:-2]) & (at < bins[1:-1]), rising, 0) + np.where(
        (at >= bins[1:-1]) & (at < bins[2:]), falling, 0
    )
    tiny = np.finfo(float).eps
    bands = np.maximum(power @ filters, tiny)
    cepstra = dct(np.log(bands), type=2, axis=1, norm="ortho")[:, :_COEFFICIENTS]
    cepstra *= 1 + 11 * np.sin(np.pi * np.arange(_COEFFICIENTS) / 22)
    cepstra[:, 0] = np.log(np.maximum(power.sum(axis=1), tiny))
    return cepstra
