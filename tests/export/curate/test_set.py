"""A folder of videos to a set: the manifest, its choices, the report and the review page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from clients.cli.main import main
from export.curate import manifest, report
from export.curate.calibrate import drawn_line
from export.curate.cut import pieces
from export.curate.filters import BY_NAME, thresholds
from export.curate.manifest import ManifestError, Row
from export.curate.rehearsal import CleanClip
from export.curate.review import review_app
from export.curate.roc import best_threshold, roc_auc
from export.curate.video import frames_between, sound_of, write_clip


def _row(clip: str, **more: object) -> Row:
    row: Row = dict.fromkeys(manifest.COLUMNS)
    row |= {
        "clip": clip, "source": clip, "status": "scored", "reason": "", "rejected_by": [], "start_s": 0.0, "end_s": 2.0,
        "file": f"clips/{clip}.mp4", "stills": "", "caption": "a close-up", "width": 64, "height": 64, "lip_clarity": 0.9,
    }  # fmt: skip
    return row | more


@pytest.fixture
def small_set(tmp_path: Path) -> Path:
    manifest.write(tmp_path, [_row("a"), _row("b", rejected_by=["sync"]), _row("c", status="failed", reason="<broken>")])
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").write_bytes(b"film")
    return tmp_path


def test_a_folder_is_cut_scored_and_resumed_and_a_bad_file_is_named(
    clip: CleanClip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos, out = tmp_path / "videos", tmp_path / "set"
    (videos / "talks").mkdir(parents=True)
    other = np.random.default_rng(0).integers(0, 255, (40, 1, 1, 3), dtype=np.uint8)
    rest = np.broadcast_to(other[:1], (54, 320, 320, 3))  # another shot, of nobody
    write_clip(videos / "talks" / "one.mp4", iter([*clip.frames[:60], *rest]), 25, clip.audio)
    (videos / "broken.mp4").write_bytes(b"not a film")

    assert main(["curate", str(videos), "-o", str(out), "--json"]) == 0
    said = capsys.readouterr()
    assert "broken.mp4" in said.err and "not a video that FFmpeg can read" in said.err
    assert json.loads(said.out)["failed"] == 1
    rows = {row["clip"]: row for row in manifest.read(out)}
    assert list(rows) == ["broken.mp4", "talks/one.mp4#0000", "talks/one.mp4#0001"]
    talking, nobody = rows["talks/one.mp4#0000"], rows["talks/one.mp4#0001"]
    assert talking["end_s"] == pytest.approx(60 / 25, abs=0.15)
    assert talking["sync"] > 0.1 and talking["face_share"] == 1.0 and "face" in talking["caption"]
    assert {"lip_clarity", "sync", "face_share"} <= set(nobody["rejected_by"]) and not nobody["kept"]
    cut_out = list(frames_between(out / talking["file"], 0, 10))
    assert abs(len(cut_out) - 58) <= 2
    assert np.abs(cut_out[20].astype(int) - clip.frames[20]).mean() < 6
    assert (out / talking["stills"]).is_file() and "talks/one.mp4#0000" in (out / report.FILE).read_text()

    scored = {path: path.stat().st_mtime_ns for path in (out / "rows").iterdir()}
    manifest.choose(out, "talks/one.mp4#0001", "accept")
    assert main(["curate", str(videos), "-o", str(out), "--limit", "face_px=4000"]) == 0
    assert {path: path.stat().st_mtime_ns for path in (out / "rows").iterdir()} == scored  # judged anew, not scored anew
    rows = {row["clip"]: row for row in manifest.read(out)}
    assert "face_px" in rows["talks/one.mp4#0000"]["rejected_by"] and not rows["talks/one.mp4#0000"]["kept"]
    assert rows["talks/one.mp4#0001"]["choice"] == "accept" and rows["talks/one.mp4#0001"]["kept"]


def test_shots_become_clips_of_the_lengths_asked_for() -> None:
    assert pieces([(0, 5)]) == [(0, 5)]
    assert pieces([(0, 1), (1, 30)], 2, 10) == [pytest.approx((1.08 + i * 9.64, 1.08 + (i + 1) * 9.64)) for i in range(3)]
    assert pieces([(0, 4), (4, 8)], 2, 10) == [(0, pytest.approx(3.92)), (pytest.approx(4.08), 8)]


def test_sound_and_frames_keep_their_places_at_any_rate(tmp_path: Path) -> None:
    frames = [np.full((32, 48, 3), 2 * i, np.uint8) for i in range(90)]  # 3 s at 30 a second
    beep = np.zeros(48_000, np.int16)
    beep[16_000:17_600] = 20_000
    write_clip(tmp_path / "x.mp4", iter(frames), 30, beep)
    read = list(frames_between(tmp_path / "x.mp4", 1.0, 2.0))
    assert len(read) == 25
    assert [int(frame.mean()) for frame in read] == pytest.approx([2 * (30 + i * 1.2) for i in range(25)], abs=3)
    heard = np.flatnonzero(np.abs(sound_of(tmp_path / "x.mp4").astype(int)) > 5000)
    assert heard[0] == pytest.approx(16_000, abs=200)


def test_a_clip_is_kept_when_it_passes_or_is_accepted(small_set: Path) -> None:
    def kept() -> dict[str, bool]:
        return {row["clip"]: row["kept"] for row in manifest.read(small_set)}

    assert kept() == {"a": True, "b": False, "c": False}
    manifest.choose(small_set, "a", "reject")
    manifest.choose(small_set, "b", "accept")
    assert kept() == {"a": False, "b": True, "c": False}
    manifest.write(small_set, [_row("a"), _row("b"), _row("d")])  # a new run
    assert kept() == {"a": False, "b": True, "d": True}
    with pytest.raises(ManifestError, match="no clip 'z'"):
        manifest.choose(small_set, "z", "accept")
    with pytest.raises(ManifestError, match="accept, reject or nothing"):
        manifest.choose(small_set, "a", "perhaps")
    with pytest.raises(ManifestError, match="rostrum curate VIDEOS"):
        manifest.read(small_set / "clips")


def test_the_review_page_shows_clips_and_keeps_choices(small_set: Path) -> None:
    with TestClient(review_app(small_set), base_url="http://localhost") as page:
        assert "<kbd>A</kbd> accept" in page.get("/").text
        assert [each["clip"] for each in page.get("/clips.json").json()["clips"]] == ["a", "b"]
        assert page.get("/files/clips/a.mp4", headers={"range": "bytes=1-2"}).content == b"il"
        assert page.post("/choice", json={"clip": "b", "choice": "accept"}).json() == {"choice": "accept", "kept": True}
        assert manifest.read(small_set)[1]["choice"] == "accept"
        assert page.post("/choice", json={"clip": "z", "choice": "accept"}).status_code == 400
        assert page.post("/choice", content=b"{").status_code == 400
        assert page.get("/files/clips/../manifest.parquet").status_code == 404
        assert page.get("/clips.json", headers={"host": "elsewhere.example"}).status_code == 400


def test_the_report_names_what_was_kept_rejected_and_broken(small_set: Path) -> None:
    text = report.write(small_set, manifest.read(small_set), thresholds()).read_text()
    assert "<b>1</b>kept" in text and "lips in step with the sound" in text
    assert "&lt;broken&gt;" in text and "<broken>" not in text


def test_roc_and_thresholds_are_those_of_textbooks() -> None:
    assert roc_auc([3, 4], [1, 2]) == 1.0
    assert roc_auc([1, 3], [1, 3]) == 0.5
    assert roc_auc([2, 4], [1, 3]) == 0.75
    assert best_threshold([5, 6], [1, 3]) == 4
    line = drawn_line(BY_NAME["noise"], [1.0, 2.0, 3.0], {"grain": [7.0, 8.0, 9.0]})
    assert 3 < line.threshold < 7 and line.auc == 1.0 and line.kept == 1.0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nowhere", "-o", "set"], "there is no folder nowhere"),
        (["."], "-o SET"),
        ([".", "-o", "set", "--limit", "beauty=1"], "FILTER=VALUE"),
        ([".", "-o", "set", "--limit", "sync=much"], "not a number"),
        ([".", "-o", "set", "--aesthetic-head", "x.pth"], "belong together"),
        (["review", "nowhere"], "rostrum curate VIDEOS"),
    ],
)
def test_wrong_words_are_answered_with_the_way_out(
    words: list[str], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["curate", *words]) == 1
    assert complaint in capsys.readouterr().err
