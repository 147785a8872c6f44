"""What the embedded director sees in a portrait: how near the face is, its expression at rest, the colours about it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.avatar_library import Avatar
from engines.motion import BLENDSHAPES
from streamer.briefing import PortraitCaption

_SMILE, _WIDE, _FROWN = 0.6, 0.5, 0.4  # blendshapes from which an expression counts
#: Hue in degrees up to which a colour has the name.
_HUES = ((15, "red"), (40, "orange"), (65, "yellow"), (160, "green"), (200, "teal"), (255, "blue"), (290, "violet"),
         (340, "pink"), (361, "red"))  # fmt: skip


def caption(avatar: Avatar) -> PortraitCaption:
    """One line of prose about the portrait, and the emotion that its face shows at rest, if it clearly shows one.

    Reads the picture and its matte. Raises CorruptAvatar where they cannot be read.
    """
    emotion, words = expression(dict(zip(BLENDSHAPES, avatar.blendshapes.tolist(), strict=True)))
    picture, matte = avatar.picture(), avatar.matte()
    behind = picture[matte < 32]
    backdrop = f"in front of {colour(np.median(behind, axis=0))}" if len(behind) > 0.02 * matte.size else "filling the picture"
    return PortraitCaption(emotion, 0.3, f"{framing(avatar)}, {words}, {backdrop}")


def framing(avatar: Avatar) -> str:
    """By the height of the face (brow to chin) in the picture."""
    return framing_of(float(np.ptp(avatar.landmarks[:, 1])) / avatar.height)


def framing_of(share: float) -> str:
    """By the share of the picture's height that the face takes."""
    return "a close-up" if share > 0.5 else "head and shoulders" if share > 0.25 else "a half-length portrait"


def expression(shapes: dict[str, float]) -> tuple[str | None, str]:
    """The emotion of a face at rest, None where it shows none, and the words for it."""

    def both(name: str) -> float:
        return (shapes[f"{name}Left"] + shapes[f"{name}Right"]) / 2

    if both("mouthSmile") > _SMILE:
        return "joy", "a smiling face"
    if shapes["jawOpen"] > _WIDE and both("eyeWide") > _FROWN:
        return "surprise", "a surprised face"
    if both("browDown") > _WIDE:
        return "anger", "a frowning face"
    if both("mouthFrown") > _FROWN:
        return "sadness", "a sad face"
    return None, "a slight smile" if both("mouthSmile") > 0.3 else "a face at rest"


def colour(rgb: NDArray[np.float64]) -> str:
    """A name for a colour, RGB 0–255."""
    high, low = float(rgb.max()), float(rgb.min())
    tone = "dark " if high < 85 else "light " if low > 170 else ""
    if high - low < 0.18 * max(high, 1):
        return "black" if high < 35 else "white" if low > 225 else f"{tone}grey"
    r, g, b = (float(v) for v in rgb)
    span = high - low
    sector = ((g - b) / span) % 6 if high == r else (b - r) / span + 2 if high == g else (r - g) / span + 4
    name = next(name for limit, name in _HUES if sector * 60 < limit)
    return f"{tone}{'brown' if name == 'orange' and high < 170 else name}"
