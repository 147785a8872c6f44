"""The portrait codec draws shipped avatars; what is asserted is what a viewer would notice."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.avatar_library import SHIPPED_ROOT, Avatar
from engines.codecs.portrait import person
from engines.codecs.portrait.codec import LIMITS, PortraitCodec, within_range
from engines.codecs.portrait.planes import Array
from engines.lips import inner_lip_aperture
from engines.motion import CHANNELS, INDEX, NUM_CHANNELS, Motion, rest

SIZE = (384, 384)


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return Avatar.load(SHIPPED_ROOT / "grace")


@pytest.fixture(scope="module")
def codec(avatar: Avatar) -> PortraitCodec:
    return PortraitCodec(avatar, SIZE)


def motion(**channels: float) -> Motion:
    frame = rest()
    for name, value in channels.items():
        for full in (name, f"{name}Left", f"{name}Right"):
            if full in INDEX:
                frame[INDEX[full]] = value
    return frame


def luma(codec: PortraitCodec, frame: Motion) -> Array:
    return codec.decode(frame)[: codec.size[1]].astype(np.float32)


def around(codec: PortraitCodec, landmarks: tuple[int, ...], grow: int = 0) -> tuple[slice, slice]:
    """The box of some landmarks in the frame."""
    marks = codec.face.landmarks[list(landmarks), :2] - codec.view.margin
    left, top = np.floor(marks.min(0)).astype(int) - grow
    right, bottom = np.ceil(marks.max(0)).astype(int) + grow + 1
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def test_at_rest_the_frame_is_the_picture(avatar: Avatar) -> None:
    codec = PortraitCodec(avatar, (avatar.width // 2 * 2, avatar.height // 2 * 2))
    got, picture = codec.decode_rgb(rest()), avatar.picture()[: codec.size[1], : codec.size[0]]
    # The picture as I420 can hold it: chroma is at half size in both.
    expected = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), cv2.COLOR_YUV2RGB_I420)
    assert cv2.PSNR(got, np.asarray(expected, np.uint8)) > 48


def test_at_rest_a_smaller_frame_is_the_picture_resized(codec: PortraitCodec, avatar: Avatar) -> None:
    resized = cv2.resize(avatar.picture(), SIZE, interpolation=cv2.INTER_AREA)
    expected = cv2.cvtColor(resized, cv2.COLOR_RGB2YUV_I420)[: SIZE[1]]
    assert cv2.PSNR(luma(codec, rest()), expected.astype(np.float32)) > 40


@pytest.mark.parametrize("size", [(256, 256), (640, 360), (360, 640)])
def test_a_frame_is_i420_of_the_size_asked_for(avatar: Avatar, size: tuple[int, int]) -> None:
    codec = PortraitCodec(avatar, size)
    frame = codec.decode(motion(jawOpen=0.3, headYaw=0.2, cameraZoom=0.1))
    assert codec.size == size
    assert frame.shape == (size[1] * 3 // 2, size[0]) and frame.dtype == np.uint8


def test_the_same_motion_gives_the_same_frame_whatever_came_before(codec: PortraitCodec) -> None:
    speaking = motion(jawOpen=0.4, eyeBlink=0.5, headPitch=0.1, mouthSmile=0.3)
    first = codec.decode(speaking)
    codec.decode(motion(eyeBlink=1.0, eyeLookUp=1.0, headYaw=-0.3))
    assert np.array_equal(codec.decode(speaking), first)


def test_a_near_camera_shows_more_of_the_picture_than_the_frame_at_rest_holds(codec: PortraitCodec, avatar: Avatar) -> None:
    zoom, size = 0.6, np.array(SIZE)
    corner = (size - size / np.exp(zoom)) / 2

    def enlarged(picture: Array) -> Array:
        scale = picture.shape[0] / size[0]
        box = np.float32([[scale / np.exp(zoom), 0, scale * corner[0]], [0, scale / np.exp(zoom), scale * corner[1]]])
        return cv2.warpAffine(picture, box, SIZE, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)

    middle = slice(96, 288)
    original = enlarged(cv2.cvtColor(avatar.picture(), cv2.COLOR_RGB2YUV_I420)[: avatar.height].astype(np.float32))
    near, far = luma(codec, motion(cameraZoom=zoom)), enlarged(luma(codec, rest()))
    fine = [cv2.Laplacian(picture[middle, middle], cv2.CV_32F).std() for picture in (near, far, original)]
    assert fine[1] < 0.8 * fine[0] < fine[2]


def test_frames_are_drawn_one_at_a_time_and_stay_as_they_were(codec: PortraitCodec) -> None:
    clip = np.stack([motion(jawOpen=0.1 * i, headYaw=0.05 * i) for i in range(3)])
    frames = codec.frames(clip)
    first = next(frames)
    as_drawn = first.copy()
    rest_of_them = list(frames)
    assert np.array_equal(first, as_drawn) and len(rest_of_them) == 2
    assert np.array_equal(rest_of_them[1], codec.decode(clip[2]))


def test_drawn_lids_close_without_leaving_the_eye_behind() -> None:
    codec = PortraitCodec(Avatar.load(SHIPPED_ROOT / "kenji"), SIZE)
    shut = codec.decode_rgb(motion(eyeBlink=1.0)).astype(int)
    for eye in codec.eyes:
        (x, y), half = eye.shape.centre - codec.view.margin, eye.shape.half
        lid = shut[int(y - 0.7 * half) : int(y + 0.2 * half), int(x - 0.6 * half) : int(x + 0.6 * half)]
        assert (lid[..., 0] - lid[..., 2]).min() > 30  # skin is redder than it is blue; the iris and the whites are not


def test_rounded_lips_hide_the_teeth(avatar: Avatar) -> None:
    codec = PortraitCodec(avatar, SIZE)
    shapes = {"open": motion(jawOpen=0.25), "round": motion(jawOpen=0.25, mouthFunnel=0.9)}
    before = {name: luma(codec, shape) for name, shape in shapes.items()}
    codec.lips.upper[:], codec.lips.lower[:] = 0, 0
    changed = {name: np.abs(luma(codec, shape) - before[name]).max() for name, shape in shapes.items()}
    assert changed["open"] > 40 and changed["round"] < 10


def test_no_motion_folds_the_face(codec: PortraitCodec) -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        frame = rest()
        frame[rng.choice(52, 8, replace=False)] = rng.random(8)
        for name, limit in LIMITS.items():
            frame[INDEX[name]] = rng.uniform(-0.8, 0.8) * limit
        for (x, y), side in zip(codec.flow.forward(within_range(frame)), codec.flow.sides, strict=False):
            window = side.rows, side.cols
            xx, xy, yx, yy = (np.diff(axis[window], axis=i) for axis in (x, y) for i in (1, 0))
            area = (1 + xx[:-1]) * (1 + yy[:, :-1]) - xy[:, :-1] * yx[:-1]
            assert area[side.used].min() > 0


def test_closed_lids_cover_the_eyeball(codec: PortraitCodec) -> None:
    box = around(codec, (160, 158, 153, 144))
    looks = (motion(), motion(eyeLookOutLeft=0.8, eyeLookInRight=0.8))
    open_eyes = [luma(codec, look)[box] for look in looks]
    shut = []
    for look in looks:
        look[[INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1.0
        shut.append(luma(codec, look)[box])
    assert np.abs(open_eyes[0] - open_eyes[1]).mean() > 4  # the iris is seen to move
    assert np.abs(shut[0] - shut[1]).mean() < 1  # and is not seen under the lid


def test_the_inside_of_the_mouth_shows_only_between_parted_lips(avatar: Avatar) -> None:
    codec = PortraitCodec(avatar, SIZE)
    before = {name: luma(codec, frame) for name, frame in MOUTHS.items()}
    codec.lips.cavity[:] = 255
    codec.lips.upper[:] = 0
    codec.lips.lower[:] = 0
    changed = {name: np.abs(luma(codec, frame) - before[name]) > 24 for name, frame in MOUTHS.items()}
    assert not changed["rest"].any() and not changed["turned"].any()
    if codec.flow.fields.mouth.rest_gap < 0.02:
        assert changed["closed on an open jaw"].sum() <= 4 and changed["pressed"].sum() <= 4
    assert changed["open"].sum() > 100
    box = around(codec, (61, 291, 0, 17), grow=int(0.2 * codec.face.unit))
    outside = changed["open"].copy()
    outside[box] = False
    assert not outside.any()


MOUTHS = {
    "rest": rest(),
    "turned": motion(headYaw=0.3, headRoll=0.1),
    "closed on an open jaw": motion(jawOpen=0.4, mouthClose=0.4),
    "pressed": motion(mouthPress=0.8),
    "open": motion(jawOpen=0.5),
}


def test_the_background_stands_still_when_the_head_turns(codec: PortraitCodec) -> None:
    covered = (codec.layers.through < 255).astype(np.uint8)
    person = cv2.dilate(covered, np.ones((9, 9), np.uint8))[codec.view.frame] > 0
    far = ~cv2.dilate(person.astype(np.uint8), np.ones((61, 61), np.uint8)).astype(bool)
    assert far.sum() > 500
    still, turned = luma(codec, rest()), luma(codec, motion(headYaw=0.3, headRoll=0.2, jawOpen=0.3, breath=1.0))
    assert np.array_equal(still[far], turned[far])
    assert np.abs(still - turned)[person].mean() > 3


def test_the_camera_never_shows_the_edge_of_the_picture(codec: PortraitCodec) -> None:
    frame = motion(cameraX=0.25, cameraY=-0.25, cameraRoll=0.3, cameraZoom=-0.2)
    columns = luma(codec, frame)[:, -40:]
    assert columns.std(axis=0).min() > 1  # neither a flat bar nor a smeared last column
    assert np.abs(np.diff(columns, axis=1)).max() > 0


def test_a_green_background_is_flat_green_around_the_person(avatar: Avatar) -> None:
    codec = PortraitCodec(avatar, SIZE, background="green")
    rgb = codec.decode_rgb(motion(headYaw=0.2)).reshape(-1, 3).astype(int)
    green = np.abs(rgb - (0, 177, 64)).max(1) < 6
    assert 0.1 < green.mean() < 0.9


def test_a_background_out_of_focus_leaves_the_person_sharp(avatar: Avatar, codec: PortraitCodec) -> None:
    soft, sharp = (luma(each, motion(headYaw=0.1)) for each in (PortraitCodec(avatar, SIZE, background="blur"), codec))
    face = around(codec, (66, 296, 61, 291, 17))
    assert np.array_equal(soft[face], sharp[face])
    covered = (codec.layers.through < 255).astype(np.uint8)[codec.view.frame]
    far = ~cv2.dilate(covered, np.ones((31, 31), np.uint8)).astype(bool)
    fine = [np.abs(cv2.Laplacian(picture, cv2.CV_32F))[far].mean() for picture in (soft, sharp)]
    assert fine[0] < 0.5 * fine[1]


def test_a_clear_frame_laid_over_green_is_the_one_drawn_on_green(avatar: Avatar) -> None:
    pose = motion(headYaw=0.2, jawOpen=0.3, cameraZoom=0.1)
    clear = PortraitCodec(avatar, SIZE, background="clear").decode(pose)
    green = PortraitCodec(avatar, SIZE, background="green").decode(pose)[: SIZE[1]]
    person, alpha = clear[: SIZE[1]].astype(np.float32), clear[SIZE[1] * 3 // 2 :].astype(np.float32) / 255
    assert alpha.shape == (SIZE[1], SIZE[0]) and alpha[:8, :8].max() == 0 and 0.2 < alpha.mean() < 0.9
    behind = float(np.median(green[:8, :8]))
    errors = np.abs(person * alpha + behind * (1 - alpha) - green)
    assert np.percentile(errors, 99.9) <= 3  # a few pixels of the outline would have to be lighter than white


@pytest.mark.parametrize("shape", [(300, 900), (900, 300)])
def test_a_background_of_ones_own_covers_the_frame_behind_the_person(
    avatar: Avatar, codec: PortraitCodec, shape: tuple[int, int]
) -> None:
    rows, cols = (np.linspace(0, 255, n) for n in shape)
    own = np.stack(np.broadcast_arrays(cols, rows[:, None], np.float64(90)), -1).astype(np.uint8)
    pose = motion(headYaw=0.1)
    mine = PortraitCodec(avatar, SIZE, background=own).decode_rgb(pose).astype(int)
    face = around(codec, (66, 296, 61, 291, 17))
    assert np.array_equal(mine[face], codec.decode_rgb(pose)[face])
    far = np.flatnonzero(codec.layers.through[codec.view.frame][4] == 255)
    seen = mine[4, far]
    assert len(far) > 100 and np.abs(seen[:, 2] - 90).max() < 12  # its blue, everywhere
    wide = shape[1] > shape[0]
    across = seen[-1, 0] - seen[0, 0], mine[-4, 4, 1] - mine[4, 4, 1]  # along its width, along its height
    assert (across[0] < 110) == wide and (across[1] < 110) == (not wide)  # cut at the longer side, its shape kept


@pytest.mark.parametrize("zoom", [0.0, 0.6])
def test_a_frame_drawn_two_by_two_pixels_at_once_is_the_one_drawn_pixel_by_pixel(
    codec: PortraitCodec, monkeypatch: pytest.MonkeyPatch, zoom: float
) -> None:
    talking = motion(jawOpen=0.3, mouthSmile=0.3, headYaw=0.1, headPitch=0.06, headRoll=0.05, breath=0.6, cameraZoom=zoom)
    quick = luma(codec, talking)
    monkeypatch.setattr(person, "MOST_STRETCH", -1.0)
    assert cv2.PSNR(quick, luma(codec, talking)) > 42


def test_how_far_the_lips_part_is_estimated_from_the_channels() -> None:
    assert inner_lip_aperture(rest()) == 0
    assert inner_lip_aperture(motion(jawOpen=0.4, mouthClose=0.4)) == pytest.approx(0, abs=1e-6)
    assert 0.09 < inner_lip_aperture(motion(jawOpen=0.25)) < inner_lip_aperture(motion(jawOpen=0.45)) < 0.20


def test_motion_out_of_range_is_drawn_at_the_range_and_nothing_fails(codec: PortraitCodec) -> None:
    wild = np.full(NUM_CHANNELS, 50.0, np.float32)
    wild[CHANNELS.index("jawOpen")] = np.nan
    assert np.array_equal(codec.decode(wild), codec.decode(within_range(wild)))


def test_what_cannot_be_drawn_is_refused_with_a_reason(avatar: Avatar, codec: PortraitCodec) -> None:
    with pytest.raises(ValueError, match="even"):
        PortraitCodec(avatar, (511, 512))
    with pytest.raises(ValueError, match="64"):
        codec.decode(np.zeros(52, np.float32))
