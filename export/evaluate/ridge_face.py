"""The baseline that the transformer must beat: the lip predictor itself drives jaw and lips, nothing else moves.

Predicted aperture becomes jaw opening, and lip closing where less than shut is asked for; the jaw that is predicted beyond what
the aperture needs becomes lips that close over an open jaw.
"""

from __future__ import annotations

import numpy as np

from engines.lips import APERTURE_GAIN
from engines.motion import INDEX, Motion, rest
from export.evaluate.lips import Frames

#: How much of the jaw's predicted movement (brought to the aperture's spread) the jaw makes where the lips do not need it.
JAW_FOR_APERTURE = 0.9


def motion_from_lips(predicted: Frames, middle: float = 0.069, spread: float = 0.046) -> Motion:
    """Predicted lips [T, 2] (slow part taken away) to motion [T, 64].

    middle, spread: mean and standard deviation of the aperture that the face shall have, in eye distances; by default those of
    40 real people.
    """
    motion = rest(len(predicted))
    if not len(predicted):
        return motion
    aperture, jaw = (series / max(float(series.std()), 1e-6) * spread for series in predicted.T)
    wanted = np.maximum(middle + aperture, 0.0)
    opened = np.maximum(wanted, middle + jaw * JAW_FOR_APERTURE) / APERTURE_GAIN["jawOpen"]
    opened = np.clip(opened, 0.0, 1.0)
    shut = opened * APERTURE_GAIN["jawOpen"] - wanted
    motion[:, INDEX["jawOpen"]] = opened
    motion[:, INDEX["mouthClose"]] = np.clip(shut / -APERTURE_GAIN["mouthClose"], 0.0, 1.0)
    return motion
