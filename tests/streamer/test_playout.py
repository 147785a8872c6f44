"""Playout: what viewers see and hear, turn by turn."""

from collections.abc import Callable

import numpy as np
import pytest

from streamer.media import Picture, Sound
from streamer.plan import Pts, ticks_per_frame
from streamer.playout import Playout, PlayoutSettings, Shot, Turn

FPS = 25
FRAME = ticks_per_frame(FPS)
REST: Picture = np.full((3, 2), 99, np.uint8)


def _picture(number: int) -> Picture:
    return np.full((3, 2), number % 200, np.uint8)


def _push(playout: Playout, clip_id: int, first: int, index: int, span: int = 1) -> bool:
    """Frame `index` of the clip that begins with frame `first`."""
    shot = Shot(clip_id, Pts((first + index) * FRAME), _picture(first + index), span, is_first=index == 0)
    return playout.push(shot, shot.pts)


def _clip(playout: Playout, clip_id: int, first: int, num_frames: int = 10) -> int:
    """A clip drawn in no time; how many of its pictures came too late."""
    return sum(not _push(playout, clip_id, first, index) for index in range(num_frames))


def _speech(num_frames: int, first: int = 0) -> Sound:
    """Loud, without a period; the size of a frame's samples says which frame they belong to."""
    signs = np.random.default_rng(first).choice((-1, 1), (num_frames, FRAME))
    signs[:, 0] = 1
    return (signs * (np.arange(first, first + num_frames) + 1000)[:, None]).astype(np.int16).ravel()


def _silence(num_frames: int) -> Sound:
    return np.zeros(num_frames * FRAME, np.int16)


def _vowel(num_frames: int, hz: float = 150.0) -> Sound:
    return (9000 * np.sin(2 * np.pi * hz * np.arange(num_frames * FRAME) / 48_000)).astype(np.int16)


def _playing(voice: Sound | None = None, **settings: float) -> Playout:
    """On air with one clip of ten frames and two seconds of voice."""
    playout = Playout(FPS, PlayoutSettings(**{"cushion_s": 0.0, "max_behind_s": 9.0, **settings}))  # type: ignore[arg-type]
    playout.rest(REST)
    playout.push_voice(_speech(50) if voice is None else voice)
    _clip(playout, 1, 0)
    return playout


def _late_twice(playout: Playout) -> None:
    """Two clips of ten frames, each two frames late: a habit."""
    for clip in (1, 2):
        while playout.position is None or playout.position < (10 * clip + 2) * FRAME:
            playout.turn()
        _clip(playout, clip + 1, 10 * clip)


def _shown(turns: list[Turn]) -> list[int]:
    return [int(turn.picture[0, 0]) for turn in turns]


def test_the_avatar_is_seen_at_rest_before_the_first_clip() -> None:
    playout = Playout(FPS)
    playout.rest(REST)
    playout.push_voice(_speech(5))
    turns = [playout.turn() for _ in range(3)]
    assert _shown(turns) == [99, 99, 99]
    assert all(not turn.sound.any() and turn.pts is None for turn in turns)


def test_nothing_is_shown_before_the_avatar_is_known() -> None:
    assert Playout(FPS).turn().picture is None


def test_each_frame_leaves_with_the_sound_of_its_own_time() -> None:
    playout = _playing()
    for _ in range(10):
        turn = playout.turn()
        assert turn.picture is not None and (np.abs(turn.sound) == int(turn.picture[0, 0]) + 1000).all()


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


def test_one_late_clip_is_bad_luck_and_does_not_raise_the_delay() -> None:
    playout = _playing(_silence(80))
    for clip in range(1, 6):
        late = 2 if clip == 3 else 0
        while playout.position is None or playout.position < (10 * clip + late - 1) * FRAME:
            playout.turn()
        _clip(playout, clip + 1, 10 * clip)
    assert playout.counts.holds["delay_raised"] == 0


def test_after_two_late_clips_the_delay_is_raised_in_the_next_silence() -> None:
    playout = _playing(np.concatenate([_speech(24), _silence(40)]))
    _late_twice(playout)
    turns = [playout.turn() for _ in range(6)]
    assert [turn.hold for turn in turns] == [None, None, "delay_raised", "delay_raised", None, None]
    assert not turns[2].sound.any()
    assert turns[4].pts == turns[2].pts  # picture and sound were stalled together


def test_in_speech_the_delay_is_raised_by_a_slower_voice_without_a_gap_or_another_pitch() -> None:
    playout = _playing(_vowel(120))
    _late_twice(playout)
    for clip in range(3, 9):
        _clip(playout, clip, 10 * clip)
    before = playout.delay_s()
    turns = [playout.turn() for _ in range(40)]
    sound = np.concatenate([turn.sound for turn in turns])
    assert (playout.delay_s() or 0) - (before or 0) == pytest.approx(0.08, abs=0.02)
    assert np.abs(np.diff(sound.astype(int))).max() <= np.abs(np.diff(_vowel(10).astype(int))).max() + 2
    assert np.argmax(np.abs(np.fft.rfft(sound))) * 48_000 / len(sound) == pytest.approx(150, abs=1)


def test_speech_that_no_splice_fits_is_stalled_after_a_while() -> None:
    noise = np.random.default_rng(0).integers(-9000, 9000, 120 * FRAME).astype(np.int16)
    playout = _playing(noise, patience_s=0.4)
    _late_twice(playout)
    _clip(playout, 3, 30, 60)
    holds = [playout.turn().hold for _ in range(40)]
    assert holds.index("delay_raised") >= 10


def test_when_the_hosts_voice_does_not_come_both_stand_still_and_none_of_it_is_lost() -> None:
    playout = _playing(_speech(5))
    turns = [playout.turn() for _ in range(8)]
    assert [turn.hold for turn in turns[5:]] == ["no_voice"] * 3
    playout.push_voice(_speech(5, first=5))
    turn = playout.turn()
    assert int(turn.picture[0, 0]) == 5 and int(turn.sound[0]) == 1005


@pytest.mark.parametrize("voice", [_silence, _vowel], ids=["silence", "speech"])
def test_a_raised_delay_comes_down_when_the_late_clips_are_forgotten(voice: Callable[[int], Sound]) -> None:
    playout = _playing(voice(40), memory_s=2.0)
    _late_twice(playout)
    delays = []
    for clip in range(3, 80):  # each comes three frames early, as the delay is now
        playout.push_voice(voice(10))
        while (playout.position or 0) < (10 * clip - 5) * FRAME:
            playout.turn()
            delays.append(playout.delay_s() or 0)
        if clip == 3:
            _clip(playout, clip, 10 * clip - 10, 10)
        _clip(playout, clip + 1, 10 * clip)
    assert max(delays) - delays[-1] > 0.04
    assert delays[-1] - min(delays) < 0.1


def test_the_delay_is_never_raised_without_end() -> None:
    playout = _playing(_silence(15), max_behind_s=0.8)
    for clip in range(1, 60):  # drawing takes ever longer
        playout.push_voice(_silence(10))
        for _ in range(10):
            playout.turn()
        _clip(playout, clip + 1, 10 * (clip - clip // 4))
    assert 0 < playout.counts.holds["delay_raised"] <= 20


def test_a_host_whose_clock_is_slow_is_followed_however_far_it_falls_behind() -> None:
    playout = _playing(_silence(15), max_behind_s=0.6)
    for clip in range(1, 80):  # its ten frames of voice take eleven turns
        playout.push_voice(_silence(10))
        _clip(playout, clip + 1, 10 * clip)
        turns = [playout.turn() for _ in range(11)]
    assert sum(turn.hold is None for turn in turns) >= 8


def test_where_every_other_picture_is_drawn_each_is_shown_twice() -> None:
    playout = _playing()
    for index in range(0, 10, 2):
        _push(playout, 2, 10, index, span=2)
    turns = [playout.turn() for _ in range(20)][10:]
    assert _shown(turns) == [10, 10, 12, 12, 14, 14, 16, 16, 18, 18]
    assert [turn.hold for turn in turns[:4]] == [None, "half_rate"] * 2


def test_a_full_buffer_drops_the_oldest_frames() -> None:
    playout = Playout(FPS, PlayoutSettings(max_ahead_s=1.0))
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
    playout = Playout(fps, PlayoutSettings(cushion_s=0))
    voice = (np.arange(frame * 20) % 30_000).astype(np.int16)
    playout.push_voice(voice)
    for index in range(20):
        playout.push(Shot(1, Pts(index * frame), REST, is_first=index == 0), Pts(index * frame))
    assert (np.concatenate([playout.turn().sound for _ in range(20)]) == voice).all()


def test_a_room_that_is_never_silent_has_its_pauses_too() -> None:
    noise = (900 * np.sign(np.sin(np.arange(40 * FRAME)))).astype(np.int16)
    loud = (12 * _speech(24)).astype(np.int16)
    playout = _playing(np.concatenate([loud, noise]))
    _late_twice(playout)
    assert [playout.turn().hold for _ in range(5)] == [None, None, "delay_raised", "delay_raised", None]
