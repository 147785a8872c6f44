"""A render worker that draws with a pixel video transformer: the same jobs, the same anchors, other pictures.

Motion is planned by the portrait transformer as ever: blueprints, anchors, the way of each sub-clip. What goes on air is drawn
by the video transformer between two pictures: the frame before, as it was really drawn, and the pose that the clip lands on, as
the portrait codec draws it. So a broadcast, its director and its timeline know nothing of which model draws.
"""

from __future__ import annotations

import importlib
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.motion import Motion, rest
from engines.specs import ClipModel, ClipRequest
from streamer.features import VOICE_RATE_HZ
from streamer.plan import Look, Pts, Stretch, s_from_pts, ticks_per_frame
from streamer.render_worker import RenderWorker

Picture = NDArray[np.uint8]

_REMEMBERED = 16  # ends of stretches, from which the next can go on
_SCENE = "a person talks to the camera"
_ALL_STEPS = 1000


class VideoWorker(RenderWorker):
    """model: `mini`, `wan-1.3b`, `wan-14b` or `wan`; weights: its folder; rank: of this process, which says which GPU it takes;
    warm_frames: of the sub-clips that are to come, for the first of a length is slow.

    Raises CheckpointError (a ValueError) as `engines.video.load_video_model` does.
    """

    def __init__(self, *, model: str, weights: Path, rank: int = 0, threads: int = 1, warm_frames: int = 8) -> None:
        super().__init__(threads=threads)
        # By name: nothing that serves imports torch, and worker processes alone get here.
        importlib.import_module("torch").set_num_threads(threads)  # or those of all workers would wait for each other
        engine = importlib.import_module("engines.video")
        self._warm_frames = warm_frames
        self._video: ClipModel = engine.load_video_model(model, weights, rank)
        #: The RGB pictures that a clip may go on from, by PTS and pose of the last.
        self._drawn: OrderedDict[tuple[Look, int, bytes], tuple[Picture, ...]] = OrderedDict()
        self._one_at_a_time = threading.Lock()  # a look may be opened beside the work

    def open(self, look: Look, shelf: Path | None = None) -> Picture:
        """As `RenderWorker.open`. The first clip of a size is slow, so that one is drawn here."""
        still = super().open(look, shelf)
        silence, n = np.zeros(4 * VOICE_RATE_HZ, np.int16), self._warm_frames
        warm = Stretch(
            motion=rest(n), num_frames=n, before=rest(), beats=(), audio=silence, audio_start=Pts(0),
            start=Pts(48_000), fps=25, seed=0, num_steps=_ALL_STEPS, chained=False,
        )  # fmt: skip
        for _ in self.film(look, warm, range(n)):
            pass
        return still

    def film(self, look: Look, stretch: Stretch, frames: Sequence[int]) -> Iterator[Picture]:
        """The pictures of a stretch at `frames`. Stretches that are not chained meet at the poses between them."""
        frame, n = ticks_per_frame(stretch.fps), stretch.num_frames
        # The model draws by so many; it lands on the pose that far ahead, and what lies past the stretch is not shown.
        num_drawn = -(-n // self._video.frames_a_latent) * self._video.frames_a_latent
        landing = stretch.motion[min(num_drawn, len(stretch.motion)) - 1]
        zero = stretch.start - frame
        before = self._drawn.get((look, zero, stretch.before.tobytes()), ()) if stretch.chained else ()
        before = before or (self._rgb(self._posed(look, stretch.before)),)
        several = self._video.num_before > 1 and len(before) == self._video.num_before
        request = ClipRequest(
            first=before[-1],
            last=self._rgb(self._posed(look, landing)),
            num_frames=1 + num_drawn,
            text="; ".join(dict.fromkeys([_SCENE, *(beat.text for beat in stretch.beats)])),
            voice=stretch.audio.astype(np.float32) / np.float32(32768),
            lead_frames=round(s_from_pts(zero - stretch.audio_start) * stretch.fps),
            fps=stretch.fps,
            seed=stretch.seed,
            num_steps=stretch.num_steps,
            before=np.stack(before) if several else None,
            reference=self._rgb(self._posed(look, rest())) if several else None,
        )
        wanted = set(frames)
        with self._one_at_a_time:
            pictures = self._video.clip(request)
            next(pictures)  # the one it began from
            for i in range(n):
                picture = next(pictures)
                before = (*before, picture)[-self._video.num_before :]
                if i == n - 1 and stretch.chained:
                    self._remember((look, stretch.start + i * frame, stretch.motion[i].tobytes()), before)
                if i in wanted:
                    yield _i420(picture, look)

    def _posed(self, look: Look, pose: Motion) -> Picture:
        return next(self.pictures(look, pose[None]))

    def _rgb(self, i420: Picture) -> Picture:
        """As the transformer takes it: RGB of its own area, sides to the nearest multiple of what a token covers."""
        rgb = cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420)
        unit, area = self._video.pixels_a_token, self._video.area
        scale = math.sqrt(area / (rgb.shape[0] * rgb.shape[1])) if area else 1.0
        height, width = (max(unit, round(side * scale / unit) * unit) for side in rgb.shape[:2])
        if rgb.shape[:2] != (height, width):
            rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
        return rgb

    def _remember(self, where: tuple[Look, int, bytes], pictures: tuple[Picture, ...]) -> None:
        """As the model drew them: what passed through the size and colours of the broadcast would lose a little each time."""
        self._drawn[where] = pictures
        if len(self._drawn) > _REMEMBERED:
            self._drawn.popitem(last=False)


def _i420(rgb: Picture, look: Look) -> Picture:
    if rgb.shape[1::-1] != (look.width, look.height):
        rgb = cv2.resize(rgb, (look.width, look.height), interpolation=cv2.INTER_CUBIC)
    return cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2YUV_I420)
