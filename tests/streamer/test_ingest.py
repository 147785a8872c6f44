"""Ingest: the host's voice on the media clock, whatever the network does to it."""

import asyncio
import fractions
import itertools

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from hypothesis import given
from hypothesis import strategies as st

from streamer.clock import ManualClock, SystemClock
from streamer.ingest import Decimator, Ingest, VoiceTimeline, mono
from streamer.media import AudioChunk, Sound

PACKET = 960


def _sound(value: int = 5000) -> Sound:
    return np.full(PACKET, value, np.int16)


def test_chunks_follow_each_other_without_gap_or_overlap() -> None:
    timeline = VoiceTimeline()
    chunks = [timeline.place(77_000 + i * PACKET, _sound()) for i in range(5)]
    assert [chunk.pts for chunk in chunks if chunk] == [i * PACKET for i in range(5)]


def test_a_lost_packet_is_filled_so_that_later_ones_keep_their_time() -> None:
    timeline = VoiceTimeline()
    timeline.place(0, _sound())
    chunk = timeline.place(2 * PACKET, _sound())
    assert chunk is not None
    assert (chunk.pts, len(chunk.sound), chunk.concealed) == (PACKET, 2 * PACKET, PACKET)
    assert timeline.end == 3 * PACKET


def test_a_filled_gap_fades_instead_of_clicking() -> None:
    timeline = VoiceTimeline()
    timeline.place(0, _sound(10_000))
    chunk = timeline.place(3 * PACKET, _sound(0))
    assert chunk is not None
    assert abs(int(chunk.sound[0])) > 9_000
    assert int(np.abs(np.diff(chunk.sound.astype(np.int32))).max()) < 1_000


def test_a_packet_that_comes_twice_or_too_late_is_not_heard_again() -> None:
    timeline = VoiceTimeline()
    timeline.place(0, _sound())
    timeline.place(2 * PACKET, _sound())
    assert timeline.place(PACKET, _sound()) is None
    assert timeline.place(2 * PACKET, _sound()) is None
    assert timeline.end == 3 * PACKET


def test_a_new_track_continues_where_the_last_one_ended() -> None:
    timeline = VoiceTimeline()
    timeline.place(0, _sound())
    timeline.restart()
    chunk = timeline.place(123_456_789, _sound())
    assert chunk is not None and chunk.pts == PACKET and chunk.concealed == 0


def test_an_absurd_jump_of_the_senders_clock_is_a_new_beginning_not_a_gap_of_hours() -> None:
    timeline = VoiceTimeline()
    timeline.place(0, _sound())
    chunk = timeline.place(1 << 32, _sound())
    assert chunk is not None and len(chunk.sound) == PACKET


def test_both_rates_of_the_voice_keep_step() -> None:
    timeline = VoiceTimeline()
    chunks = [timeline.place(i * PACKET, _sound(i)) for i in range(200)]
    num_voice = sum(len(chunk.voice) for chunk in chunks if chunk)
    assert 0 <= timeline.end // 3 - num_voice < 48  # at most 3 ms behind


def _tone(hz: float) -> Sound:
    return (10_000 * np.sin(2 * np.pi * hz * np.arange(48_000) / 48_000)).astype(np.int16)


def test_the_voice_keeps_speech_and_none_of_what_would_fold_back_into_it() -> None:
    def level_db(hz: float) -> float:
        return float(20 * np.log10(np.std(Decimator().push(_tone(hz))[100:-100] / 10_000) * 2**0.5 + 1e-9))

    assert all(abs(level_db(hz)) < 0.6 for hz in (100, 1000, 4000, 6500))
    assert all(level_db(hz) < -60 for hz in (8600, 10_000, 15_000, 23_000))


@given(st.lists(st.integers(0, 2000), max_size=8))
def test_the_voice_is_the_same_however_its_sound_is_cut(lengths: list[int]) -> None:
    sound, decimator = _tone(440), Decimator()
    ends = np.cumsum([0, *lengths])
    pieces = [decimator.push(sound[a:b]) for a, b in itertools.pairwise(ends)]
    pieces.append(decimator.push(sound[ends[-1] :]))
    assert np.array_equal(np.concatenate(pieces), Decimator().push(sound))
    assert np.abs(np.concatenate(pieces)[20:] - sound[60::3][: len(np.concatenate(pieces)) - 20]).max() <= 30  # in its place


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 3)), max_size=40))
def test_whatever_order_packets_come_in_the_timeline_never_goes_back_or_skips(packets: list[tuple[int, int]]) -> None:
    timeline = VoiceTimeline()
    end = 0
    for place, length in packets:
        chunk = timeline.place(place * PACKET, np.zeros(length * PACKET, np.int16))
        if chunk:
            assert chunk.pts == end
            end += len(chunk.sound)
    assert timeline.end == end


def test_stereo_is_averaged() -> None:
    frame = av.AudioFrame.from_ndarray(np.array([[100, 300, -200, -400]], np.int16), format="s16", layout="stereo")
    frame.sample_rate = 48_000
    assert mono(frame).tolist() == [200, -300]


class _Track(MediaStreamTrack):
    kind = "audio"

    def __init__(self, num_packets: int, ends: bool = True) -> None:
        super().__init__()
        self._left, self._pts, self._ends = num_packets, 0, ends

    async def recv(self) -> av.AudioFrame:
        if not self._left:
            if self._ends:
                raise MediaStreamError
            await asyncio.Event().wait()
        self._left -= 1
        frame = av.AudioFrame.from_ndarray(_sound()[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self._pts, fractions.Fraction(1, 48_000)
        self._pts += PACKET
        return frame


async def _take(ingest: Ingest, samples: int) -> list[AudioChunk]:
    chunks: list[AudioChunk] = []
    async with asyncio.timeout(60):
        async for chunk in ingest:
            chunks.append(chunk)
            if sum(len(each.sound) for each in chunks) >= samples:
                return chunks
    raise AssertionError("the stream ended")


async def test_nothing_is_heard_before_the_first_host() -> None:
    ingest = Ingest(SystemClock(), patience_s=0.01)
    waiting = asyncio.ensure_future(_take(ingest, 1))
    done, _ = await asyncio.wait((waiting,), timeout=0.1)
    waiting.cancel()
    assert not done


async def test_while_the_host_is_lost_time_goes_on_in_silence() -> None:
    ingest = Ingest(SystemClock(), patience_s=0.02)
    ingest.attach(_Track(5))
    chunks = await _take(ingest, 10 * PACKET)
    silence = np.concatenate([chunk.sound for chunk in chunks])[6 * PACKET :]
    assert not silence.any()
    ingest.detach()


async def test_a_host_that_comes_back_is_heard_after_the_silence() -> None:
    ingest = Ingest(SystemClock(), patience_s=0.02)
    ingest.attach(_Track(5))
    await _take(ingest, 10 * PACKET)
    ingest.attach(_Track(3, ends=False))
    chunks = await _take(ingest, 3 * PACKET)
    assert max(int(chunk.sound.max()) for chunk in chunks) == 5000
    ingest.detach()


async def test_packets_that_nobody_takes_do_not_pile_up() -> None:
    ingest = Ingest(ManualClock(), backlog=10)
    ingest.attach(_Track(1000))
    for _ in range(50):
        await asyncio.sleep(0)
    assert ingest._packets.qsize() <= 10
    ingest.detach()
