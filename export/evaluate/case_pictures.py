"""Pictures for cases that nobody gave a picture for: the shipped portraits, relit, before other backdrops, or turned into
statues.

Each is an avatar folder like those it was made from, with its rig and its matte, so nothing has to be found in it again.
Only two of the shipped portraits are photographs: the "real" half of a suite filled so shows few people often, and says so.
"""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.avatar_library import SHIPPED_ROOT, Avatar
from engines.codecs.portrait.codec import PortraitCodec
from engines.motion import rest
from export.evaluate.suite import Case

Picture = NDArray[np.uint8]  # RGB [h, w, 3]
Colours = NDArray[np.float32]  # the same in 0-1

#: Which shipped portraits stand for which kind of picture.
PORTRAITS = {
    ("human", "real"): ("eileen", "grace"),
    ("human", "generated"): ("amara", "anna", "leo", "otto"),
    ("other", "real"): ("eileen", "grace"),  # as statues
    ("other", "generated"): ("kenji", "ravi", "leo", "anna"),
}
#: Drawn already: these need not be turned into anything to be no human being's picture.
_DRAWN = ("kenji", "ravi")
#: Whose matte is not clean enough to be laid over anything else.
_AT_HOME = ("grace",)
_BACKDROPS = {"studio": None, "slate": (0.27, 0.31, 0.36), "sand": (0.72, 0.64, 0.53), "sea": (0.20, 0.42, 0.47)}


def _lit(red: float, green: float, blue: float, gamma: float) -> Callable[[Colours], Colours]:
    gain = np.array([red, green, blue], np.float32)
    return lambda picture: (np.clip(picture * gain, 0, 1) ** gamma).astype(np.float32)


def _cast(*colour: float) -> Callable[[Colours], Colours]:
    """One material all over: lightness, with its detail raised, between black, the material and its highlights."""

    def turned(picture: Colours) -> Colours:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        detail = np.clip(grey + 0.6 * (grey - cv2.GaussianBlur(grey, (0, 0), 12)), 0, 1)[..., None]
        material = np.array(colour, np.float32)
        dark, light = material * np.minimum(detail * 2, 1), (1 - material) * np.maximum(detail * 2 - 1, 0)
        return np.asarray(np.clip(dark + light * 0.75, 0, 1), np.float32)

    return turned


LIGHTS: dict[str, Callable[[Colours], Colours]] = {
    "as it is": lambda picture: picture,
    "warm": _lit(1.06, 0.99, 0.86, 1.0),
    "cool": _lit(0.90, 0.98, 1.08, 1.0),
    "dim": _lit(0.92, 0.92, 0.97, 1.25),
}
MATERIALS: dict[str, Callable[[Colours], Colours]] = {
    "stone": _cast(0.55, 0.53, 0.49), "bronze": _cast(0.44, 0.29, 0.15), "jade": _cast(0.25, 0.46, 0.36),
}  # fmt: skip


def picture_for(case: Case, root: Path) -> tuple[Avatar, str]:
    """The avatar for a case, made under `root` where it is not there yet, and in words what it is. The case's id decides
    which."""
    rng = np.random.default_rng(zlib.crc32(case.id.encode()))
    portraits = PORTRAITS[case.subject, case.source]
    base = portraits[int(rng.integers(len(portraits)))]
    drawn = base in _DRAWN
    looks = LIGHTS if case.subject == "human" or drawn else MATERIALS
    look = list(looks)[int(rng.integers(len(looks)))]
    backdrop = "studio" if base in _AT_HOME else list(_BACKDROPS)[int(rng.integers(len(_BACKDROPS)))]
    name = "-".join((base, look.replace(" ", "-"), backdrop))
    if not (root / name).is_dir():
        _make(Avatar.load(SHIPPED_ROOT / base), root / name, looks[look], _BACKDROPS[backdrop])
    what = f"the shipped portrait {base}"
    if look != "as it is":
        what += f", {look} light" if looks is LIGHTS else f" turned to {look}"
    return Avatar.load(root / name), what + (f", before a backdrop ({backdrop})" if _BACKDROPS[backdrop] else "")


def still(avatar: Avatar, size: tuple[int, int]) -> Picture:
    """The picture of a case: the portrait at rest, framed to (width, height)."""
    return PortraitCodec(avatar, size).decode_rgb(rest())


def _make(base: Avatar, folder: Path, look: Callable[[Colours], Colours], backdrop: tuple[float, ...] | None) -> None:
    picture, behind, alpha = (
        np.asarray(each, np.float32) / np.float32(255) for each in (base.picture(), base.background(), base.matte()[..., None])
    )
    own = picture - (1 - alpha) * behind  # the person alone, as far as the backdrop behind is known
    shown: Colours = behind if backdrop is None else _wall(backdrop, *behind.shape[:2])
    if look in MATERIALS.values():
        shown = shown if backdrop is not None else np.asarray(cv2.GaussianBlur(behind, (0, 0), 8), np.float32)
        lit, lit_behind = look(picture) * alpha + shown * (1 - alpha), shown
    else:
        lit, lit_behind = look(np.clip(own + (1 - alpha) * shown, 0, 1)), look(shown)
    half_done = folder.with_name(f".{folder.name}")
    shutil.rmtree(half_done, ignore_errors=True)
    shutil.copytree(base.folder, half_done, ignore=shutil.ignore_patterns("misbehaved"))
    for file, colours in (("picture.png", lit), ("background.png", lit_behind)):
        rgb = (np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8)
        if not cv2.imwrite(str(half_done / file), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)):
            raise OSError(f"{half_done / file} could not be written; is the disk full?")
    facts = json.loads((half_done / "avatar.json").read_text(encoding="utf-8"))
    facts |= {
        "name": folder.name,
        "title": folder.name,
        "source": f"Made of the shipped portrait {base.name}. {facts['source']}",
    }
    (half_done / "avatar.json").write_text(json.dumps(facts), encoding="utf-8")
    half_done.rename(folder)


def _wall(colour: tuple[float, ...], height: int, width: int) -> Colours:
    """A plain wall with a pool of light on it."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    pool = np.exp(-(((x / width - 0.42) / 0.55) ** 2 + ((y / height - 0.36) / 0.6) ** 2))
    return np.asarray((0.55 + 0.6 * pool)[..., None] * np.array(colour, np.float32), np.float32)
