"""Backgrounds of the hosts' own: pictures in one folder, each named after its title and what is in it, and never changed."""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.avatar_library import AvatarError

MOST = 50  # pictures in a library
_JPEG_QUALITY = 92
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}-[0-9a-f]{10}")


class BackgroundNotFound(AvatarError):
    code = "not_found"


class TooManyBackgrounds(AvatarError):
    code = "too_many_backgrounds"


@dataclass(frozen=True, slots=True)
class BackgroundLibrary:
    """`root` need not be there before the first is added."""

    root: Path

    def names(self) -> list[str]:
        """Of all, by title."""
        return sorted(path.stem for path in self.root.glob("*.jpg") if _NAME.fullmatch(path.stem))

    def path(self, name: str) -> Path:
        """Of a JPEG. Raises BackgroundNotFound."""
        path = self.root / f"{name}.jpg"
        if not _NAME.fullmatch(name) or not path.is_file():
            raise BackgroundNotFound(f"There is no background {name!r}. Send its picture first: POST /api/backgrounds.")
        return path

    def check_room(self) -> None:
        """Raises TooManyBackgrounds where no more can be added."""
        if len(self.names()) >= MOST:
            raise TooManyBackgrounds(f"There are {MOST} backgrounds already: remove one that is not needed any more.")

    def add(self, rgb: NDArray[np.uint8], title: str) -> str:
        """A picture [h, w, 3]; its name, the same for the same picture and title. Raises TooManyBackgrounds, OSError."""
        written, jpeg = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        assert written
        data = jpeg.tobytes()
        name = f"{_slug(title)}-{hashlib.sha256(data).hexdigest()[:10]}"
        if name not in self.names():
            self.check_room()
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.root, delete=False) as draft:
                draft.write(data)
            Path(draft.name).replace(self.root / f"{name}.jpg")
        return name

    def remove(self, name: str) -> None:
        """Raises BackgroundNotFound."""
        self.path(name).unlink(missing_ok=True)


def read_background(path: Path) -> NDArray[np.uint8]:
    """RGB uint8 [h, w, 3]. Raises ValueError where there is no picture."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise ValueError(f"the background {path} cannot be read as a picture")
    return picture.astype(np.uint8, copy=False)


def _slug(title: str) -> str:
    """``Beach (2).JPG`` to ``beach-2``."""
    plain = re.sub(r"[^a-z0-9]+", "-", re.sub(r"\.\w{2,5}$", "", title).lower()).strip("-")
    return plain[:32].strip("-") or "picture"
