"""How far a face in a video is from the face of its picture.

With an embedding network that the user names (SFace, or ArcFace of 512 numbers, as ONNX) it is the cosine distance of
embeddings. Without one it is **no embedding** but a distance of appearance: the upper face, aligned by its landmarks,
compared tone by tone. It sees a skin change its tone, features slide, detail dissolve, and takes a strong feeling for some of
that too. Its unit is what lies between different people: 0 is the same picture, 1 the median of pairs among the shipped
portraits (`_BETWEEN`). Landmarks by themselves tell too little: heads that turn differ as much in them as heads of different
people do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # RGB [h, w, 3]
Points = NDArray[np.float32]  # [478, 3], pixels

_EYES_AND_NOSE = (33, 263, 2)  # outer corners, base of the nose
_PATCH = 96
_PLACES = np.array([[28, 34], [68, 34], [48, 58]], np.float32)  # of those three on the patch
_UPPER = slice(12, 64)  # rows of the patch above the mouth
_LIGHTNESS_SPREAD = 25.0  # that every face's lightness is brought to
_BETWEEN = 20.7  # median between the 15 pairs of the six shipped portraits that are no cartoons
#: Where ArcFace and SFace want both eyes, the nose's tip and the corners of the mouth, on 112 x 112 pixels (Deng et al. 2019).
_ARCFACE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)


class FaceMeasure(Protocol):
    """Describes faces, and says how far two descriptions are apart."""

    name: str

    def describe(self, picture: Picture, landmarks: Points) -> NDArray[np.float32]: ...

    def distance(self, one: NDArray[np.float32], other: NDArray[np.float32]) -> float: ...


class Appearance:
    """No embedding: see above."""

    name = "appearance of the upper face"

    def describe(self, picture: Picture, landmarks: Points) -> NDArray[np.float32]:
        """CIE Lab of the aligned face above the mouth, [52 * 96 * 3]; lightness without its mean and spread, which a light
        changes."""
        patch = _aligned(picture, landmarks[list(_EYES_AND_NOSE), :2], _PLACES, _PATCH)
        lab = cv2.cvtColor(cv2.GaussianBlur(patch, (0, 0), 1.5), cv2.COLOR_RGB2LAB).astype(np.float32)[_UPPER]
        lightness = lab[..., 0]
        lab[..., 0] = (lightness - lightness.mean()) / max(float(lightness.std()), 1e-6) * _LIGHTNESS_SPREAD
        return np.asarray(lab.ravel(), np.float32)

    def distance(self, one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
        """RMS."""
        return float(np.sqrt(((one - other) ** 2).mean())) / _BETWEEN


class Embedding:
    """A face recognition network: SFace (128 numbers) or ArcFace (512), as ONNX. Raises ValueError for a file of another
    kind."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        try:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.log_severity_level = 1, 3
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            size = len(self._run(np.zeros((1, 3, 112, 112), np.float32)))
        except Exception as error:  # onnxruntime has a dozen exceptions of its own, none public
            raise ValueError(f"{path} is not a face recognition network that ONNX Runtime can run ({error})") from None
        if size not in (128, 512):
            raise ValueError(f"{path} gives {size} numbers: take SFace (128) or ArcFace (512)")
        self._shift, self._scale = (0.0, 1.0) if size == 128 else (127.5, 127.5)
        self.name = f"embedding ({path.name})"

    def describe(self, picture: Picture, landmarks: Points) -> NDArray[np.float32]:
        """Of length 1."""
        eyes = [landmarks[[33, 133], :2].mean(0), landmarks[[362, 263], :2].mean(0)]
        points = np.stack([*eyes, *landmarks[[4, 61, 291], :2]]).astype(np.float32)
        face = (_aligned(picture, points, _ARCFACE, 112).astype(np.float32) - self._shift) / self._scale
        found = self._run(np.ascontiguousarray(face.transpose(2, 0, 1)[None]))
        return found / max(float(np.linalg.norm(found)), 1e-9)

    def distance(self, one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
        """1 less the cosine."""
        return float(1 - one @ other)

    def _run(self, face: NDArray[np.float32]) -> NDArray[np.float32]:
        (out,) = self._session.run(None, {self._session.get_inputs()[0].name: face})[:1]
        return np.asarray(out, np.float32).ravel()


def _aligned(picture: Picture, points: Points, places: Points, side: int) -> Picture:
    """The face with its points where they belong, as nearly as turning, scaling and shifting can."""
    turn, _ = cv2.estimateAffinePartial2D(points.astype(np.float32), places, method=cv2.LMEDS)
    if turn is None:  # all points in one place
        turn = np.eye(2, 3)
    scale = float(np.hypot(turn[0, 0], turn[0, 1]))
    source = cv2.GaussianBlur(picture, (0, 0), 0.45 / scale) if scale < 0.7 else picture  # a large face is not to alias
    return np.asarray(
        cv2.warpAffine(source, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
