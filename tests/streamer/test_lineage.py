"""What is written of a broadcast is enough to draw it again."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from engines.motion import ANCHOR_MASK, Motion
from streamer import lineage, subclips
from streamer.director import opening, overlay
from streamer.features import VoiceWindow
from streamer.lineage import LineageError, LineageWriter
from streamer.metrics import Flight
from streamer.plan import Keyframe, Pts, SubClip, SubClipJob, pts_from_s

FRAME = 1920
RNG = np.random.default_rng(1)


def _noise(*shape: int) -> Motion:
    return RNG.normal(size=shape).astype(np.float32)


def _jobs(num: int, interrupted_at: int = -1) -> list[SubClipJob]:
    """As a broadcast cuts them, of a voice of noise; an interrupt silences what was said last."""
    voice, jobs = VoiceWindow(), []
    story = overlay(opening(), Pts(0), pts_from_s(2), emotion="joy", action="nod")
    for i in range(num):
        voice.push(RNG.integers(-9000, 9000, 6 * 640, np.int16))
        if i == interrupted_at:
            voice.silence(Pts(voice.end - pts_from_s(0.4)))
        first, last = (Keyframe(Pts(k * 6 * FRAME - FRAME), _noise(64), ANCHOR_MASK, _noise(6, 4)) for k in (i, i + 1))
        jobs.append(subclips.cut(i, 0, story, first, last, voice, 25, i, _noise(4, 64), _noise(3, 64), approach=3))
    return jobs


def _write(path: Path, jobs: list[SubClipJob], join: SubClipJob | None = None, max_bytes: int = lineage.MAX_BYTES) -> None:
    writer = LineageWriter(path, max_bytes)
    for job in jobs:
        clip = SubClip(job, _noise(job.num_frames, 64), "w", 1.0, 2.0, "anna", join if job is jobs[-1] else None)
        writer.put(clip, Flight(job, 1.0, 1.3, 1.3, 1.4, 1.5, 1.6, 1.7))
    writer.close()
    writer._thread.join(5)


def _assert_same(job: SubClipJob, wanted: SubClipJob) -> None:
    for field in fields(job):
        one, other = getattr(job, field.name), getattr(wanted, field.name)
        if isinstance(other, Keyframe):
            for part in fields(other):
                np.testing.assert_array_equal(getattr(one, part.name), getattr(other, part.name))
        elif field.name in ("beats", "gestures"):
            assert [beat.text for beat in one] == [beat.text for beat in other]
        else:
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("interrupted_at", [-1, 7])
def test_every_job_can_be_read_back_exactly(tmp_path: Path, interrupted_at: int) -> None:
    jobs = _jobs(20, interrupted_at)
    jobs.insert(9, jobs[5])  # finished late
    _write(tmp_path / "show.jsonl", jobs, join=jobs[-2])
    read = list(lineage.read(tmp_path / "show.jsonl"))
    assert len(read) == 21
    for (_, job, _), wanted in zip(read, jobs, strict=True):
        _assert_same(job, wanted)
    assert read[-1][2] is not None
    _assert_same(read[-1][2], jobs[-2])


def test_the_voice_is_written_once_though_every_job_holds_more_than_a_second_of_it(tmp_path: Path) -> None:
    _write(tmp_path / "show.jsonl", _jobs(60))
    spoken_s = 60 * 0.24
    assert (tmp_path / "show.jsonl").stat().st_size < spoken_s * 32_000 * 4 / 3 + 60 * 9000


def test_no_more_than_two_files_of_a_broadcast_are_kept_and_each_stands_alone(tmp_path: Path) -> None:
    jobs = _jobs(60)
    _write(tmp_path / "show.jsonl", jobs, max_bytes=300_000)
    assert {path.name for path in tmp_path.iterdir()} == {"show.jsonl", "show.1.jsonl"}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2 * 400_000
    for path in tmp_path.iterdir():
        for _, job, _ in lineage.read(path):
            _assert_same(job, jobs[job.job_id])


def test_what_is_no_lineage_is_refused_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"job": 1}\n')
    with pytest.raises(LineageError, match="line 1: not the lineage"):
        list(lineage.read(tmp_path / "x.jsonl"))


def test_a_file_from_before_a_number_of_the_job_was_written_is_read_with_its_default(tmp_path: Path) -> None:
    (job,) = _jobs(1)
    _write(tmp_path / "new.jsonl", [job])
    entry = json.loads((tmp_path / "new.jsonl").read_text())
    del entry["given"]["draw_every"]
    (tmp_path / "old.jsonl").write_text(json.dumps(entry) + "\n")
    ((_, read, _),) = lineage.read(tmp_path / "old.jsonl")
    _assert_same(read, job)
    del entry["given"]["seed"]
    (tmp_path / "broken.jsonl").write_text(json.dumps(entry) + "\n")
    with pytest.raises(LineageError, match="seed"):
        list(lineage.read(tmp_path / "broken.jsonl"))


def test_a_full_disk_ends_the_lineage_with_the_reason_and_nothing_waits_any_more(tmp_path: Path) -> None:
    (tmp_path / "show.jsonl").symlink_to("/dev/full")
    writer, (job,) = LineageWriter(tmp_path / "show.jsonl"), _jobs(1)
    clip, flight = (
        SubClip(job, _noise(job.num_frames, 64), "w", 1.0, 2.0, "anna"),
        Flight(job, 1.0, 1.3, 1.3, 1.4, 1.5, 1.6, 1.7),
    )
    writer.put(clip, flight)
    writer._thread.join(5)
    assert "No space left" in writer.error
    for _ in range(3):
        writer.put(clip, flight)
    assert writer.dropped >= 3 and writer._clips.empty()
