import numpy as np
import pytest

from engines.avatar_library import AvatarLibrary
from engines.motion import BLENDSHAPES
from streamer import seeing


def _face(**shapes: float) -> dict[str, float]:
    return {**dict.fromkeys(BLENDSHAPES, 0.0), **shapes}


@pytest.mark.parametrize(
    ("shapes", "emotion"),
    [
        ({"mouthSmileLeft": 0.9, "mouthSmileRight": 0.8}, "joy"),
        ({"browDownLeft": 0.7, "browDownRight": 0.7}, "anger"),
        ({"mouthFrownLeft": 0.6, "mouthFrownRight": 0.6}, "sadness"),
        ({"jawOpen": 0.7, "eyeWideLeft": 0.6, "eyeWideRight": 0.6}, "surprise"),
        ({"mouthSmileLeft": 0.4, "mouthSmileRight": 0.4}, None),
        ({}, None),
    ],
)
def test_only_a_clear_expression_is_an_emotion(shapes: dict[str, float], emotion: str | None) -> None:
    assert seeing.expression(_face(**shapes))[0] == emotion


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((250, 250, 250), "white"),
        ((10, 12, 11), "black"),
        ((128, 126, 130), "grey"),
        ((30, 60, 160), "blue"),
        ((120, 70, 30), "brown"),
        ((60, 30, 12), "dark brown"),
        ((40, 160, 60), "green"),
    ],
)
def test_colours_have_plain_names(rgb: tuple[int, int, int], name: str) -> None:
    assert seeing.colour(np.array(rgb, np.float64)) == name


def test_every_ready_avatar_is_described() -> None:
    captions = [seeing.caption(avatar) for avatar in AvatarLibrary.default().list()]
    assert all("head and shoulders" in caption.text for caption in captions)
    assert len({caption.text for caption in captions}) > 3
