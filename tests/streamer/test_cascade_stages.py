"""Blueprint, keyframes and sub-clips: the pure middle of the cascade."""

from dataclasses import replace

import numpy as np
import pytest

from engines.motion import ANCHOR_MASK, CAMERA_CHANNELS, INDEX, rest
from streamer import subclips
from streamer.blueprint import INTERVAL, BlueprintRoller, motion_request, on_camera
from streamer.director import opening, overlay
from streamer.effort import LEVELS
from streamer.features import VoiceWindow
from streamer.keyframes import choose, choose_all, poses_at
from streamer.plan import Blueprint, BlueprintJob, Keyframe, Pts, pts_from_s, ticks_per_frame

FRAME = ticks_per_frame(25)
NO_VOICE = np.zeros(0, np.int16)


def _anchor(pts: int = 0) -> Keyframe:
    return Keyframe(Pts(pts), rest(), np.ones(64, np.bool_))


def _blueprint(num_frames: int = 31, start: int = 0, version: int = 1) -> Blueprint:
    return Blueprint(version, Pts(start), INTERVAL, rest(num_frames))


def _finished(job: BlueprintJob) -> Blueprint:
    return Blueprint(job.storyline_version, job.first.pts, job.interval, rest(job.num_frames))


def _voice(seconds: float) -> VoiceWindow:
    voice = VoiceWindow()
    voice.push(np.ones(int(seconds * 16000), np.int16))
    return voice


def test_one_window_is_asked_for_at_a_time_and_again_before_it_runs_out() -> None:
    roller = BlueprintRoller(window_s=4.8, refill_s=2.4)
    job = roller.next_job(opening(), _anchor(), 0, NO_VOICE, Pts(0), seed=0)
    assert job is not None
    assert roller.next_job(opening(), _anchor(), 0, NO_VOICE, Pts(0), seed=0) is None
    assert roller.accept(_finished(job))
    assert roller.next_job(opening(), _anchor(pts_from_s(1)), 0, NO_VOICE, Pts(0), seed=0) is None
    assert roller.next_job(opening(), _anchor(pts_from_s(3)), 0, NO_VOICE, Pts(0), seed=0) is not None


def test_a_changed_storyline_is_planned_anew_and_the_old_window_dropped() -> None:
    roller = BlueprintRoller()
    old = roller.next_job(opening(), _anchor(), 0, NO_VOICE, Pts(0), seed=0)
    changed = replace(overlay(opening(), Pts(0), None, emotion="joy"), version=2)
    new = roller.next_job(changed, _anchor(), 0, NO_VOICE, Pts(0), seed=0)
    assert old is not None
    assert new is not None
    assert "joyful" in new.beats[0].text
    assert not roller.accept(_finished(old))
    assert roller.accept(_finished(new))


def test_a_window_begins_fixed_at_its_anchor_and_is_free_after_it() -> None:
    anchor = Keyframe(Pts(0), rest() + 0.5, ANCHOR_MASK)
    job = BlueprintRoller().next_job(opening(), anchor, 0, NO_VOICE, Pts(0), seed=3, level=LEVELS[-1])
    assert job is not None
    request = motion_request(job, np.zeros((0, 384), np.float32), Pts(0))
    np.testing.assert_array_equal(request.mask[0], ANCHOR_MASK)
    assert not request.mask[1:].any()
    assert request.interval_s == pytest.approx(0.16)
    assert request.num_steps == 2


def test_a_blueprint_is_smooth_between_its_frames_and_exact_on_them() -> None:
    blueprint = _blueprint(5)
    blueprint.motion[:, INDEX["headYaw"]] = [0, 0.1, 0.2, 0.3, 0.4]
    yaws = poses_at(blueprint, [2 * INTERVAL, INTERVAL * 3 // 2])[:, INDEX["headYaw"]]
    assert yaws.tolist() == pytest.approx([0.2, 0.15])
    with pytest.raises(ValueError, match="outside the blueprint"):
        poses_at(blueprint, [5 * INTERVAL])


def test_the_anchor_avoids_a_blink_and_leaves_the_mouth_free() -> None:
    blueprint = _blueprint()
    segment = pts_from_s(0.8)
    blink = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
    blueprint.motion[5, blink] = 1.0  # exactly where the cut would fall
    anchor = choose(blueprint, _anchor(), segment, 25)
    assert anchor is not None
    assert anchor.pts != segment
    assert anchor.motion[blink].max() < 0.3
    assert not anchor.mask[INDEX["jawOpen"]]
    assert anchor.mask[INDEX["headYaw"]]


def test_anchors_lie_on_the_frame_grid_near_one_segment_apart() -> None:
    anchors = choose_all(_blueprint(), _anchor(-FRAME), pts_from_s(0.4), 25)
    assert choose(_blueprint(), anchors[-1], pts_from_s(0.4), 25) is None
    gaps = np.diff([-FRAME, *(a.pts for a in anchors)]) / FRAME
    assert gaps.min() >= 8
    assert gaps.max() <= 12
    np.testing.assert_array_equal(gaps, gaps.round())


def test_a_clip_is_due_when_its_voice_and_the_right_context_are_in() -> None:
    last = _anchor(9 * FRAME)
    assert not subclips.is_due(last, _voice(0.47), 25)
    assert subclips.is_due(last, _voice(0.48), 25)


def test_clips_follow_each_other_without_gap_or_overlap() -> None:
    voice = _voice(2)
    anchors = [_anchor(-FRAME), _anchor(9 * FRAME), _anchor(19 * FRAME)]
    a, b = (subclips.cut(i, 0, opening(), anchors[i], anchors[i + 1], voice, 25, seed=0) for i in (0, 1))
    assert (a.start, a.end, b.start, b.end) == (0, 10 * FRAME, 10 * FRAME, 20 * FRAME)
    assert a.num_frames == 10
    assert a.seed != b.seed
    with pytest.raises(ValueError, match="must end after it begins"):
        subclips.cut(0, 0, opening(), anchors[1], anchors[0], voice, 25, seed=0)


def test_a_chained_clip_is_given_what_was_really_rendered_and_lands_on_its_anchor() -> None:
    first, last = _anchor(-FRAME), Keyframe(Pts(9 * FRAME), rest() + 0.2, ANCHOR_MASK)
    rendered = rest(12) + np.arange(12, dtype=np.float32)[:, None]
    job = subclips.cut(0, 0, opening(), first, last, _voice(1), 25, seed=0, history=rendered)
    request, own = subclips.motion_request(job, np.zeros((5, 384), np.float32), Pts(-1920))
    assert request.num_frames == 14
    assert own == slice(4, 14)
    np.testing.assert_array_equal(request.condition[:4], rendered[-4:])
    assert request.mask[:4].all()
    np.testing.assert_array_equal(request.mask[13], ANCHOR_MASK)
    assert not request.mask[4:13].any()
    assert request.audio_start_s == pytest.approx(3 * 0.04)


def test_a_clip_begins_with_what_the_one_before_would_have_gone_on_with_and_turns_into_its_own() -> None:
    first, last = _anchor(-FRAME), Keyframe(Pts(9 * FRAME), rest(), ANCHOR_MASK)
    job = subclips.cut(0, 0, opening(), first, last, _voice(1), 25, 0, rest(4), rest(3) + 1, approach=2)
    shown = subclips.finished(job, rest(12))[:, INDEX["jawOpen"]]
    np.testing.assert_allclose(shown, [0.75, 0.5, 0.25] + [0] * 9)


def test_a_join_repair_redraws_both_sides_between_frames_that_stay() -> None:
    voice = _voice(3)
    anchors = [_anchor(-FRAME), _anchor(24 * FRAME), _anchor(49 * FRAME)]
    before, after = (subclips.cut(i, 0, opening(), anchors[i], anchors[i + 1], voice, 25, seed=0) for i in (0, 1))
    left, right = rest(25) + 1, rest(25) + 2
    job = subclips.cut_repair(2, before, after, (left, right), voice)
    r = subclips.repair_frames(25)
    assert (job.start, job.end) == (after.start - r * FRAME, after.start + r * FRAME)
    request, own = subclips.motion_request(job, np.zeros((0, 384), np.float32), Pts(0))
    assert not request.mask[own].any()
    assert (request.condition[: own.start] == 1).all()
    assert (request.condition[own.stop :] == 2).all()
    with pytest.raises(ValueError, match="longer clips"):
        subclips.cut_repair(2, before, after, (left[:2], right), voice)


def test_a_still_camera_is_perfectly_still_and_a_moving_one_goes_on_from_its_anchor() -> None:
    rng = np.random.default_rng(0)
    zoom = INDEX["cameraZoom"]
    anchor = Keyframe(Pts(0), rest() + 0.05, ANCHOR_MASK)
    still = BlueprintRoller().next_job(opening(), anchor, 0, NO_VOICE, Pts(0), seed=0)
    assert still is not None
    drawn = rng.normal(0, 0.02, (still.num_frames, 64)).astype(np.float32)
    drawn[:, zoom] += np.linspace(0, 0.3, still.num_frames)
    assert np.ptp(on_camera(still, drawn)[:, CAMERA_CHANNELS], axis=0).max() == 0
    moving = replace(still, beats=overlay(opening(), Pts(0), pts_from_s(2), camera="zoom_in").beats)
    way = on_camera(moving, drawn)[:, zoom]
    assert way[0] == pytest.approx(0.05)
    assert way[12] > 0.1
    assert np.ptp(way[16:]) == 0
    np.testing.assert_array_equal(on_camera(moving, drawn)[:, :60], drawn[:, :60])


def test_a_clip_keeps_the_way_of_the_camera_that_its_blueprint_planned() -> None:
    blueprint = _blueprint()
    blueprint.motion[:, INDEX["cameraZoom"]] = np.linspace(0, 0.3, 31)
    first = _anchor(0)
    last = choose(blueprint, first, pts_from_s(0.4), 25)
    assert last is not None
    job = subclips.cut(0, 0, opening(), first, last, _voice(2), 25, seed=0)
    motion = subclips.on_camera(job, rest(job.num_frames))
    expected = poses_at(blueprint, range(job.start, job.end, FRAME))[:, INDEX["cameraZoom"]]
    np.testing.assert_allclose(motion[:, INDEX["cameraZoom"]], expected)


@pytest.mark.parametrize(
    ("move", "channel", "sign"),
    [("pan_left", "cameraX", -1), ("pan_right", "cameraX", 1), ("tilt_up", "cameraY", -1), ("tilt_down", "cameraY", 1),
     ("zoom_in", "cameraZoom", 1), ("zoom_out", "cameraZoom", -1)],
)  # fmt: skip
def test_the_camera_goes_where_the_storyline_says_faster_when_asked_and_never_off_the_picture(
    move: str, channel: str, sign: int
) -> None:
    far = []
    for speed in (0.2, 0.9):
        start = rest()
        start[INDEX["cameraZoom"]] = 0.4 if move == "zoom_out" else 0.0
        story = overlay(opening(), Pts(0), None, camera=move, camera_speed=speed)
        job = BlueprintRoller().next_job(story, Keyframe(Pts(0), start, ANCHOR_MASK), 0, NO_VOICE, Pts(0), seed=0)
        assert job is not None
        camera = on_camera(job, rest(job.num_frames))[:, CAMERA_CHANNELS]
        way = on_camera(job, rest(job.num_frames))[:, INDEX[channel]]
        assert (np.diff(way) * sign >= 0).all()
        assert np.ptp(camera, axis=0).astype(bool).sum() == 1
        assert camera[:, 2].min() >= 0 and np.abs(camera).max() <= 0.45
        far.append(abs(way[12] - way[0]))
    assert far[1] > 1.5 * far[0] > 0.01


def test_a_shaking_camera_stays_about_its_place() -> None:
    story = overlay(opening(), Pts(0), None, camera="shake", camera_speed=0.8)
    job = BlueprintRoller().next_job(story, _anchor(), 0, NO_VOICE, Pts(0), seed=0)
    assert job is not None
    camera = on_camera(job, rest(job.num_frames))[:, CAMERA_CHANNELS]
    assert np.abs(camera).max() < 0.03
    assert np.abs(np.diff(camera[:, 0])).mean() > 0.001
