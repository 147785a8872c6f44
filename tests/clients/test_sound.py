"""A file as the microphone."""

import wave
from pathlib import Path

import numpy as np
import pytest

from clients.python.sound import FRAME_SAMPLES, RATE_HZ, SoundError, SoundMicrophone, peak_db, read_sound


def write_wav(path: Path, sound: np.ndarray, rate_hz: int = RATE_HZ) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(sound.astype("<i2").tobytes())
    return path


def tone(seconds: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.int16)


def test_a_file_of_any_rate_becomes_48_khz_mono(tmp_path: Path) -> None:
    sound = read_sound(write_wav(tmp_path / "a.wav", tone(1.0, 16_000), 16_000))
    assert abs(len(sound) - RATE_HZ) < RATE_HZ // 50
    assert peak_db(sound) == pytest.approx(peak_db(tone(1.0)), abs=1)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty"), (b"this is a letter, not a voice", "not sound"), (b"RIFF\x00\x00\x00\x00WAVE", "a.wav")],
)
def test_what_is_no_sound_is_refused_by_name_with_the_way_out(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(SoundError, match=says) as caught:
        read_sound(path)
    assert "a.wav" in str(caught.value)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SoundError, match="There is no file"):
        read_sound(tmp_path / "none.wav")


def test_digital_silence_has_no_peak() -> None:
    assert peak_db(np.zeros(480, np.int16)) == float("-inf")


async def test_the_microphone_speaks_the_file_in_order_then_is_silent() -> None:
    sound = tone(0.05)
    microphone = SoundMicrophone(sound)
    frames = [await microphone.recv() for _ in range(4)]
    spoken = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    np.testing.assert_array_equal(spoken[: len(sound)], sound)
    assert not spoken[len(sound) :].any()
    assert [frame.pts for frame in frames] == [i * FRAME_SAMPLES for i in range(4)]
    assert microphone.ended.is_set()


async def test_a_looped_microphone_begins_again_without_a_gap() -> None:
    sound = tone(0.03)
    microphone = SoundMicrophone(sound, loop=True)
    spoken = np.concatenate([(await microphone.recv()).to_ndarray()[0] for _ in range(3)])
    np.testing.assert_array_equal(spoken, np.concatenate([sound, sound])[: len(spoken)])
