"""`rostrum replay`: what a broadcast did, as a picture and drawn again."""

import json
import zlib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from clients.cli.main import main
from engines.motion import Motion, rest
from streamer.lineage import LineageWriter
from streamer.metrics import Flight
from streamer.plan import Beat, Pts, SubClip, SubClipJob


class _Worker:
    """Draws what the seed says."""

    def motion(self, jobs: list[SubClipJob]) -> list[Motion]:
        return [_motion(job) for job in jobs]


def _motion(job: SubClipJob) -> Motion:
    return rest(job.num_frames) + np.float32(job.seed)


def _write(path: Path, num: int) -> None:
    writer = LineageWriter(path)
    for i in range(num):
        start, end = Pts(i * 11_520), Pts((i + 1) * 11_520)
        voice = np.full(4000, i, np.int16)
        job = SubClipJob(i, 0, 1, start, end, 25, (Beat(Pts(0)),), voice, start, i)
        times = [10 + 0.24 * i + step for step in (0.0, 0.3, 0.3, 0.35, 0.4, 0.5, 0.51)]
        writer.put(SubClip(job, _motion(job), "worker@1", 40.0, 60.0, "anna"), Flight(job, *times, late_pictures=int(i == 20)))
    writer.close()
    writer._thread.join(5)


def test_the_waterfall_shows_what_was_latest_or_any_second(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "show.jsonl", tmp_path / "out.svg"
    _write(path, 40)
    assert main(["replay", str(path), "--span", "1", "-o", str(out)]) == 0
    assert "1 late, by worker@1" in capsys.readouterr().out
    rows = [text.text for text in ElementTree.parse(out).iter("{http://www.w3.org/2000/svg}text")]
    assert any("4.80 s (1 late)" in str(row) for row in rows)
    assert main(["replay", str(path), "--at", "1", "--span", "1", "-o", str(out)]) == 0
    assert "late" not in capsys.readouterr().out
    assert main(["replay", str(path), "--at", "99"]) == 1
    assert "the file holds 0.00 to 9.60 s" in capsys.readouterr().err


def test_a_clip_drawn_again_is_compared_with_what_was_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.render_worker.RenderWorker", _Worker)
    path = tmp_path / "show.jsonl"
    _write(path, 5)
    assert main(["replay", str(path), "--clips", "1-3"]) == 0
    assert capsys.readouterr().out.count("the same motion") == 3
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[2]["motion_crc32"] = zlib.crc32(b"something else")
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(["replay", str(path), "--clips", "2"]) == 1
    assert "NOT the same motion" in capsys.readouterr().out
    assert main(["replay", str(path), "--clips", "7"]) == 1
    assert "holds no sub-clip 7" in capsys.readouterr().err
