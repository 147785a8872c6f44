"""Avatar folders, and the names they go by."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.avatar_library import (
    FILES,
    Avatar,
    AvatarExists,
    AvatarLibrary,
    AvatarNotFound,
    BadAvatarName,
    CorruptAvatar,
    ShippedAvatar,
    user_root,
)


def write_avatar(folder: Path, width: int = 64, height: int = 48) -> Path:
    """A folder with every file an avatar has."""
    folder.mkdir(parents=True)
    for file, shape in (
        ("picture.png", (height, width, 3)),
        ("background.png", (height, width, 3)),
        ("matte.png", (height, width)),
    ):
        cv2.imwrite(str(folder / file), np.full(shape, 90, np.uint8))
    cv2.imwrite(str(folder / "thumbnail.jpg"), np.full((320, 320, 3), 90, np.uint8))
    np.savez(
        folder / "rig.npz",
        landmarks=np.ones((478, 3), np.float32),
        blendshapes=np.zeros(52, np.float32),
        transform=np.eye(4, dtype=np.float32),
    )
    facts = {"format": 1, "name": folder.name, "title": folder.name.title(), "kind": "photo", "width": width, "height": height}
    facts |= {"points": "detected", "matte": "segmenter", "source": "", "licence": ""}
    (folder / "avatar.json").write_text(json.dumps(facts))
    return folder


@pytest.fixture
def library(tmp_path: Path) -> AvatarLibrary:
    write_avatar(tmp_path / "shipped" / "ada")
    write_avatar(tmp_path / "user" / "bob")
    return AvatarLibrary(tmp_path / "shipped", tmp_path / "user")


def test_an_avatar_is_loaded_with_its_pictures(library: AvatarLibrary) -> None:
    avatar = library.get("bob")
    assert (avatar.title, avatar.width, avatar.height) == ("Bob", 64, 48)
    assert avatar.picture().shape == avatar.background().shape == (48, 64, 3)
    assert avatar.matte().shape == (48, 64)
    assert avatar.landmarks.shape == (478, 3)


def test_shipped_avatars_come_first(library: AvatarLibrary) -> None:
    assert [avatar.name for avatar in library.list()] == ["ada", "bob"]


def test_a_broken_folder_does_not_hide_the_others(library: AvatarLibrary) -> None:
    (library.user / "bob" / "rig.npz").write_bytes(b"")
    assert [avatar.name for avatar in library.list()] == ["ada"]
    with pytest.raises(CorruptAvatar, match="bob"):
        library.get("bob")


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(library: AvatarLibrary, file: str) -> None:
    folder = library.user / "bob"
    (folder / file).unlink()
    with pytest.raises(CorruptAvatar, match=file):
        Avatar.load(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "name": "bob"}', "null"])
def test_a_description_that_makes_no_sense_is_refused(library: AvatarLibrary, text: str) -> None:
    (library.user / "bob" / "avatar.json").write_text(text)
    with pytest.raises(CorruptAvatar, match="rostrum avatar create"):
        library.get("bob")


@pytest.mark.parametrize("landmarks", [np.zeros((3, 3)), np.full((478, 3), np.nan)])
def test_a_rig_that_cannot_be_drawn_is_refused(library: AvatarLibrary, landmarks: np.ndarray) -> None:
    np.savez(library.user / "bob" / "rig.npz", landmarks=landmarks, blendshapes=np.zeros(52), transform=np.eye(4))
    with pytest.raises(CorruptAvatar, match="478"):
        library.get("bob")


def test_a_picture_of_another_size_is_refused(library: AvatarLibrary) -> None:
    avatar = library.get("bob")
    cv2.imwrite(str(avatar.folder / "matte.png"), np.zeros((9, 9), np.uint8))
    with pytest.raises(CorruptAvatar, match="64x48"):
        avatar.matte()


@pytest.mark.parametrize(
    "name", ["", "..", "../bob", "/etc", "Bob", "bob ", "bob\n", "-bob", "a" * 65, "bøb", ".bob", "a/b", "a\\b", "\0"]
)
def test_a_name_cannot_leave_the_library(library: AvatarLibrary, name: str) -> None:
    for use in (library.get, library.remove, lambda name: library.new_folder(name, force=True)):
        with pytest.raises(BadAvatarName):
            use(name)


def test_an_unknown_name_lists_the_known_ones(library: AvatarLibrary) -> None:
    with pytest.raises(AvatarNotFound, match="ada, bob"):
        library.get("zoe")


def test_a_taken_name_is_refused_unless_forced(library: AvatarLibrary) -> None:
    with pytest.raises(AvatarExists, match="--force"):
        library.new_folder("bob", force=False)
    assert library.new_folder("bob", force=True) == library.user / "bob"


def test_a_shipped_avatar_is_never_replaced_or_removed(library: AvatarLibrary) -> None:
    with pytest.raises(ShippedAvatar):
        library.new_folder("ada", force=True)
    with pytest.raises(ShippedAvatar):
        library.remove("ada")
    assert (library.shipped / "ada" / "picture.png").exists()


def test_a_removed_avatar_is_gone(library: AvatarLibrary) -> None:
    library.remove("bob")
    assert library.names() == ["ada"]
    with pytest.raises(AvatarNotFound):
        library.remove("bob")


def test_a_link_is_not_followed_when_removing(library: AvatarLibrary, tmp_path: Path) -> None:
    precious = write_avatar(tmp_path / "precious")
    (library.user / "link").symlink_to(precious, target_is_directory=True)
    with pytest.raises(AvatarNotFound):
        library.remove("link")
    assert precious.exists()


def test_an_empty_library_is_no_error(tmp_path: Path) -> None:
    shutil.rmtree(tmp_path)
    assert AvatarLibrary(tmp_path / "a", tmp_path / "b").list() == []


def test_the_home_folder_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROSTRUM_HOME", str(tmp_path))
    assert user_root() == tmp_path / "avatars"
