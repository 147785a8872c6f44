"""A picture becomes an avatar: the face found, the person cut out, the background painted in, all written to a folder."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.avatar_library import FORMAT, SHIPPED_ROOT, Avatar, AvatarExists, AvatarLibrary, CannotWrite, user_root
from engines.codecs.portrait.clean_plate import paint_out
from engines.codecs.portrait.detect import Face, find_face
from engines.codecs.portrait.matte import cut_out
from engines.codecs.portrait.open_picture import open_picture
from engines.codecs.portrait.points import Points, face_from_points

THUMBNAIL_SIDE = 320
#: Width of the thumbnail's view, in eye distances.
THUMBNAIL_VIEW = 4.6


def create_avatar(
    picture: bytes | Path,
    name: str,
    *,
    points: Points | None = None,
    root: Path | None = None,
    title: str | None = None,
    kind: str = "picture",
    source: str = "",
    licence: str = "",
    force: bool = False,
) -> Avatar:
    """Make the avatar folder `root`/`name` (the user's library by default) and load it. Takes a second or two.

    points: hand-placed points where the face cannot be found: name to (x, y) in pixels of the upright picture as given.
    kind: a word for lists: "photo", "painting", "cartoon".
    The folder appears whole or not at all. Raises AvatarError, whose subclasses and messages say what to do.
    Nothing is kept between calls, so it may run in any process or thread.
    """
    folder = AvatarLibrary(SHIPPED_ROOT, root or user_root()).new_folder(name, force=force)
    opened = open_picture(picture)
    height, width = opened.rgb.shape[:2]
    face = find_face(opened.rgb) if points is None else face_from_points(points, opened.original_size, (width, height))
    if opened.alpha is not None:
        matte, matte_source = opened.alpha, "alpha"
    else:
        matte, matte_source = cut_out(opened.rgb, face.landmarks)
    background = opened.backdrop if opened.backdrop is not None else paint_out(opened.rgb, matte)
    facts = {
        "format": FORMAT,
        "name": name,
        "title": title or name.replace("-", " ").replace("_", " ").capitalize(),
        "kind": kind,
        "width": width,
        "height": height,
        "points": "detected" if points is None else "hand",
        "matte": matte_source,
        "source": source,
        "licence": licence,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        _write(folder, facts, face, opened.rgb, matte, background, force)
    except OSError as error:
        raise CannotWrite(f"The avatar could not be written to {folder}: {error.strerror or error}.") from error
    return Avatar.load(folder)


def _write(
    folder: Path,
    facts: dict[str, Any],
    face: Face,
    picture: NDArray[Any],
    matte: NDArray[Any],
    background: NDArray[Any],
    force: bool,
) -> None:
    """All files into a hidden folder beside, then one rename. Raises OSError, or AvatarExists if somebody else was faster."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        draft = Path(scratch) / "draft"
        draft.mkdir()
        _write_png(draft / "picture.png", picture)
        _write_png(draft / "matte.png", matte)
        _write_png(draft / "background.png", background)
        (draft / "thumbnail.jpg").write_bytes(thumbnail(picture, face))
        np.savez(draft / "rig.npz", landmarks=face.landmarks, blendshapes=face.blendshapes, transform=face.transform)
        (draft / "avatar.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if folder.exists():
            if not force:
                raise AvatarExists(f"There is now an avatar called {folder.name!r}: choose another name, or use --force.")
            folder.rename(Path(scratch) / "replaced")
        draft.rename(folder)


def thumbnail(picture: NDArray[Any], face: Face) -> bytes:
    """A square JPEG with the face in the middle; what lies beyond the picture continues its edge."""
    height, width = picture.shape[:2]
    left, top, right, bottom = face.box
    side = min(face.eye_distance_px * THUMBNAIL_VIEW, max(float(min(height, width)), 1.2 * (bottom - top)))
    centre = [(left + right) / 2, (top + bottom) / 2 - side * 0.02]
    for axis, limit in enumerate((width, height)):
        if side <= limit:
            centre[axis] = float(np.clip(centre[axis], side / 2, limit - side / 2))
    scale = THUMBNAIL_SIDE / side
    shift = [THUMBNAIL_SIDE / 2 - scale * c for c in centre]
    shrunk = cv2.GaussianBlur(picture, (0, 0), 0.45 / scale) if scale < 0.7 else picture
    view = cv2.warpAffine(
        shrunk,
        np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32),
        (THUMBNAIL_SIDE, THUMBNAIL_SIDE),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    written, jpeg = cv2.imencode(".jpg", cv2.cvtColor(view, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert written
    return jpeg.tobytes()


def _write_png(path: Path, pixels: NDArray[Any]) -> None:
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    if not cv2.imwrite(str(path), bgr):
        raise OSError(f"{path.name} could not be written; is the disk full?")
