"""`rostrum evaluate`, from cases to a report, on two that last two seconds and are as small as they may be."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from clients.cli import main
from export.evaluate.case_voices import Speakers
from export.evaluate.filling import fill, read_filled
from export.evaluate.suite import Case, SuiteError, read_cases, write_cases
from tests.fakes.films import colours, write_film

SPEECH = Path(__file__).parents[1] / "data" / "speech.ogg"


def small(id_: str, **changed: object) -> Case:
    case = next(case for case in read_cases() if case.id == id_)
    return dataclasses.replace(case, **{"seconds": 2, "size": (128, 128)} | changed)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sung one in English whose picture is made, and a Chinese one whose voice is the user's own."""
    root = tmp_path_factory.mktemp("evaluate")
    own = root / "own"
    (own / "voices" / "zh" / "speech").mkdir(parents=True)
    shutil.copy(SPEECH, own / "voices" / "zh" / "speech" / "a.ogg")
    chosen = [small("en-001"), small("zh-001", action="none", camera="static", prompt="very happy")]
    fill(chosen, root / "cases", own, lambda: Speakers(("espeak",)))
    return root / "cases"


def test_a_case_is_filled_from_what_is_there_and_says_so(cases: Path) -> None:
    filled = read_filled(cases)
    assert filled["en-001"].voice_from.startswith("espeak en-us") and filled["en-001"].voice_from.endswith("*sung")
    assert filled["zh-001"].voice_from.endswith("own/voices/zh/speech/a.ogg")
    assert all(one.picture_from.startswith("the shipped portrait") for one in filled.values())
    assert {path.suffix for path in cases.glob("en-001.*")} == {".png", ".wav", ".txt", ".json"}
    with pytest.raises(SuiteError, match="another case"):
        fill([small("en-001", seconds=3)], cases, None, lambda: Speakers(("espeak",)))
    with pytest.raises(SuiteError, match="neither pictures/ nor voices/"):
        fill([small("en-002")], cases.parent / "other", cases, lambda: Speakers(("espeak",)))


def test_cases_are_rendered_judged_and_reported_and_a_second_run_goes_on_from_there(
    cases: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["evaluate", "--cases", str(cases), "-o", str(out), "--workers", "1"]
    assert main.main(words) == 0
    table = capfd.readouterr().out
    assert "lip correlation" in table and "language: zh" in table
    results = json.loads((out / "results.json").read_text())["systems"]["portrait"]
    assert results["all"]["cases"] == 2 and results["all"]["failed"] == 0 and results["all"]["found"] > 0.9
    assert all(isinstance(results["all"][name], float) for name in ("lip_r", "sync", "identity", "flicker", "sharpness"))
    assert set(results["instructions"]) == {"pan_left"}  # both were asked for joy: nobody is left to compare with
    film = out / "videos" / "en-001.mp4"
    made = film.stat().st_mtime_ns
    assert main.main(words) == 0
    assert film.stat().st_mtime_ns == made
    page = (out / "report.html").read_text()
    assert page.count("data:video/mp4;base64,") == 2 and "http" not in page.replace("http-equiv", "")


def test_videos_of_other_systems_are_judged_and_those_that_lack_are_told(
    cases: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    write_film(theirs / "zh-001.mp4", colours(10, 90))
    words = ["evaluate", "--cases", str(cases), "-o", str(tmp_path / "out"), "--videos"]
    assert main.main([*words, f"grey={theirs}"]) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())["systems"]["grey"]
    assert results["all"] | {"flicker": 0} == results["all"] | {"failed": 1, "found": 0.0, "lip_r": None, "flicker": 0}
    assert results["cases"]["en-001"] == {"why_not": "no video"}
    capfd.readouterr()
    (tmp_path / "empty").mkdir()
    assert main.main([*words, str(tmp_path / "empty")]) == 1
    assert "has no video of these cases: they are called en-001.mp4" in capfd.readouterr().err


def test_a_folder_of_cases_that_is_none_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main.main(["evaluate", "--cases", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert "cases.jsonl cannot be read" in capfd.readouterr().err
    write_cases([], tmp_path / "cases.jsonl")
    assert main.main(["evaluate", "--cases", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert "no cases" in capfd.readouterr().err
