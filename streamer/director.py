"""The embedded director: a prompt becomes a storyline by grammar and lexicon, in a few milliseconds.

Every understood thing is laid over the storyline as a change to a span of it. What a higher authority decided stays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from engines.prompts import ACTIONS, CAMERA_MOVES, EMOTIONS, PIXEL_ACTIONS
from streamer.briefing import Briefing, Plan
from streamer.grammar import read
from streamer.plan import FIELDS, SOURCES, Beat, Cue, Directive, Field, Pts, Source, Sources, Storyline, When, pts_from_s
from streamer.situations import Situations, shipped

#: How long each action takes on air.
ACTION_S = dict.fromkeys(ACTIONS + PIXEL_ACTIONS, 1.6) | {
    "nod": 1.4, "tilt": 2.2, "turn_left": 2.2, "turn_right": 2.2, "lean_in": 2.4, "lean_back": 2.4, "wink": 0.8,
    "close_eyes": 2.0, "laugh": 2.0, "sigh": 2.2, "wave": 1.8, "raise_hand": 2.0,
}  # fmt: skip
CAMERA_S = 4.0  # of one move, live; a rendered file's move takes the rest of the file
MAX_CUES = 32  # of one storyline: the oldest are forgotten
MOST_CUE_WORDS = 12
_PHASE_S = 4.0  # from one "then" to the next, live
_GAP_S = 0.3  # between two actions in sequence
_AHEAD_S = 60.0  # how far "every 5 seconds" is laid out, live
_MAX_REPEATS = 32
_FRACTIONS = {"quarter": 1 / 4, "third": 1 / 3, "middle": 1 / 2, "two thirds": 2 / 3, "three quarters": 3 / 4}
_RELEASED = Beat(Pts(0))  # what holds where nobody has decided

_WORDS = {"emotion": EMOTIONS, "action": (*ACTIONS, *PIXEL_ACTIONS, "none"), "camera": CAMERA_MOVES}
#: A field of a beat, and what goes with it.
_PARTS: dict[Field, tuple[str, ...]] = {
    "emotion": ("emotion", "intensity"),
    "action": ("action",),
    "camera": ("camera", "camera_speed"),
}


def opening() -> Storyline:
    """What holds before anybody has asked for anything: calm, a still camera."""
    return Storyline(version=1, beats=(_RELEASED,))


def warm() -> None:
    """Load the tables and compile the patterns that prompts are read by, before a broadcast waits for it."""
    for prompt in ("at first slightly sad, then you won the lottery, nod 5 seconds later, slow zoom in", "先微笑，然后点头"):
        EmbeddedDirector().plan(Briefing(opening(), Pts(0), prompt))


class EmbeddedDirector:
    """Understands prompts by lexicon in four languages, most of it English and Chinese, and in English by situations too."""

    backend = "embedded"

    def __init__(self, situations: Situations | None = None) -> None:
        """The shipped situations, unless others are given."""
        self._situations = situations or shipped()

    def plan(self, briefing: Briefing) -> Plan:
        """Portrait, voice and prompt laid over the briefing's storyline from its start on, in this order of authority."""
        before, start = briefing.storyline, briefing.start
        understood, unclear = read(briefing.prompt, self._situations) if briefing.prompt else ((), ())
        changed = lay(before, understood, start, briefing.end)
        changed = follow_captions(changed, briefing)
        if _content(changed) == _content(before):
            return Plan(before, understood, unclear=unclear)
        return Plan(
            replace(changed, version=before.version + 1),
            understood,
            "user" if understood else "audio" if briefing.voice else "image",
            undrawn=undrawn(changed, briefing.actions, start),
            unclear=unclear,
        )


def undrawn(storyline: Storyline, drawable: Iterable[str], since: Pts) -> tuple[str, ...]:
    """The actions still to come, cues' too, that are not among the `drawable`."""
    asked = [beat.action for beat in storyline.beats if beat.end is None or beat.end > since]
    asked += [said.word for cue in storyline.cues for said in cue.directives if said.field == "action"]
    known = {*drawable, None, "none", "auto"}
    return tuple(dict.fromkeys(word for word in asked if word is not None and word not in known))


def follow_captions(storyline: Storyline, briefing: Briefing) -> Storyline:
    """The storyline with what portrait and voice show laid under what the user decided. The version stays."""
    portrait = briefing.portrait
    if portrait.emotion is not None:
        seen = Directive("emotion", portrait.emotion, portrait.intensity)
        storyline = direct(storyline, seen, briefing.start, None, "image")
    following = [*(caption.start for caption in briefing.voice[1:]), None]
    for caption, until in zip(briefing.voice, following, strict=False):
        at = max(caption.start, briefing.start)
        if until is None or until > at:
            heard_in_it = Directive("emotion", caption.emotion, caption.intensity)
            storyline = direct(storyline, heard_in_it, at, until, "audio")
    return storyline


def lay(
    storyline: Storyline, directives: Sequence[Directive], start: Pts, end: Pts | None = None, source: Source = "user"
) -> Storyline:
    """The directives carried out from `start` on, actions one after the other. The version stays.

    `end` is the end of the show where it is known (a file), so that "at the end" has a place; live, it means now. What waits
    for a word becomes a cue. Raises ValueError for a word outside the vocabulary.
    """
    now = [said for said in directives if not said.when.cue]
    phases = _phases(now, start, end)
    changed, busy_until, last = storyline, start, start
    for said in now:
        when, is_action = said.when, said.field == "action"
        length = pts_from_s(when.for_s or (ACTION_S.get(said.word, 1.6) if is_action else CAMERA_S))
        at = _place(when, start, end, length, said.field, phases[when.phase], last)
        if is_action and said.word in ACTION_S and not said.negated and not when.every_s:
            at = at if when.is_timed else max(at, busy_until)
            busy_until = Pts(at + length + pts_from_s(_GAP_S))
        last = at
        until = _until(said, at, length, start, end)
        for begin in _repeats(when, at, end):
            changed = direct(changed, said, begin, None if until is None else Pts(begin + until - at), source)
    return _remember(changed, directives, source)


def _phases(directives: Sequence[Directive], start: Pts, end: Pts | None) -> list[Pts]:
    """When each "then" has its turn: at the time it names, else after what came before; what has no length shares the rest."""
    num_phases = 1 + max((said.when.phase for said in directives), default=0)
    starts: list[Pts | None] = [start, *[None] * (num_phases - 1)]
    lengths = [_phase_length([said for said in directives if said.when.phase == k], start, end) for k in range(num_phases)]
    for said in directives:
        k, when = said.when.phase, said.when
        if k and starts[k] is None and when.is_timed and when.later_s is None:
            at = _place(when, start, end, 0, said.field, start, start)
            known = [begin for begin in starts[:k] if begin is not None]
            if at > known[-1]:
                starts[k] = at
    turns: list[Pts] = []
    for k, begin in enumerate(starts):
        if begin is None:
            stop = next((j for j in range(k, num_phases) if starts[j] is not None), num_phases)
            limit = starts[stop] if stop < num_phases else end
            before = lengths[k - 1]
            if before is None and limit is None:
                before = pts_from_s(_PHASE_S)
            elif before is None:
                open_ended = sum(length is None for length in lengths[k - 1 : stop])
                taken = sum(length for length in lengths[k - 1 : stop] if length is not None)
                before = max(pts_from_s(0.5), (limit - turns[-1] - taken) // open_ended)  # type: ignore[operator]
            begin = Pts(turns[-1] + before)
        turns.append(begin if end is None else min(begin, end))
    return turns


def _phase_length(directives: Sequence[Directive], start: Pts, end: Pts | None) -> int | None:
    """How long a phase takes by itself: as long as it says, or as its actions do; None where a feeling or a move lasts."""
    ends: list[int] = []
    for said in directives:
        when = said.when
        if when.until_s is not None:
            ends.append(pts_from_s(when.until_s))
        elif when.until_place and end is not None:
            ends.append((end - start) // 2)
        elif when.for_s is not None:
            after_s = (when.at_s or when.after_s or 0.0) if when.phase == 0 else 0.0
            ends.append(pts_from_s(after_s + when.for_s + (_GAP_S if said.field == "action" else 0.0)))
    if ends:
        return max(ends)
    if directives and all(said.field == "action" for said in directives):
        return pts_from_s(sum(ACTION_S.get(said.word, 0.0) + _GAP_S for said in directives))
    return None


def _until(said: Directive, at: Pts, length: int, start: Pts, end: Pts | None) -> Pts | None:
    """Where it ends; None where it holds on."""
    when = said.when
    if when.until_s is not None:
        return Pts(max(at + pts_from_s(0.5), start + pts_from_s(when.until_s)))
    if when.until_place and end is not None:
        return Pts(max(at + pts_from_s(0.5), (start + end) // 2))
    if when.until_cue or (said.field == "emotion" and when.for_s is None):
        return None
    if said.field == "camera" and end is not None and when.for_s is None:
        return end
    return Pts(at + length)


def _repeats(when: When, at: Pts, end: Pts | None) -> list[Pts]:
    if not when.every_s:
        return [at]
    interval = pts_from_s(max(when.every_s, 0.5))
    last = end if end is not None else at + pts_from_s(_AHEAD_S)
    return [Pts(begin) for begin in range(at, last, interval)][:_MAX_REPEATS]


def _remember(storyline: Storyline, directives: Sequence[Directive], source: Source) -> Storyline:
    """With the cues that the directives wait for, and those that end them."""
    waiting: dict[tuple[str, bool], list[Directive]] = {}
    for said in directives:
        if said.when.cue:
            here = replace(said, when=replace(said.when, cue="", each_time=False, phase=0))
            waiting.setdefault((said.when.cue, not said.when.each_time), []).append(here)
        elif said.when.until_cue:
            word = "none" if said.field == "action" else "auto"
            waiting.setdefault((said.when.until_cue, True), []).append(Directive(said.field, word))
    new = [Cue(words, tuple(said), once, source) for (words, once), said in waiting.items()]
    kept = [cue for cue in storyline.cues if cue.words not in {each.words for each in new}]
    return replace(storyline, cues=(*kept, *new)[-MAX_CUES:]) if new else storyline


def _place(when: When, start: Pts, end: Pts | None, length: int, field: Field, turn: Pts, last: Pts) -> Pts:
    """Where a directive of this `length` begins: at its time, else at its phase's `turn`. `last`: where the one before does."""
    if when.later_s is not None:
        return Pts(last + pts_from_s(when.later_s))
    if when.after_s is not None:
        after = Pts(start + pts_from_s(when.after_s))
        return after if after > last or not when.phase else Pts(last + pts_from_s(when.after_s))
    if when.at_s is not None:
        return Pts(start + pts_from_s(when.at_s))
    if end is None:
        return turn
    if when.last_s is not None:
        return Pts(max(start, end - pts_from_s(when.last_s)))
    if when.place == "end":
        return Pts(max(start, end - (length if field == "action" else max(pts_from_s(2.0), (end - start) // 4))))
    if when.place in _FRACTIONS:
        return Pts(start + round((end - start) * _FRACTIONS[when.place]))
    return turn


def heard(storyline: Storyline, words: str, at: Pts, before: str = "") -> tuple[Storyline, tuple[Cue, ...]]:
    """The storyline once the host has said `words`, and the cues that were among them. The version stays.

    Case, punctuation and where words are parted do not matter; words in Latin letters must be whole. before: what is known
    already of the same `words`; cues that are in it as often ring no more.
    """
    ringing = tuple(cue for cue in storyline.cues if _times(cue.words, words) > _times(cue.words, before))
    for cue in ringing:
        storyline = lay(storyline, cue.directives, at, None, cue.source)
        if cue.once:
            storyline = replace(storyline, cues=tuple(kept for kept in storyline.cues if kept != cue))
    return storyline, ringing


def spoken_at(storyline: Storyline, words: Sequence[tuple[str, Pts]]) -> Storyline:
    """A storyline of a recording with its cues rung: every word of it and when it is said, in order. The version stays."""
    for i, (_, at) in enumerate(words):
        before = "".join(word for word, _ in words[max(0, i - MOST_CUE_WORDS) : i])
        storyline, _ = heard(storyline, before + words[i][0], at, before)
    return storyline


def _times(cue: str, said: str) -> int:
    """How often a cue is in what is said."""
    sought, words = "".join(_words(cue)), _words(said)
    if not sought:
        return 0
    if not sought.isascii():
        return "".join(words).count(sought)
    count = 0
    for i in range(len(words)):
        text = ""
        for word in words[i:]:
            text += word
            if len(text) >= len(sought):
                break
        count += text == sought
    return count


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
    return re.findall(r"\w+", folded)


# -- changes to a storyline: pure, the version stays ----------------------------------------------------------------------


def direct(storyline: Storyline, said: Directive, at: Pts, until: Pts | None, source: Source = "user") -> Storyline:
    """Lay one directive over [at, until), or from `at` on where `until` is None; a still camera holds on.

    Its `when` is not looked at. Raises ValueError for a word outside the vocabulary.
    """
    field, word = said.field, said.word
    if word == "auto" and field in FIELDS:
        return release(storyline, at, (field,))
    if word not in _WORDS.get(field, ()):
        raise ValueError(f"{field} {word!r} is not one of {', '.join(_WORDS.get(field, ()))}")
    if said.negated:
        return _forbid(storyline, said, at, source)
    match field:
        case "emotion":
            return overlay(storyline, at, until, source, emotion=word, intensity=said.amount)
        case "action" if word == "none":
            return call_off(storyline, at)
        case "action":
            return overlay(storyline, at, until, source, action=word)
        case "camera":
            until = None if word == "static" else until
            return overlay(storyline, at, until, source, camera=word, camera_speed=said.amount)


def overlay(storyline: Storyline, start: Pts, end: Pts | None, source: Source = "user", **changes: object) -> Storyline:
    """The storyline with `changes` made to every beat in [start, end), beats being split where the span cuts them.

    A field (emotion with its intensity, action, camera with its speed) that a higher authority decided stays as it is.
    """

    def change(beat: Beat) -> Beat:
        allowed = [f for f in FIELDS if SOURCES.index(source) >= SOURCES.index(getattr(beat.sources, f))]
        made = {name: value for f in allowed for name in _PARTS[f] if (value := changes.get(name, beat)) is not beat}
        decided: dict[str, Source] = {f: source for f in allowed if any(name in made for name in _PARTS[f])}
        return replace(beat, **made, sources=replace(beat.sources, **decided))  # type: ignore[arg-type]

    known = {name for names in _PARTS.values() for name in names}
    if unknown := set(changes) - known:
        raise TypeError(f"a beat has no {min(unknown)!r} to change; take {', '.join(sorted(known))}")
    return _joined(replace(storyline, beats=tuple(change(b) if inside else b for b, inside in _split(storyline, start, end))))


def release(storyline: Storyline, start: Pts, fields: Sequence[Field] = FIELDS) -> Storyline:
    """From `start` on nobody has decided these fields any more: voice and picture may."""

    def let_go(beat: Beat) -> Beat:
        free = {name: getattr(_RELEASED, name) for field in fields for name in _PARTS[field]}
        return replace(beat, **free, sources=replace(beat.sources, **dict.fromkeys(fields, "default")))  # type: ignore[arg-type]

    return _joined(replace(storyline, beats=tuple(let_go(b) if inside else b for b, inside in _split(storyline, start, None))))


def call_off(storyline: Storyline, start: Pts) -> Storyline:
    """No action from `start` on; one in progress ends there."""
    return release(storyline, start, ("action",))


def _forbid(storyline: Storyline, said: Directive, at: Pts, source: Source) -> Storyline:
    """Not this: what shows it, and any emotion or move of less authority, gives way to calm, no action, a still camera."""

    def change(beat: Beat) -> Beat:
        decided = SOURCES.index(getattr(beat.sources, said.field))
        shows = getattr(beat, said.field) == said.word
        if decided > SOURCES.index(source) or not (shows or (said.field != "action" and decided < SOURCES.index(source))):
            return beat
        plain = {name: getattr(_RELEASED, name) for name in _PARTS[said.field]}
        return replace(beat, **plain, sources=replace(beat.sources, **{said.field: source}))

    return _joined(replace(storyline, beats=tuple(change(b) if inside else b for b, inside in _split(storyline, at, None))))


def edit(storyline: Storyline, beat_start: Pts, at: Pts, until: Pts | None = None, **changes: object) -> Storyline:
    """The beat that starts at `beat_start`, and those that start before `until`, changed by the user where they lie past `at`.

    Raises LookupError where no beat starts there, or it has ended by `at`.
    """
    start, end = _editable(storyline, beat_start, at, until)
    return overlay(storyline, start, end, "user", **changes)


def delete(
    storyline: Storyline, beat_start: Pts, at: Pts, until: Pts | None = None, fields: Sequence[Field] = FIELDS
) -> Storyline:
    """Without these fields of the beat that starts at `beat_start`, and of those that start before `until`, where they lie past
    `at`: the emotion before it lasts, nothing is done.

    Raises LookupError where no beat starts there, or it has ended by `at`.
    """
    start, end = _editable(storyline, beat_start, at, until)
    index = next(i for i, beat in enumerate(storyline.beats) if beat.start == beat_start)
    before = storyline.beats[index - 1] if index else _RELEASED
    fill = replace(_RELEASED, emotion=before.emotion, intensity=before.intensity, sources=Sources(before.sources.emotion))
    without = {name: getattr(fill, name) for field in fields for name in _PARTS[field]}
    decided = {field: getattr(fill.sources, field) for field in fields}

    def clear(beat: Beat) -> Beat:
        return replace(beat, **without, sources=replace(beat.sources, **decided))

    return _joined(replace(storyline, beats=tuple(clear(b) if inside else b for b, inside in _split(storyline, start, end))))


def undo(storyline: Storyline, earlier: Storyline, at: Pts) -> Storyline:
    """As `earlier` had it from `at` on; what was on air before that stays as it was. The version is the newer one's."""
    past = [replace(beat, end=at if beat.end is None else min(beat.end, at)) for beat in storyline.beats if beat.start < at]
    future = [replace(beat, start=max(beat.start, at)) for beat in earlier.beats if beat.end is None or beat.end > at]
    if not future:
        future = [replace(earlier.beats[-1], start=at, end=None)]
    if past and not any(beat.start == at for beat in future):
        past[-1] = replace(past[-1], end=future[0].start)
    return _joined(replace(earlier, version=storyline.version, beats=(*past, *future)))


def _editable(storyline: Storyline, beat_start: Pts, at: Pts, until: Pts | None) -> tuple[Pts, Pts | None]:
    spans = {beat.start: end for beat, end in _spans(storyline)}
    if beat_start not in spans:
        raise LookupError(f"no beat of storyline {storyline.version} starts at PTS {beat_start}")
    within = [end for start, end in spans.items() if beat_start <= start and (start == beat_start or start < (until or 0))]
    end = within[-1]
    if end is not None and end <= at:
        raise LookupError(f"the beat at PTS {beat_start} has been on air, or is being drawn: it cannot change any more")
    return max(beat_start, at), end


def _spans(storyline: Storyline) -> list[tuple[Beat, Pts | None]]:
    """Each beat with its end: its own, or the next one's start."""
    ends = [beat.end if beat.end is not None else following.start for beat, following in pairwise(storyline.beats)]
    return list(zip(storyline.beats, [*ends, storyline.beats[-1].end], strict=True))


def _split(storyline: Storyline, start: Pts, end: Pts | None) -> list[tuple[Beat, bool]]:
    """The beats cut where [start, end) begins and ends, and whether each lies inside."""
    pieces: list[tuple[Beat, bool]] = []
    for beat, beat_end in _spans(storyline):
        cuts = [beat.start]
        cuts += [at for at in (start, end) if at is not None and beat.start < at and (beat_end is None or at < beat_end)]
        for begin, stop in zip(cuts, [*cuts[1:], beat_end], strict=True):
            inside = begin >= start and (end is None or begin < end)
            pieces.append((replace(beat, start=begin, end=stop), inside))
    return pieces


def _joined(storyline: Storyline) -> Storyline:
    """Neighbours that say the same made one, but for actions: the same one over again is done again."""
    beats: list[Beat] = []
    for beat in storyline.beats:
        last = beats[-1] if beats else None
        if last and beat.action is None and replace(beat, start=last.start, end=last.end) == last and last.end == beat.start:
            beats[-1] = replace(last, end=beat.end)
        else:
            beats.append(beat)
    return replace(storyline, beats=tuple(beats))


def _content(storyline: Storyline) -> Storyline:
    return _joined(replace(storyline, version=0))
