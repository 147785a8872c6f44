"""One drawn clip of somebody speaking, read once for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from engines.avatar_library import SHIPPED_ROOT, Avatar
from export.curate import rehearsal
from export.curate.reading import Reading, read
from export.curate.rehearsal import CleanClip, rehearse


@pytest.fixture(scope="package")
def clip() -> Iterator[CleanClip]:
    """Five seconds, 320 x 320."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rehearsal, "SIZES", ((320, 320),))
        yield next(rehearse(1, seed=3, avatars=[Avatar.load(SHIPPED_ROOT / "grace")]))


@pytest.fixture(scope="package")
def reading(clip: CleanClip) -> Reading:
    return read(clip.frames, clip.audio)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
