"""Pictures to what the mini transformer is shown, and its latents to pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.codecs.known import check_known
from engines.conditioners import Recent, picture_key
from engines.models.mini_vae import FRAMES_A_LATENT, PIXELS_A_LATENT, MiniVae

Rgb = NDArray[np.uint8]  # [h, w, 3]


class MiniCodec:
    """A `MiniVae` with the mean and spread of its latents, [c] each. A known frame's latent is that of standing still."""

    frames_a_latent: ClassVar[int] = FRAMES_A_LATENT
    pixels_a_latent: ClassVar[int] = PIXELS_A_LATENT
    pixels_a_token: ClassVar[int] = PIXELS_A_LATENT

    def __init__(self, vae: MiniVae, mean: Tensor, std: Tensor, device: str = "cpu") -> None:
        self.vae = vae.eval().to(device)
        self.mean, self.std = mean.to(device), std.to(device)
        self._device = device
        self._stills: Recent[tuple[str, str], Tensor] = Recent(16)

    def known_frames(self, first: Rgb, last: Rgb | None, num_frames: int) -> Tensor:
        """The mask's 8 channels and the latents of a video that is the first frame, nothing, and the last: [1, 8 + c, f, h, w].

        Raises ValueError for sizes that are no multiples of 32 and counts that are not 1 + 8k.
        """
        check_known(first, last, num_frames, PIXELS_A_LATENT, FRAMES_A_LATENT)
        latent = self._still(first, first)
        c, rows, columns = latent.shape[1], *latent.shape[3:]
        known = latent.new_zeros(1, FRAMES_A_LATENT + c, 1 + num_frames // FRAMES_A_LATENT, rows, columns)
        known[:, :FRAMES_A_LATENT, 0] = 1
        known[:, FRAMES_A_LATENT:, :1] = latent
        if last is not None:
            known[:, FRAMES_A_LATENT - 1, -1] = 1
            known[:, FRAMES_A_LATENT:, -1:] = self._still(last, first)
        return known

    def encode(self, pictures: NDArray[np.uint8]) -> Tensor:
        """A video of 1 + 8k pictures [f, h, w, 3] to normalised latents [1, c, 1 + k, h / 32, w / 32]."""
        video = self._pixels(pictures)
        return self._normalised(video, video[:, :, :1])

    def _still(self, picture: Rgb, first: Rgb) -> Tensor:
        """Of standing still as in the picture, in a video that began with `first`."""
        key = picture_key(picture), picture_key(first)
        return self._stills.get(key, lambda: self._normalised(self._pixels(picture[None]), self._pixels(first[None])))

    def _pixels(self, pictures: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(pictures).to(self._device).float().permute(3, 0, 1, 2)[None] / 127.5 - 1

    @torch.inference_mode()
    def _normalised(self, video: Tensor, first: Tensor) -> Tensor:
        latents = self.vae.encode(video, first[:, :, 0])[0]
        return (latents - self.mean[:, None, None, None]) / self.std[:, None, None, None]

    @torch.inference_mode()
    def decode(self, latents: Tensor, first: Rgb, last: Rgb | None = None) -> Iterator[Rgb]:
        """Latents [1, c, f, h, w] and the first picture to 1 + 8 (f − 1) pictures, the first as it is, then eight at a time.

        Where the last is known too, the last eight fade into it: a latent knows it nearly, and a join would show the rest.
        """
        raw = latents.to(self._device) * self.std[:, None, None, None] + self.mean[:, None, None, None]
        known = self._pixels(first[None])[:, :, 0]
        past: tuple[Tensor, ...] = ()
        for i in range(raw.shape[2]):
            with torch.inference_mode():
                frames, past = self.vae.decode(raw[:, :, i : i + 1], known, past)
                levels = (frames[0].permute(1, 2, 3, 0) + 1) * 127.5
                if last is not None and i == raw.shape[2] - 1:
                    share = (torch.arange(1, FRAMES_A_LATENT + 1) / FRAMES_A_LATENT).square()[-len(levels) :, None, None, None]
                    levels = levels + share.to(levels) * (torch.from_numpy(last).to(levels) - levels)
                pictures = levels.round().clamp(0, 255).to(torch.uint8).cpu().numpy()
            yield from pictures if i else [first]
