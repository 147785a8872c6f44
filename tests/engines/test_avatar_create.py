"""From a picture to an avatar folder."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.avatar_library import Avatar, AvatarExists, CannotWrite, ShippedAvatar
from engines.codecs.portrait import detect
from engines.codecs.portrait.create import create_avatar
from engines.codecs.portrait.detect import (
    BadModelFile,
    FaceCutOff,
    FaceTooSmall,
    NoFace,
    SeveralFaces,
    SidewaysPicture,
    find_face,
)
from engines.codecs.portrait.open_picture import open_picture
from engines.codecs.portrait.points import REQUIRED
from tests.engines.portrait_pictures import PHOTO_PATH, encoded, photo


@pytest.fixture(scope="module")
def avatar(tmp_path_factory: pytest.TempPathFactory) -> Avatar:
    return create_avatar(PHOTO_PATH, "hopper", root=tmp_path_factory.mktemp("avatars"), title="Grace", kind="photo")


def test_the_picture_is_kept_as_it_was(avatar: Avatar) -> None:
    assert np.array_equal(avatar.picture(), photo())
    assert (avatar.title, avatar.kind, avatar.points, avatar.matte_source) == ("Grace", "photo", "detected", "segmenter")


def test_the_landmarks_lie_on_the_face(avatar: Avatar) -> None:
    eyes, mouth = avatar.landmarks[[468, 473], :2].mean(0), avatar.landmarks[[13, 14], :2].mean(0)
    assert np.linalg.norm(eyes - [264, 189]) < 15
    assert np.linalg.norm(mouth - [266, 262]) < 20
    assert avatar.landmarks[4, 2] < avatar.landmarks[234, 2]  # the nose is nearer than the ear


def test_the_matte_covers_the_person_and_not_the_wall(avatar: Avatar) -> None:
    matte = avatar.matte()
    face = np.zeros(matte.shape, np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(avatar.landmarks[:468, :2].astype(np.int32)), 1)
    assert matte[face == 1].min() > 250
    assert matte[480:, 150:400].min() > 250  # the jacket
    assert matte[:60, 400:].max() < 5  # the blue wall
    assert 0.4 < (matte > 127).mean() < 0.75


def test_the_background_is_the_picture_without_the_person(avatar: Avatar) -> None:
    picture, matte, background = avatar.picture().astype(int), avatar.matte(), avatar.background().astype(int)
    far = cv2.dilate(matte, np.ones((41, 41), np.uint8)) < 5
    assert np.array_equal(background[far], picture[far])
    wall = picture[40:200, 440:].reshape(-1, 3).mean(0)
    assert np.abs(background[250:330, 300:360].reshape(-1, 3).mean(0) - wall).max() < 60  # where the cheek was
    assert np.abs(background[500:560, 200:300].astype(int) - picture[500:560, 200:300]).mean() > 25  # the jacket is gone


def test_the_thumbnail_is_square_with_the_face_in_the_middle(avatar: Avatar) -> None:
    thumbnail = open_picture(avatar.thumbnail).rgb
    assert thumbnail.shape == (320, 320, 3)
    centre = find_face(thumbnail).landmarks[:, :2].mean(0)
    assert np.abs(centre - 160).max() < 40


def test_the_same_picture_makes_the_same_avatar(avatar: Avatar, tmp_path: Path) -> None:
    again = create_avatar(PHOTO_PATH.read_bytes(), "hopper", root=tmp_path)
    assert np.array_equal(again.landmarks, avatar.landmarks)
    assert np.array_equal(again.matte(), avatar.matte())
    assert np.array_equal(again.background(), avatar.background())


def test_a_small_face_in_a_large_picture_is_found() -> None:
    far_off = np.full((1400, 1900, 3), 120, np.uint8)
    far_off[500:1100, 1000:1512] = photo()
    eyes = find_face(far_off).landmarks[[468, 473], :2].mean(0)
    assert np.linalg.norm(eyes - [1000 + 264, 500 + 189]) < 15


def test_a_picture_with_no_face_points_to_placing_them_by_hand() -> None:
    with pytest.raises(NoFace, match="by hand"):
        find_face(np.full((400, 400, 3), 128, np.uint8))


def test_two_faces_of_a_size_are_refused() -> None:
    with pytest.raises(SeveralFaces, match=r"2 faces.*crop"):
        find_face(np.hstack([photo(), photo()]))


def test_somebody_small_in_the_background_is_overlooked() -> None:
    picture = np.hstack([photo(), np.full((600, 300, 3), 100, np.uint8)])
    picture[100:250, 560:688] = cv2.resize(photo(), (128, 150), interpolation=cv2.INTER_AREA)
    eyes = find_face(picture).landmarks[[468, 473], :2].mean(0)
    assert np.linalg.norm(eyes - [264, 189]) < 15


def test_a_tiny_face_asks_for_a_closer_picture() -> None:
    tiny = cv2.resize(photo(), (72, 84), interpolation=cv2.INTER_AREA)
    picture = np.full((600, 1000, 3), 128, np.uint8)
    picture[100:184, 200:272] = tiny
    with pytest.raises(FaceTooSmall, match="closer"):
        find_face(picture)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_picture_on_its_side_asks_to_be_turned(turns: int) -> None:
    with pytest.raises(SidewaysPicture, match="upright"):
        find_face(np.rot90(photo(), turns))


def test_half_a_face_is_refused() -> None:
    with pytest.raises((FaceCutOff, NoFace)):
        find_face(np.ascontiguousarray(photo()[:, :270]))


def test_hand_placed_points_make_an_avatar_where_no_face_is_found(tmp_path: Path) -> None:
    blank = np.full((600, 512, 3), 200, np.uint8)
    cv2.ellipse(blank, (256, 300), (150, 200), 0, 0, 360, (120, 80, 60), -1)
    landmarks = find_face(photo()).landmarks
    points = {name: (float(landmarks[i, 0]), float(landmarks[i, 1])) for name, i in REQUIRED.items()}
    avatar = create_avatar(encoded(blank), "mask", root=tmp_path, points=points)
    assert avatar.points == "hand"
    assert np.allclose(avatar.landmarks[REQUIRED["chin"], :2], points["chin"], atol=2)
    matte = avatar.matte()
    assert matte[300, 256] == 255
    assert matte[:60].max() < 5  # the drawing's plain paper is not part of it


def test_a_cut_out_picture_brings_its_own_matte(tmp_path: Path, avatar: Avatar) -> None:
    cut_out = create_avatar(encoded(np.dstack([photo(), avatar.matte()])), "cut-out", root=tmp_path)
    assert cut_out.matte_source == "alpha"
    assert np.array_equal(cut_out.matte(), avatar.matte())


def test_a_taken_name_keeps_its_avatar_unless_forced(tmp_path: Path) -> None:
    cut_out = encoded(np.dstack([photo(), np.where(np.arange(512) < 60, 0, 255)[None].repeat(600, 0).astype(np.uint8)]))
    create_avatar(cut_out, "zoe", root=tmp_path)
    with pytest.raises(AvatarExists):
        create_avatar(cut_out, "zoe", root=tmp_path)
    replaced = create_avatar(cut_out, "zoe", root=tmp_path, title="Second", force=True)
    assert replaced.title == "Second"
    assert [entry.name for entry in tmp_path.iterdir()] == ["zoe"]


def test_a_refused_picture_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(NoFace):
        create_avatar(encoded(np.full((400, 400, 3), 128, np.uint8)), "nobody", root=tmp_path / "avatars")
    assert not (tmp_path / "avatars").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, avatar: Avatar) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CannotWrite, match="file"):
        create_avatar(encoded(np.dstack([photo(), avatar.matte()])), "zoe", root=tmp_path / "file")


def test_the_name_of_a_shipped_avatar_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, avatar: Avatar) -> None:
    monkeypatch.setattr("engines.codecs.portrait.create.SHIPPED_ROOT", avatar.folder.parent)
    with pytest.raises(ShippedAvatar):
        create_avatar(PHOTO_PATH, "hopper", root=tmp_path, force=True)


def test_a_model_file_that_was_changed_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "face_landmarker.task").write_bytes(b"something else")
    monkeypatch.setattr(detect, "WEIGHTS", tmp_path)
    with pytest.raises(BadModelFile, match="install Rostrum again"):
        find_face(photo())


def test_a_user_can_bring_another_landmarker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "mine.task"
    monkeypatch.setenv(detect.LANDMARKER_ENV, str(own))
    with pytest.raises(BadModelFile, match=r"mine\.task"):
        find_face(photo())
    own.write_bytes((detect.WEIGHTS / "face_landmarker.task").read_bytes())
    assert find_face(photo()).landmarks.shape == (478, 3)
    own.write_bytes(b"not a model")
    with pytest.raises(BadModelFile, match=r"mine\.task"):
        find_face(photo())
