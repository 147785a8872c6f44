"""The avatars that come with the package: whole, credited, and rigged where the face really is."""

from pathlib import Path

import numpy as np
import pytest

from engines.avatar_library import SHIPPED_ROOT, Avatar
from engines.codecs.portrait.detect import find_face

NAMES = sorted(folder.name for folder in SHIPPED_ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(("_", ".")))
#: Landmarks at the corners of the eyes and of the mouth, the nose's tip and the chin.
ANCHORS = [33, 133, 362, 263, 61, 291, 4, 152]
MAX_TOTAL_BYTES = 12 * 2**20


@pytest.fixture(params=NAMES)
def avatar(request: pytest.FixtureRequest) -> Avatar:
    return Avatar.load(SHIPPED_ROOT / request.param)


def eye_distance(landmarks: np.ndarray) -> float:
    return float(np.linalg.norm(landmarks[33, :2] - landmarks[263, :2]))


def test_there_are_six_avatars_of_four_kinds_to_choose_from() -> None:
    kinds = {Avatar.load(SHIPPED_ROOT / name).kind for name in NAMES}
    assert len(NAMES) >= 6
    assert len(kinds) >= 4


def test_the_shipped_avatars_keep_the_package_small() -> None:
    assert sum(file.stat().st_size for file in Path(SHIPPED_ROOT).rglob("*") if file.is_file()) <= MAX_TOTAL_BYTES


def test_an_avatar_says_where_it_is_from_and_under_which_licence(avatar: Avatar) -> None:
    assert avatar.source
    assert avatar.licence
    assert f"## {avatar.name}" in (SHIPPED_ROOT / "README.md").read_text(encoding="utf-8")


def test_picture_matte_and_background_are_of_one_size_fit_for_the_page(avatar: Avatar) -> None:
    picture, matte, background = avatar.picture(), avatar.matte(), avatar.background()
    assert picture.shape == background.shape == (avatar.height, avatar.width, 3)
    assert matte.shape == picture.shape[:2]
    assert min(avatar.width, avatar.height) >= 768 and max(avatar.width, avatar.height) <= 1280


def test_the_matte_holds_the_face_and_leaves_room_above_it(avatar: Avatar) -> None:
    matte = avatar.matte()
    x, y = avatar.landmarks[:, :2].round().astype(int).T
    assert (matte[y, x] > 200).mean() > 0.95
    assert (matte[: avatar.height // 100] < 32).mean() > 0.9
    assert (matte[-1] > 200).mean() > 0.3, "the shoulders reach the lower edge"


def test_the_background_is_the_picture_where_nobody_stands(avatar: Avatar) -> None:
    empty = avatar.matte() == 0
    difference = np.abs(avatar.picture().astype(int) - avatar.background().astype(int)).max(axis=2)
    assert np.percentile(difference[empty], 95) <= 12


def test_the_rig_lies_on_the_face_of_the_picture(avatar: Avatar) -> None:
    scale = eye_distance(avatar.landmarks)
    assert scale > 0.09 * avatar.width, "the face is large enough to speak"
    if avatar.points == "hand":
        return
    found = find_face(avatar.picture()).landmarks
    error = np.linalg.norm(found[ANCHORS, :2] - avatar.landmarks[ANCHORS, :2], axis=1) / scale
    assert error.max() < 0.03


def test_the_mouth_is_where_a_voice_can_move_it(avatar: Avatar) -> None:
    corners = avatar.landmarks[[61, 291], :2]
    chin = avatar.landmarks[152, :2]
    assert np.linalg.norm(corners[0] - corners[1]) > 0.3 * eye_distance(avatar.landmarks)
    assert (chin[1] > corners[:, 1]).all()
