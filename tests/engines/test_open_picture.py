"""What users upload, and what they are told when it is not a picture that can be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from engines.codecs.portrait.open_picture import (
    MAX_SIDE,
    CorruptPicture,
    NotAPicture,
    PictureTooLarge,
    PictureTooSmall,
    open_picture,
)
from tests.engines.portrait_pictures import PHOTO_PATH, encoded, photo, png_that_claims


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7 not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_not_a_picture_is_refused_by_its_content(data: bytes) -> None:
    with pytest.raises(NotAPicture, match="JPEG"):
        open_picture(data)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotAPicture, match=r"nobody\.jpg"):
        open_picture(tmp_path / "nobody.jpg")


def test_a_folder_is_not_a_picture(tmp_path: Path) -> None:
    with pytest.raises(NotAPicture):
        open_picture(tmp_path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_truncated_picture_is_refused(share: float) -> None:
    data = PHOTO_PATH.read_bytes()
    with pytest.raises(CorruptPicture, match="damaged"):
        open_picture(data[: int(len(data) * share)])


@pytest.mark.parametrize("size", [(20_000, 20_000), (9_000, 9_000), (60_000, 60_000), (2_000_000, 30)])
def test_a_huge_picture_is_refused_from_its_header_alone(size: tuple[int, int]) -> None:
    with pytest.raises(PictureTooLarge, match="megapixels"):
        open_picture(png_that_claims(*size))


def test_a_header_that_promises_pixels_that_are_not_there_is_refused() -> None:
    with pytest.raises(CorruptPicture):
        open_picture(png_that_claims(1000, 1000))


def test_a_thumbnail_of_a_few_pixels_is_refused() -> None:
    with pytest.raises(PictureTooSmall, match="20 x 20"):
        open_picture(encoded(photo()[:20, :20]))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_a_picture_is_known_by_its_content_not_its_name(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "portrait.txt"
    file.write_bytes(encoded(photo(), kind))
    opened = open_picture(file)
    assert opened.rgb.shape == (600, 512, 3)
    assert np.abs(opened.rgb.astype(int) - photo()).mean() < 12


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA"])
def test_any_colour_mode_becomes_rgb(mode: str) -> None:
    opened = open_picture(encoded(Image.fromarray(photo()).convert(mode), "TIFF"))
    assert opened.rgb.dtype == np.uint8
    assert opened.rgb.shape == (600, 512, 3)


def test_a_sixteen_bit_grey_picture_keeps_its_tones() -> None:
    grey = np.asarray(Image.fromarray(photo()).convert("L"))
    opened = open_picture(encoded(grey.astype(np.uint16) * 257))
    assert np.abs(opened.rgb[..., 0].astype(int) - grey).max() <= 1


@pytest.mark.parametrize("profile", [b"garbage", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()])
def test_a_colour_profile_that_does_not_fit_is_passed_over(profile: bytes) -> None:
    opened = open_picture(encoded(photo(), icc_profile=profile))
    assert np.array_equal(opened.rgb, photo())


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.fromarray(photo()), Image.new("RGB", (512, 600), "red")]
    opened = open_picture(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert np.abs(opened.rgb.astype(int) - photo()).mean() < 12


def test_a_phone_picture_is_turned_upright() -> None:
    orientation = Image.Exif()
    orientation[0x0112] = 6
    opened = open_picture(encoded(np.rot90(photo()), "JPEG", exif=orientation, quality=95))
    assert opened.rgb.shape == (600, 512, 3)
    assert opened.original_size == (512, 600)
    assert np.abs(opened.rgb.astype(int) - photo()).mean() < 4


def test_a_large_picture_is_brought_to_working_size_and_remembers_its_own() -> None:
    large = Image.fromarray(photo()).resize((512 * 6, 600 * 6))
    opened = open_picture(encoded(large, "JPEG"))
    assert max(opened.rgb.shape) == MAX_SIDE
    assert opened.original_size == (512 * 6, 600 * 6)


def test_a_picture_that_comes_cut_out_keeps_its_outline() -> None:
    alpha = np.zeros((600, 512), np.uint8)
    alpha[100:, 100:400] = 255
    opened = open_picture(encoded(np.dstack([photo(), alpha])))
    assert opened.alpha is not None and opened.backdrop is not None
    assert np.array_equal(opened.alpha, alpha)
    assert np.array_equal(opened.rgb[alpha == 255], photo()[alpha == 255])
    assert np.abs(opened.rgb[alpha == 0].astype(int) - opened.backdrop[alpha == 0]).max() <= 1


def test_an_opaque_alpha_channel_is_not_an_outline() -> None:
    opened = open_picture(encoded(np.dstack([photo(), np.full((600, 512), 255, np.uint8)])))
    assert opened.alpha is None
    assert np.array_equal(opened.rgb, photo())
