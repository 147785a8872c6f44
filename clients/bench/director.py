"""`rostrum bench director`: how much of what hosts write the embedded director understands, and how long it takes to plan."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clients.bench import machine
from clients.bench.director_score import Verdict, judge
from clients.bench.director_suite import LANGUAGES, PARTS, HostPrompt, SuiteError, load
from streamer.briefing import Briefing
from streamer.director import EmbeddedDirector, opening
from streamer.plan import Pts, pts_from_s

FIELDS = ("emotion", "action", "camera", "time", "intensity")


@dataclass(frozen=True, slots=True)
class Judged:
    """One planned prompt."""

    prompt: HostPrompt
    verdict: Verdict
    plan_ms: float
    plan_cpu_ms: float


def run(arguments: argparse.Namespace) -> int:
    """0 measured; 1 where the suite cannot be read; 2 where misses of the held-out part are asked for."""
    parts = PARTS if arguments.all else ("held_out",) if arguments.held_out else ("open",)
    if arguments.misses and parts != ("open",):
        machine.say("rostrum bench director: --misses goes with the open part; those of the held-out part are not shown")
        return 2
    try:
        prompts = [prompt for part in parts for prompt in load(part)]
    except (SuiteError, OSError) as error:
        print(f"rostrum bench director: {error}", file=sys.stderr)
        return 1
    prompts = [prompt for prompt in prompts if arguments.lang in ("", prompt.lang)]
    judged = measure(prompts)
    if arguments.misses:
        for each in judged:
            if each.verdict.wrong:
                machine.say(f"{each.prompt.id} [{each.prompt.kind}] {each.prompt.text}")
                for wrong in each.verdict.wrong:
                    machine.say(f"    {wrong}")
    report: dict[str, Any] = {**figures(judged), "part": " and ".join(parts)}
    for lang in LANGUAGES:
        if spoken := [each for each in judged if each.prompt.lang == lang]:
            report[lang] = figures(spoken)
    machine.show(report | {"machine": machine.facts()}, arguments.json)
    return 0


def measure(prompts: Sequence[HostPrompt]) -> list[Judged]:
    """Plan each prompt as the first of a show of its length, and judge it. The first plan, which loads, is not timed."""
    director = EmbeddedDirector()
    director.plan(Briefing(opening(), Pts(0), "calm", pts_from_s(10.0)))
    judged = []
    for prompt in prompts:
        began, cpu_began = time.perf_counter(), time.thread_time()
        plan = director.plan(Briefing(opening(), Pts(0), prompt.text, pts_from_s(prompt.duration_s)))
        plan_ms, plan_cpu_ms = 1e3 * (time.perf_counter() - began), 1e3 * (time.thread_time() - cpu_began)
        judged.append(Judged(prompt, judge(prompt, plan.storyline, plan.understood), plan_ms, plan_cpu_ms))
    return judged


def figures(judged: Sequence[Judged]) -> dict[str, Any]:
    """The share that is right of each field, among the prompts that ask for time and intensity (None where none does).

    `plan_ms_p95` is by the clock on the wall, which on a busy machine waits for others; `plan_cpu_ms_p95` is the work itself.
    """
    report: dict[str, Any] = {}
    for name in FIELDS:
        asked = [right for each in judged if (right := getattr(each.verdict, name)) is not None]
        report[f"accuracy_{name}"] = round(sum(asked) / len(asked), 4) if asked else None
    report["plan_ms_p95"] = round(float(np.percentile([each.plan_ms for each in judged], 95)), 3)
    report["plan_cpu_ms_p95"] = round(float(np.percentile([each.plan_cpu_ms for each in judged], 95)), 3)
    report["num_prompts"] = len(judged)
    return report
