"""What a viewer got, as an MP4: pictures and sound at the sender's own times, encoded in a thread."""

from __future__ import annotations

import queue
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from streamer import colours

_WAITING = 500  # frames: about ten seconds; more are dropped and counted
_VIDEO_TIME_BASE = Fraction(1, 90_000)
AUDIO_RATE_HZ = 48_000
_LONGEST_GAP = 60 * AUDIO_RATE_HZ


class Recorder:
    """`add` frames with their media time in seconds, then `close`. Gaps in the sound are filled with silence.

    Time 0 of the file is the first picture. `num_dropped` counts frames that came faster than they could be encoded.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.Queue[tuple[av.VideoFrame | av.AudioFrame, float] | None] = queue.Queue(_WAITING)
        self._container = av.open(str(path), "w", format="mp4")
        self._picture: av.VideoStream | None = None
        self._sound = self._container.add_stream("aac", rate=AUDIO_RATE_HZ, layout="stereo")
        self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=AUDIO_RATE_HZ)
        self._start_s: float | None = None
        self._early: list[tuple[av.AudioFrame, float]] = []
        self._next_sample = 0
        self._last_pts = -1
        self._error: Exception | None = None
        self.num_dropped = 0
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def add(self, frame: av.VideoFrame | av.AudioFrame, media_s: float) -> None:
        """Take a frame, without waiting."""
        try:
            self._queue.put_nowait((frame, media_s))
        except queue.Full:
            self.num_dropped += 1

    def close(self) -> None:
        """Write what waits and finish the file. Raises what went wrong on the way, such as a full disk."""
        self._queue.put(None)
        self._thread.join()
        if self._error:
            raise self._error

    def _run(self) -> None:
        while (entry := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._write(*entry)
                except (av.FFmpegError, OSError) as error:
                    self._error = error
        try:
            for stream in (self._picture, self._sound):
                if stream is not None and stream.codec_context.is_open:
                    self._container.mux(stream.encode(None))
            self._container.close()
        except (av.FFmpegError, OSError) as error:
            self._error = self._error or error

    def _write(self, frame: av.VideoFrame | av.AudioFrame, media_s: float) -> None:
        if isinstance(frame, av.VideoFrame):
            if self._start_s is None:
                self._begin(frame, media_s)
            self._write_picture(frame, media_s)
        elif self._start_s is None:
            self._early = [*self._early[-50:], (frame, media_s)]
        else:
            self._write_sound(frame, media_s)

    def _begin(self, frame: av.VideoFrame, media_s: float) -> None:
        self._start_s = media_s
        self._picture = self._container.add_stream("libx264", rate=50)
        context = self._picture.codec_context
        context.width, context.height, context.pix_fmt = frame.width, frame.height, "yuv420p"
        context.time_base = _VIDEO_TIME_BASE
        colours.tag(context)
        context.options = {"preset": "ultrafast", "crf": "16", "threads": "1"}
        early, self._early = self._early, []
        for sound, sound_s in early:
            self._write_sound(sound, sound_s)

    def _write_picture(self, frame: av.VideoFrame, media_s: float) -> None:
        assert self._picture is not None and self._start_s is not None
        pts = max(self._last_pts + 1, round((media_s - self._start_s) * 90_000))
        self._last_pts = pts
        copy = frame.reformat(format="yuv420p")
        copy.pts, copy.time_base, copy.pict_type = pts, _VIDEO_TIME_BASE, av.video.frame.PictureType.NONE
        self._container.mux(self._picture.encode(copy))

    def _write_sound(self, frame: av.AudioFrame, media_s: float) -> None:
        assert self._start_s is not None
        frame.pts = None
        for part in self._resampler.resample(frame):
            samples: NDArray[np.float32] = part.to_ndarray().astype(np.float32, copy=False)
            gap = round((media_s - self._start_s) * AUDIO_RATE_HZ) - self._next_sample
            if gap < -samples.shape[1] // 2:
                continue  # of the time before the first picture, or twice
            if AUDIO_RATE_HZ // 100 < gap < _LONGEST_GAP:
                samples = np.concatenate([np.zeros((2, gap), np.float32), samples], axis=1)
            out = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
            out.sample_rate, out.pts, out.time_base = AUDIO_RATE_HZ, self._next_sample, Fraction(1, AUDIO_RATE_HZ)
            self._next_sample += samples.shape[1]
            self._container.mux(self._sound.encode(out))
