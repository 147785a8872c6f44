"""Pictures for the avatar tests: a public-domain photograph that comes with Matplotlib, and files made from it."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from PIL import Image

#: US Navy photograph of Grace Hopper, 512 x 600.
PHOTO_PATH = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def photo() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """RGB uint8 [600, 512, 3]."""
    return np.asarray(Image.open(PHOTO_PATH).convert("RGB"))


def encoded(picture: Any, kind: str = "PNG", **options: Any) -> bytes:
    """The file a camera or an editor would have written."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(np.ascontiguousarray(picture))
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A few hundred bytes whose header promises a picture of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
