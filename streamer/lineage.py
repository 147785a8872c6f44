"""Lineage: one JSON line a sub-clip, from its voice to the network, with all that is needed to draw it again.

A file begins anew when it has `MAX_BYTES`; the one before is kept as `<name>.1.jsonl`, older ones are not: an hour or so in
all. Each file stands alone. Written by a thread of its own.

A job's arrays are base64 of zlib of little-endian bytes. Of the voice a line holds only what no line before it did: samples at
16 kHz from `from` on, which replace whatever was known from there on (an interrupt takes back what was said).
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import queue
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.motion import CAMERA_CHANNELS, NUM_CHANNELS
from streamer.metrics import Flight
from streamer.plan import TIME_BASE_HZ, Beat, Keyframe, Pts, SubClip, SubClipJob, s_from_pts

log = logging.getLogger(__name__)

MAX_BYTES = 96 * 2**20
VOICE_RATE_HZ = 16_000
_TICKS = TIME_BASE_HZ // VOICE_RATE_HZ
_KNOWN = 4 * VOICE_RATE_HZ  # of the voice written last; more than any job's window
_BACKLOG = 1000
_ARRAYS = {"history": NUM_CHANNELS, "overlap": NUM_CHANNELS, "future": NUM_CHANNELS, "camera": len(CAMERA_CHANNELS)}
_NUMBERS = (
    "job_id",
    "epoch",
    "storyline_version",
    "start",
    "end",
    "fps",
    "audio_start",
    "seed",
    "approach",
    "num_steps",
    "draw_every",
)
_BEATS = ("beats", "gestures")
_BEAT = ("start", "end", "emotion", "intensity", "action", "camera", "camera_speed")


class LineageError(ValueError):
    """A file that is no lineage, or does not hold what is asked for; the message says what."""


def line(clip: SubClip, flight: Flight) -> dict[str, Any]:
    """What is told of one sub-clip. Times: `*_s` on the media clock, `*_ms` durations, `clock_s` on the server's clock."""
    job = clip.job
    clock = ("heard", "due", "cut", "moved", "drawn", "aired", "sent")
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
        "avatar": clip.avatar,
        "seed": job.seed,
        "frames": job.num_frames,
        "drawn": flight.drawn,
        "late_pictures": flight.late_pictures,
        "steps": job.num_steps,
        "worker": clip.worker,
        "motion_ms": round(clip.motion_ms, 1),
        "decode_ms": round(clip.decode_ms, 1),
        **{f"{part}_ms": ms for part, ms in flight.parts_ms().items()},
        "clock_s": {name: round(getattr(flight, f"{name}_s"), 4) for name in clock},
        "notes": list(clip.notes),
        "motion_crc32": zlib.crc32(np.ascontiguousarray(clip.motion).tobytes()),
    }


class VoiceRecord:
    """The voice that has been written, its newest seconds."""

    def __init__(self) -> None:
        self._start = 0
        self._samples = np.zeros(0, np.int16)

    def new_part(self, start: int, samples: NDArray[np.int16]) -> tuple[int, NDArray[np.int16]]:
        """Of a window from sample `start` on, what is not known or was otherwise, and where that begins."""
        at = start - self._start
        if not 0 <= at <= len(self._samples):
            self._start, at, self._samples = start, 0, np.zeros(0, np.int16)
        known = self._samples[at : at + len(samples)]
        differing = np.flatnonzero(known != samples[: len(known)])
        same = int(differing[0]) if len(differing) else len(known)
        if same < len(samples):
            whole = np.concatenate([self._samples[: at + same], samples[same:]])
            self._start += max(0, len(whole) - _KNOWN)
            self._samples = whole[-_KNOWN:]
        return start + same, samples[same:]


def packed(job: SubClipJob, record: VoiceRecord) -> dict[str, Any]:
    """A job as JSON, its voice as far as `record` does not know it."""
    start, new = record.new_part(job.audio_start // _TICKS, job.audio)
    return {
        **{name: getattr(job, name) for name in _NUMBERS},
        **{part: [{name: getattr(beat, name) for name in _BEAT} for beat in getattr(job, part)] for part in _BEATS},
        "anchors": [None if anchor is None else _packed_anchor(anchor) for anchor in (job.first, job.last)],
        **{name: _pack(getattr(job, name)) for name in _ARRAYS},
        "voice": {"length": len(job.audio), "from": start, "new": _pack(new)},
    }


def unpacked(values: dict[str, Any], voice: dict[int, NDArray[np.int16]]) -> SubClipJob:
    """The job again. `voice`: all of it so far, by the sample at which each piece begins; the job's own is added."""
    heard = values["voice"]
    first, length = values["audio_start"] // _TICKS, heard["length"]
    new = _unpack(heard["new"], np.int16)
    if len(new):  # it takes the place of all that was known from there on
        for at in [at for at in voice if at >= heard["from"]]:
            del voice[at]
        for at, piece in list(voice.items()):
            voice[at] = piece[: heard["from"] - at]
        voice[heard["from"]] = new
    for at in [at for at, piece in voice.items() if at + len(piece) < first - _KNOWN]:
        del voice[at]
    audio = np.zeros(length, np.int16)
    known = 0
    for at, piece in voice.items():
        low, high = max(at, first), min(at + len(piece), first + length)
        if high > low:
            audio[low - first : high - first] = piece[low - at : high - at]
            known += high - low
    if known < length:
        raise LineageError(f"the voice of job {values['job_id']} is not in this file")
    anchors = [None if anchor is None else _unpacked_anchor(anchor) for anchor in values["anchors"]]
    arrays: dict[str, Any] = {name: _unpack(values[name], np.float32).reshape(-1, width) for name, width in _ARRAYS.items()}
    beats: dict[str, Any] = {part: tuple(Beat(**beat) for beat in values[part]) for part in _BEATS}
    return SubClipJob(
        **{name: values[name] for name in _NUMBERS if name in values},  # written before there was such a number: its default
        audio=audio,
        first=anchors[0],
        last=anchors[1],
        **beats,
        **arrays,
    )


class LineageWriter:
    """Appends lines to a file. Bounded: when the disk is slower than the broadcast, lines are dropped and counted."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._max_bytes = max_bytes
        self.error = ""  # why nothing is written any more
        self._clips: queue.Queue[tuple[dict[str, Any], SubClip] | None] = queue.Queue(_BACKLOG)
        self._thread = threading.Thread(target=self._write, name="lineage", daemon=True)
        self._thread.start()
        self.dropped = 0

    def put(self, clip: SubClip, flight: Flight) -> None:
        if self.error:
            self.dropped += 1
            return
        try:
            self._clips.put_nowait((line(clip, flight), clip))
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """What waits is written first."""
        with contextlib.suppress(queue.Full):
            self._clips.put_nowait(None)

    def _write(self) -> None:
        try:
            while self._write_file():
                self._path.replace(self._path.with_suffix(".1.jsonl"))
        except OSError as error:
            log.error("lineage of this broadcast ends here: %s: %s", self._path, error)
            self.error = str(error)
            while not self._clips.empty():  # nobody will come for them
                self._clips.get_nowait()
                self.dropped += 1

    def _write_file(self) -> bool:
        """Until it is full; False at the end of all."""
        record = VoiceRecord()
        with self._path.open("a", encoding="utf-8", buffering=1) as file:
            while file.tell() < self._max_bytes:
                if (item := self._clips.get()) is None:
                    return False
                entry, clip = item
                entry["join"] = packed(clip.join, record) if clip.join else None
                entry["given"] = packed(clip.job, record)
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        return True


def read(path: Path) -> Iterator[tuple[dict[str, Any], SubClipJob, SubClipJob | None]]:
    """Each line of a live broadcast's lineage: what is told, the job, and the repair of the join before it.

    Raises LineageError.
    """
    voice: dict[int, NDArray[np.int16]] = {}
    with path.open(encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            try:
                entry = json.loads(text)
                join = unpacked(entry["join"], voice) if entry["join"] else None
                yield entry, unpacked(entry["given"], voice), join
            except (ValueError, KeyError, TypeError, zlib.error) as error:
                raise LineageError(f"{path}, line {number}: not the lineage of a live broadcast ({error})") from None


def _packed_anchor(anchor: Keyframe) -> dict[str, Any]:
    mask = np.packbits(anchor.mask).tobytes().hex()
    return {"pts": anchor.pts, "motion": _pack(anchor.motion), "mask": mask, "camera": _pack(anchor.camera)}


def _unpacked_anchor(values: dict[str, Any]) -> Keyframe:
    mask = np.unpackbits(np.frombuffer(bytes.fromhex(values["mask"]), np.uint8))[:NUM_CHANNELS].astype(np.bool_)
    camera = _unpack(values["camera"], np.float32).reshape(-1, len(CAMERA_CHANNELS))
    return Keyframe(Pts(values["pts"]), _unpack(values["motion"], np.float32), mask, camera)


def _pack(values: NDArray[Any]) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes(), 1)).decode()


def _unpack(text: str, dtype: type) -> NDArray[Any]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype).copy()
