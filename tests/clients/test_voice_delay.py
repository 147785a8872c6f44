"""Finding a voice again in what was heard."""

import numpy as np
import pytest

from clients.python.sound import RATE_HZ
from clients.python.voice_delay import voice_delays_ms


def voice(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise that swells like syllables: as easy to recognise as speech."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE_HZ)
    swell = np.abs(np.sin(2 * np.pi * 2.3 * np.arange(n) / RATE_HZ))
    smooth = np.convolve(rng.standard_normal(n), np.ones(24) / 24, "same")
    return (smooth * swell * 12_000).astype(np.int16)


def heard(sound: np.ndarray, spoken_at: float, delay_s: float) -> list[tuple[float, np.ndarray]]:
    """Packets of 20 ms, each arriving `delay_s` after its last sample was spoken."""
    step = RATE_HZ // 50
    return [(spoken_at + delay_s + (i + step) / RATE_HZ, sound[i : i + step]) for i in range(0, len(sound) - step, step)]


@pytest.mark.parametrize("delay_s", [0.05, 0.64, 2.5])
def test_the_delay_of_a_voice_is_found_to_the_millisecond(delay_s: float) -> None:
    sound = voice(10)
    delays = voice_delays_ms(sound, 100.0, heard(sound, 100.0, delay_s))
    assert len(delays) >= 3
    np.testing.assert_allclose(delays, 1000 * delay_s, atol=1.0)


def test_noise_on_the_way_does_not_move_it() -> None:
    sound = voice(8)
    noisy = (sound * 0.4 + np.random.default_rng(1).standard_normal(len(sound)) * 150).astype(np.int16)
    np.testing.assert_allclose(voice_delays_ms(sound, 0.0, heard(noisy, 0.0, 0.3)), 300, atol=1.0)


def test_silence_and_another_voice_have_no_delay() -> None:
    sound = voice(8)
    assert voice_delays_ms(sound, 0.0, heard(np.zeros_like(sound), 0.0, 0.3)) == []
    assert voice_delays_ms(sound, 0.0, heard(voice(8, seed=5), 0.0, 0.3)) == []
    assert voice_delays_ms(sound, 0.0, []) == []
