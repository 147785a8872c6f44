import wave
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from streamer.outputs.mp4 import Mp4Writer, VideoFormat, encode_group
from streamer.plan import Pts, pts_from_s
from streamer.recording import Recording, RecordingError


def _wav(path: Path, samples: np.ndarray, rate_hz: int = 16000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.astype(np.int16).tobytes())
    return path


def _tone(seconds: float, rate_hz: int) -> np.ndarray:
    return 8000 * np.sin(2 * np.pi * 220 * np.arange(int(seconds * rate_hz)) / rate_hz)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
def test_a_recording_of_any_rate_is_heard_at_48_khz_and_drives_at_16(tmp_path: Path, rate_hz: int) -> None:
    recording = Recording.open(_wav(tmp_path / "a.wav", _tone(1.5, rate_hz), rate_hz))
    assert recording.duration == pytest.approx(pts_from_s(1.5), abs=200)
    assert len(recording.sound) == pytest.approx(72000, abs=200)
    assert 6000 < recording.voice.max() < 10000
    assert recording.read(Pts(-48000), Pts(0)).tolist() == [0] * 16000


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty"),
        (b"this is no sound at all" * 50, "not audio or video"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "not audio or video|sound"),
    ],
)
def test_a_file_that_holds_no_sound_is_refused_by_name(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=complaint) as error:
        Recording.open(path)
    assert "bad.wav" in str(error.value)


def test_silence_and_a_missing_file_are_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="silent"):
        Recording.open(_wav(tmp_path / "s.wav", np.zeros(16000)))
    with pytest.raises(RecordingError, match="no file"):
        Recording.open(tmp_path / "none.wav")


def test_groups_encoded_apart_make_one_film_with_its_sound(tmp_path: Path) -> None:
    video = VideoFormat(128, 96, 25)
    with Mp4Writer(tmp_path / "out.mp4", video) as writer:
        for group in range(3):
            pictures = [np.full((144, 128), 40 + 60 * group + i, np.uint8) for i in range(10)]
            writer.write(encode_group(pictures, video), np.zeros((19200, 2), np.int16))
    with av.open(str(tmp_path / "out.mp4")) as film:
        frames = list(film.decode(video=0))
    assert {(frame.colorspace, frame.color_range) for frame in frames} == {(Colorspace.ITU601, ColorRange.MPEG)}
    brightness = [int(frame.to_ndarray(format="yuv420p")[:96].mean()) for frame in frames]
    wanted = [40 + 60 * group + i for group in range(3) for i in range(10)]
    assert np.abs(np.subtract(brightness, wanted)).max() <= 2
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert float(film.duration or 0) / av.time_base == pytest.approx(1.2, abs=0.03)


def test_a_film_that_breaks_off_leaves_no_file_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="power cut"), Mp4Writer(tmp_path / "out.mp4", VideoFormat(64, 64, 25)):
        raise RuntimeError("power cut")
    assert list(tmp_path.iterdir()) == []
