"""Can the lips be seen clearly? A discriminator trained on mouths spoilt on purpose against mouths as they were."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.curate.graph import load

SIDE = 96  # pixels of a mouth's picture
#: What a mouth is found to be, in the order of the network's outputs.
STATES = ("clear", "blurred", "motion-blurred", "covered", "compressed")


@dataclass(frozen=True, slots=True)
class LipClarity:
    """clarity: how sure it is that lips are clear, 0–1, in the worst fifth of the clip. fault: what it takes them for there."""

    clarity: float
    fault: str


def clarity_of(mouths: NDArray[np.uint8]) -> LipClarity:
    """mouths: grey [k, 96, 96], see `faces.mouth_picture`. Raises ValueError without any."""
    if not len(mouths):
        raise ValueError("no mouth to look at")
    chances = states_of(mouths)
    worst = np.sort(chances[:, 0])[: max(1, round(len(mouths) / 5))]
    below = chances[chances[:, 0] <= worst[-1]]
    return LipClarity(float(np.median(worst)), STATES[1 + int(below[:, 1:].mean(axis=0).argmax())])


def states_of(mouths: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The chance of each of `STATES` for each mouth, [k, 5]."""
    logits = load("lip_clarity").run(None, {"mouths": mouths[:, None].astype(np.float32)})[0]
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True), np.float32)
