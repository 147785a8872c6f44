"""The suite of prompts is sound, and plans are judged as its README says."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import Any

import pytest

from clients.bench import director
from clients.bench.director_score import Verdict, judge
from clients.bench.director_suite import KINDS, LANGUAGES, HostPrompt, SuiteError, held_out_ids, load, parse
from clients.cli import bench
from engines.prompts import ACTIONS, CAMERA_MOVES, EMOTIONS, PIXEL_ACTIONS
from streamer.plan import Beat, Directive, Storyline, When, pts_from_s


def host(expect: dict[str, Any], duration_s: float = 10.0) -> HostPrompt:
    row = {"id": "x", "lang": "en", "kind": "plain", "prompt": "?", "duration_s": duration_s, "expect": expect}
    return parse(row)


def story(*beats: tuple[float, dict[str, Any]]) -> Storyline:
    """Beats from (start_s, fields), each until the next."""
    starts = [pts_from_s(start) for start, _ in beats]
    ends = [*starts[1:], None]
    return Storyline(1, tuple(Beat(start, end, **fields) for start, end, (_, fields) in zip(starts, ends, beats, strict=True)))


def judged(expect: dict[str, Any], *beats: tuple[float, dict[str, Any]], said: tuple[Directive, ...] = ()) -> Verdict:
    return judge(host(expect), story(*beats), said)


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench.add_parser(parser.add_subparsers())
    return parser.parse_args(["bench", "director", *words])


# The suite


def test_the_suite_is_readable_large_and_in_four_languages() -> None:
    prompts = (*load("open"), *load("held_out"))
    counts = Counter(prompt.lang for prompt in prompts)
    assert counts["en"] >= 120 and counts["zh"] >= 70 and counts["ja"] >= 25 and counts["ko"] >= 25
    assert {prompt.kind for prompt in prompts} == set(KINDS)
    assert len({prompt.id for prompt in prompts}) == len({prompt.text for prompt in prompts}) == len(prompts)
    assert all(prompt.id.startswith(prompt.lang) for prompt in prompts)


def test_a_third_is_held_out_by_the_rule_in_every_language() -> None:
    opened, held_out = load("open"), load("held_out")
    assert {prompt.id for prompt in held_out} == held_out_ids((*opened, *held_out))
    for lang in LANGUAGES:
        kept, all_of_it = (sum(each.lang == lang for each in part) for part in (held_out, (*opened, *held_out)))
        assert abs(kept - all_of_it / 3) <= 1


def test_every_word_of_the_vocabulary_is_asked_for() -> None:
    prompts = (*load("open"), *load("held_out"))
    wanted = [each for prompt in prompts for each in (*prompt.emotions, *prompt.actions, *prompt.moves)]
    asked = {word for each in wanted for word in each.words}
    assert asked == {*EMOTIONS, *ACTIONS, *PIXEL_ACTIONS, *CAMERA_MOVES} - {"static"}


@pytest.mark.parametrize(
    "expect",
    [
        {"emotion": "happy"},
        {"action": [{"action": "dance"}]},
        {"camera": [{"camera": "zoom_in", "speed": "brisk"}]},
        {"emotion": [{"emotion": "joy", "start_s": [4, 12]}]},
        {"emotion": "joy", "intensity": [0.6, 0.4]},
        {"absent": {"emotion": ["smile"]}},
        {"actions": []},
    ],
)
def test_a_line_that_means_nothing_is_refused(expect: dict[str, Any]) -> None:
    with pytest.raises(SuiteError):
        host(expect)


# Judging


def test_a_plan_that_does_all_that_was_asked_is_right_in_every_field() -> None:
    expect = {
        "emotion": [{"emotion": "calm", "start_s": [0, 0.5]}, {"emotion": "joy", "start_s": [4.7, 5.7], "intensity": [0.6, 1]}],
        "action": [{"action": "nod", "start_s": [6, 9]}],
        "camera": [{"camera": "zoom_in", "speed": "slow"}],
    }
    verdict = judged(
        expect,
        (0.0, {}),
        (1.0, {"camera": "zoom_in", "camera_speed": 0.2}),
        (5.0, {"emotion": "joy", "intensity": 0.8}),
        (7.0, {"emotion": "joy", "intensity": 0.8, "action": "nod"}),
    )
    assert verdict == Verdict(emotion=True, action=True, camera=True, time=True, intensity=True)


def test_a_wrong_emotion_leaves_the_other_fields_right() -> None:
    expect = {"emotion": "joy", "intensity": [0.5, 1], "action": [{"action": "nod"}]}
    verdict = judged(expect, (0.0, {"emotion": "anger", "action": "nod"}), (2.0, {"emotion": "anger"}))
    assert (verdict.emotion, verdict.action, verdict.camera) == (False, True, True)
    assert (verdict.time, verdict.intensity) == (None, False)


def test_either_of_two_emotions_will_do_and_a_passing_one_is_forgiven() -> None:
    expect = {"emotion": "joy|excitement"}
    assert judged(expect, (0.0, {"emotion": "joy"}), (5.0, {"emotion": "excitement"}), (9.0, {"emotion": "anger"})).emotion
    assert not judged(expect, (0.0, {"emotion": "joy"}), (4.0, {"emotion": "anger"})).emotion


def test_a_late_action_is_the_right_action_at_the_wrong_time() -> None:
    expect = {"action": [{"action": "nod", "start_s": [2.7, 3.7]}]}
    on_time = judged(expect, (0.0, {}), (3.0, {"action": "nod"}), (4.4, {}))
    late = judged(expect, (0.0, {}), (5.0, {"action": "nod"}), (6.4, {}))
    never = judged(expect, (0.0, {}))
    assert (on_time.action, on_time.time) == (True, True)
    assert (late.action, late.time) == (True, False)
    assert (never.action, never.time) == (False, False)


def test_an_emotion_asked_for_later_must_leave_the_show_calm_before() -> None:
    expect = {"emotion": [{"emotion": "fear", "start_s": [6.6, 7.4]}]}
    assert judged(expect, (0.0, {}), (7.0, {"emotion": "fear"})).emotion
    early = judged(expect, (0.0, {"emotion": "fear"}))
    assert (early.emotion, early.time) == (False, False)


def test_what_was_forbidden_counts_against_the_field_it_shows_in() -> None:
    expect = {"emotion": "calm", "action": [{"action": "nod"}], "absent": {"emotion": ["joy"], "camera": ["zoom_in"]}}
    verdict = judged(
        expect, (0.0, {"action": "nod"}), (2.0, {}), (8.0, {"emotion": "joy"}), (8.5, {"camera": "zoom_in"}), (9.0, {})
    )
    assert (verdict.emotion, verdict.action, verdict.camera) == (False, True, False)


def test_a_prompt_that_asks_for_nothing_is_wrong_with_anything() -> None:
    assert judged({}, (0.0, {})) == Verdict()
    verdict = judged({}, (0.0, {"emotion": "joy", "action": "nod", "camera": "pan_left"}))
    assert (verdict.emotion, verdict.action, verdict.camera) == (False, False, False)


def test_order_matters_and_repetition_does_not() -> None:
    expect = {"action": [{"action": "nod"}, {"action": "wink"}]}
    nods_then_wink = ((0.0, {"action": "nod"}), (1.4, {}), (1.7, {"action": "nod"}), (3.1, {"action": "wink"}), (4.0, {}))
    wink_then_nod = ((0.0, {"action": "wink"}), (0.8, {"action": "nod"}), (2.0, {}))
    assert judged(expect, *nods_then_wink).action
    assert not judged(expect, *wink_then_nod).action


def test_the_pace_of_the_camera_is_judged_where_it_was_asked_for() -> None:
    fast = (0.0, {"camera": "zoom_in", "camera_speed": 0.9})
    assert judged({"camera": [{"camera": "zoom_in"}]}, fast).camera
    assert judged({"camera": [{"camera": "zoom_in", "speed": "fast"}]}, fast).camera
    assert not judged({"camera": [{"camera": "zoom_in", "speed": "slow"}]}, fast).camera


def test_intensity_is_judged_apart_from_the_emotion() -> None:
    verdict = judged({"emotion": "anger", "intensity": [0, 0.45]}, (0.0, {"emotion": "anger", "intensity": 0.9}))
    assert (verdict.emotion, verdict.intensity) == (True, False)


def test_a_wave_at_goodbye_needs_no_place_on_the_storyline_only_its_cue() -> None:
    expect = {"action": [{"action": "nod"}, {"action": "wave", "cue": "goodbye"}]}
    nod = Directive("action", "nod", 1.0, When())
    beats = ((0.0, {"action": "nod"}), (1.4, {}))
    waiting = judged(expect, *beats, said=(nod, Directive("action", "wave", 1.0, When(cue="Goodbye"))))
    waved = (*beats, (1.7, {"action": "wave"}), (3.5, {}))
    at_once = judged(expect, *waved, said=(nod, Directive("action", "wave", 1.0, When())))
    assert (waiting.action, waiting.time) == (True, True)
    assert (at_once.action, at_once.time) == (True, False)
    assert not judged(expect, *beats, said=(nod,)).action


# The command


def test_the_command_prints_the_figures_by_language(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = arguments("--json")
    assert chosen.run(chosen) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["num_prompts"] == sum(report[lang]["num_prompts"] for lang in LANGUAGES) == len(load("open"))
    for name in ("emotion", "action", "camera", "time"):
        assert 0 <= report[f"accuracy_{name}"] <= 1
    assert report["plan_ms_p95"] > 0


def test_the_misses_of_the_held_out_part_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--held-out", "--misses"], ["--all", "--misses"]):
        chosen = arguments(*words)
        assert chosen.run(chosen) == 2
        shown = capsys.readouterr()
        assert "open part" in shown.err and not shown.out


def test_misses_show_the_prompt_and_what_was_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(director, "load", lambda part: (asking("nod"), asking("nod twice")))
    chosen = arguments("--misses")
    assert chosen.run(chosen) == 0
    assert "wanted, found" in capsys.readouterr().err


def asking(text: str) -> HostPrompt:
    """A prompt that expects what no plan brings."""
    expect = {"action": [{"action": word} for word in ("wink", "sigh", "wink", "sigh")]}
    return parse({"id": text, "lang": "en", "kind": "plain", "prompt": text, "duration_s": 10, "expect": expect})
