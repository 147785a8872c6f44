"""Whether a planned storyline is what a prompt of the suite expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from clients.bench.director_suite import HostPrompt, Wanted
from streamer.plan import Beat, Directive, Storyline, s_from_pts

_CALM = Wanted(("calm",))


@dataclass(frozen=True, slots=True)
class Run:
    """A word that holds for a while, in seconds. `amount` is intensity or speed. Off the storyline: `start_s` NaN."""

    word: str
    start_s: float
    end_s: float
    amount: float


@dataclass(slots=True)
class Verdict:
    """What was right; None where the prompt does not ask. `wrong` says what was not, for people."""

    emotion: bool = True
    action: bool = True
    camera: bool = True
    time: bool | None = None
    intensity: bool | None = None
    wrong: list[str] = field(default_factory=list)


def judge(prompt: HostPrompt, storyline: Storyline, directives: Sequence[Directive]) -> Verdict:
    """Hold a plan of a show of `prompt.duration_s` against what the prompt expects.

    emotion   in the span of every expected phase, from the latest it may start to the earliest the next may, the expected
              emotion holds longer than any other (an untimed one has the show but its first fifth; where these
              two meet, from the earliest it may start to the latest the next may); before a first phase that
              starts later, calm; nothing absent shows at any time. A prompt that asks for none is right with calm.
    action    the actions found are those expected, in that order, none more. The same one over again counts once.
    camera    likewise, of moves that are not `static`, and their speed where the prompt gives one.
    time      of prompts that give a time: all that have one start within its range, or wait for the cue that was named.
    intensity of prompts that give a degree: the emotion is right, and its mean intensity over its span within the range.

    What waits for a cue need not be on the storyline: being understood is enough.
    """
    verdict = Verdict()
    _judge_emotion(prompt, emotion_runs(storyline, prompt.duration_s), directives, verdict)
    actions = _with_unplaced(action_runs(storyline, prompt.duration_s), directives)
    verdict.action = _same(prompt, "action", prompt.actions, actions, directives, verdict)
    moves = camera_runs(storyline, prompt.duration_s)
    verdict.camera = _same(prompt, "camera", prompt.moves, moves, directives, verdict)
    for wanted, move in zip(prompt.moves, moves, strict=False):
        if wanted.speed and _speed(move.amount) != wanted.speed:
            verdict.camera = False
            verdict.wrong.append(f"camera: {move.word} is {_speed(move.amount)}, not {wanted.speed}")
    return verdict


def emotion_runs(storyline: Storyline, duration_s: float) -> list[Run]:
    """The beats' emotions from 0 to the end, one run a beat; a beat without a follower holds on."""
    return [Run(beat.emotion, start, end, beat.intensity) for beat, start, end in _spans(storyline, duration_s, hold=True)]


def action_runs(storyline: Storyline, duration_s: float) -> list[Run]:
    """The actions in order, neighbours of the same word joined."""
    spans = _spans(storyline, duration_s)
    return _joined([Run(beat.action, start, end, 1.0) for beat, start, end in spans if beat.action is not None])


def camera_runs(storyline: Storyline, duration_s: float) -> list[Run]:
    """The camera's moves in order, neighbours of the same word joined; a still camera is none."""
    spans = _spans(storyline, duration_s)
    return _joined([Run(beat.camera, start, end, beat.camera_speed) for beat, start, end in spans if beat.camera != "static"])


def _spans(storyline: Storyline, duration_s: float, hold: bool = False) -> list[tuple[Beat, float, float]]:
    """Beats with their seconds within the show. `hold`: over gaps too."""
    spans = []
    following = [s_from_pts(beat.start) for beat in storyline.beats[1:]] + [duration_s]
    for beat, next_s in zip(storyline.beats, following, strict=True):
        start_s = max(0.0, s_from_pts(beat.start))
        end_s = next_s if hold or beat.end is None else min(next_s, s_from_pts(beat.end))
        end_s = min(end_s, duration_s)
        if end_s > start_s:
            spans.append((beat, start_s, end_s))
    return spans


def _joined(runs: list[Run]) -> list[Run]:
    joined: list[Run] = []
    for run in runs:
        if joined and joined[-1].word == run.word:
            joined[-1] = Run(run.word, joined[-1].start_s, run.end_s, joined[-1].amount)
        else:
            joined.append(run)
    return joined


def _with_unplaced(runs: list[Run], directives: Sequence[Directive]) -> list[Run]:
    """The runs, and in among them the actions that were understood but have no place on the storyline, in the order said."""
    placed, at = list(runs), 0
    words = {run.word for run in runs}
    for said in directives:
        if said.field != "action" or said.negated:
            continue
        if said.word in words:
            at = next((i + 1 for i in range(at, len(placed)) if placed[i].word == said.word), at)
        elif said.when.cue:
            placed.insert(at, Run(said.word, float("nan"), float("nan"), 1.0))
            at += 1
    return _joined(placed)


def _judge_emotion(prompt: HostPrompt, runs: list[Run], directives: Sequence[Directive], verdict: Verdict) -> None:
    wanted = prompt.emotions or (_CALM,)
    phases = [phase for phase in wanted if not phase.cue]
    if not phases or (phases[0].start_s and phases[0].start_s[0] > 0.5):
        until = phases[0].start_s if phases else None
        _holds(_CALM, runs, 0.0, until[0] if until else prompt.duration_s, verdict)
    for i, phase in enumerate(phases):
        following = phases[i + 1].start_s if i + 1 < len(phases) else None
        since_s = phase.start_s[1] if phase.start_s else 0.2 * prompt.duration_s
        until_s = following[0] if following else prompt.duration_s
        if phase.start_s and following and until_s <= since_s:  # ranges that touch leave no time between them
            since_s, until_s = phase.start_s[0], following[1]
        _holds(phase, runs, since_s, until_s, verdict)
    for phase in wanted:
        if phase.cue and not any(said.field == "emotion" and said.word in phase.words for said in directives):
            verdict.emotion = False
            verdict.wrong.append(f"emotion: {_either(phase)} not understood")
    for run in runs:
        if run.word in prompt.forbids("emotion"):
            verdict.emotion = False
            verdict.wrong.append(f"emotion: {run.word} shows and must not")
    _judge_emotion_times(wanted, _joined(runs), directives, verdict)


def _holds(phase: Wanted, runs: list[Run], since_s: float, until_s: float, verdict: Verdict) -> None:
    """Judge one phase in [since_s, until_s)."""
    held: dict[str, float] = {}
    weighted = 0.0
    for run in runs:
        seconds = min(run.end_s, until_s) - max(run.start_s, since_s)
        if seconds > 0:
            word = "|".join(phase.words) if run.word in phase.words else run.word
            held[word] = held.get(word, 0.0) + seconds
            weighted += seconds * run.amount if run.word in phase.words else 0.0
    wanted = "|".join(phase.words)
    right = bool(held) and max(held, key=held.__getitem__) == wanted
    if not right:
        verdict.emotion = False
        found = ", ".join(f"{word} {seconds:.1f} s" for word, seconds in held.items()) or "nothing"
        verdict.wrong.append(f"emotion: {_either(phase)} wanted in {since_s:g}–{until_s:g} s, found {found}")
    if phase.intensity is not None:
        mean = weighted / held[wanted] if right else float("nan")
        fits = phase.intensity[0] - 1e-6 <= mean <= phase.intensity[1] + 1e-6
        verdict.intensity = fits and verdict.intensity is not False
        if right and not fits:
            verdict.wrong.append(f"intensity: {mean:.2f} is outside {list(phase.intensity)}")


def _judge_emotion_times(wanted: Sequence[Wanted], runs: list[Run], directives: Sequence[Directive], verdict: Verdict) -> None:
    at = 0
    for phase in wanted:
        index = next((i for i in range(at, len(runs)) if runs[i].word in phase.words), None)
        if phase.timed:
            _judge_time("emotion", phase, None if index is None else runs[index], directives, verdict)
        if index is not None and not phase.cue:
            at = index + 1


def _same(
    prompt: HostPrompt, kind: str, wanted: Sequence[Wanted], runs: list[Run], directives: Sequence[Directive], verdict: Verdict
) -> bool:
    """Whether actions or moves are those wanted, in order; judges their times too."""
    alike = len(runs) == len(wanted) and all(run.word in each.words for run, each in zip(runs, wanted, strict=True))
    if not alike:
        asked, found = " ".join(map(_either, wanted)) or "none", " ".join(run.word for run in runs) or "none"
        verdict.wrong.append(f"{kind}: {asked} wanted, found {found}")
    for i, each in enumerate(wanted):
        if each.timed:
            run = runs[i] if alike else next((run for run in runs if run.word in each.words), None)
            _judge_time(kind, each, run, directives, verdict)
    forbidden = [run.word for run in runs if run.word in prompt.forbids(kind)]
    verdict.wrong.extend(f"{kind}: {word} happens and must not" for word in forbidden)
    return alike and not forbidden


def _judge_time(kind: str, wanted: Wanted, run: Run | None, directives: Sequence[Directive], verdict: Verdict) -> None:
    if wanted.cue:
        cues = [said.when.cue for said in directives if said.field == kind and said.word in wanted.words]
        right = any(wanted.cue.casefold() in cue.casefold() for cue in cues)
        found = f"cues {cues}"
    else:
        low, high = wanted.start_s or (0.0, 0.0)
        right = run is not None and low - 0.02 <= run.start_s <= high + 0.02
        found = f"{run.start_s:.2f} s" if run is not None else "never"
    verdict.time = right and verdict.time is not False
    if not right:
        due = f"cue {wanted.cue!r}" if wanted.cue else f"{wanted.start_s} s"
        verdict.wrong.append(f"time: {_either(wanted)} due at {due}, found {found}")


def _speed(amount: float) -> str:
    """As the beat's line says it (engines.prompts)."""
    return "slow" if amount < 0.35 else "steady" if amount < 0.7 else "fast"


def _either(wanted: Wanted) -> str:
    return "|".join(wanted.words)
