"""What a broadcast sends, without a broadcast: dark pictures, once a second a flash for a fifth of it, and a beep with it."""

from collections.abc import Iterator

import av
import numpy as np

from streamer.encoder import AudioEncoder, Encoded, VideoEncoder
from streamer.plan import TIME_BASE_HZ, ticks_per_frame

WIDTH, HEIGHT, FPS = 160, 128, 25


def turns(count: int, first: int = 0, intra_every: int = 25) -> Iterator[Encoded]:
    """`count` turns from the `first` on, each as the encoder gives it. The first holds an intra frame."""
    video, aac, opus, frame = VideoEncoder(WIDTH, HEIGHT, FPS), AudioEncoder("aac"), AudioEncoder(), ticks_per_frame(FPS)
    for i in range(first, first + count):
        is_lit = i % FPS < FPS // 5
        picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        picture[:HEIGHT] = 210 if is_lit else 40
        times = (i * frame + np.arange(frame)) / TIME_BASE_HZ
        sound = (is_lit * 9000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
        tick = i * frame
        yield Encoded(
            video.encode(picture, tick, (i - first) % intra_every == 0),
            list(opus.encode(sound, tick)),
            list(aac.encode(sound, tick)),
        )


class Played:
    """A file or an address, decoded to its end (or to `most` pictures)."""

    def __init__(self, source: str, most: int = 10_000) -> None:
        self.at_s: list[float] = []  # of pictures
        self.lit_s: list[float] = []  # when they become light
        self.loud_s: list[float] = []  # when sound sets in
        was_lit, was_loud, self.sound_s = True, True, 0.0
        with av.open(source, timeout=20) as container:
            for frame in container.decode(container.streams.video[0], container.streams.audio[0]):
                at_s = float(frame.time or 0)
                if isinstance(frame, av.VideoFrame):
                    is_lit = bool(frame.to_ndarray(format="gray").mean() > 120)
                    self.at_s.append(at_s)
                    if is_lit and not was_lit:
                        self.lit_s.append(at_s)
                    was_lit = is_lit
                    if len(self.at_s) >= most:
                        break
                else:
                    assert isinstance(frame, av.AudioFrame)
                    blocks = np.abs(frame.to_ndarray()[0]).reshape(-1, 64).max(axis=1)
                    for i, peak in enumerate(blocks):
                        if peak > 0.1 and not was_loud:
                            self.loud_s.append(at_s + i * 64 / TIME_BASE_HZ)
                        # in between it stays what it was: a beep may set in through it
                        was_loud = bool(peak > 0.1 or (was_loud and blocks[max(0, i - 4) : i + 1].max() > 0.05))
                    self.sound_s = at_s + frame.samples / TIME_BASE_HZ

    def skews_s(self) -> list[float]:
        """How much later than its flash each beep is heard."""
        return [min((loud - lit for loud in self.loud_s), key=abs) for lit in self.lit_s]
