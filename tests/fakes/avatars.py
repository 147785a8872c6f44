"""Avatar folders that load, without a face in them."""

import json
from pathlib import Path

import cv2
import numpy as np

from engines.avatar_library import FORMAT, AvatarLibrary


def write_avatar(root: Path, name: str) -> Path:
    """A grey avatar of 256 x 256."""
    folder = root / name
    folder.mkdir(parents=True)
    grey = np.full((256, 256, 3), 128, np.uint8)
    facts = {
        "format": FORMAT, "name": name, "title": name.capitalize(), "kind": "test", "width": 256, "height": 256,
        "points": "hand", "matte": "soft", "source": "", "licence": "",
    }  # fmt: skip
    (folder / "avatar.json").write_text(json.dumps(facts))
    for file in ("picture.png", "background.png", "thumbnail.jpg"):
        cv2.imwrite(str(folder / file), grey)
    cv2.imwrite(str(folder / "matte.png"), grey[:, :, 0])
    np.savez(
        folder / "rig.npz",
        landmarks=np.zeros((478, 3), np.float32),
        blendshapes=np.zeros(52, np.float32),
        transform=np.eye(4, dtype=np.float32),
    )
    return folder


def fake_library(root: Path, *names: str) -> AvatarLibrary:
    """A library holding these, as shipped ones."""
    for name in names:
        write_avatar(root / "shipped", name)
    (root / "user").mkdir(exist_ok=True)
    return AvatarLibrary(root / "shipped", root / "user")
