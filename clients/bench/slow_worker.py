"""A render worker three times slower than the real one, as a weaker machine's or a larger model's would be.

It waits rather than works, so that several of them fit on a few cores. For `rostrum bench live --worker-class
clients.bench.slow_worker:SlowWorker --workers 4`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engines.motion import Motion
from streamer.plan import Blueprint, BlueprintJob, Look, SubClipJob
from streamer.render_worker import RenderWorker

TIMES = 3.0


class SlowWorker(RenderWorker):
    """By processor time, so that it is as slow on a busy machine."""

    def blueprint(self, job: BlueprintJob) -> Blueprint:
        began_s = time.thread_time()
        drawn = super().blueprint(job)
        _wait(began_s)
        return drawn

    def motion(self, jobs: list[SubClipJob]) -> list[Motion]:
        began_s = time.thread_time()
        drawn = super().motion(jobs)
        _wait(began_s)
        return drawn

    def pictures(self, look: Look, motion: Motion) -> Iterator[NDArray[np.uint8]]:
        drawing = super().pictures(look, motion)
        while True:
            began_s = time.thread_time()
            try:
                picture = next(drawing)
            except StopIteration:
                return
            _wait(began_s)
            yield picture


def _wait(since_s: float) -> None:
    time.sleep((TIMES - 1) * (time.thread_time() - since_s))
