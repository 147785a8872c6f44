"""Backgrounds of the hosts' own are kept under names that say what they are, and never change."""

from pathlib import Path

import numpy as np
import pytest

from engines import background_library
from engines.background_library import BackgroundLibrary, BackgroundNotFound, TooManyBackgrounds, read_background


def _picture(level: int) -> np.ndarray:
    return np.full((64, 96, 3), (level, 40, 200), np.uint8)


def test_a_background_is_named_after_its_title_and_read_back_as_it_was(tmp_path: Path) -> None:
    library = BackgroundLibrary(tmp_path / "backgrounds")
    name = library.add(_picture(120), "My Beach (2).JPG")
    assert name.startswith("my-beach-2-") and library.names() == [name]
    assert np.abs(read_background(library.path(name)).astype(int) - _picture(120)).max() < 6


def test_the_same_picture_is_kept_once_and_another_beside_it(tmp_path: Path) -> None:
    library = BackgroundLibrary(tmp_path)
    first, again, other = (library.add(_picture(level), "beach") for level in (120, 120, 200))
    assert first == again != other and len(library.names()) == 2
    library.remove(first)
    assert library.names() == [other]


@pytest.mark.parametrize("name", ["keep", "../secret", "beach-0123456789", "", "a/b-0123456789", "beach.jpg"])
def test_what_was_never_sent_is_not_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"x")
    with pytest.raises(BackgroundNotFound, match="Send its picture first"):
        BackgroundLibrary(tmp_path / "backgrounds").path(name)


def test_a_full_library_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_library, "MOST", 1)
    library = BackgroundLibrary(tmp_path)
    library.add(_picture(1), "one")
    with pytest.raises(TooManyBackgrounds, match="remove one"):
        library.add(_picture(100), "two")


def test_a_picture_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="beach"):
        read_background(tmp_path / "beach.jpg")
