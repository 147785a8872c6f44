"""Reading numbers off landmarks: signs and units are those of `engines.motion`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.avatar_library import AvatarLibrary
from engines.motion import ANCHOR_MASK, rest
from export.evaluate.face_track import FaceReader, from_landmarks, from_video
from export.evaluate.motion_figures import endpoint_errors, join_and_inside_jerk, likeness, num_blinks, speech_frames
from streamer.plan import Keyframe, Pts


def face(num_frames: int = 1) -> np.ndarray:
    """Landmarks [n, 478, 3] of a schematic face, eyes 1 apart, y down, looking into the camera (z away from it)."""
    points = np.zeros((num_frames, 478, 3), np.float32)
    for index, place in {
        33: (-0.5, 0, 0), 133: (-0.2, 0, 0), 159: (-0.35, -0.05, 0), 145: (-0.35, 0.05, 0), 105: (-0.35, -0.3, 0),
        263: (0.5, 0, 0), 362: (0.2, 0, 0), 386: (0.35, -0.05, 0), 374: (0.35, 0.05, 0), 334: (0.35, -0.3, 0),
        6: (0, 0, -0.1), 4: (0, 0.4, -0.4), 13: (0, 0.75, -0.2), 14: (0, 0.75, -0.2), 61: (-0.3, 0.75, 0),
        291: (0.3, 0.75, 0), 152: (0, 1.2, -0.1),
    }.items():  # fmt: skip
        points[:, index] = place
    return points


def turned(points: np.ndarray, axis: int, angle: float) -> np.ndarray:
    """Turned about an axis through the eyes' middle, right-handed in x right, y down, z away."""
    a, b = [(1, 2), (2, 0), (0, 1)][axis]
    out = points.copy()
    out[..., a] = np.cos(angle) * points[..., a] - np.sin(angle) * points[..., b]
    out[..., b] = np.sin(angle) * points[..., a] + np.cos(angle) * points[..., b]
    return out


def track(points: np.ndarray):
    return from_landmarks(points, np.ones(len(points), bool))


def test_lips_apart_are_measured_in_eye_distances_at_any_size() -> None:
    points = face()
    points[:, 14, 1] += 0.12
    for scale in (0.1, 1, 300):
        assert track(points * scale).aperture[0] == pytest.approx(0.12, abs=1e-4)


def test_a_head_turned_to_the_speakers_left_up_and_to_the_left_shoulder_has_positive_angles() -> None:
    still = track(face())
    left = track(turned(face(), 1, -0.2))  # the nose goes to picture right
    assert left.yaw[0] > still.yaw[0] + 0.05
    up = track(turned(face(), 0, -0.2))  # the chin comes forward
    assert up.pitch[0] - still.pitch[0] == pytest.approx(0.2, abs=0.02)
    tilted = track(turned(face(), 2, 0.2))  # clockwise in the picture
    assert tilted.roll[0] == pytest.approx(0.2, abs=1e-3)
    assert tilted.smile[0] == pytest.approx(still.smile[0], abs=1e-3)


def test_mouth_corners_that_rise_are_a_smile_and_brows_that_rise_are_higher() -> None:
    points = face()
    points[:, [61, 291], 1] -= 0.06
    points[:, [105, 334], 1] -= 0.1
    assert track(points).smile[0] == pytest.approx(track(face()).smile[0] + 0.06, abs=1e-3)
    assert track(points).brow[0] == pytest.approx(track(face()).brow[0] + 0.1, abs=1e-3)


def test_frames_without_a_face_are_bridged_and_no_face_at_all_is_refused() -> None:
    points = face(5)
    points[:, 14, 1] += np.linspace(0, 0.2, 5)
    points[2] = 0
    found = np.array([True, True, False, True, True])
    assert from_landmarks(points, found).aperture[2] == pytest.approx(0.1, abs=1e-3)
    with pytest.raises(ValueError, match="no face"):
        from_landmarks(points, np.zeros(5, bool))


def test_blinks_are_counted_and_long_closed_eyes_are_not() -> None:
    points = face(200)
    for shut in (slice(40, 45), slice(100, 104), slice(150, 190)):
        points[shut, 159, 1] = points[shut, 145, 1] = points[shut, 386, 1] = points[shut, 374, 1] = 0
    assert num_blinks(track(points)) == 2


def test_quiet_frames_are_not_speech() -> None:
    rng = np.random.default_rng(0)
    sound = np.concatenate([rng.normal(0, 3000, 6400), rng.normal(0, 5, 6400)]).astype(np.int16)
    assert speech_frames(sound).tolist() == [True] * 10 + [False] * 10


def test_a_jump_at_a_join_shows_against_the_inside_of_clips() -> None:
    rng = np.random.default_rng(0)
    smooth = np.cumsum(np.cumsum(rng.standard_normal((120, 64)), axis=0), axis=0).astype(np.float32) / 300
    joins, inside = join_and_inside_jerk(smooth, (40, 80))
    broken = smooth.copy()
    broken[40:] += 0.8
    jumped, _ = join_and_inside_jerk(broken, (40, 80))
    assert len(joins) == 2 and len(inside) == 3
    assert jumped[0] > 3 * joins[0]


def test_only_the_channels_an_anchor_fixes_count_as_missed() -> None:
    motion = rest(50)
    motion[24, ANCHOR_MASK] = 0.1
    motion[24, ~ANCHOR_MASK] = 5.0
    anchors = (Keyframe(Pts(24 * 1920), rest(), ANCHOR_MASK), Keyframe(Pts(99 * 1920), rest(), ANCHOR_MASK))
    assert endpoint_errors(motion, anchors, 25) == [pytest.approx(0.1)]


def test_a_face_is_read_from_video_frame_by_frame(tmp_path: Path) -> None:
    import av
    import cv2

    avatar = AvatarLibrary.default().list()[0]
    picture = cv2.resize(cv2.imread(str(avatar.folder / "picture.png")), (320, 320), interpolation=cv2.INTER_AREA)
    with av.open(str(tmp_path / "v.mp4"), "w") as out:
        stream = out.add_stream("libx264", 25)
        stream.width = stream.height = 320
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        out.mux(stream.encode(None))
    seen = from_video(tmp_path / "v.mp4")
    assert seen.found.all() and len(seen.found) == 5
    assert abs(float(seen.yaw[0])) < 0.4 and 0.0 <= seen.aperture[0] < 0.4


def test_a_picture_without_a_face_is_said_to_have_none() -> None:
    with FaceReader() as reader:
        assert not reader.read(np.full((128, 128, 3), 127, np.uint8))
        with pytest.raises(ValueError, match="no face"):
            reader.track()


def test_lips_like_the_persons_score_above_lips_that_only_follow_on_average() -> None:
    rng = np.random.default_rng(0)
    opening = np.convolve(rng.standard_normal(400), np.hanning(5), "same").clip(0, None) * 0.06
    points = face(400)
    points[:, 14, 1] += opening
    points[:, 152, 1] += opening
    person = track(points)
    same = likeness(person, person)
    assert same.lip_r == pytest.approx(1.0, abs=1e-3) and same.liveliness == pytest.approx(1.0)
    assert same.closure is not None and same.closure > 0.99
    blurred = face(400)
    softly = 0.4 * np.convolve(opening, np.hanning(9) / np.hanning(9).sum(), "same")
    blurred[:, 14, 1] += softly + 0.02
    blurred[:, 152, 1] += softly
    mean = likeness(track(blurred), person)
    assert mean.closure is not None and mean.closure < 0.95
    assert mean.lip_r < 0.9 and mean.liveliness < 0.5
