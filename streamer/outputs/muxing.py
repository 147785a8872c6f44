"""The one stream in a container: the encoder's H.264 as it is, and its AAC, by FFmpeg's muxers."""

from __future__ import annotations

from fractions import Fraction
from typing import IO

import av

from streamer.encoder import AAC_SAMPLES, Encoded
from streamer.outputs.output import StreamFormat
from streamer.plan import TIME_BASE_HZ, ticks_per_frame

_TICK = Fraction(1, TIME_BASE_HZ)


class Muxer:
    """Writes turns to a file, an address or a file-like object. Its time begins with its first picture, an intra frame.

    It connects, or makes the file, as the first picture is written.
    """

    is_on = True

    def __init__(self, to: str | IO[bytes], format: str, stream: StreamFormat, options: dict[str, str] | None = None) -> None:
        self._container = av.open(to, "w", format=format, options=options or {})
        self._picture = self._container.add_mux_stream(
            "h264", rate=stream.fps, width=stream.width, height=stream.height, time_base=_TICK
        )
        self._sound = self._container.add_stream("aac", rate=TIME_BASE_HZ, layout="mono")  # never fed: it writes the header
        self._frame = ticks_per_frame(stream.fps)
        self._start: int | None = None

    def write(self, encoded: Encoded) -> None:
        """Sound from before the first picture is left out. Raises OSError."""
        for video in encoded.video:
            if self._start is None:
                self._start = video.tick
            packet = self._packet(video.data, video.tick, self._frame)
            packet.stream, packet.is_keyframe = self._picture, video.is_intra
            self._mux(packet)
        for sound in encoded.aac:
            if self._start is not None and sound.tick >= self._start:
                packet = self._packet(sound.data, sound.tick, AAC_SAMPLES)
                packet.stream, packet.is_keyframe = self._sound, True
                self._mux(packet)

    def _mux(self, packet: av.Packet) -> None:
        try:
            self._container.mux_one(packet)
        except av.FFmpegError as error:
            raise OSError(error.errno, error.strerror) from error

    def _packet(self, data: bytes, tick: int, length: int) -> av.Packet:
        assert self._start is not None
        packet = av.Packet(data)
        packet.time_base = _TICK
        packet.pts = packet.dts = tick - self._start
        packet.duration = length
        return packet

    def close(self) -> None:
        """Writes what ends the file. Raises OSError."""
        try:
            self._container.close()
        except av.FFmpegError as error:
            raise OSError(error.errno, error.strerror) from error
