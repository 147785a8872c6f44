"""Pictures to what a Wan transformer is shown, and its latents to pictures: the codec of pixel video models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.codecs.known import check_known
from engines.conditioners import picture_key
from engines.models.tiny_vae import TinyVae
from engines.models.wan_vae import FRAMES_A_LATENT, PIXELS_A_LATENT, WanVae, normalised, raw
from engines.recent import Recent

Rgb = NDArray[np.uint8]  # [h, w, 3]
_FRAMES_AT_ONCE = 4 * FRAMES_A_LATENT  # encoded: more keep a GPU busier, and take more of its memory
PIXELS_A_TOKEN = 2 * PIXELS_A_LATENT  # sides of a picture are multiples of it


class WanCodec:
    """Wan's VAE encodes, once each anchor; it decodes too, or a tiny VAE does. Frames are decoded as they are asked for."""

    frames_a_latent: ClassVar[int] = FRAMES_A_LATENT
    pixels_a_latent: ClassVar[int] = PIXELS_A_LATENT
    pixels_a_token: ClassVar[int] = PIXELS_A_TOKEN

    def __init__(
        self, vae: WanVae, tiny: TinyVae | None = None, device: str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:  # fmt: skip
        self._vae = vae.to(device, dtype)
        self._tiny = tiny.to(device, dtype) if tiny else None
        self._device, self._dtype = device, dtype
        self._begun: Recent[str, tuple[Tensor, tuple[Tensor, ...]]] = Recent(4)
        self._known: Recent[tuple[str, str, int], Tensor] = Recent(4)

    @torch.inference_mode()
    def known_frames(self, first: Rgb, last: Rgb | None, num_frames: int) -> Tensor:
        """The mask's 4 channels and 16 of a video that is the first frame, nothing, and the last: [1, 20, f, h / 8, w / 8].

        Raises ValueError for sizes that are no multiples of 16 and counts that are not 1 + 4k.
        """
        check_known(first, last, num_frames, PIXELS_A_TOKEN, FRAMES_A_LATENT)
        key = (picture_key(first), "" if last is None else picture_key(last), num_frames)
        return self._known.get(
            key, lambda: torch.cat([self._mask(first, last, num_frames), self._encode(first, last, num_frames)], 1)
        )

    def _mask(self, first: Rgb, last: Rgb | None, num_frames: int) -> Tensor:
        """1 where a frame is known. Four channels a latent: of the first one all four are the first frame."""
        height, width = (side // PIXELS_A_LATENT for side in first.shape[:2])
        known = torch.zeros(num_frames + FRAMES_A_LATENT - 1)
        known[:FRAMES_A_LATENT] = 1
        if last is not None:
            known[-1] = 1
        by_latent = known.unflatten(0, (-1, FRAMES_A_LATENT)).T
        return by_latent[None, :, :, None, None].expand(-1, -1, -1, height, width).to(self._device)

    @torch.inference_mode()
    def encode(self, pictures: NDArray[np.uint8]) -> Tensor:
        """A video of 1 + 4k pictures [f, h, w, 3] to normalised latents [1, 16, 1 + k, h / 8, w / 8]."""
        pixels = torch.cat([self._pixels(picture) for picture in pictures], dim=2)
        return self._encoded(self._vae.encode(pixels[:, :, :1]), pixels[:, :, 1:])

    def _encode(self, first: Rgb, last: Rgb | None, num_frames: int) -> Tensor:
        begun = self._begun.get(picture_key(first), lambda: self._vae.encode(self._pixels(first)))
        height, width = first.shape[:2]
        others = torch.zeros(1, 3, num_frames - 1, height, width, device=self._device, dtype=self._dtype)
        if last is not None:
            others[:, :, -1:] = self._pixels(last)
        return self._encoded(begun, others)

    def _encoded(self, begun: tuple[Tensor, tuple[Tensor, ...]], others: Tensor) -> Tensor:
        """Normalised latents of a video that was begun with its first frame, and has these others."""
        latent, past = begun
        latents = [latent]
        for piece in others.split(_FRAMES_AT_ONCE, dim=2) if others.shape[2] else ():
            latent, past = self._vae.encode(piece, past)
            latents.append(latent)
        return normalised(torch.cat(latents, dim=2).float())

    def _pixels(self, picture: Rgb) -> Tensor:
        pixels = torch.from_numpy(picture).to(self._device, torch.float32).permute(2, 0, 1)[None, :, None] / 127.5 - 1
        return pixels.to(self._dtype)

    @torch.inference_mode()
    def decode(self, latents: Tensor, first: Rgb | None = None, last: Rgb | None = None) -> Iterator[Rgb]:
        """Latents [1, 16, f, h, w], as the transformer makes them, to 1 + 4 (f − 1) pictures, four at a time.

        The first picture and the last are in them, and need not be given.
        """
        latents = latents.to(self._device)
        shown = (latents if self._tiny else raw(latents)).to(self._dtype)
        decode = (self._tiny or self._vae).decode
        past: tuple[Tensor, ...] = ()
        for i in range(shown.shape[2]):
            with torch.inference_mode():
                frames, past = decode(shown[:, :, i : i + 1], past)
                levels = ((frames[0].float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
                pictures = levels.permute(1, 2, 3, 0).contiguous().cpu().numpy()
            yield from pictures
