"""What is measured of a video."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.avatar_library import SHIPPED_ROOT
from export.evaluate.face_track import FaceReader
from export.evaluate.identity import Appearance, Embedding
from export.evaluate.judging import Yardsticks, figures, seam_ratio
from export.evaluate.steadiness import Flicker, detail
from export.evaluate.watching import load_track, look_at, save_track, watch
from tests.fakes.films import colours, write_film

Picture = np.ndarray


def portrait(name: str, side: int = 256) -> Picture:
    bgr = cv2.imread(str(SHIPPED_ROOT / name / "picture.png"))
    return cv2.cvtColor(cv2.resize(bgr, (side, side), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB).astype(np.uint8)


@pytest.fixture(scope="module")
def leo() -> Picture:
    return portrait("leo")


def test_flicker_is_seen_and_motion_is_not(leo: Picture) -> None:
    grey = cv2.cvtColor(leo, cv2.COLOR_RGB2GRAY)
    moving, flickering = Flicker(every=2), Flicker(every=2)
    for i in range(6):
        moving.see(np.roll(grey, 2 * i, axis=1)[:, 16:].astype(np.uint8))
        flickering.see(np.clip(grey[:, 16:].astype(int) + 8 * (i % 2), 0, 255).astype(np.uint8))
    assert moving.level < 1.5 < 5 < flickering.level


def test_blur_takes_detail_away_and_coming_nearer_does_not() -> None:
    grey = cv2.cvtColor(portrait("leo", 512), cv2.COLOR_RGB2GRAY).astype(np.uint8)
    nearer = cv2.resize(grey, None, fx=1.25, fy=1.25, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    whole = detail(grey, (160, 60, 360, 260))
    assert detail(cv2.GaussianBlur(grey, (0, 0), 3), (160, 60, 360, 260)) < 0.3 * whole
    assert detail(nearer, (200, 75, 450, 325)) == pytest.approx(whole, rel=0.35)
    assert detail(grey, (600, 600, 700, 700)) == 0


def test_a_person_is_nearer_to_themselves_in_another_size_than_to_anybody_else(leo: Picture) -> None:
    measure = Appearance()
    with FaceReader() as reader:
        found = []
        for picture in (leo, portrait("leo", 400), portrait("anna"), portrait("amara")):
            assert reader.read(picture) and reader.landmarks is not None
            found.append(measure.describe(picture, reader.landmarks))
    own, *others = (measure.distance(found[0], other) for other in found[1:])
    assert own < 0.3 < 0.6 < min(others)


def test_a_network_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "face.onnx").write_bytes(b"no network")
    with pytest.raises(ValueError, match=r"face\.onnx is not a face recognition network"):
        Embedding(tmp_path / "face.onnx")


def test_a_still_picture_is_itself_and_follows_no_voice(tmp_path: Path, leo: Picture) -> None:
    measure = Appearance()
    own = look_at(leo, measure)
    seen = watch(write_film(tmp_path / "still.mp4", [leo] * 30, fps=30), own, measure)
    assert seen.track is not None and len(seen.track.found) == 25  # at 25 a second, whatever the video's rate
    rng = np.random.default_rng(0)
    voice = (rng.normal(size=32_000) * np.repeat(rng.uniform(0, 9000, 10), 3200)).astype(np.int16)
    found = figures(seen, own, voice, Yardsticks(), None)
    assert found.seconds == 1.0 and found.late_s == 1.0 and found.found == 1.0 and found.seam is None
    assert found.identity is not None and found.identity < 0.1
    assert found.sharpness == pytest.approx(1.0, abs=0.3)
    assert found.flicker < 0.5
    save_track(seen.track, tmp_path / "track.npz")
    again = load_track(tmp_path / "track.npz")
    assert again is not None and np.array_equal(again.lips, seen.track.lips)


def test_a_film_without_a_face_has_the_figures_that_need_none(tmp_path: Path) -> None:
    measure = Appearance()
    nobody = look_at(colours(1, 90)[0], measure)
    seen = watch(write_film(tmp_path / "nobody.mp4", colours(10, 90)), nobody, measure)
    found = figures(seen, nobody, np.zeros(16_000, np.int16), Yardsticks(), [0.2])
    assert (found.found, found.lip_r, found.sync, found.identity, found.sharpness) == (0.0, None, None, None, None)
    save_track(seen.track, tmp_path / "track.npz")
    assert load_track(tmp_path / "track.npz") is None


def test_what_is_no_video_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "case.mp4").write_bytes(b"no film")
    with pytest.raises(ValueError, match=r"case\.mp4 is not a video"):
        watch(tmp_path / "case.mp4", look_at(colours(1, 90)[0], Appearance()), Appearance())


def test_a_jump_at_a_seam_is_seen() -> None:
    even = np.stack([np.full((8, 8), 100 + i, np.uint8) for i in range(20)])
    jumping = np.concatenate([even[:10], even[10:] + 40])
    assert seam_ratio(even, [10]) == pytest.approx(1.0) and (seam_ratio(jumping, [10]) or 0) > 10
    assert seam_ratio(even, [1]) is None
