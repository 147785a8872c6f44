"""What was drawn last, so that after an interrupt the chain can go on from a frame that viewers know."""

from __future__ import annotations

from collections import deque

from engines.lips import inner_lip_aperture
from engines.motion import ANCHOR_MASK, Motion
from streamer.plan import Keyframe, Pts, ticks_per_frame

_CLIPS = 24  # more than playout keeps


class Trail:
    """The motion of the newest sub-clips. Bounded: the oldest are forgotten."""

    def __init__(self, fps: int) -> None:
        self._frame = ticks_per_frame(fps)
        self._clips: deque[tuple[Pts, Motion]] = deque(maxlen=_CLIPS)

    def add(self, start: Pts, motion: Motion) -> None:
        """A clip's motion [n, 64] from `start` on."""
        self._clips.append((start, motion))
        if len(self._clips) > 1 and self._clips[-2][0] > start:  # made apart, they may come in any order
            self._clips = deque(sorted(self._clips, key=lambda clip: clip[0]), maxlen=_CLIPS)

    def put(self, start: Pts, motion: Motion) -> None:
        """Another motion [n, 64] for the clip that begins at `start`, if it is known still."""
        for i, (known, _) in enumerate(self._clips):
            if known == start:
                self._clips[i] = start, motion

    def calmest(self, since: Pts, until: Pts) -> Pts:
        """The frame from `since` to `until` with the lips nearest to shut; `until` where nothing is known of them."""
        known = [
            (float(aperture), pts)
            for start, motion in self._clips
            for i, aperture in enumerate(inner_lip_aperture(motion))
            if since <= (pts := Pts(start + i * self._frame)) <= until
        ]
        return min(known)[1] if known else until

    def cut(self, until: Pts) -> tuple[Keyframe, Motion] | None:
        """Forget what was drawn after `until`; the newest frame kept, as an anchor, and its clip up to it, if there is any."""
        while self._clips and self._clips[-1][0] > until:
            self._clips.pop()
        if not self._clips:
            return None
        start, motion = self._clips[-1]
        kept = motion[: (until - start) // self._frame + 1]
        self._clips[-1] = start, kept
        return Keyframe(Pts(start + (len(kept) - 1) * self._frame), kept[-1], ANCHOR_MASK), kept
