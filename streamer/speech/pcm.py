"""Streams of 16-bit PCM, with or without a WAV header, to the media clock's 48 kHz mono."""

from __future__ import annotations

import struct

import av
import numpy as np

from streamer.media import Sound
from streamer.plan import TIME_BASE_HZ

_MAX_HEADER_BYTES = 64 * 1024


class PcmError(ValueError):
    """Bytes that are not the sound they should be."""


class Pcm48k:
    """Signed 16-bit little-endian mono at `rate_hz`, in pieces of any length, to 48 kHz."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._odd = b""
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=TIME_BASE_HZ)

    def push(self, data: bytes) -> Sound:
        """What can be given of it now; half a sample waits for its other half."""
        data = self._odd + data
        self._odd = data[len(data) & ~1 :]
        samples = np.frombuffer(data, "<i2", len(data) // 2)
        return self._resample(samples) if len(samples) else samples.astype(np.int16)

    def flush(self) -> Sound:
        """What the resampler still holds."""
        return self._joined(self._resampler.resample(None))

    def _resample(self, samples: Sound) -> Sound:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="s16", layout="mono")
        frame.sample_rate = self._rate_hz
        frame.pts = None
        return self._joined(self._resampler.resample(frame))

    @staticmethod
    def _joined(frames: list[av.AudioFrame]) -> Sound:
        pieces = [frame.to_ndarray()[0] for frame in frames]
        return np.concatenate(pieces).astype(np.int16, copy=False) if pieces else np.zeros(0, np.int16)


class SpeechStream:
    """A WAV file, or bare PCM at `rate_hz`, as it comes in: which of the two is seen from the first bytes."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._head = b""
        self._pcm: Pcm48k | None = None

    def push(self, data: bytes) -> Sound:
        """Raises PcmError for a WAV that is not 16-bit mono, and for what is no PCM."""
        if self._pcm:
            return self._pcm.push(data)
        self._head += data
        if len(self._head) < 4 and b"RIFF".startswith(self._head):
            return np.zeros(0, np.int16)
        body = self._head
        if body.startswith(b"RIFF"):
            if (found := _wav_format(body)) is None:
                if len(body) > _MAX_HEADER_BYTES:
                    raise PcmError("a WAV file without sound in it")
                return np.zeros(0, np.int16)
            self._rate_hz, at = found
            body = body[at:]
        elif body.startswith((b"ID3", b"OggS", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"{")):
            raise PcmError("neither PCM nor WAV")
        self._head = b""
        self._pcm = Pcm48k(self._rate_hz)
        return self._pcm.push(body)

    def flush(self) -> Sound:
        return self._pcm.flush() if self._pcm else np.zeros(0, np.int16)


def _wav_format(head: bytes) -> tuple[int, int] | None:
    """(rate, where the samples begin) of the beginning of a WAV file; None where more of it is needed."""
    at, rate_hz = 12, 0
    while at + 8 <= len(head):
        name, size = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        at += 8
        if name == b"data":
            if not rate_hz:
                raise PcmError("a WAV file that does not say its format")
            return rate_hz, at
        if name == b"fmt " and at + 16 <= len(head):
            kind, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", head[at : at + 16])
            if (channels, bits) != (1, 16) or kind not in (1, 0xFFFE) or not 8000 <= rate_hz <= 96_000:
                raise PcmError(f"a WAV file of {bits} bits, {channels} channels, {rate_hz} Hz; 16-bit mono is needed")
        at += size + size % 2
    return None
