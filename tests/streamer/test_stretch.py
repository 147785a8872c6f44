"""Sound made a little shorter or longer."""

from pathlib import Path

import numpy as np
import pytest

from clients.python.sound import read_sound
from streamer.media import Sound
from streamer.stretch import LEAST_PERIOD, MOST_PERIOD, longer, shorter

SPEECH = Path(__file__).parents[1] / "data" / "speech.ogg"
LENGTHS = (960, 1000, 1920, 2000)  # of a frame at 50, 48, 25 and 24 a second


def _tone(hz: float) -> Sound:
    return (8000 * np.sin(2 * np.pi * hz * np.arange(6000) / 48_000)).astype(np.int16)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("hz", [90, 150, 260, 390])
def test_a_tone_stays_that_tone_and_whole_periods_of_it_are_won(hz: float, length: int) -> None:
    tone = _tone(hz)
    for made in (shorter(tone[: length + MOST_PERIOD], length), longer(tone[:length], length)):
        assert made is not None
        sound, period = made
        assert len(sound) == length and LEAST_PERIOD <= period <= MOST_PERIOD
        assert period / (48_000 / hz) == pytest.approx(round(period / (48_000 / hz)), abs=0.02)
        assert np.abs(sound.astype(int) - tone[:length]).max() < 200


@pytest.mark.parametrize("length", LENGTHS)
def test_what_follows_a_splice_follows_without_a_step(length: int) -> None:
    speech = read_sound(SPEECH)
    loudest_step = np.abs(np.diff(speech.astype(int))).max()
    for make, sign in ((shorter, 1), (longer, -1)):
        pieces, at, splices = [], 0, 0
        while at + length + MOST_PERIOD <= len(speech):
            made = make(speech[at : at + length + (MOST_PERIOD if sign > 0 else 0)], length)
            sound, period = made or (speech[at : at + length], 0)
            pieces.append(sound)
            splices += bool(made)
            at += length + sign * period
        assert splices > 20
        assert np.abs(np.diff(np.concatenate(pieces).astype(int))).max() <= loudest_step


def test_noise_has_no_period_that_could_be_left_out() -> None:
    noise = np.random.default_rng(0).integers(-8000, 8000, 4000).astype(np.int16)
    assert shorter(noise[: 1920 + MOST_PERIOD], 1920) is None
    assert longer(noise[:1920], 1920) is None
