"""The benchmark's cases: what they are, and how some are chosen."""

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from export.evaluate import suite_wording
from export.evaluate.suite import SuiteError, limited, marginals, read_cases, sample, write_cases
from streamer.briefing import Briefing
from streamer.director import EmbeddedDirector, opening
from streamer.plan import Pts, pts_from_s

CASES = read_cases()


def test_the_marginals_are_the_papers() -> None:
    found = marginals(CASES)
    assert len(CASES) == 375
    assert found["subject"] == {"human": 340, "other": 35}
    assert found["source"] == {"real": 188, "generated": 187}
    assert found["language"] == {"zh": 150, "en": 150, "ko": 35, "ja": 40}
    assert found["voice"] == {"speech": 300, "song": 75}
    assert (min(case.seconds for case in CASES), max(case.seconds for case in CASES)) == (8, 120)
    assert set(found["shape"].values()) == set(found["resolution"].values()) == {125}
    assert Counter((case.emotion, case.intensity) for case in CASES if case.emotion != "calm").most_common()[-1][1] == 13


def test_the_file_is_what_its_generator_writes() -> None:
    assert [dataclasses.replace(case, spoken=()) for case in CASES] == suite_wording.cases()
    assert all(bool(case.spoken) == (case.language == "zh") for case in CASES)
    assert all(line.isascii() for case in CASES for line in case.spoken)


def test_the_director_understands_every_prompt() -> None:
    director = EmbeddedDirector()
    for case in CASES:
        beats = director.plan(Briefing(opening(), Pts(0), case.prompt, pts_from_s(case.seconds))).storyline.beats
        assert case.emotion in {beat.emotion for beat in beats}, case.prompt
        assert {case.action, "none"} & {beat.action or "none" for beat in beats}, case.prompt
        assert case.action == "none" or case.action in {beat.action for beat in beats}, case.prompt
        assert case.camera in {beat.camera for beat in beats}, case.prompt


def test_a_sample_is_like_the_whole_and_the_seed_says_which() -> None:
    chosen = sample(CASES, 20)
    found = marginals(chosen)
    assert found["subject"] == {"human": 18, "other": 2} and found["source"] == {"real": 10, "generated": 10}
    assert found["voice"] == {"speech": 16, "song": 4}
    assert all(abs(found["language"][name] - count * 20 / 375) <= 1 for name, count in marginals(CASES)["language"].items())
    assert chosen == sample(CASES, 20) != sample(CASES, 20, seed=1)
    with pytest.raises(SuiteError, match="376 of 375"):
        sample(CASES, 376)


def test_a_limited_case_keeps_its_shape(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.size == (1080, 1920) and case.seconds > 8)
    assert limited(case, 8, 480) == dataclasses.replace(case, seconds=8, size=(480, 848))
    assert limited(case, 1000, 2000) == case


def test_what_is_no_case_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    write_cases(CASES[:2], path)
    assert read_cases(path) == CASES[:2]
    path.write_text(path.read_text() + '{"id": "x"}\n')
    with pytest.raises(SuiteError, match="line 3"):
        read_cases(path)
