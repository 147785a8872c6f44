"""What a pixel codec can be asked to begin and end a clip with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]  # [h, w, 3]


def check_known(first: Rgb, last: Rgb | None, num_frames: int, pixels_a_token: int, frames_a_latent: int) -> None:
    """Raises ValueError for sides that are no multiples of a token's, for ends of two sizes, and for counts that are not 1 + k
    latents' frames."""
    height, width = first.shape[:2]
    if height % pixels_a_token or width % pixels_a_token:
        raise ValueError(f"pictures of {width}x{height}: both sides must be multiples of {pixels_a_token}")
    if last is not None and last.shape != first.shape:
        raise ValueError(f"the first frame is {first.shape}, the last {last.shape}")
    if num_frames % frames_a_latent != 1:
        raise ValueError(f"{num_frames} frames: a clip has 1 + {frames_a_latent}k")
