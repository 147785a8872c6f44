"""What causal layers remember between calls, so that a video can be coded piece by piece with the result of the whole."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F


class Memory:
    """The last frames that each causal layer has seen, in the order in which the layers are met.

    One object serves one pass over the layers; `after()` is what the next pass begins with. Fresh, every past is zeros. The
    axis of time is `dim`.
    """

    def __init__(self, past: Iterable[Tensor] = (), dim: int = 2) -> None:
        self._past = list(past)
        self._met: list[Tensor] = []
        self._dim = dim
        self.is_fresh = not self._past

    def extend(self, x: Tensor, num_frames: int) -> Tensor:
        """x with the `num_frames` before it; its own last ones are remembered."""
        if self.is_fresh:
            shape = list(x.shape)
            shape[self._dim] = num_frames
            before = x.new_zeros(shape)
        else:
            before = self._past[len(self._met)]
        extended = torch.cat([before, x], dim=self._dim)
        length = extended.shape[self._dim]
        self._met.append(extended.narrow(self._dim, length - num_frames, num_frames))
        return extended

    def skip(self, x: Tensor, num_frames: int) -> None:
        """A layer that leaves the first call alone: x is remembered as its past, or, with more frames wanted, after zeros."""
        pad = [0, 0] * (x.ndim - 1 - self._dim) + [num_frames - x.shape[self._dim], 0]
        self._met.append(F.pad(x, pad))

    def forget(self, x: Tensor, num_frames: int) -> None:
        """A layer that leaves the first call alone and remembers nothing of it."""
        shape = list(x.shape)
        shape[self._dim] = num_frames
        self._met.append(x.new_zeros(shape))

    def after(self) -> tuple[Tensor, ...]:
        """The pasts of the next call."""
        return tuple(self._met)
