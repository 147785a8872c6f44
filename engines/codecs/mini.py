"""Pictures to what the mini transformer is shown, and its latents to pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.codecs.known import check_known
from engines.conditioners import picture_key
from engines.models.mini_vae import FRAMES_A_LATENT, PIXELS_A_LATENT, MiniVae
from engines.recent import Recent

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
        self._places: Recent[str, Tensor] = Recent(4)

    def known_frames(self, first: Rgb, last: Rgb | None, num_frames: int) -> Tensor:
        """What is known of a video that is the first frame, nothing, and the last: [1, 8 + c + d, f, h, w].

        The mask's 8 channels; the latents; and, everywhere, what the decoder recognises in the first frame: latents say only
        what differs from it.

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
        seen = self._recognised(first)[:, :, None].expand(-1, -1, known.shape[2], -1, -1)
        return torch.cat([known, seen], 1)

    def encode(self, pictures: NDArray[np.uint8]) -> Tensor:
        """A video of 1 + 8k pictures [f, h, w, 3] to normalised latents [1, c, 1 + k, h / 32, w / 32]."""
        return self._normalised(pictures, pictures[0])

    def _still(self, picture: Rgb, first: Rgb) -> Tensor:
        """Of standing still as in the picture, in a video that began with `first`."""
        key = picture_key(picture), picture_key(first)
        return self._stills.get(key, lambda: self._normalised(picture[None], first))

    @torch.inference_mode()
    def _recognised(self, picture: Rgb) -> Tensor:
        key = picture_key(picture)
        return self._places.get(key, lambda: self.vae.recognised(self._pixels(picture[None])[:, :, 0]))

    def _pixels(self, pictures: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(pictures).to(self._device).float().permute(3, 0, 1, 2)[None] / 127.5 - 1

    @torch.inference_mode()
    def _normalised(self, pictures: NDArray[np.uint8], first: Rgb) -> Tensor:
        flow = torch.from_numpy(flows(pictures, first)).to(self._device)[None]
        latents = self.vae.encode(self._pixels(pictures), self._pixels(first[None])[:, :, 0], flow)
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


def flows(pictures: NDArray[np.uint8], first: Rgb | None = None) -> NDArray[np.float32]:
    """Where in the first picture pixels of pictures [n, h, w, 3] are: [n, 2, h / 4, w / 4], pixels across and down.

    By dense inverse search (Kroeger et al. 2016). first: theirs, unless another is given.
    """
    grey = [cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY) for picture in pictures]
    before = grey[0] if first is None else cv2.cvtColor(np.ascontiguousarray(first), cv2.COLOR_RGB2GRAY)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    height, width = before.shape
    found = np.zeros((len(grey), 2, height // 4, width // 4), np.float32)
    for flow, later in zip(found, grey, strict=True):
        if later is not before and not np.array_equal(later, before):
            dense = search.calc(later, before, np.zeros((height, width, 2), np.float32))
            flow[:] = cv2.resize(dense, (width // 4, height // 4), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
    return found
