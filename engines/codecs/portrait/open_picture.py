"""Bytes from anywhere to an upright RGB picture, or an error that says what is wrong with them."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from engines.avatar_library import AvatarError

MAX_BYTES = 64 * 2**20
MAX_PIXELS = 50_000_000
MAX_SIDE = 1920
MIN_SIDE = 64
#: A picture counts as cut out when this much of it is clear.
MIN_CLEAR_SHARE = 0.02

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")


class NotAPicture(AvatarError):
    code = "not_a_picture"


class CorruptPicture(AvatarError):
    code = "corrupt_picture"


class PictureTooLarge(AvatarError):
    code = "picture_too_large"


class PictureTooSmall(AvatarError):
    code = "picture_too_small"


@dataclass(frozen=True, slots=True, eq=False)
class OpenPicture:
    """An upright sRGB picture of a size to work on.

    rgb: uint8 [h, w, 3]. original_size: width and height before shrinking, upright.
    alpha, backdrop: uint8 [h, w] and [h, w, 3] where the picture came cut out, and what it was laid over; else None.
    """

    rgb: NDArray[np.uint8]
    original_size: tuple[int, int]
    alpha: NDArray[np.uint8] | None = None
    backdrop: NDArray[np.uint8] | None = None


def open_picture(picture: bytes | Path, max_side: int = MAX_SIDE) -> OpenPicture:
    """Decode, turn upright by EXIF, convert to sRGB, and shrink to `max_side`. What the file is called does not matter.

    Of an animation, the first frame. The header is checked before a pixel is decoded.
    Raises NotAPicture, CorruptPicture, PictureTooLarge, PictureTooSmall.
    """
    data = _bytes(picture)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is stricter
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise _too_large("its header promises far more") from error
        except UnidentifiedImageError as error:
            raise NotAPicture(
                "This file is not a picture that can be read. Use a JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF."
            ) from error
        except Exception as error:  # Pillow's plugins raise nearly anything on a damaged header
            raise CorruptPicture(f"The picture is damaged ({error}). Save it again, as JPEG or PNG, and retry.") from error
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise _too_large(f"{width} x {height} pixels")
        if min(width, height) < MIN_SIDE:
            raise PictureTooSmall(f"The picture is only {width} x {height} pixels: use one of at least 512 x 512.")
        try:
            if image.getexif().get(0x0112, 1) >= 5:  # orientations that swap the sides
                width, height = height, width
            image.draft("RGB", (max_side, max_side))  # JPEG only: decodes large ones at a fraction of the size
            image.load()
            return _upright(image, max_side, (width, height))
        except Exception as error:  # as above, for damaged pixels
            raise CorruptPicture(
                f"The picture is damaged or incomplete ({error}). Download or save it again, and retry."
            ) from error


def _bytes(picture: bytes | Path) -> bytes:
    data = picture if isinstance(picture, bytes) else _read(picture)
    if not data:
        raise NotAPicture("The file is empty. Choose a picture: JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF.")
    if len(data) > MAX_BYTES:
        raise _too_large(f"{len(data) / 2**20:.0f} MiB")
    return data


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise NotAPicture(f"There is no file {path}.")
        if path.stat().st_size > MAX_BYTES:
            raise _too_large(f"{path.stat().st_size / 2**20:.0f} MiB")
        return path.read_bytes()
    except OSError as error:
        raise NotAPicture(f"{path} cannot be read: {error.strerror}.") from error


def _too_large(size: str) -> PictureTooLarge:
    return PictureTooLarge(
        f"The picture is too large ({size}): at most {MAX_PIXELS // 10**6} megapixels and {MAX_BYTES // 2**20} MiB. "
        "Shrink it to about 2000 pixels and retry."
    )


def _upright(image: Image.Image, max_side: int, original_size: tuple[int, int]) -> OpenPicture:
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":  # 16-bit grey, which Pillow would clip
        grey = np.asarray(image, np.float32)
        image = Image.fromarray((grey / max(grey.max(), 1) * 255).astype(np.uint8))
    has_alpha = image.has_transparency_data
    if has_alpha:
        image = image.convert("RGBA")
    elif profile:
        image = _to_srgb(image, profile)
    image = image if has_alpha else image.convert("RGB")
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    pixels = np.array(image)
    if not has_alpha:
        return OpenPicture(pixels, original_size)
    alpha = pixels[..., 3]
    if (alpha < 16).mean() < MIN_CLEAR_SHARE:
        return OpenPicture(_over(pixels, 255), original_size)
    backdrop = _backdrop(alpha.shape)
    return OpenPicture(_over(pixels, backdrop), original_size, alpha.copy(), (backdrop + 0.5).astype(np.uint8))


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):  # a profile that does not fit its picture says nothing of its colours
        return image
    return converted if converted is not None else image


def _backdrop(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A plain studio backdrop, lighter in the middle: float32 [h, w, 3]."""
    height, width = shape
    y = (np.arange(height, dtype=np.float32)[:, None] / height - 0.42) / 0.8
    x = (np.arange(width, dtype=np.float32)[None, :] / width - 0.5) / 0.7
    light = np.clip(1 - (x * x + y * y), 0, 1)[..., None]
    return (np.array([58, 64, 76]) + light * np.array([78, 78, 76])).astype(np.float32)


def _over(rgba: NDArray[np.uint8], backdrop: NDArray[np.float32] | int) -> NDArray[np.uint8]:
    coverage = rgba[..., 3:].astype(np.float32) / 255
    return (rgba[..., :3] * coverage + backdrop * (1 - coverage) + 0.5).astype(np.uint8)
