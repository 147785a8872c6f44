import numpy as np
import pytest

from streamer.features import VoiceWindow
from streamer.plan import TIME_BASE_HZ, Pts, pts_from_s


def _tone(seconds: float, amplitude: float) -> np.ndarray:
    t = np.arange(int(seconds * 16000)) / 16000
    return (amplitude * 32767 * np.sin(2 * np.pi * 200 * t)).astype(np.int16)


def test_the_voice_is_read_back_by_its_pts() -> None:
    voice = VoiceWindow()
    ramp = np.arange(16000, dtype=np.int16)
    for block in np.split(ramp, 50):
        voice.push(block)
    assert voice.end == TIME_BASE_HZ
    np.testing.assert_array_equal(voice.read(pts_from_s(0.25), pts_from_s(0.5)), ramp[4000:8000])


def test_what_has_not_arrived_or_is_forgotten_reads_as_silence() -> None:
    voice = VoiceWindow(capacity_s=1.0)
    voice.push(np.full(40000, 5, np.int16))  # 2.5 s into a ring of 1 s
    assert voice.read(Pts(0), pts_from_s(1)).max() == 0
    newest = voice.read(pts_from_s(1), pts_from_s(3))
    assert newest[:8000].max() == 0
    assert newest[8000:24000].min() == 5
    assert newest[24000:].max() == 0
    assert voice.read(Pts(-48000), Pts(0)).shape == (16000,)


def test_samples_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="int16"):
        VoiceWindow().push(np.zeros(10, np.float32))  # type: ignore[arg-type]


def test_speech_stands_out_from_the_noise_of_the_room() -> None:
    voice = VoiceWindow()
    rng = np.random.default_rng(0)
    room = rng.normal(0, 40, 16000 * 3).astype(np.int16)
    voice.push(room)
    assert not voice.speaking()
    voice.push(_tone(0.5, 0.2))
    assert voice.speaking()
    assert voice.level_db() > -20
    voice.push(room)
    assert not voice.speaking()
