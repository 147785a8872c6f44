"""Little films, made in a moment."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def write_film(path: Path, pictures: Sequence[NDArray[np.uint8]], fps: int = 25) -> Path:
    """RGB pictures of even size as H.264 in MP4, without sound."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "12"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def colours(num: int, shade: int, size: int = 64) -> list[NDArray[np.uint8]]:
    """A plain picture that slowly changes its shade."""
    return [np.full((size, size, 3), (shade + i) % 256, np.uint8) for i in range(num)]
