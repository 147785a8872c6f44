"""A finished recording as the voice of a show: any audio or video file that FFmpeg reads."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from streamer.features import TICKS_PER_SAMPLE, VOICE_RATE_HZ
from streamer.plan import TIME_BASE_HZ, Pts

LONGEST_S = 4 * 3600
SILENT_PEAK = 33  # of 32768: -60 dB


class RecordingError(Exception):
    """The recording cannot be spoken. The message names the file and the way out."""


class Recording:
    """All of a recording: 16 kHz mono to drive the face, 48 kHz stereo to be heard.

    voice: int16 [n] at 16 kHz. sound: int16 [n * 3, 2] at 48 kHz.
    """

    def __init__(self, voice: NDArray[np.int16], sound: NDArray[np.int16]) -> None:
        self.voice = voice
        self.sound = sound

    @classmethod
    def open(cls, path: Path | str) -> Recording:
        """Decode the first audio stream of `path`. Raises RecordingError where there is none, or nothing to be heard in it."""
        path = Path(path)
        if not path.is_file():
            raise RecordingError(f"There is no file {path}.")
        if path.stat().st_size == 0:
            raise RecordingError(f"{path} is empty (0 bytes). Export the recording again.")
        try:
            with av.open(str(path)) as container:
                if not container.streams.audio:
                    raise RecordingError(f"{path} has no sound in it. Give a file with speech, such as WAV, MP3, M4A or MP4.")
                sound = _decode(container)
        except (av.FFmpegError, UnicodeDecodeError) as error:
            raise RecordingError(
                f"{path} is not audio or video that FFmpeg can read ({error}). Give a WAV, MP3, M4A or MP4."
            ) from error
        if len(sound) < TIME_BASE_HZ // 5:
            raise RecordingError(f"{path} holds {len(sound) / TIME_BASE_HZ:.2f} s of sound; at least 0.2 s are needed.")
        if int(np.abs(sound.astype(np.int32)).max()) < SILENT_PEAK:
            raise RecordingError(f"{path} is silent: nothing in it is louder than -60 dB. Check the microphone.")
        return cls(_resample_to_voice(sound), sound)

    @classmethod
    def of(cls, sound: NDArray[np.int16]) -> Recording:
        """48 kHz mono [n]."""
        doubled = np.broadcast_to(sound[:, None], (len(sound), 2))
        return cls(_resample_to_voice(doubled), doubled)

    @property
    def end(self) -> Pts:
        """All of it has arrived, and the silence after it too: nothing waits for more voice."""
        return Pts(2**62)

    @property
    def duration(self) -> Pts:
        """In ticks."""
        return Pts(len(self.voice) * TICKS_PER_SAMPLE)

    def read(self, start: Pts, end: Pts) -> NDArray[np.int16]:
        """16 kHz samples of [start, end); silence before and after the recording."""
        first, last = start // TICKS_PER_SAMPLE, end // TICKS_PER_SAMPLE
        out = np.zeros(max(0, last - first), np.int16)
        lo, hi = max(first, 0), min(last, len(self.voice))
        if hi > lo:
            out[lo - first : hi - first] = self.voice[lo:hi]
        return out


def _decode(container: av.container.InputContainer) -> NDArray[np.int16]:
    num_channels = min(2, container.streams.audio[0].channels)  # mono is doubled here: FFmpeg would take 3 dB from it
    resampler = av.AudioResampler(format="s16", layout=("mono", "stereo")[num_channels - 1], rate=TIME_BASE_HZ)
    blocks: list[NDArray[np.int16]] = []
    num_samples = 0
    for frame in (*container.decode(audio=0), None):
        for block in resampler.resample(frame):
            blocks.append(block.to_ndarray().astype(np.int16, copy=False).reshape(-1, num_channels))
            num_samples += len(blocks[-1])
        if num_samples > LONGEST_S * TIME_BASE_HZ:
            raise RecordingError(f"The recording is longer than {LONGEST_S // 3600} hours. Cut it into parts.")
    sound = np.concatenate(blocks) if blocks else np.zeros((0, 2), np.int16)
    return np.broadcast_to(sound, (len(sound), 2))


def _resample_to_voice(sound: NDArray[np.int16]) -> NDArray[np.int16]:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.reshape(1, -1)), format="s16", layout="stereo")
    frame.sample_rate = TIME_BASE_HZ
    resampler = av.AudioResampler(format="s16", layout="mono", rate=VOICE_RATE_HZ)
    blocks = [block.to_ndarray().reshape(-1) for step in (frame, None) for block in resampler.resample(step)]
    return np.concatenate(blocks).astype(np.int16, copy=False)
