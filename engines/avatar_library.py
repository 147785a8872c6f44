"""Avatars on disk: one folder each, shipped with the package or made by the user.

A folder holds::

    avatar.json     format, name, title, kind, width, height, points, matte, source, licence, created
    picture.png     RGB, longest side at most 1920
    matte.png       8-bit coverage of the person, 255 is person
    background.png  RGB, the picture with the person painted out
    rig.npz         landmarks float32 [478, 3], blendshapes float32 [52], transform float32 [4, 4]
    thumbnail.jpg   320 x 320, the face in the middle
"""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FORMAT = 1
NUM_LANDMARKS = 478
NUM_BLENDSHAPES = 52
FILES = ("avatar.json", "picture.png", "matte.png", "background.png", "rig.npz", "thumbnail.jpg")
SHIPPED_ROOT = Path(__file__).parent / "avatars"

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")


class AvatarError(Exception):
    """Something about a picture or an avatar that the user can put right. The message says how.

    code: a stable machine word, e.g. for the page's error box.
    """

    code = "avatar_error"


class BadAvatarName(AvatarError):
    code = "bad_name"


class AvatarExists(AvatarError):
    code = "name_taken"


class AvatarNotFound(AvatarError):
    code = "not_found"


class ShippedAvatar(AvatarError):
    code = "shipped"


class CorruptAvatar(AvatarError):
    code = "corrupt_avatar"


class CannotWrite(AvatarError):
    code = "cannot_write"


@dataclass(frozen=True, slots=True, eq=False)
class Avatar:
    """A portrait, its matte, its empty background and its rig.

    landmarks: float32 [478, 3], MediaPipe's face mesh in picture pixels: x right, y down, z towards the back, scaled as x.
    blendshapes: float32 [52], the picture's own expression, in the order of `engines.motion.BLENDSHAPES`.
    transform: float32 [4, 4], MediaPipe's canonical face (centimetres) to camera space: the picture's own head pose.
    points: "detected" by the face landmarker, or placed by "hand".
    matte_source: "alpha" (the picture came cut out), "segmenter", "backdrop" (what a plain backdrop leaves),
        "grabcut" (colours), or "soft" (a usual person's shape: nothing better was sure).
    """

    folder: Path
    name: str
    title: str
    kind: str
    width: int
    height: int
    points: str
    matte_source: str
    source: str
    licence: str
    landmarks: NDArray[np.float32]
    blendshapes: NDArray[np.float32]
    transform: NDArray[np.float32]

    @classmethod
    def load(cls, folder: Path | str) -> Avatar:
        """Read a folder's description and rig; the pictures are read when asked for. Raises CorruptAvatar or AvatarNotFound."""
        folder = Path(folder)
        if not folder.is_dir():
            raise AvatarNotFound(f"There is no avatar folder at {folder}. `rostrum avatar list` shows those that exist.")
        if missing := [file for file in FILES if not (folder / file).is_file()]:
            raise CorruptAvatar(
                f"The avatar in {folder} lacks {', '.join(missing)}. Make it again with `rostrum avatar create`."
            )
        try:
            facts = json.loads((folder / "avatar.json").read_text(encoding="utf-8"))
            if facts["format"] != FORMAT:
                raise CorruptAvatar(
                    f"The avatar in {folder} has format {facts['format']}, this version reads {FORMAT}. "
                    "Make it again with `rostrum avatar create`."
                )
            with np.load(folder / "rig.npz", allow_pickle=False) as rig:
                arrays = {
                    "landmarks": _array(rig["landmarks"], (NUM_LANDMARKS, 3)),
                    "blendshapes": _array(rig["blendshapes"], (NUM_BLENDSHAPES,)),
                    "transform": _array(rig["transform"], (4, 4)),
                }
            return cls(
                folder=folder,
                name=str(facts["name"]),
                title=str(facts["title"]),
                kind=str(facts["kind"]),
                width=int(facts["width"]),
                height=int(facts["height"]),
                points=str(facts["points"]),
                matte_source=str(facts["matte"]),
                source=str(facts["source"]),
                licence=str(facts["licence"]),
                **arrays,
            )
        except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise CorruptAvatar(
                f"The avatar in {folder} cannot be read ({error}). Make it again with `rostrum avatar create`."
            ) from error

    @property
    def thumbnail(self) -> Path:
        """A JPEG of 320 x 320 pixels."""
        return self.folder / "thumbnail.jpg"

    def picture(self) -> NDArray[np.uint8]:
        """RGB uint8 [height, width, 3]."""
        return self._read("picture.png", cv2.IMREAD_COLOR_RGB)

    def matte(self) -> NDArray[np.uint8]:
        """Coverage of the person, uint8 [height, width], 255 is person."""
        return self._read("matte.png", cv2.IMREAD_GRAYSCALE)

    def background(self) -> NDArray[np.uint8]:
        """The picture without the person, RGB uint8 [height, width, 3]."""
        return self._read("background.png", cv2.IMREAD_COLOR_RGB)

    def facts(self) -> dict[str, Any]:
        """What lists and the page show, ready for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "kind": self.kind,
            "width": self.width,
            "height": self.height,
            "points": self.points,
            "matte": self.matte_source,
            "source": self.source,
            "licence": self.licence,
            "shipped": self.folder.parent == SHIPPED_ROOT,
        }

    def _read(self, file: str, mode: int) -> NDArray[np.uint8]:
        picture = cv2.imread(str(self.folder / file), mode)
        if picture is None or picture.shape[:2] != (self.height, self.width):
            found = "no picture" if picture is None else f"{picture.shape[1]}x{picture.shape[0]}"
            raise CorruptAvatar(
                f"{self.folder / file} should be {self.width}x{self.height}, but holds {found}. "
                "Make the avatar again with `rostrum avatar create`."
            )
        return picture.astype(np.uint8, copy=False)


def user_root() -> Path:
    """Where the user's avatars live: $ROSTRUM_HOME/avatars, or ~/.local/share/rostrum/avatars."""
    home = os.environ.get("ROSTRUM_HOME")
    return (Path(home) if home else Path.home() / ".local/share/rostrum") / "avatars"


def check_name(name: str) -> str:
    """The name itself, if it may name an avatar. Raises BadAvatarName."""
    if not _NAME.fullmatch(name):
        raise BadAvatarName(
            f"{name!r} cannot name an avatar: use 1 to 64 of a-z, 0-9, - and _, starting and ending with a letter or digit."
        )
    return name


@dataclass(frozen=True, slots=True)
class AvatarLibrary:
    """The avatars that can be shown: those shipped, which are never changed, and the user's own."""

    shipped: Path
    user: Path

    @classmethod
    def default(cls) -> AvatarLibrary:
        """The package's avatars and those in `user_root()`."""
        return cls(SHIPPED_ROOT, user_root())

    def names(self) -> list[str]:
        """Every avatar folder's name, shipped first, each group in alphabetical order."""
        shipped = _folders(self.shipped)
        return shipped + [name for name in _folders(self.user) if name not in shipped]

    def list(self) -> list[Avatar]:
        """Every avatar that can be read; broken folders are left to `get`, which says what is wrong with them."""
        avatars = []
        for name in self.names():
            try:
                avatars.append(self.get(name))
            except CorruptAvatar:
                continue
        return avatars

    def get(self, name: str) -> Avatar:
        """One avatar by name. Raises BadAvatarName, AvatarNotFound, CorruptAvatar."""
        check_name(name)
        for root in (self.shipped, self.user):
            if (root / name / "avatar.json").is_file():
                return Avatar.load(root / name)
        raise AvatarNotFound(f"There is no avatar called {name!r}. There are: {', '.join(self.names()) or 'none yet'}.")

    def new_folder(self, name: str, *, force: bool) -> Path:
        """Where a new avatar of the user's goes. Raises BadAvatarName, ShippedAvatar, or AvatarExists unless `force`."""
        check_name(name)
        if (self.shipped / name).exists() and self.shipped != self.user:
            raise ShippedAvatar(f"{name!r} is an avatar that comes with Rostrum; choose another name.")
        folder = self.user / name
        if folder.exists() and not force:
            raise AvatarExists(
                f"You already have an avatar called {name!r}: choose another name, or use --force to replace it."
            )
        return folder

    def remove(self, name: str) -> None:
        """Delete one of the user's avatars. Raises BadAvatarName, ShippedAvatar, AvatarNotFound."""
        check_name(name)
        if (self.shipped / name).exists():
            raise ShippedAvatar(f"{name!r} comes with Rostrum and cannot be removed.")
        folder = self.user / name
        if not folder.is_dir() or folder.is_symlink():
            raise AvatarNotFound(
                f"You have no avatar called {name!r}. Yours are: {', '.join(_folders(self.user)) or 'none yet'}."
            )
        shutil.rmtree(folder)


def _folders(root: Path) -> list[str]:
    if not root.is_dir():
        return []
    return sorted(entry.name for entry in root.iterdir() if _NAME.fullmatch(entry.name) and (entry / "avatar.json").is_file())


def _array(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float32]:
    if values.shape != shape or not np.isfinite(values).all():
        raise ValueError(f"a rig array should be finite, of shape {shape}, not {values.shape}")
    array = values.astype(np.float32)
    array.setflags(write=False)
    return array
