"""What the numbers of our I420 pictures mean, said in every stream: players guess otherwise, each another way."""

from __future__ import annotations

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc


def tag(codec: av.VideoCodecContext) -> None:
    """As OpenCV makes Y, U and V of RGB: by BT.601's matrix, in the limited range. RGB itself is BT.709's, as pictures are."""
    codec.colorspace, codec.color_range = Colorspace.ITU601, ColorRange.MPEG
    codec.color_primaries, codec.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
