"""Lineage: one JSON line a sub-clip, from its voice to the network, written by a thread of its own."""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import threading
from pathlib import Path
from typing import Any

from streamer.metrics import Flight
from streamer.plan import SubClip, s_from_pts

log = logging.getLogger(__name__)

_BACKLOG = 1000


def line(clip: SubClip, flight: Flight) -> dict[str, Any]:
    """What is written of one sub-clip. Times: `*_s` on the media clock, `*_ms` durations."""
    job = clip.job
    return {
        "job": job.job_id,
        "epoch": job.epoch,
        "storyline": job.storyline_version,
        "start_s": round(s_from_pts(job.start), 4),
        "end_s": round(s_from_pts(job.end), 4),
        "voice_s": [round(s_from_pts(job.audio_start), 4), round(s_from_pts(job.audio_start) + len(job.audio) / 16_000, 4)],
        "beats": [beat.text for beat in job.beats],
        "anchors_s": [None if anchor is None else round(s_from_pts(anchor.pts), 4) for anchor in (job.first, job.last)],
        "chained": bool(len(job.history)),
        "seed": job.seed,
        "frames": job.num_frames,
        "drawn": flight.drawn,
        "late_pictures": flight.late_pictures,
        "steps": job.num_steps,
        "worker": clip.worker,
        "motion_ms": round(clip.motion_ms, 1),
        "decode_ms": round(clip.decode_ms, 1),
        **{f"{part}_ms": ms for part, ms in flight.parts_ms().items()},
        "notes": list(clip.notes),
    }


class LineageWriter:
    """Appends lines to a file. Bounded: when the disk is slower than the broadcast, lines are dropped and counted."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue(_BACKLOG)
        self._thread = threading.Thread(target=self._write, args=(path,), name="lineage", daemon=True)
        self._thread.start()
        self.dropped = 0

    def put(self, entry: dict[str, Any]) -> None:
        try:
            self._lines.put_nowait(entry)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """What waits is written first."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)

    def _write(self, path: Path) -> None:
        try:
            with path.open("a", encoding="utf-8", buffering=1) as file:
                while (entry := self._lines.get()) is not None:
                    file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        except OSError as error:
            log.error("lineage of this broadcast ends here: %s: %s", path, error)
