"""What is planned as curves: blinks, winks, shrugs, sighs, shakes of the head."""

from __future__ import annotations

import numpy as np
import pytest

from engines.motion import INDEX, LIDS, Motion, rest
from engines.prompts import PLANNED_ACTIONS
from streamer.gestures import performed
from streamer.plan import Beat, Pts, pts_from_s

BEGINS_S = 30.0
#: A channel that each action moves, and how far it has to go to be seen.
GAZE = (
    [INDEX["eyeLookOutLeft"], INDEX["eyeLookInRight"]],
    [INDEX["eyeLookInLeft"], INDEX["eyeLookOutRight"]],
)
SHOWS = {"shake": ("headYaw", 0.15), "shrug": ("shoulderRaise", 0.8), "sigh": ("shoulderRaise", 0.5)}


def seconds(of: Motion, start_s: float, fps: int = 25, action: str | None = None, lasts_s: float = 2.0) -> Motion:
    begins = pts_from_s(BEGINS_S)
    beats = (Beat(Pts(0), begins), Beat(begins, Pts(begins + pts_from_s(lasts_s)), action=action))
    return performed(beats, pts_from_s(start_s), fps, of)


@pytest.mark.parametrize("fps", [25, 48])
def test_faces_blink_as_often_as_people_in_talk_and_shut_their_eyes_wholly(fps: int) -> None:
    lids = seconds(rest(180 * fps), 0.0, fps)[:, LIDS]
    shut = (lids.min(axis=1) > 0.9).astype(int)
    assert 45 <= (np.diff(shut) > 0).sum() <= 60  # in three minutes
    assert 0.85 < (lids.max(axis=1) < 0.05).mean() < 0.95


def test_closed_eyes_stay_closed_through_a_blink() -> None:
    asleep = rest(250)
    asleep[:, LIDS] = 1.0
    np.testing.assert_array_equal(seconds(asleep, 0.0), asleep)


@pytest.mark.parametrize("action", PLANNED_ACTIONS)
def test_clips_drawn_apart_agree_on_a_gesture(action: str) -> None:
    whole = seconds(rest(200), BEGINS_S - 2, action=action)
    apart = [seconds(rest(8), BEGINS_S - 2 + i / 25, action=action) for i in range(0, 200, 8)]
    np.testing.assert_allclose(np.concatenate(apart), whole, atol=1e-6)


@pytest.mark.parametrize("action", PLANNED_ACTIONS)
def test_a_gesture_begins_with_its_beat_moves_smoothly_and_is_over_soon_after(action: str) -> None:
    still, moved = (seconds(rest(2500), BEGINS_S - 1, 500, which) for which in (None, action))
    off = moved - still
    off[:, GAZE[0]] -= off[:, GAZE[1]]  # one direction that two channels share
    smooth = off[:, [i for i in range(64) if i not in (*LIDS, *GAZE[1])]]  # blinks wait for some of them
    assert np.abs(smooth[:500]).max() == 0
    assert np.abs(smooth[500:]).max() > 0.04
    assert np.abs(smooth[1700:]).max() < 1e-6  # 2.4 s after
    assert np.abs(np.diff(smooth, axis=0)).max() < 0.02  # 2 ms: no jump in position
    assert np.abs(np.diff(smooth, n=2, axis=0)).max() < 0.0015  # nor in speed


@pytest.mark.parametrize("action", SHOWS)
def test_a_gesture_is_large_enough_to_be_seen(action: str) -> None:
    channel, size = SHOWS[action]
    assert np.abs(seconds(rest(60), BEGINS_S, action=action)[:, INDEX[channel]]).max() > size


def test_a_wink_shuts_one_eye_and_leaves_the_other_open() -> None:
    lids = seconds(rest(40), BEGINS_S, action="wink")[:, LIDS]
    assert lids.max() > 0.95
    assert lids.max(axis=0).min() < 0.05


def test_winks_and_shakes_take_either_side() -> None:
    def side(action: str, begin_s: float) -> bool:
        begins = pts_from_s(begin_s)
        motion = performed((Beat(begins, pts_from_s(begin_s + 2), action=action),), begins, 25, rest(12))
        return (
            bool(motion[:, INDEX["eyeBlinkLeft"]].max() > motion[:, INDEX["eyeBlinkRight"]].max())
            if (action == "wink")
            else bool(motion[5, INDEX["headYaw"]] > 0)
        )

    for action in ("wink", "shake"):
        assert 3 < sum(side(action, 7.0 + 1.3 * i) for i in range(16)) < 13


def test_a_shake_that_is_cut_off_dies_away_without_a_jump() -> None:
    begins, cut = pts_from_s(1.0), pts_from_s(1.9)
    whole, short = (
        performed((Beat(begins, end, action="shake"),), Pts(0), 25, rest(75))[:, INDEX["headYaw"]]
        for end in (pts_from_s(3.0), cut)
    )
    at = round(1.9 * 25)
    np.testing.assert_allclose(short[: at + 1], whole[: at + 1], atol=1e-3)
    assert np.abs(np.diff(short)).max() < 1.2 * np.abs(np.diff(whole)).max()
    assert np.abs(short[at + 10 :]).max() < 1e-6
