"""Prompts to directives: clauses, what each asks for, how much of it, when, and what it forbids."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from itertools import pairwise

from streamer import lexicon
from streamer.plan import Directive, Field, When
from streamer.situations import INTENSITY as SITUATION_INTENSITY
from streamer.situations import Situations

_CLAUSE = re.compile(
    r"(?P<then>(?:,|;|\.)?\s*\b(?:and then|then|after that|afterwards?|next|followed by|before (?=\w+ing)|(?:and |but )?(?=end(?:s|ing)? up\b)|and finally|finally|"
    r"and later|later(?: on)?|subsequently|and (?=(?:at|in|towards?|near) the end))\b"
    r"|[,，。]?\s*(?:然后|接着|随后|之后再|之后|(?<![别要])再(?=\S)|最后|最終的に|その後|それから|次に|最後に|그 ?다음에?|그리고 나서|그런 다음|이어서|마지막에))"
    r"|(?P<and>\b(?:but|instead)\b|但是|但|而是|而|けど|でも|지만|대신|[,;!?，。；！？、\n]+|\.(?!\d)|\b(?:and|with|while|as (?:you|she|he|they)|plus)\b"
    r"|同时|并且|并|一边|而且|そして|ながら|しながら|그리고|하면서|면서)",
    re.IGNORECASE,
)
_NUMBER = r"(\d+(?:\.\d+)?|[一二两三四五六七八九十]+|a|an|one|two|three|four|five|six|seven|eight|nine|ten|half a)"
_SECONDS = r"\s*-?\s*(?:s\b|sec(?:ond)?s?\b|秒钟?|초)"
_AT = re.compile(
    rf"\b(?:at|from|starting at|around|by)\s+(?:(?:second|sec)\s+{_NUMBER}|(?:the\s+)?{_NUMBER}{_SECONDS}(?:\s+mark)?)"
    rf"|{_NUMBER}{_SECONDS}\s+in\b(?!to)|第\s*{_NUMBER}\s*秒|在\s*{_NUMBER}\s*秒(?:的时候|时|处)|{_NUMBER}\s*秒(?:の時点|のところ|で|目に)|{_NUMBER}\s*초에",
    re.IGNORECASE,
)
_AFTER = re.compile(
    rf"\b(?:after|in|wait)\s+{_NUMBER}{_SECONDS}|{_NUMBER}{_SECONDS}\s+(?:later|from now)|(?:过|等)?\s*{_NUMBER}\s*秒钟?(?:之?后|以后|後)"
    rf"|{_NUMBER}\s*초 ?(?:후|뒤)",
    re.IGNORECASE,
)
_FOR = re.compile(
    rf"\bfor\s+(?:about\s+)?{_NUMBER}{_SECONDS}|持续\s*{_NUMBER}\s*秒|{_NUMBER}\s*秒間|{_NUMBER}\s*초 ?(?:동안|간)",
    re.IGNORECASE,
)
_LAST = re.compile(rf"\b(?:in|for|during) the (?:last|final)\s+{_NUMBER}?{_SECONDS}|最后\s*{_NUMBER}\s*秒", re.IGNORECASE)
_END = re.compile(
    r"\b(?:at|to|towards?|near|by|until) the (?:very )?(?:end|close|finish)|\bin the end\b|\bfinally\b|\bend(?:s|ing)? (?:with|by|on)\b|\bclos(?:e|ing) with\b"
    r"|\bfinish(?:es|ing)? (?:with|by)\b|\blast(?:ly)?\b|最后|最後|结尾|結尾|结束(?:时|的时候|前)|末尾|終わり|最終|마지막|끝(?:에|날|나)",
    re.IGNORECASE,
)
_START = re.compile(
    r"\b(?:at first|first(?:ly)?|initially|to (?:start|begin)|at the (?:start|beginning|outset|opening)|(?:start|begin|open)(?:s|ing|ning)?"
    r"(?: (?:off|out))?(?: (?:with|by|as))?)\b|一开始|开始时|起初|首先|先(?=\S)|开头|最初|始め|はじめ|まず|처음|먼저|시작",
    re.IGNORECASE,
)
_MIDDLE = re.compile(r"\b(?:half ?way|in the middle|mid ?way|midpoint)\b|中间|中途|一半|真ん中|途中|중간|절반", re.IGNORECASE)
_CUE = re.compile(
    r"\b(?:when(?:ever)?|once|as soon as|the moment|after|each time) (?:i|you|we|she|he|they)(?: (?:will|finally))? (?:say|says|said|mention|mentions|reach|reaches|hear)\s+"
    r"(?:the (?:word|name|phrase)s? )?(?:[\"“‘「](?P<enq>[^\"”’」]+)[\"”’」]|(?P<en>[\w' -]+?)\s*(?=$|[,.;!?]|\b(?:nod|smile|look|shake|wink|get|be|give)\b))"
    r"|\bon the word [\"“'‘]?(?P<en2>[\w-]+)[\"”'’]?"
    r"|[当等]?我?(?:说|讲|提)(?:到|出|起)?[“\"「『'‘]?(?P<zh>[^”\"」』'’的时，,]+?)[”\"」』'’]?(?:的?时候|时|以后|之后|的话)"
    r"|[「『\"](?P<ja>[^」』\"]+)[」』\"]と言(?:った|う|い)|[\"'“‘「]?(?P<ko>[^\s\"'”’」]+)[\"'”’」]?(?:이?라고|라) 말(?:하면|할 때)",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(r"[ぁ-ん가-힣]")  # in Japanese and Korean the negation comes behind its verb
_WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "half a": 0.5, "两": 2,
}  # fmt: skip


_CHAT = {
    "u": "you",
    "ur": "your",
    "r": "are",
    "lil": "little",
    "kinda": "kind of",
    "pls": "please",
    "plz": "please",
    "soo": "so",
    "rly": "really",
    "em": "them",
}


@dataclass(frozen=True, slots=True)
class _Clause:
    text: str
    phase: int


def understand(prompt: str, situations: Situations | None = None) -> tuple[Directive, ...]:
    """The directives in a prompt, in the order they were said; empty where nothing was understood.

    A clause without any word of the lexicon is read as one of the `situations`, where they are given.
    """
    text = _plain(prompt)
    found: list[Directive] = []
    governing = When()
    carried = ""  # the verb of "look left, then right"
    for clause in _clauses(text):
        when, governs = _when(clause, governing)
        governing = when if governs else When(phase=clause.phase)
        here = _match(clause.text, carried)
        if not here and situations and (emotion := situations.emotion(_CUE.sub("", clause.text))):
            here = [("emotion", emotion, SITUATION_INTENSITY, 0)]
        carried = next((word for field, word, _, _ in here if field != "emotion"), carried)
        negation = _search(lexicon.NEGATIONS, clause.text)
        for field, word, amount, at in here:
            forbidden = negation is not None and (negation.start() <= at or _FOLLOWS.search(negation.group()) is not None)
            found.append(Directive(field, word, amount, when, negated=forbidden))
    return _settle(found)


def _plain(prompt: str) -> str:
    """One form of every letter, straight apostrophes, chat written out."""
    text = unicodedata.normalize("NFKC", prompt).replace("’", "'").strip()
    text = re.sub(r"([a-z])\1{2,}", r"\1\1", text, flags=re.IGNORECASE)
    return re.sub(r"\b[A-Za-z]+\b", lambda match: _CHAT.get(match.group().lower(), match.group()), text)


def _clauses(text: str) -> list[_Clause]:
    """Cut at connectives; what a cue quotes is left whole."""
    quoted = [(match.start(), match.end()) for match in _CUE.finditer(text)]
    cuts = [match for match in _CLAUSE.finditer(text) if not any(a < match.start() < b for a, b in quoted)]
    edges = [0, *(match.end() for match in cuts), len(text)]
    starts = [0, *(match.start() for match in cuts)]
    clauses: list[_Clause] = []
    phase = 0
    for i, (begin, _) in enumerate(pairwise(edges)):
        end = starts[i + 1] if i + 1 < len(starts) else len(text)
        connective = cuts[i - 1] if i else None
        if connective and connective.lastgroup == "then" and any(clause.text for clause in clauses):
            phase += 1
        # "finally" and its like are connective and time at once: the clause keeps them
        lead = connective.group() if connective and connective.lastgroup == "then" else ""
        clauses.append(_Clause(f"{lead} {text[begin:end]}".strip(), phase))
    return [clause for clause in clauses if clause.text]


def _when(clause: _Clause, before: When) -> tuple[When, bool]:
    """The time a clause names, and whether it governs the clauses after it ("at the end, smile and nod": said first, it does).

    Where it names none, the time that governs.
    """
    text = clause.text
    for_s = _seconds(_FOR.search(text))
    named: tuple[re.Match[str], When] | None = None
    if cue := _CUE.search(text):
        named = cue, When(cue=next(filter(None, cue.groups())).strip())
    elif last := _LAST.search(text):
        named = last, When(last_s=_seconds(last) or 2.0)
    elif after := _AFTER.search(text):
        named = after, When(after_s=_seconds(after))
    elif at := _AT.search(text):
        named = at, When(at_s=_seconds(at))
    else:
        for place, pattern in (("end", _END), ("middle", _MIDDLE), ("start", _START)):
            if match := pattern.search(text):
                named = match, When(place=place)
                break
    if named is None:
        return (replace(before, for_s=for_s) if before.phase == clause.phase else When(phase=clause.phase, for_s=for_s)), True
    match, when = named
    return replace(when, phase=clause.phase, for_s=for_s), match.start() <= 4 and when.place != "start"


def _seconds(match: re.Match[str] | None) -> float | None:
    word = next(filter(None, match.groups()), None) if match else None
    if word is None:
        return None
    word = word.lower()
    if word in _WORDS:
        return float(_WORDS[word])
    if word[0].isdigit():
        return float(word)
    tens, _, ones = word.rpartition("十")
    digit = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2}
    if "十" in word:
        return 10.0 * (digit.get(tens, 1) if tens else 1) + (digit.get(ones, 0) if ones else 0)
    return float(digit.get(word, 1))


def _search(pattern: str, text: str) -> re.Match[str] | None:
    """The longest of the pattern's earliest matches; Latin ones must begin at a word's edge."""
    return _compiled(pattern).search(text)


_cache: dict[str, re.Pattern[str]] = {}


def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern not in _cache:
        latin = [part for part in _split(pattern) if part.isascii()]
        other = sorted((part for part in _split(pattern) if not part.isascii()), key=len, reverse=True)
        ways = ([rf"\b(?:{'|'.join(latin)})\w*"] if latin else []) + other
        _cache[pattern] = re.compile("|".join(ways), re.IGNORECASE)
    return _cache[pattern]


def _split(pattern: str) -> list[str]:
    """At the top level's bars."""
    parts, depth = [""], 0
    for char in pattern:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part for part in parts if part]


def _match(text: str, carried: str) -> list[tuple[Field, str, float, int]]:
    """(field, word, amount, place) of everything a clause asks for; of overlapping finds the longest is kept."""
    finds: list[tuple[int, int, Field, str, float]] = []
    for word, pattern in lexicon.CAMERA_MOVES.items():
        finds += [(m.start(), m.end(), "camera", word, 0.5) for m in _compiled(pattern).finditer(text)]
    for word, pattern in lexicon.ACTIONS.items():
        finds += [(m.start(), m.end(), "action", word, 0.5) for m in _compiled(pattern).finditer(text)]
    for word, rows in lexicon.EMOTIONS.items():
        for usual, pattern in rows:
            finds += [(m.start(), m.end(), "emotion", word, usual) for m in _compiled(pattern).finditer(text)]
    kept: list[tuple[int, int, Field, str, float]] = []
    for find in sorted(finds, key=lambda f: (f[0] - f[1], f[0])):
        if not any(find[0] < other[1] and other[0] < find[1] for other in kept):
            kept.append(find)
    kept.sort()
    if (
        not kept
        and carried
        and (side := re.search(r"\b(left|right|up|down)\b|([左右上下])|(왼쪽|오른쪽|위|아래)", text, re.IGNORECASE))
    ):
        names = {
            "左": "left",
            "右": "right",
            "上": "up",
            "下": "down",
            "왼쪽": "left",
            "오른쪽": "right",
            "위": "up",
            "아래": "down",
        }
        said = side.group().lower()
        word = f"{carried.rpartition('_')[0]}_{names.get(said, said)}"
        if word in lexicon.ACTIONS:
            return [("action", word, 0.5, side.start())]
        if word in lexicon.CAMERA_MOVES:
            return [("camera", word, 0.5, side.start())]
    degree = _amount(lexicon.DEGREES, text)
    pace = _amount(lexicon.PACES, text)
    out = []
    for start, _, field, word, usual in kept:
        said_amount = pace if field == "camera" else degree
        amount = usual if said_amount is None else _blend(usual, said_amount) if field == "emotion" else said_amount
        out.append((field, word, amount, start))
    return out


def _blend(usual: float, degree: float) -> float:
    """A degree word moves a word's usual intensity most of the way: "very happy" is more than "very warm"."""
    return round(min(1.0, max(0.1, 0.75 * degree + 0.25 * usual)), 3)


def _amount(table: tuple[tuple[float, str], ...], text: str) -> float | None:
    hits = [(match.start() - match.end(), value) for value, pattern in table if (match := _search(pattern, text))]
    return min(hits)[1] if hits else None


def _settle(found: list[Directive]) -> tuple[Directive, ...]:
    """One emotion a time: of those said together the strongest stays. An action or move said twice for one time is one."""
    settled: list[Directive] = []
    for said in found:
        if said.negated or said.field != "emotion":
            if said not in settled:
                settled.append(said)
            continue
        rival = next((o for o in settled if o.field == "emotion" and not o.negated and o.when == said.when), None)
        if rival is None:
            settled.append(said)
        elif rival.word == "calm" or (said.word != "calm" and said.amount > rival.amount):
            settled[settled.index(rival)] = said
    return tuple(settled)
