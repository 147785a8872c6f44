import numpy as np
import pytest
from numpy.typing import NDArray

from engines import prosody
from engines.prosody import MEASURES


def _voice(pitch_hz: float, tilt: float = 1.0, seconds: float = 2.0, level: float = 4000.0) -> NDArray[np.int16]:
    """Harmonics that fall off by `tilt`, in syllables of a quarter of a second."""
    time = np.arange(int(seconds * 16_000)) / 16_000
    buzz = sum(np.sin(2 * np.pi * pitch_hz * k * time) / k**tilt for k in range(1, int(4000 / pitch_hz)))
    loudness = 0.1 + np.abs(np.sin(np.pi * 2 * time))
    sound = buzz * loudness
    return (level * sound / np.abs(sound).max()).astype(np.int16)


def _of(voice: NDArray[np.int16]) -> dict[str, float]:
    measures = prosody.describe(prosody.analyse(voice))
    assert measures is not None
    return dict(zip(MEASURES, measures.tolist(), strict=True))


@pytest.mark.parametrize("pitch_hz", [85, 120, 210, 350])
def test_pitch_is_found_from_bass_to_child(pitch_hz: float) -> None:
    assert _of(_voice(pitch_hz))["pitch_median"] == pytest.approx(12 * np.log2(pitch_hz / 55), abs=0.15)


def test_a_pressed_voice_is_told_from_a_soft_one() -> None:
    pressed, soft = _of(_voice(150, tilt=0.6)), _of(_voice(150, tilt=2.0))
    assert pressed["alpha_ratio_mean"] < soft["alpha_ratio_mean"] - 5
    assert pressed["cepstrum_1_mean"] < soft["cepstrum_1_mean"]


def test_the_level_of_the_microphone_makes_no_difference() -> None:
    loud, quiet = _of(_voice(180, level=12_000)), _of(_voice(180, level=600))
    for name in MEASURES:
        assert quiet[name] == pytest.approx(loud[name], abs=0.3), name


def test_noise_and_silence_are_not_voices() -> None:
    noise = (np.random.default_rng(1).standard_normal(32_000) * 2000).astype(np.int16)
    for sound in (noise, np.zeros(32_000, np.int16), np.zeros(100, np.int16)):
        assert prosody.describe(prosody.analyse(sound)) is None


def test_sound_heard_in_pieces_has_the_same_pitch() -> None:
    voice = _voice(200)
    whole = prosody.analyse(voice)
    first, second = prosody.analyse(voice[:16_000]), prosody.analyse(voice[16_000 - prosody.WINDOW + prosody.HOP :])
    np.testing.assert_allclose(first.then(second).pitch_hz, whole.pitch_hz, rtol=1e-3)
