"""The small pixel model with the weights that are shipped."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from engines.avatar_library import SHIPPED_ROOT, Avatar
from engines.catalog import WEIGHTS
from engines.codecs.portrait.codec import PortraitCodec
from engines.motion import INDEX, rest
from engines.specs import SAMPLE_RATE_HZ, ClipRequest
from engines.video import VideoModel, load_video_model

FRAMES = 17


@pytest.fixture(scope="module")
def mini() -> VideoModel:
    return load_video_model("mini", WEIGHTS / "mini")


@pytest.fixture(scope="module")
def poses() -> tuple[np.ndarray, np.ndarray]:
    """A portrait that it was never trained on, at rest and with its head a little turned."""
    codec = PortraitCodec(Avatar.load(SHIPPED_ROOT / "anna"), (128, 128))
    turned = rest()
    turned[INDEX["headYaw"]] = 0.15
    first, last = (cv2.cvtColor(codec.decode(pose), cv2.COLOR_YUV2RGB_I420) for pose in (rest(), turned))
    return first, last


def clip(mini: VideoModel, poses: tuple[np.ndarray, np.ndarray], voice: np.ndarray) -> np.ndarray:
    first, last = poses
    request = ClipRequest(first=first, last=last, num_frames=FRAMES, text="calm", voice=voice, lead_frames=5, fps=25, seed=3)
    return np.stack(list(mini.clip(request))).astype(np.float32)


def test_a_stranger_goes_from_one_known_picture_to_the_other_and_stays_who_they_are(
    mini: VideoModel, poses: tuple[np.ndarray, np.ndarray]
) -> None:
    drawn = clip(mini, poses, np.zeros(2 * SAMPLE_RATE_HZ, np.float32))
    first, last = (pose.astype(np.float32) for pose in poses)
    assert np.array_equal(drawn[0], first) and np.array_equal(drawn[-1], last)
    to_first, to_last = (np.abs(drawn - pose).mean((1, 2, 3)) for pose in (first, last))
    assert to_first[2] < to_last[2] and to_last[-3] < to_first[-3]
    step = np.abs(np.diff(drawn, axis=0)).mean((1, 2, 3))
    assert step.max() < np.abs(last - first).mean()  # it moves, it does not jump


def test_what_it_hears_shows_round_the_mouth(mini: VideoModel, poses: tuple[np.ndarray, np.ndarray]) -> None:
    seconds = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    hum = sum(np.sin(2 * np.pi * 130 * k * seconds) / k for k in range(1, 25))
    syllables = (0.1 * hum * np.sin(2 * np.pi * 2 * seconds) ** 2).astype(np.float32)
    heard, silent = (clip(mini, poses, voice) for voice in (syllables, np.zeros_like(syllables)))
    change = np.abs(heard - silent).mean((0, 3))
    assert change[64:96, 40:88].mean() > 2 * change[:32].mean()
