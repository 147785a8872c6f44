"""Takes an eye of a picture apart: lid skin without lashes, lashes, white, iris, and the lids' stain on the eyeball."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.codecs.portrait.planes import Array, smoothstep, spread

UPPER_SHADE, LOWER_SHADE = 0.17, 0.09  # reach of the lids' shadow on the eyeball, half eye widths
NUM_RINGS = 32


@dataclass(frozen=True, slots=True, eq=False)
class EyeLayers:
    """float32 [h, w] for Y, [h, w, 2] for UV. Outside the opening lid + lashes is the picture, inside iris + white + stain."""

    lid: Array
    lashes: Array
    white: Array
    iris: Array  # premultiplied
    disc: Array  # the iris's coverage, [h, w]
    stain: Array

    def cropped(self, inner: tuple[slice, slice]) -> EyeLayers:
        """The same lids, and of the eyeball the part `inner`."""
        white, iris, disc, stain = (np.ascontiguousarray(a[inner]) for a in (self.white, self.iris, self.disc, self.stain))
        return EyeLayers(self.lid, self.lashes, white, iris, disc, stain)


def separate(
    picture: Array,
    light: Array,
    s: Array,
    t: Array,
    upper: Array,
    lower: Array,
    scale: float,
    far: Array,
    lash_reach: tuple[float, float],
) -> EyeLayers:
    """picture: one plane of the eye's window; light: Y, as large; s, t: eye coordinates of its pixels; upper, lower: the
    lids' t at their s; scale: pixels in half an eye width; far: distance from the iris's centre in its radii; lash_reach:
    above the lid and from the eye's middle to its sides, half eye widths.
    """
    flat = picture if picture.ndim == 3 else picture[..., None]
    # A little beyond the lids, so that all is known of what their soft edge lets through.
    opening = np.clip((t - upper) * scale + 1.5, 0, 1) * np.clip((lower - t) * scale + 1.5, 0, 1)
    opening *= np.clip((1 - np.abs(s)) * scale, 0, 1)
    white, iris, disc = _ball(flat, s, t, upper, lower, far)
    stain = (flat - iris - white * (1 - disc[..., None])) * opening[..., None]
    lashes = _lashes(flat, light, s, t, upper, lower, scale, *lash_reach)
    parts = (flat - lashes, lashes, white, iris, disc, stain)
    return EyeLayers(*(part.reshape(picture.shape if part is not disc else disc.shape).astype(np.float32) for part in parts))


def _ball(flat: Array, s: Array, t: Array, upper: Array, lower: Array, far: Array) -> tuple[Array, Array, Array]:
    """(white, premultiplied iris, coverage): seen where it is seen; the white spreads, the iris is completed by its rings."""
    reach_up = np.minimum(UPPER_SHADE, 0.35 * (lower - upper))
    reach_low = np.minimum(LOWER_SHADE, 0.2 * (lower - upper))
    seen = (t > upper + reach_up) & (t < lower - reach_low) & (np.abs(s) < 0.95)
    disc = (1 - smoothstep(far, 0.98, 1.20)).astype(np.float32)
    clear = seen & (far > 1.22)
    if clear.sum() < 6 or (seen & (far < 1)).sum() < 6:
        return flat, np.zeros_like(flat), np.zeros_like(far)
    # Dark specks among the white are lashes: the upper half of it tells its colour.
    white = spread(flat, clear.astype(np.float32))
    white = np.where(clear[..., None], flat, white)
    ring = np.clip((far * 20).astype(int), 0, NUM_RINGS - 1)
    iris = np.zeros_like(flat)
    for c in range(flat.shape[2]):
        weight = np.bincount(ring[seen], minlength=NUM_RINGS).astype(np.float64)
        total = np.bincount(ring[seen], weights=flat[..., c][seen], minlength=NUM_RINGS)
        known = np.flatnonzero(weight)
        profile = np.interp(np.arange(NUM_RINGS), known, total[known] / weight[known])
        iris[..., c] = np.interp(far * 20 - 0.5, np.arange(NUM_RINGS), profile)
    soft = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), max(0.6, 0.02 * s.shape[1]))
    keep = np.where(seen, smoothstep(soft, 0.5, 0.95), 0)[..., None]
    iris = flat * keep + iris * (1 - keep)
    return white, (iris - white * (1 - disc[..., None])) * (disc > 0)[..., None], disc


def _lashes(
    flat: Array, light: Array, s: Array, t: Array, upper: Array, lower: Array, scale: float, reach: float, side: float
) -> Array:
    """What is darker than the skin around it, above the upper lid's edge."""
    above = upper - t
    window = smoothstep(above, -1.5 / scale, 0.5 / scale) * (1 - smoothstep(above, 0.75 * reach, reach))
    window *= 1 - smoothstep(np.abs(s), side, side + 0.25)
    hidden = (above < 0.10) & (t < lower + 0.12) & (np.abs(s) < 1.2)  # the eye and the lid's rim say nothing of the skin
    size = max(3, int(0.16 * scale) * 2 + 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    closed = cv2.dilate(np.where(hidden, 0, light).astype(np.float32), kernel)
    closed = cv2.erode(np.where(hidden, 255, closed).astype(np.float32), kernel)
    dark = np.clip((closed - light) / np.maximum(0.10 * closed, 4), 0, 1)
    trust = np.where(hidden, 0, 1 - dark * (above < reach) * (above > -0.3)).astype(np.float32) ** 2
    skin = spread(flat, trust)
    smooth = cv2.GaussianBlur(skin, (0, 0), max(0.5, 0.03 * scale)).reshape(flat.shape)
    return np.asarray((np.minimum(flat - smooth, 0) if flat.shape[2] == 1 else flat - smooth) * window[..., None], np.float32)
