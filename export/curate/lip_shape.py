"""The shape of a mouth over time, as ten numbers a frame that no face's own proportions, size or place get into."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from export.evaluate.lips import without_slow_part

NUM_MEASURES = 10
_EYES = (33, 263)
#: Pairs of landmarks whose distance is measured.
_PAIRS = (
    (13, 14),  # inner lips, middle
    (81, 178), (311, 402),  # inner lips, sides
    (78, 308),  # inner corners
    (0, 17),  # outer lips, middle
    (61, 291),  # outer corners
    (2, 13),  # nose to upper lip
    (14, 152),  # lower lip to chin
    (6, 152),  # bridge to chin: the jaw
)  # fmt: skip


def lip_shape(landmarks: NDArray[np.float32], found: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Landmarks [T, 478, 3] in an isotropic unit, y down, and where they were found [T] → [T, 10] in eye distances, the slow
    part taken away. Frames without a face are bridged. Raises ValueError without any face."""
    if not found.any():
        raise ValueError(f"no face in any of {len(found)} frames")
    points = landmarks[..., :2].astype(np.float64)
    across = points[:, _EYES[1]] - points[:, _EYES[0]]
    eye = np.maximum(np.linalg.norm(across, axis=1), 1e-9)
    up = np.stack([across[:, 1], -across[:, 0]], axis=1) / eye[:, None]
    measures = [np.linalg.norm(points[:, a] - points[:, b], axis=1) / eye for a, b in _PAIRS]
    raised = points[:, [61, 291]].mean(1) - points[:, [13, 14]].mean(1)
    measures.append(np.einsum("tk,tk->t", raised, up) / eye)  # corners above the middle
    index = np.arange(len(points))
    filled = np.stack([np.interp(index, index[found], series[found]) for series in measures], axis=1)
    return without_slow_part(filled.astype(np.float32))
