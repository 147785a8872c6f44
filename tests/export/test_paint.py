"""The painter of ready avatars."""

import numpy as np

from export.portraits.paint import around, paint


def portrait(side: int = 128) -> np.ndarray:
    """A bright disc before a dark wall, float BGR."""
    y, x = np.mgrid[0:side, 0:side]
    disc = np.hypot(x - side / 2, y - side / 2) < side * 0.3
    return np.where(disc[..., None], (0.4, 0.6, 0.9), (0.2, 0.15, 0.1)).astype(np.float32)


def test_a_painting_keeps_the_pictures_forms_and_colours() -> None:
    picture = portrait()
    painted = paint(picture, around((64, 64, 60, 60), 128, 128), seed=1)
    assert painted.shape == picture.shape
    assert np.abs(painted[56:72, 56:72].mean(axis=(0, 1)) - picture[64, 64]).max() < 0.08
    assert np.abs(painted[:12].mean(axis=(0, 1)) - picture[0, 0]).max() < 0.08
    assert painted[:12].std() > 0.01, "strokes are seen"


def test_the_same_seed_paints_the_same_painting() -> None:
    picture, detail = portrait(64), np.zeros((64, 64), np.float32)
    assert np.array_equal(paint(picture, detail, seed=2), paint(picture, detail, seed=2))
