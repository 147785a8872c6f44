"""What a viewer got, as a file."""

from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from clients.python.recorder import Recorder

FPS = 25


def picture(brightness: int) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((96, 64), brightness, np.uint8), format="yuv420p")


def sound(loud: bool) -> av.AudioFrame:
    samples = np.full((1, 1920), 9000 if loud else 0, np.int16)
    samples[0, ::2] *= -1
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
    frame.sample_rate = 48_000
    return frame


def test_picture_and_sound_of_one_moment_meet_in_the_file(tmp_path: Path) -> None:
    """The flash and the noise happen at media time 1001 s, 1 s into the file; the sound comes late and in part before it."""
    path = tmp_path / "got.mp4"
    recorder = Recorder(path)
    for i in range(2 * FPS):
        recorder.add(picture(220 if i >= FPS else 30), 1000 + i / FPS)
        for k in range(2):
            t = i / FPS + k * 0.02 - 0.1
            recorder.add(sound(loud=t >= 0.999), 1000 + t)
    recorder.close()

    with av.open(str(path)) as file:
        pictures = list(file.decode(video=0))
    assert {(each.colorspace, each.color_range) for each in pictures} == {(Colorspace.ITU601, ColorRange.MPEG)}
    frames = [(float(f.time or 0), float(f.to_ndarray(format="gray").mean())) for f in pictures]
    flash = next(t for t, mean in frames if mean > 120)
    with av.open(str(path)) as file:
        parts = [(float(f.time or 0), np.abs(f.to_ndarray()).max(0)) for f in file.decode(audio=0)]
    noise = next(t + np.argmax(level > 0.05) / 48_000 for t, level in parts if (level > 0.05).any())
    assert len(frames) == 2 * FPS
    assert flash == 1.0
    assert abs(noise - flash) < 0.03


def test_a_gap_in_the_sound_stays_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "got.mp4"
    recorder = Recorder(path)
    for i in range(2 * FPS):
        recorder.add(picture(60), i / FPS)
        if not 0.5 <= i / FPS < 1.0:
            recorder.add(sound(loud=True), i / FPS)
            recorder.add(sound(loud=True), i / FPS + 0.02)
    recorder.close()
    with av.open(str(path)) as file:
        level = np.concatenate([np.abs(f.to_ndarray()).max(0) for f in file.decode(audio=0)])
    quiet = level[int(0.6 * 48_000) : int(0.9 * 48_000)]
    assert quiet.max() < 0.01 < level[int(1.2 * 48_000) : int(1.5 * 48_000)].max()
