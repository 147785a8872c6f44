"""Times found in a made-up broadcast whose delays are known."""

from __future__ import annotations

import numpy as np
import pytest

from clients.bench import live_figures, voices
from clients.bench.live_figures import Received

RATE = 48_000
PACKET = 960
MEDIA_ZERO = 4_000_000_000.0  # NTP seconds: a large number, as in use
SPOKEN_AT = 500.0


@pytest.fixture(scope="module")
def spoken() -> np.ndarray:
    return np.repeat(voices.babble(24.0, seed=3), 3)


def broadcast(
    spoken: np.ndarray,
    first_heard_s: float = 3.0,
    delay_s: float = 0.7,
    skew_s: float = 0.0,
    fps: int = 25,
    seconds: float = 12.0,
) -> Received:
    """The voice from `first_heard_s` on, `delay_s` after it was spoken; pictures `skew_s` after their own sound's middle."""
    received = Received()
    start = round(first_heard_s * RATE)
    for i in range(round(seconds * RATE) // PACKET):
        media_s = MEDIA_ZERO + i * PACKET / RATE
        spoken_end_s = first_heard_s + (i + 1) * PACKET / RATE
        samples = spoken[start + i * PACKET : start + (i + 1) * PACKET]
        received.voice.append((media_s, SPOKEN_AT + spoken_end_s + delay_s, samples))
    for i in range(round(seconds * fps)):
        at_s = i / fps
        arrived = SPOKEN_AT + first_heard_s + at_s + 0.5 / fps + delay_s + skew_s
        received.pictures.append((MEDIA_ZERO + at_s, arrived))
    return received


@pytest.mark.parametrize("delay_s", [0.3, 0.9, 2.5])
def test_the_delay_from_microphone_to_picture_is_found_whatever_the_clocks_start_at(spoken: np.ndarray, delay_s: float) -> None:
    received = broadcast(spoken, delay_s=delay_s)
    offsets = live_figures.media_minus_spoken(spoken, SPOKEN_AT, received)
    assert len(offsets) >= 4
    np.testing.assert_allclose([offset for _, offset in offsets], MEDIA_ZERO - 3.0, atol=1e-3)
    delays = live_figures.picture_delays_ms(received, offsets, SPOKEN_AT, MEDIA_ZERO + 1)
    assert np.median(delays) == pytest.approx(1e3 * delay_s + 20, abs=2)  # a picture is of its middle


def test_speech_that_is_repeated_is_not_taken_for_its_last_time(spoken: np.ndarray) -> None:
    again = np.concatenate([spoken[: 9 * RATE], spoken[: 9 * RATE]])
    offsets = live_figures.media_minus_spoken(again, SPOKEN_AT, broadcast(again, first_heard_s=10.0, seconds=7.0))
    np.testing.assert_allclose([offset for _, offset in offsets], MEDIA_ZERO - 10.0, atol=1e-3)


def test_packets_that_overtake_each_other_change_nothing(spoken: np.ndarray) -> None:
    received = broadcast(spoken)
    received.voice[10], received.voice[11] = received.voice[11], received.voice[10]
    offsets = live_figures.media_minus_spoken(spoken, SPOKEN_AT, received)
    np.testing.assert_allclose([offset for _, offset in offsets], MEDIA_ZERO - 3.0, atol=1e-3)


def test_a_strangers_voice_and_silence_are_not_recognised(spoken: np.ndarray) -> None:
    stranger = np.repeat(voices.babble(24.0, seed=9), 3)
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 2000, len(stranger)).astype(np.int16)
    assert live_figures.media_minus_spoken(spoken, SPOKEN_AT, broadcast(noise)) == []
    assert live_figures.media_minus_spoken(spoken, SPOKEN_AT, broadcast(np.zeros_like(spoken))) == []


@pytest.mark.parametrize("skew_s", [-0.08, 0.0, 0.035])
def test_pictures_that_come_apart_from_their_sound_show_by_how_much_and_which_way(spoken: np.ndarray, skew_s: float) -> None:
    skews = live_figures.skews_ms(broadcast(spoken, skew_s=skew_s), since_s=MEDIA_ZERO)
    assert len(skews) > 250
    np.testing.assert_allclose(skews, 1e3 * skew_s, atol=0.5)


def test_a_prompt_is_on_air_when_the_first_picture_past_its_time_arrives(spoken: np.ndarray) -> None:
    received = broadcast(spoken, first_heard_s=3.0, delay_s=0.7)
    offsets = live_figures.media_minus_spoken(spoken, SPOKEN_AT, received)
    sent_at = SPOKEN_AT + 8.0
    ms = live_figures.prompt_to_air_ms(received, offsets, sent_at, on_air_s=8.4)
    assert ms == pytest.approx(1e3 * (0.4 + 0.02 + 0.7), abs=2)
    assert live_figures.prompt_to_air_ms(received, offsets, sent_at, on_air_s=99.0) is None


def test_holds_are_counted_by_reason_and_per_minute() -> None:
    assert live_figures.holds_per_min({"late": 2}, {"late": 5, "silence": 1}, 30.0) == {"late": 6.0, "silence": 2.0}
    assert live_figures.spread([]) == (None, None)
    assert live_figures.spread([1.0] * 19 + [100.0]) == (1.0, 6.0)


def test_a_stop_is_timed_to_the_first_silent_sound() -> None:
    received = Received()
    loud, silent = (8000 * np.sin(np.arange(PACKET) / 20)).astype(np.int16), np.zeros(PACKET, np.int16)
    for i in range(200):
        samples = silent if 105 <= i <= 130 else loud
        received.voice.append((MEDIA_ZERO + i * 0.02, 10.0 + i * 0.02, samples))
    assert live_figures.silent_after_ms(received, 12.03) == pytest.approx(70.0)
    assert live_figures.silent_after_ms(received, 12.5) is None  # it was silent already
