"""Playout: what viewers see and hear, turn by turn."""

import numpy as np
import pytest

from streamer.media import Picture, Sound
from streamer.plan import Pts, ticks_per_frame
from streamer.playout import Playout, PlayoutSettings, Turn

FPS = 25
FRAME = ticks_per_frame(FPS)
REST: Picture = np.full((3, 2), 99, np.uint8)


def _picture(number: int) -> Picture:
    return np.full((3, 2), number % 200, np.uint8)


def _clip(playout: Playout, clip_id: int, first: int, num_frames: int = 10) -> int:
    return playout.push_clip(clip_id, Pts(first * FRAME), [_picture(first + i) for i in range(num_frames)])


def _speech(num_frames: int, first: int = 0) -> Sound:
    """Loud, and every frame's samples say which frame they belong to."""
    return np.repeat(np.arange(first, first + num_frames) + 1000, FRAME).astype(np.int16)


def _silence(num_frames: int) -> Sound:
    return np.zeros(num_frames * FRAME, np.int16)


def _playing(cushion_s: float = 0.0, voice: Sound | None = None) -> Playout:
    """On air with one clip of ten frames and two seconds of voice."""
    playout = Playout(FPS, REST, PlayoutSettings(cushion_s=cushion_s))
    playout.push_voice(_speech(50) if voice is None else voice)
    _clip(playout, 1, 0)
    return playout


def _shown(turns: list[Turn]) -> list[int]:
    return [int(turn.picture[0, 0]) for turn in turns]


def test_the_avatar_is_seen_at_rest_before_the_first_clip() -> None:
    playout = Playout(FPS, REST)
    playout.push_voice(_speech(5))
    turns = [playout.turn() for _ in range(3)]
    assert _shown(turns) == [99, 99, 99]
    assert all(not turn.sound.any() and turn.pts is None for turn in turns)


def test_each_frame_leaves_with_the_sound_of_its_own_time() -> None:
    playout = _playing()
    for _ in range(10):
        turn = playout.turn()
        assert (turn.sound == int(turn.picture[0, 0]) + 1000).all()


def test_wall_ticks_go_on_whatever_happens() -> None:
    playout = _playing()
    assert [playout.turn().tick for _ in range(20)] == [i * FRAME for i in range(20)]


def test_the_first_clip_waits_so_that_the_next_may_come_later() -> None:
    playout = _playing(cushion_s=0.1)
    turns = [playout.turn() for _ in range(5)]
    assert _shown(turns) == [99, 99, 99, 0, 1]


def test_a_late_subclip_holds_the_last_frame_and_the_voice_goes_on() -> None:
    playout = _playing()
    turns = [playout.turn() for _ in range(13)]
    assert _shown(turns[10:]) == [9, 9, 9]
    assert [turn.hold for turn in turns[10:]] == ["late_clip"] * 3
    assert [int(turn.sound[0]) for turn in turns[10:]] == [1010, 1011, 1012]
    assert playout.counts.holds["late_clip"] == 3


def test_frames_that_come_past_their_time_are_dropped_never_burst() -> None:
    playout = _playing()
    for _ in range(13):
        playout.turn()
    assert _clip(playout, 2, 10) == 3
    turns = [playout.turn() for _ in range(30)]
    shown = [number for number in _shown(turns) if number > 9]
    assert shown == sorted(shown) and shown[0] >= 13
    assert playout.counts.late_frames == 3


def test_after_a_late_clip_the_delay_is_raised_in_the_next_silence() -> None:
    playout = _playing(voice=np.concatenate([_speech(14), _silence(40)]))
    for _ in range(12):
        playout.turn()
    _clip(playout, 2, 10, 20)
    turns = [playout.turn() for _ in range(6)]
    assert [turn.hold for turn in turns] == [None, None, "delay_raised", "delay_raised", None, None]
    assert not turns[2].sound.any()
    assert turns[4].pts == turns[2].pts  # picture and sound were stalled together


def test_a_raised_delay_does_not_wait_for_silence_for_ever() -> None:
    playout = _playing(voice=_speech(100))
    for _ in range(12):
        playout.turn()
    _clip(playout, 2, 10, 40)
    holds = [playout.turn().hold for _ in range(25)]
    assert holds.count("delay_raised") == 2
    assert holds.index("delay_raised") > 10


def test_when_the_hosts_voice_does_not_come_both_stand_still_and_none_of_it_is_lost() -> None:
    playout = _playing(voice=_speech(5))
    turns = [playout.turn() for _ in range(8)]
    assert [turn.hold for turn in turns[5:]] == ["no_voice"] * 3
    playout.push_voice(_speech(5, first=5))
    turn = playout.turn()
    assert int(turn.picture[0, 0]) == 5 and int(turn.sound[0]) == 1005


def test_clips_that_keep_coming_early_lower_the_delay_in_silence() -> None:
    playout = _playing(voice=_silence(50))
    ahead_s = []
    for clip in range(1, 40):
        playout.push_voice(_silence(10))
        _clip(playout, clip + 1, 10 * clip)
        ahead_s.append((10 * (clip + 1) * FRAME - (playout.position or 0)) / FRAME / FPS)
        for _ in range(10):
            playout.turn()
    assert ahead_s[-1] < ahead_s[2] - 0.2
    assert not playout.counts.holds


def test_the_delay_is_never_raised_without_end() -> None:
    playout = Playout(FPS, REST, PlayoutSettings(cushion_s=0, max_raise_s=0.4))
    playout.push_voice(_silence(10))
    _clip(playout, 1, 0)
    for clip in range(1, 60):  # every clip comes three frames after it is due
        playout.push_voice(_silence(10))
        while playout.position is None or playout.position < (10 * clip + 3) * FRAME:
            playout.turn()
        _clip(playout, clip + 1, 10 * clip)
    assert playout.counts.holds["delay_raised"] <= 10


def test_a_full_buffer_drops_the_oldest_frames() -> None:
    playout = Playout(FPS, REST, PlayoutSettings(max_ahead_s=1.0))
    for clip in range(4):
        _clip(playout, clip, 10 * clip)
    assert playout.counts.overflowed == 15


def test_a_clip_is_named_by_its_first_frame_on_air() -> None:
    playout = _playing()
    _clip(playout, 7, 10)
    assert [turn.first_of for turn in (playout.turn() for _ in range(12))] == [1, *[None] * 9, 7, None]


@pytest.mark.parametrize("fps", [24, 30, 48, 50])
def test_sound_has_no_gap_at_other_frame_rates(fps: int) -> None:
    frame = ticks_per_frame(fps)
    playout = Playout(fps, REST, PlayoutSettings(cushion_s=0))
    voice = (np.arange(frame * 20) % 30_000).astype(np.int16)
    playout.push_voice(voice)
    playout.push_clip(1, Pts(0), [REST] * 20)
    assert (np.concatenate([playout.turn().sound for _ in range(20)]) == voice).all()


def test_a_room_that_is_never_silent_has_its_pauses_too() -> None:
    noise = (900 * np.sign(np.sin(np.arange(40 * FRAME)))).astype(np.int16)
    loud = (15_000 * np.sign(np.sin(np.arange(14 * FRAME)))).astype(np.int16)
    playout = _playing(voice=np.concatenate([loud, noise]))
    for _ in range(12):
        playout.turn()
    _clip(playout, 2, 10, 20)
    assert [playout.turn().hold for _ in range(5)] == [None, None, "delay_raised", "delay_raised", None]
