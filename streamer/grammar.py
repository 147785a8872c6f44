"""Prompts to directives: clauses, what each asks for, how much of it, when, and what it forbids."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from functools import lru_cache

from streamer import lexicon
from streamer.plan import Directive, Field, When
from streamer.situations import INTENSITY as SITUATION_INTENSITY
from streamer.situations import Situations
from streamer.timing import Timing, protected, time_of

#: What joins clauses: in sequence, contrasted, in one breath.
_THEN = (
    r"(?:,|;|\.)?\s*(?:->|=>|→|➜|\b(?:and then|but then|so then|then|after that|after which|afterwards?|next(?! to)|followed by"
    r"|before (?=\w+ing\b|(?:you|she|he|they) )|(?:and |but )?(?=end(?:s|ing)? up\b)|(?:and )?(?=(?:end|finish|clos|conclud|wrap)(?:e|es|s|ing|ping)?"
    r"(?: (?:it|up|off|out))? (?:with|by|on|in|calm|happy|sad|angry|excited|scared))|and later|later(?: on)?|subsequently|eventually"
    r"|(?:for )?the rest(?: of (?:it|the \w+))?|and (?=(?:at|in|towards?|near) the end)|second(?:ly)?(?=,)|third(?:ly)?(?=,)|secondly|thirdly)(?:\b|(?<=\s)))"
    r"|[,，。、]?\s*(?:然后|接着|接下来|紧接着|随后|随即|(?:之后|以后)再?|过后|后来|(?<=先[^，。])后|(?<=先[^，。]{2})后|(?<=先[^，。]{3})后|(?<=先[^，。]{4})后|再后来|而后|继而|其后|其次|(?<=[,，。、])后面(?![的看有站那])|剩下的?(?:时间)?|其余(?:时间)?"
    r"|(?<![别要不])再(?=[^见来说次一次多\s])|その後|それから|次に|続いて|그 ?다음에?|그리고 나서|그런 ?다음|이어서|그 ?후에?|(?<=[가-힣])다가)"
)
_FINALLY = (
    r"(?:,|;|\.)?\s*\b(?:and )?(?:finally|lastly|last of all|last(?=,| (?:a |you |shrug|nod|wink|smile|laugh|sigh)))\b"
    r"|[,，。、]?\s*(?:(?:到)?(?:最后|最終的に|最後(?:に|は))(?!\s*[\d一二两三四五六七八九十几]+\s*(?:个)?秒|的|一刻|の)|마지막(?:에는|에|으로)(?!\s*\d))"
)
_BUT = r"\b(?:but|yet|though|instead(?! of))\b|但是|但|可是|不过|而是|却|けど|でも|지만|대신"
_STOP = r"[!?。！？\n；;]+|\.(?!\d)"
_AND = (
    r"[,，、:：…]+|\b(?:and|with|while|whilst|as (?=you|she|he|they|if|the camera)|plus|also)\b|[&+/]|同时|并且|并|一边|一面"
    r"|(?<![旁身右左那这两前后里外上下])边(?![看上的])|而且|以及|(?<!又.)又(?!一|.又)|且|そして|ながら|しながら|그리고|하면서|면서|(?<=[지고])고 "
)
_CLAUSE = re.compile(
    f"(?P<finally>{_FINALLY})|(?P<then>{_THEN})|(?P<but>{_BUT})|(?P<stop>{_STOP})|(?P<and>{_AND})", re.IGNORECASE
)
_AFTER_DOING = re.compile(r"\b(?:right |just |immediately |straight )?after (?=(?:you(?:'ve| have)? )?\w+ing\b)", re.IGNORECASE)
_FROM_TO = re.compile(
    r"\bfrom (?P<a1>[\w' -]+?) (?:in)?to (?P<b1>.+)|^(?P<a2>.+?) (?:fad|turn|melt|break|chang|shift|morph|dissolv|grow|giv|soften|harden|slid|build|mov)(?:e|es|s|ing)? (?:\w+ly |way )?(?:in)?to (?P<b2>.+)"
    r"|(?:从|由)(?P<a3>.+?)(?:逐渐|慢慢|渐渐|突然)?(?:变成|变为|变得|变到|转变?为|转变?成|过渡到|切换到|转到|转|到|变)(?P<b3>.+)|^(?P<a4>.+?)(?:逐渐|慢慢|渐渐|突然)?(?:变成|变为|转变?为|转变?成|化为)(?P<b4>.+)"
    r"|(?P<a5>.+?)から(?P<b5>.+?)(?:へ|に)|(?P<a6>.+?)에서 (?P<b6>.+?)(?:으로|로)",
    re.IGNORECASE,
)
_FROMS, _TOS = tuple(f"a{i}" for i in range(1, 7)), tuple(f"b{i}" for i in range(1, 7))
_BECOMES = re.compile(
    r"\b(?:(?:get|grow|becom|turn)(?:s|e|es|ing|ting)? (?:more and more |ever more |increasingly |slowly |gradually |really |very |in)?(?!your|the|to|left|right|closer|back|around)|(?:shift|chang|switch|fad|melt|soften|break|transition|mov|turn|build|warm)(?:e|es|s|ing)?(?: up| over| slowly| gradually)? (?:in)?to\b"
    r"|giv(?:e|es|ing) way to|gradually|increasingly)|越来越|变得|變得|渐渐|逐渐|转为|转而|变成|慢慢(?=开|高|生|愤|害|难|伤|激|兴|平|冷|惊|紧)|だんだん|次第に|徐々に|점점|점차",
    re.IGNORECASE,
)
_AUTO = re.compile(
    r"\b(?:(?:follow|match|mirror|track|listen to|go (?:back )?(?:by|with)|use|obey)(?:s|ing)? (?:my|the|his|her) (?:voice|tone|speech|sound|audio)(?: again)?"
    r"|let (?:it |the \w+ )?(?:follow )?(?:the|my) (?:voice|tone|audio)(?: \w+){0,3}|(?:as|like|however|whatever) (?:i|my voice) (?:sound|feel)s?|(?:go |set (?:it )?(?:to )?|back to |switch to )?auto(?:matic)?(?:ally)?(?: mode)?"
    r"|(?:forget|drop|clear|cancel|undo|ignore) (?:all )?(?:my |the |what i )(?:instructions?|prompts?|directions?|commands?|said|asked)(?: before)?|hands off)\b"
    r"|(?:跟随|跟着|随着|听|按照?|配合)我?的?(?:声音|语气|语调)|(?:恢复|切换?到?|变?回)?自动(?:模式)?|声に合わせて|自動(?:に|で|モード)|목소리(?:에|를) (?:맞|따라)|자동(?:으로|모드)",
    re.IGNORECASE,
)
_HOLD_STILL = re.compile(
    r"\b(?:(?:hold|stay|keep|sit|stand|remain|be|being) (?:\w+ )?(?:(?:your|the) (?:head|body|face) )?(?:perfectly |completely |absolutely |very )?(?:still|motionless|frozen)"
    r"|(?:don't|do not|never|without|stop|no|not) (?:any )?(?:mov(?:e|es|ing|ement)s?|gestur(?:e|es|ing)|fidget(?:ing)?)(?: (?:your|the|her|his|my) (?:head|body|face)| around| at all| so much)?(?! the (?:camera|shot))(?! (?:camera|closer|in|back))"
    r"|no (?:head |body )(?:movements?|motion|gestures?)|freeze)\b"
    r"|(?<!镜头)(?<!镜头保持)(?<!画面)(?:(?:头|身体|身子|脑袋)?(?:不要|别|不许|不准|保持)(?:乱)?(?:动头|动作|不动|静止|动(?!画|情|怒|人|摇))(?!.*镜头)|一动不动|站着不动|坐着不动|别乱动|老实点|不做动作)"
    r"|動かないで|じっとして|움직이지 (?:마|말)|가만히",
    re.IGNORECASE,
)
_NEGATION_ENDS_WORD = re.compile(r"[ぁ-ん가-힣]")  # in Japanese and Korean the negation comes behind its verb
_NOT_BUT = re.compile(r"instead of|rather than", re.IGNORECASE)  # these reach no further than the next thing
_DOUBLE_NEGATION = re.compile(
    r"\b(?:can't|cannot|can not|don't|do not|never|won't|couldn't|doesn't) (?:ever )?(?:stop|help|quit|forget|hesitate|fail|hide|conceal|contain|hold back|control|wait)(?: to| but| yourself)?\b|\bnot (?:only|just|to mention)\b|\b(?:why not|no problem|no doubt|no worries)\b"
    r"|(?:掩饰|掩盖|隐藏|藏|压抑|抑制|按捺|遮掩|控制)不住|难掩|不停地?|(?:掩饰|掩盖|隐藏|藏|压抑|抑制|按捺|遮掩|控制)不住|难掩|忍不住|不得不|禁不住|情不自禁|别忘了?|不妨|不由得|不禁|不光|不仅|不但|是不是|抑えきれ",
    re.IGNORECASE,
)
_ORDER_NOT_TO = re.compile(r"\W*(?:please )?(?:don't|do not|never|no|stop|without|avoid)\b", re.IGNORECASE)
MAX_READ = 1_000  # characters of a prompt; what is beyond is left unread
_SURE, _SURER = 0.08, 0.2  # by how much a situation must lead over none
_CHAT = {
    "u": "you", "ur": "your", "r": "are", "lil": "little", "kinda": "kind of", "sorta": "sort of", "pls": "please", "plz": "please",
    "soo": "so", "rly": "really", "em": "them", "dont": "don't", "doesnt": "doesn't", "cant": "can't", "isnt": "isn't",
    "arent": "aren't", "wont": "won't", "didnt": "didn't", "youre": "you're", "im": "i'm", "ive": "i've", "lookin": "looking",
    "gonna": "going to", "wanna": "want to", "gotta": "got to", "tho": "though", "thru": "through", "cam": "camera", "abit": "a bit",
    "alil": "a little", "v": "very", "secs": "seconds", "w": "with", "n": "and", "ya": "you", "yer": "your", "outta": "out of",
    "stp": "stop", "dnt": "don't", "laff": "laugh", "laffing": "laughing", "luk": "look", "smth": "something", "bc": "because",
}  # fmt: skip


@dataclass(slots=True)
class _Clause:
    """A piece of the prompt: what it asks for, and when."""

    text: str
    joint: str  # "", "then", "finally", "but", "stop", "and"
    phase: int = 0
    first: int = 0  # where the first thing it asks for stands
    timing: Timing = field(default_factory=lambda: Timing(When(), ""))
    directives: list[Directive] = field(default_factory=list)


def understand(prompt: str, situations: Situations | None = None) -> tuple[Directive, ...]:
    """The directives in a prompt, in the order they were said; empty where nothing was understood.

    A clause without any word of the lexicon is read as one of the `situations`, where they are given.
    """
    return read(prompt, situations)[0]


def read(prompt: str, situations: Situations | None = None) -> tuple[tuple[Directive, ...], tuple[str, ...]]:
    """The directives in a prompt, and the clauses that nothing was made of, what lies past `MAX_READ` characters among them."""
    clauses = _clauses(_plain(prompt, situations))
    unclear = []
    carried = ""  # the verb of "look left, then right"
    forbidden: set[str] = set()
    for i, clause in enumerate(clauses):
        found = _asked(clause.timing.rest, carried)
        is_aside = i > 0 and _feels(clauses[i - 1]) and clause.joint in ("and", "but") and not clause.timing.is_named
        if not found and situations and not is_aside and (emotion := _felt(clause, situations, forbidden, len(clauses) == 1)):
            found = [("emotion", emotion, SITUATION_INTENSITY, 0, -1, False)]
        clause.first = min((at for _, _, _, at, _, _ in found), default=0)
        carried = next((word for kind, word, *_ in found if kind != "emotion"), carried)
        forbidden |= {word for kind, word, *_, negated in found if kind == "emotion" and negated}
        clause.directives = [Directive(kind, word, amount, negated=no) for kind, word, amount, _, _, no in found]
        if not found and not _says_how_much(clause, clauses[:i]) and _letters(clause.timing.rest):
            unclear.append(clause.text)
    _give_times(clauses)
    if len(prompt) > MAX_READ:
        unclear.append(prompt[MAX_READ:])
    return _settle(clauses), tuple(unclear)


# -- clauses --------------------------------------------------------------------------------------------------------------


def _plain(prompt: str, situations: Situations | None) -> str:
    """One form of every letter, straight apostrophes, chat written out, the commonest slips of the finger put right."""
    text = unicodedata.normalize("NFKC", prompt).replace("’", "'").replace("‘", "'").strip()
    text = re.sub(r"(\D)\1{2,}", r"\1\1", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=[^\s，,。])(?=[后下]半[段场])", "，", text)
    text = re.sub(r"(\d{4})\d+", r"\1", text)[:MAX_READ]

    def right(match: re.Match[str]) -> str:
        word = match.group()
        written_out = _CHAT.get(word.lower())
        if written_out or situations is None or len(word) < 4 or situations.knows(word.lower()):
            return written_out or word
        return lexicon.respell(word.lower()) or word

    return re.sub(r"(?<![\w'])[A-Za-z]+(?![\w'])", right, text)


def _clauses(text: str) -> list[_Clause]:
    """Cut at connectives, but not within cues and lengths of time."""
    whole = protected(text)
    clauses: list[_Clause] = []
    joint, begin = "", 0
    for cut in _CLAUSE.finditer(text):
        overlapping = [a for a, b in whole if a < cut.end() and cut.start() < b]
        cut_end = min([cut.end(), *overlapping])  # of ", then wait two seconds" the comma cuts
        if cut_end <= cut.start():
            continue
        kind = str(cut.lastgroup) if cut_end == cut.end() else "and"
        if _letters(piece := text[begin : cut.start()]):
            _append(clauses, piece, joint)
            joint = kind
        else:
            joint = _stronger(joint, kind)
        begin = cut_end
    _append(clauses, text[begin:], joint)
    if joint == "then" and clauses and not _letters(text[begin:]):
        clauses[-1].joint = "then"  # "happy now, sad later"
    return clauses


def _stronger(first: str, second: str) -> str:
    """Of two joints with nothing between them (", and then") the one that says more."""
    return max(first, second, key=("", "and", "but", "stop", "then", "finally").index)


def _append(clauses: list[_Clause], text: str, joint: str) -> None:
    """Add a clause, or two, the earlier first: "smile after nodding", "from fear to anger"."""
    if not text.strip():
        return
    turning = _FROM_TO.search(text)
    if turning:
        first, last = (next(filter(None, turning.group(*names))) for names in (_FROMS, _TOS))
        if all(any(kind == "emotion" for _, _, kind, _, _ in _finds(part)) for part in (first, last)):
            clauses.append(_Clause(first, joint, timing=time_of(first)))
            text, joint = last, "then"
    doing = _AFTER_DOING.search(text)
    if doing and _letters(text[: doing.start()]):
        clauses.append(_Clause(text[doing.end() :].strip(), joint, timing=time_of(text[doing.end() :])))
        text, joint = text[: doing.start()], "then"
    clauses.append(_Clause(text.strip(), joint, timing=time_of(text.strip())))


def _letters(text: str) -> bool:
    return any(char.isalnum() for char in text)


# -- what a clause asks for -----------------------------------------------------------------------------------------------

_Find = tuple[int, int, Field, str, float]  # start, end, field, word, usual amount
_Asked = tuple[Field, str, float, int, int, bool]  # field, word, amount, start, end, negated


def _asked(text: str, carried: str) -> list[_Asked]:
    """Everything a clause asks for or forbids, in the order said."""
    if auto := _AUTO.search(text):
        return [(kind, "auto", 0.5, auto.start(), auto.end(), False) for kind in ("emotion", "action", "camera")]
    still = _HOLD_STILL.search(text)
    if still:
        text = text[: still.start()] + " " * (still.end() - still.start()) + text[still.end() :]
    kept = _finds(text)
    if not kept and carried and (side := _side(text, carried)):
        kept = [side]
    plain = _DOUBLE_NEGATION.sub(lambda match: " " * len(match.group()), text)
    negations = [
        match
        for match in _compiled(lexicon.NEGATIONS, plain.isascii()).finditer(plain)
        if not any(start <= match.start() and match.end() <= end for start, end, *_ in kept)
    ]
    exact = _percent(text)
    degree, pace = amount_of(lexicon.DEGREES, text) if exact is None else exact, amount_of(lexicon.PACES, text)
    out: list[_Asked] = [("action", "none", 0.5, still.start(), still.end(), False)] if still else []
    reach = -1  # how far the last negation reaches
    for start, end, kind, word, usual in kept:
        negated = False
        for negation in negations:
            if _NEGATION_ENDS_WORD.search(negation.group()):
                negated |= start < negation.start() <= end + 8
            elif negation.group().isascii():
                is_first = not any(negation.end() <= other[0] < start for other in kept)
                negated |= negation.start() < start and (is_first or not _NOT_BUT.match(negation.group()))
            else:
                negated |= negation.end() <= start <= max(negation.end() + 6, reach + 3)
        reach = end if negated else reach
        said = pace if kind == "camera" else degree
        amount = usual if said is None else said if exact is not None or kind == "camera" else _blend(usual, said)
        out.append((kind, word, amount, start, end, negated))
    return out


def _finds(text: str) -> list[_Find]:
    """Words of the lexicon; of overlapping finds the longest is kept."""
    finds: list[_Find] = []
    latin = text.isascii()
    for word, pattern in lexicon.CAMERA_MOVES.items():
        finds += [(m.start(), m.end(), "camera", word, 0.5) for m in _compiled(pattern, latin).finditer(text)]
    for word, pattern in lexicon.ACTIONS.items():
        finds += [(m.start(), m.end(), "action", word, 0.5) for m in _compiled(pattern, latin).finditer(text)]
    for word, rows in lexicon.EMOTIONS.items():
        for usual, pattern in rows:
            finds += [(m.start(), m.end(), "emotion", word, usual) for m in _compiled(pattern, latin).finditer(text)]
    nothing = [m.span() for m in _compiled(lexicon.NOTHING, latin).finditer(text)]
    kept: list[_Find] = []
    for find in sorted(finds, key=lambda f: (f[0] - f[1], f[0])):
        taken = [(other[0], other[1]) for other in kept] + [span for span in nothing if span[1] - span[0] >= find[1] - find[0]]
        if not any(find[0] < end and start < find[1] for start, end in taken):
            kept.append(find)
    return sorted(kept)


_SIDES = {
    "左": "left", "右": "right", "上": "up", "下": "down", "왼쪽": "left", "오른쪽": "right", "위": "up", "아래": "down",
}  # fmt: skip


def _side(text: str, carried: str) -> _Find | None:
    """A direction alone: "then right" after "look left"."""
    if side := re.search(r"\b(left|right|up|down|in|out)\b|([左右上下])|(왼쪽|오른쪽|위|아래)", text, re.IGNORECASE):
        said = side.group().lower()
        word = f"{carried.rpartition('_')[0]}_{_SIDES.get(said, said)}"
        if word in lexicon.ACTIONS:
            return side.start(), side.end(), "action", word, 0.5
        if word in lexicon.CAMERA_MOVES:
            return side.start(), side.end(), "camera", word, 0.5
    return None


def _felt(clause: _Clause, situations: Situations, forbidden: set[str], is_all: bool) -> str | None:
    """The emotion of a situation that the clause tells of; among other clauses it must be clearer than where it is all there is."""
    num_words = len(re.findall(r"[A-Za-z']+", clause.timing.rest))
    if _ORDER_NOT_TO.match(clause.timing.rest) or (num_words < 2 and not is_all):
        return None
    emotion = situations.emotion(clause.timing.rest, _SURE if is_all and num_words > 2 else _SURER)
    return None if emotion in forbidden or (clause.joint == "but" and emotion == "calm") else emotion


def _says_how_much(clause: _Clause, before: list[_Clause]) -> bool:
    """A clause of nothing but a degree or a pace ("but not too much", "slowly") is about what was said before it."""
    text = clause.timing.rest
    degree, pace = amount_of(lexicon.DEGREES, text), amount_of(lexicon.PACES, text)
    for earlier in reversed(before):
        for i, said in enumerate(earlier.directives):
            amount = pace if said.field == "camera" else degree if said.field == "emotion" else None
            if amount is not None and not said.negated:
                blended = _blend(said.amount, amount) if said.field == "emotion" else amount
                earlier.directives[i] = replace(said, amount=blended)
                return True
        if earlier.directives:
            return False
    return False


def _blend(usual: float, degree: float) -> float:
    """A degree word moves a word's usual intensity most of the way: "very happy" is more than "very warm"."""
    return round(min(1.0, max(0.1, 0.75 * degree + 0.25 * usual)), 3)


_PERCENT = re.compile(r"(\d{1,3}) ?(?:%|percent\b|per cent\b|パーセント|퍼센트)|百分之(\d{1,3})|\b(?:intensity|level|strength) (?:of )?(0?\.\d+|1\.0)", re.IGNORECASE)  # fmt: skip


def _percent(text: str) -> float | None:
    """An amount given as a number, 0–1."""
    if percent := _PERCENT.search(text):
        value = float(next(filter(None, percent.groups())))
        return min(1.0, value if "." in percent.group() else value / 100)
    return None


def amount_of(table: tuple[tuple[float, str], ...], text: str) -> float | None:
    """The degree or pace that a text names; of several the longest said, of equals the first of the table."""
    hits = [
        (match.start() - match.end(), value)
        for value, pattern in table
        if (match := _compiled(pattern, text.isascii()).search(text))
    ]
    return min(hits)[1] if hits else None


# -- when -----------------------------------------------------------------------------------------------------------------


def _give_times(clauses: list[_Clause]) -> None:
    """Phases and times of every clause's directives. A time said first in a sentence holds for the clauses after it."""
    phase = 0
    governing: Timing | None = None
    for i, clause in enumerate(clauses):
        before = next((c for c in reversed(clauses[:i]) if c.directives), None)
        is_time_alone = not clause.directives and clause.timing.begin >= 0
        closes = clause.joint == "finally" and phase == 0 and _only_actions(clause)  # "…, finally a nod": at the end
        if before and not closes and (clause.joint in ("then", "finally") or _is_next_phase(before, clause)):
            phase += 1
        if clause.joint in ("then", "finally", "stop") and not (governing and _is_waiting(clauses[:i])):
            governing = None
        timing = clause.timing
        if is_time_alone and before and not any(c.directives for c in clauses[i + 1 :]) and not timing.when.cue:
            _apply_late(before, timing)
            continue
        if timing.begin >= 0 and (timing.is_named or is_time_alone):
            governs = (is_time_alone or timing.begin <= clause.first) and not timing.is_start
            if is_time_alone and timing.until_s is not None and not before:  # "say nothing until 4 s, then …"
                timing = replace(timing, when=replace(timing.when, after_s=timing.until_s), until_s=None, is_named=True)
            if is_time_alone and before and clause.joint != "then" and not timing.is_named:
                _apply_late(before, timing)  # "hold that for three seconds"
                continue
            governing = timing if governs else None
            when = _when(timing)
        elif governing is not None:
            when = replace(_when(governing), for_s=timing.when.for_s or governing.when.for_s)
        else:
            when = _when(timing)
            if clause.joint == "finally" and phase == 0:
                when = replace(when, place="end")
        clause.phase = phase
        clause.directives = [replace(said, when=replace(when, phase=phase)) for said in clause.directives]
        clause.timing = replace(timing, when=when)


def _when(timing: Timing) -> When:
    when = replace(timing.when, until_s=timing.until_s, until_place="middle" if timing.until_middle else "")
    if timing.is_later and when.after_s is not None:
        when = replace(when, later_s=when.after_s, after_s=None)
    return when


def _is_waiting(clauses: list[_Clause]) -> bool:
    """Whether the last of them is a time alone: "wait three seconds, then …"."""
    return bool(clauses) and not clauses[-1].directives and clauses[-1].timing.begin >= 0


def _only_actions(clause: _Clause) -> bool:
    return all(said.field == "action" for said in clause.directives)


def _is_next_phase(before: _Clause, clause: _Clause) -> bool:
    """Without a "then": an emotion where the one before was for a while or "at first", or that something turns into."""
    if clause.timing.is_named and not clause.timing.is_start:
        return False
    if not (_feels(clause) and _feels(before)) or _words(clause) == _words(before):
        return False
    when, timing = before.timing.when, before.timing
    was_limited = timing.is_start or when.for_s is not None or timing.until_s is not None or timing.until_middle
    return was_limited or _BECOMES.search(clause.text) is not None


def _feels(clause: _Clause) -> bool:
    return any(said.field == "emotion" and not said.negated for said in clause.directives)


def _words(clause: _Clause) -> set[str]:
    return {said.word for said in clause.directives if said.field == "emotion"}


def _apply_late(before: _Clause, timing: Timing) -> None:
    """A time said behind its clause, on its own: "look angry, after five seconds"."""
    said = _when(timing)
    for i, directive in enumerate(before.directives):
        when = directive.when
        if timing.is_named and not when.is_timed and not when.cue:
            when = replace(said, phase=when.phase)
        elif not timing.is_named:
            when = replace(
                when,
                for_s=when.for_s or said.for_s,
                until_s=when.until_s or said.until_s,
                until_place=when.until_place or said.until_place,
                every_s=when.every_s or said.every_s,
                until_cue=when.until_cue or said.until_cue,
            )
        before.directives[i] = replace(directive, when=when)
    before.timing = replace(before.timing, when=before.directives[0].when if before.directives else said)


# -- one emotion a time ---------------------------------------------------------------------------------------------------

_KINDRED = ({"joy", "excitement"}, {"sadness", "fear", "confusion"}, {"anger", "disgust", "contempt"}, {"surprise", "confusion", "fear"})  # fmt: skip


def _settle(clauses: list[_Clause]) -> tuple[Directive, ...]:
    """Of emotions for one time, kindred ones or those of one clause, the strongest stays; of contradictory ones the later.

    "calm" gives way to any other that is said with it. An action or move said twice for one time is one.
    """
    settled: list[Directive] = []
    origin: dict[int, _Clause] = {}
    for clause in clauses:
        for said in clause.directives:
            if said.negated or said.field != "emotion":
                last = next((o for o in reversed(settled) if o.field == said.field), None)
                if said != last:
                    settled.append(said)
                continue
            rival = next(
                (i for i, o in enumerate(settled) if o.field == "emotion" and not o.negated and o.when == said.when), None
            )
            if rival is None:
                origin[len(settled)] = clause
                settled.append(said)
            elif _outdoes(said, settled[rival], origin[rival] is clause):
                settled[rival], origin[rival] = said, clause
    return tuple(settled)


def _outdoes(said: Directive, other: Directive, in_one_clause: bool) -> bool:
    if "auto" in (said.word, other.word) or other.word == "calm":
        return True
    if said.word == "calm":
        return False
    kindred = in_one_clause or any({said.word, other.word} <= group for group in _KINDRED)
    return said.amount > other.amount if kindred else True


# -- patterns -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _compiled(pattern: str, is_latin: bool = False) -> re.Pattern[str]:
    """A pattern of the lexicon: Latin alternatives begin at a word's edge and take the rest of the word, others stand anywhere.

    `is_latin`: without those others.
    """
    latin = [part for part in _split(pattern) if part.isascii()]
    other = [] if is_latin else sorted((part for part in _split(pattern) if not part.isascii()), key=len, reverse=True)
    return re.compile("|".join(([rf"\b(?:{'|'.join(latin)})\w*"] if latin else []) + other or ["(?!)"]), re.IGNORECASE)


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
