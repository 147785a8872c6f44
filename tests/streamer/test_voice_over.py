"""What is said in place of the microphone."""

import asyncio

import numpy as np
import pytest

from streamer.plan import Pts
from streamer.voice_over import Line, LineCut, Moment, TooManyLines, VoiceOver


class Told:
    """What the lines of a voice-over have told, in order."""

    def __init__(self) -> None:
        self.moments: list[tuple[int, Moment, float]] = []
        self._lines: list[Line] = []

    def __call__(self, line: Line, moment: Moment) -> None:
        if line not in self._lines:
            self._lines.append(line)
        self.moments.append((self._lines.index(line), moment, round(line.played_s, 6)))


def sound(value: int, seconds: float) -> np.ndarray:
    return np.full(round(seconds * 48_000), value, np.int16)


def take(voice_over: VoiceOver, start_s: float, seconds: float) -> np.ndarray:
    """A piece of the media clock while the microphone hums with 7."""
    return voice_over.over(Pts(round(start_s * 48_000)), sound(7, seconds))


async def test_a_line_wins_over_the_microphone_from_its_first_sample_to_its_last() -> None:
    voice_over, told = VoiceOver(), Told()
    assert set(take(voice_over, 0, 0.02)) == {7}
    line = voice_over.open(told)
    assert set(take(voice_over, 0.02, 0.02)) == {7}  # nothing of it is there yet
    await line.write(sound(1, 0.03))
    line.finish()
    assert set(take(voice_over, 0.04, 0.02)) == {1}
    assert list(take(voice_over, 0.06, 0.02)) == [1] * 480 + [7] * 480


async def test_a_line_that_runs_dry_is_silence_until_more_of_it_comes() -> None:
    voice_over, told = VoiceOver(), Told()
    line = voice_over.open(told)
    await line.write(sound(1, 0.01))
    assert list(take(voice_over, 0, 0.02)) == [1] * 480 + [0] * 480
    assert set(take(voice_over, 0.02, 0.02)) == {0}
    await line.write(sound(2, 0.02))
    assert set(take(voice_over, 0.04, 0.02)) == {2}
    voice_over.note_aired(Pts(3000))
    line.finish()
    voice_over.note_aired(Pts(2880))  # what was on air stays so
    assert told.moments == [(0, "heard", 0.0), (0, "begun", 0.01), (0, "ended", 0.03)]


async def test_lines_follow_each_other_in_the_order_in_which_they_were_opened() -> None:
    voice_over, told = VoiceOver(), Told()
    first, empty, last = (voice_over.open(told) for _ in range(3))
    await last.write(sound(3, 0.01))
    await first.write(sound(1, 0.01))
    for line in (last, empty, first):
        line.finish()
    assert list(take(voice_over, 0, 0.03)) == [1] * 480 + [3] * 480 + [7] * 480
    voice_over.note_aired(Pts(480))
    voice_over.note_aired(Pts(960))
    assert [moment for moment in told.moments if moment[1] == "ended"] == [
        (1, "ended", 0.0),
        (0, "ended", 0.01),
        (2, "ended", 0.01),
    ]
    assert len(voice_over) == 0


async def test_a_cut_says_to_the_sample_what_was_on_air() -> None:
    voice_over, told = VoiceOver(), Told()
    line, waiting = voice_over.open(told), voice_over.open(told)
    await line.write(sound(1, 2.0))
    take(voice_over, 0, 1.0)
    voice_over.cut(Pts(12_345))
    assert told.moments[-2:] == [(0, "interrupted", round(12_345 / 48_000, 6)), (1, "interrupted", 0.0)]
    assert set(take(voice_over, 1.0, 0.02)) == {7}
    for each in (line, waiting):
        with pytest.raises(LineCut):
            await each.write(sound(1, 0.1))
    assert len(voice_over) == 0


async def test_one_line_may_be_cut_and_the_others_go_on() -> None:
    voice_over, told = VoiceOver(), Told()
    first, second = voice_over.open(told), voice_over.open(told)
    await first.write(sound(1, 1.0))
    await second.write(sound(2, 1.0))
    take(voice_over, 0, 0.5)
    voice_over.cut(Pts(0), first)
    assert set(take(voice_over, 0.5, 0.02)) == {2}


async def test_a_writer_waits_for_room_and_never_for_those_behind_it() -> None:
    voice_over, told = VoiceOver(ahead_s=1.0), Told()
    first, second = voice_over.open(told), voice_over.open(told)
    await second.write(sound(2, 1.0))
    await first.write(sound(1, 1.0))  # what waits behind it does not count
    more = asyncio.create_task(first.write(sound(1, 0.5)))
    await asyncio.sleep(0)
    assert not more.done()
    take(voice_over, 0, 0.02)
    await asyncio.wait_for(more, 1)
    assert voice_over.buffered_s == pytest.approx(2.48)


def test_more_lines_than_there_may_be_are_refused() -> None:
    voice_over, told = VoiceOver(max_lines=2), Told()
    voice_over.open(told), voice_over.open(told)
    with pytest.raises(TooManyLines, match="2 lines"):
        voice_over.open(told)
