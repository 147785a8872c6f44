"""When a clause of a prompt wants something: spans, points, repeats and cue words, in four languages."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from streamer.plan import When

_EN_NUMBERS = {
    "half a": 0.5, "a couple of": 2, "a couple": 2, "a few": 3, "several": 4, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3,
    "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15,
    "twenty": 20, "thirty": 30,
}  # fmt: skip
_KO_NUMBERS = {"일": 1, "이": 2, "삼": 3, "사": 4, "오": 5, "육": 6, "칠": 7, "팔": 8, "구": 9, "십": 10}
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "兩": 2, "几": 3, "幾": 3, "数": 3}

#: A length of time: a number and its unit. `N` in the patterns below.
_N = (
    r"(?:(?<![\w.])(?:\d+(?:\.\d+)?(?: and a half)?(?: more| full| whole| long)?[ -]*(?:s\b|secs?\b|seconds?\b|m\b|min(?:ute)?s?\b)"
    r"|(?:" + "|".join(_EN_NUMBERS) + r")(?: and a half)?(?: more| full| whole| long)?[ -]+(?:and a half )?(?:secs?|seconds?|min(?:ute)?s?)\b)"
    r"|(?:\d+(?:\.\d+)?|[一二两兩三四五六七八九十几幾数半]+)\s*(?:个|個)?(?:半)?\s*(?:秒钟?|秒鐘|分钟|分鐘|分)"
    r"|(?:\d+(?:\.\d+)?|[" + "".join(_KO_NUMBERS) + r"])\s*(?:초|분))"
)  # fmt: skip
_CLOCK = r"\b\d{1,2}:\d{2}\b"
_BARE = (
    r"(?:\d+(?:\.\d+)?|"
    + "|".join(word for word in _EN_NUMBERS if " " not in word and len(word) > 2)
    + r"|[一二两三四五六七八九十]+)"
)
_ABOUT = r"(?:about |around |roughly |exactly |at least |the |another |大约|大概|约|差不多)?"


def _pattern(text: str) -> re.Pattern[str]:
    """`{N}` stands for a captured length of time, `{B}` for a captured number whose unit comes later."""
    text = text.replace("{N}", f"({_N})").replace("{B}", f"({_BARE})").replace("{C}", f"({_CLOCK})").replace("{~}", _ABOUT)
    return re.compile(text, re.IGNORECASE)


_RANGE = _pattern(
    r"\b(?:from |between )?(?:the |second |seconds )?(?:{N}|{B}|{C})\s*(?:to|and|until|till|through|-|–|~)\s*(?:the |second )?(?:{N}|{C})(?: mark)?"
    r"|\bfrom (?:second |seconds )?{B} (?:to|until|till) (?:second )?{B}\b"
    r"|从?第?(?:{N}|{B})\s*(?:到|至|-|–|~|から)\s*第?{N}(?:まで|之间|期间)?|{N}\s*부터\s*{N}\s*까지"
)
_FIRST = _pattern(
    r"\b(?:(?:for|in|during|over|within) )?(?:the |your )?(?:very )?(?:first|opening|initial) {N}"
    r"|(?:最?开始|开头|开场|最初|一开始|头|前)(?:的|の)?{N}(?:里|内|钟)?|처음 ?{N}"
)
_LAST = _pattern(
    r"\b(?:(?:for|in|during|over|within|with) )?(?:the |your )?(?:very )?(?:last|final|closing) (?:{N}|seconds?\b|moments?\b|second or two)"
    r"|\b{N} (?:before|from) the (?:end|finish)|\bwith (?:just |only )?{N} (?:left|to go|remaining)|\b{N} (?:left|to go)\b"
    r"|(?:最后|最後|(?<![之以然过今随])后)(?:的|の)?{N}|(?:结束|结尾|終わり?)(?:之|の)?前(?:的|の)?{N}|还剩(?:下)?{N}|倒数{N}|(?:終わる|終了の?){N}前|마지막 ?{N}|끝나기 ?{N} ?전"
)
_UNTIL = _pattern(
    r"\b(?:until|till|'til|up to|up until) {~}(?:(?:second|sec) {B}|{N}|{C})(?: mark| in)?"
    r"|(?:直到|一直到|保持到|持续到|到)第{N}|(?:直到|一直到|保持到|持续到){N}|第?{N}(?:为止|之前|以前)|{N}まで|{N} ?까지"
)
_AFTER = _pattern(
    r"\b(?:after|in|wait(?: for)?|give it|pause(?: for)?|hold(?: on)? for|once|following) {~}{N}(?: (?:have |has )?pass(?:ed)?)?|\b{~}{N} (?:later|from now|after (?:the|we|i|you) (?:start|beginning|begin))"
    r"|(?:(?<![难超经])过|等|再过|再等|停|隔)(?:上|了)?(?:大约|大概)?{N}(?:之?后|以后|再)?|{N}(?:钟)?(?:之后|以后|过后|后|後)|{N}(?:したら|経ったら|たったら|待って)|{N} ?(?:후|뒤|있다가|지나)"
)
_SOON = re.compile(
    r"\b(?:after|wait(?: for)?|pause(?: for)?|(?<!lean )(?<!leaning )(?<!zoom )(?<!zooming )(?<!push )(?<!move )(?<!come )in|give it|hold on(?: for)?) (?:just )?(?:a|one) (?:(?:short|brief|little|quick|long|slight|small) )?(?:pause|moment|beat|while|bit|break|sec)\b|\b(?:shortly|soon|presently)\b"
    r"|(?:过|等|停)(?:了|上)?(?:一会儿?|片刻|一下|一阵)|稍后|稍等|过会儿|片刻之?后|停顿(?:一下|片刻)?|少ししてから|しばらくして|少し間を置いて|잠시 ?후|조금 ?있다가|잠깐 ?뒤",
    re.IGNORECASE,
)
_LATER = re.compile(r"\blater\b|等|\banother\b|\bmore\b|\bwait|\bpause|\bgive it|再过|再等|又过|停|さらに|더", re.IGNORECASE)
_AT = _pattern(
    r"(?:\b(?:at|from|by|around|about|starting(?: at| from)?|beginning at|on|near|past)|@) ?(?:about |around |roughly |the |exactly )*(?:(?:second|sec|t ?=) ?{B}|{N}|{C})(?: mark| point| in\b(?! the))?"
    r"|\b{N} in\b(?!to)|\bsecond {B}\b|^{N}\s*[:：,]|^{C}"
    r"|^(?:说|讲|播|演|进行|等)?到第?{N}(?:的时候|时)?|从?第 ?{N}(?:钟)?(?:的时候|的時候|时|開始|开始|起|处)?|在 ?{N}(?:的时候|时|处|左右)|到了?{N}(?:的时候|时)|从{N}(?:开始|起)|{N}(?:的时候|时|处|那里|左右|開始|开始)"
    r"|{N}(?:の時点|のところ|目|頃|ごろ|で|に)|{N} ?(?:에|쯤|때|부터)"
)
_FOR = _pattern(
    r"\bfor {~}{N}|\b(?:lasting|last|(?:hold|keep)(?: it| that| this)?)(?: for)? {~}{N}"
    r"|(?:持续|保持|坚持|维持|长达)(?:大约)?{N}|(?<![第前后])(?<!最后){N}(?:钟)?(?!之?后|以?后|[时目处])|{N}間|{N}(?:동안|간| ?동안)"
)
_EVERY = _pattern(
    r"\b(?:every|each) (?:{N}|(second|other second)\b)|\bonce (?:a|every|per) (second)\b|\bevery so often\b|\bnow and (?:then|again)\b|\bfrom time to time\b|\boccasionally\b|\brepeatedly\b|\bperiodically\b"
    r"|每(?:隔|过)?{N}|{N}(?:ごとに|おきに|毎に)|{N}마다|时不时|偶尔|不时|不断|ときどき|時々|가끔"
)
_BRIEFLY = re.compile(
    r"\b(?:for (?:just )?(?:a|one) (?:brief |short |quick |split |little )?(?:moment|second|sec|bit|beat|while|instant|spell)|briefly|momentarily)\b"
    r"|一会儿?|片刻|一瞬间?|一下子|暂时|短暂|一瞬|しばらく|少しの間|잠깐|잠시",
    re.IGNORECASE,
)
_SHOW_END = r"the (?:very )?(?:end|close|finish|finale|outro|ending)|(?:i|we|you) (?:finish|wrap up|end|close|sign off|am done|are done|'m done|'re done)"
_END = re.compile(
    rf"\b(?:(?:right |just )?(?:at|towards?|near|by|in|for|before) {_SHOW_END}|late in the \w+|(?:when|as|once|before) (?:i|we|you)(?:'m| am|'re| are)? (?:finish|wrap|clos|end|done|sign)\w*"
    r"|in the end|end(?:s|ing)? (?:it )?(?:with|by|on|in)|clos(?:e|es|ing) (?:it )?(?:with|by|on)|finish(?:es|ing)? (?:it |off )?(?:with|by|on)|wrap(?:s|ping)? up (?:with|by)"
    r"|conclud(?:e|es|ing) with|^(?:and )?(?:end|finish)(?:s|es|ing)?(?: it)?(?= (?!up)\w)|last of all|before (?:signing|logging) off|as a (?:finish|finale))\b"
    r"|(?:在|到|快|快要|临近|等)?(?:结尾|結尾|结束|末尾|收尾|尾声|片尾)(?:的?时候|时|前|处|时分)?|说完(?:的时候|后|时|以后)?|(?:最后|最後)(?:的时候|时|一刻|一秒)"
    r"|終わり|終盤|ラスト|最後(?:に|は|で)|마지막(?:에|으로|엔)|끝(?:에|날|나|으로)",
    re.IGNORECASE,
)
_START = re.compile(
    r"\b(?:at first|first(?:ly)?(?: of all)?|initially|originally|to (?:start|begin)(?: with)?|(?:at|in|from|right at) the (?:very )?(?:start|beginning|outset|opening|top)|(?:start|begin|open|kick)(?:s|ing|ning)?"
    r"(?: (?:off|out|it|things))?(?: (?:with|by|as|on|in))?)\b(?! (?:at|from) \d)|一开始|刚开始|开始的?时候?|开始时|起初|起先|首先|开头|开场|最初|最开始|先(?=\S)(?!生|进)|始め|はじめ|まず|최초|처음(?:에는|에|엔|은)?|먼저|시작(?:은|할 ?때|에)",
    re.IGNORECASE,
)
_FRACTION = re.compile(
    r"\b(?:(?P<third>(?:a|one) third|(?:in|during) the second third)|(?P<two_thirds>two[- ]thirds|(?:in|for|during) the (?:last|final) third)|(?P<quarter>(?:a|one) quarter|(?:in|during) the second quarter)"
    r"|(?P<three_quarters>three[- ]quarters|(?:in|for|during) the (?:last|final) quarter))(?: of the (?:way|time|show|clip|video))?(?: in| through| into it)?\b"
    r"|(?:在)?(?:(?P<third_zh>三分之一)|(?P<two_thirds_zh>三分之二)|(?P<quarter_zh>四分之一)|(?P<three_quarters_zh>四分之三))(?:处|的地方|的时候|时)?",
    re.IGNORECASE,
)
_THROUGHOUT = re.compile(
    r"\b(?:(?:all the way |right |straight )?(?:until|till|up to|to|through to) the (?:very )?end|throughout(?: the \w+)?|from (?:the )?(?:start|beginning) to (?:the )?(?:finish|end)|the (?:whole|entire) (?:time|way(?: through)?|show|clip|video)"
    r"|all the (?:way through|time)|from now on|for ever|forever|always)\b|直到(?:最后|结束|结尾)|从头到尾|从始至终|自始至终|全程|始终|从现在(?:开始|起)|最後まで|最初から最後まで|ずっと|끝까지|처음부터 끝까지|계속",
    re.IGNORECASE,
)
_MIDDLE = re.compile(
    r"\b(?:half ?-?way(?: through| mark| point)?|(?:in|by|around|at|near) the (?:middle|mid ?point|half)(?: mark| point)?|mid ?-?way|mid ?-?point|(?:for |in |during )?the (?:second|latter|last|other) half)\b"
    r"|(?:说|讲|播|进行)?到?(?:一半|半途|中段|中间|中途)(?:的?时候|时|开始)?|(?:后|下)半(?:段|场|部分)?|真ん中|途中|中盤|後半|中ほど|중간|절반|후반",
    re.IGNORECASE,
)
_FIRST_HALF = re.compile(r"\b(?:for |in |during )?the first half\b|(?:前|上)半(?:段|场|部分)?|前半|전반", re.IGNORECASE)
_UNTIL_MIDDLE = re.compile(r"\b(?:until|till|up to) (?:the )?(?:half|mid)[\w-]*(?: ?-?way)?(?: mark| point)?|直到(?:一半|中间)|半分まで|중간까지", re.IGNORECASE)  # fmt: skip

_QUOTED = r"[\"“‘'「『]\s*(?P<{}>[^\"”’」』]+?)\s*[\"”’'」』]"
_SAYS = (
    r"(?:i|you|we|she|he|they|someone|somebody|anyone|the (?:host|guest|speaker))(?:'ve| have|'ll| will)?(?: finally| ever| first)? "
    r"(?:say|says|said|mention|mentions|mentioned|reach|reaches|hear|hears|hear (?:me|us|him|her) (?:say|mention)|utter|get to|gets to|shout|shouts|call out|speak)"
)
_WHEN = r"when(?:ever)?|the first time|as(?= i | you | we | she | he )|once|as soon as|the moment|the second|the instant|after|if|each time|every time|any ?time|at the point where|on"
_STOPPERS = r"nod|smile|grin|look|shake|wink|get|be|give|turn|start|stop|clap|wave|frown|laugh|sigh|raise|point|act|zoom|pan|go|do|make|please|lean|tilt|close|shrug|then|react"
_CUE = re.compile(
    rf"\b(?P<how>{_WHEN}) {_SAYS}\s+(?:the )?(?:(?:magic )?(?:words?|names?|phrase|line|part about)\s+)?(?:{_QUOTED.format('q1')}|(?P<w1>[\w' -]+?))\s*(?=$|[,.;:!?]|\b(?:you (?:should |must |can |will )?)?(?:{_STOPPERS})\b)"
    rf"|\b(?:{_WHEN}) (?:the (?:word|name|phrase|topic of) )?(?:{_QUOTED.format('q4')}|(?P<w4>[\w-]+)) (?:is|are|gets?|comes?) (?:said|mentioned|up|spoken|uttered|heard|called)"
    rf"|\b(?:at the (?:mention|sound) of|(?:up)?on hearing|hearing) (?:the (?:word|name|phrase) )?(?:{_QUOTED.format('q5')}|(?P<w5>[\w-]+))"
    rf"|\b(?:i|we) say {_QUOTED.format('q6')}"
    rf"|\b(?:on|at|upon|hearing|after) (?:hearing )?the (?:magic )?(?:words?|phrase|name) (?:{_QUOTED.format('q2')}|(?P<w2>[\w-]+))"
    rf"|\b(?:on|at|upon) my (?:saying )?[\"“‘'](?P<q3>[^\"”’]+)[\"”’']"
    r"|(?P<zhow>每当|每次|每逢|只要|一旦|当|等到?|在)?(?:(?:我|你|他|她|主播|嘉宾|有人)(?:们)?)?(?:一|要是)?(?:说|讲|提|听|喊|念|谈|聊|出现)(?:到|出|起|了|完|道|及|见)?(?!一半|话)"
    r"(?:[“\"「『'‘]\s*(?P<z1>[^”\"」』'’]+?)\s*[”\"」』'’](?:这个?[词字])?(?:的?时候|时|以后|之后|后|的话|就|，|,|你|$)|(?P<z2>[^”\"」』'’的时就你，,。“一]{1,8}?)(?:的?时候|时|以后|之后|的话|你?就))"
    r"|(?P<zeach>每当|每次|每逢|只要|一旦|当|等|如果|要是)(?:我|你|他|她|主播|嘉宾|有人)?(?:们)?(?:说|讲|提|听|喊)(?:到|出|起)?[“\"「『'‘]?(?P<z3>[^“”\"」』'’，,。]{1,8})[”\"」』'’]?(?=[，,]|$)"
    r"|[「『\"“](?P<j1>[^」』\"”]+)[」』\"”]と(?:言|い|聞|言い)(?:った|う|えば|ったら|いたら|うたび|うとき|った時)"
    r"|[\"'“‘「]?(?P<k1>[^\s\"'”’」]+)[\"'”’」]?\s*(?:이?라고|라|고) ?(?:말하|하|말할|할|들)(?:면|ㄹ 때| 때|때|을 때|리면|때마다| 때마다)",
    re.IGNORECASE,
)  # fmt: skip
_UNTIL_CUE = re.compile(
    rf"\b(?:until|till|'til) {_SAYS}\s+(?:the (?:words?|phrase)\s+)?(?:{_QUOTED.format('q1')}|(?P<w1>[\w'-]+(?: [\w'-]+)?))"
    r"|(?:直到|一直到)(?:我|你|他|她)(?:说|喊|讲)(?:到|出)?[“\"「]?(?P<z1>[^”\"」，,。为时]+?)[”\"」]?(?:为止|的时候|时)?(?=$|[，,。])"
    r"|(?:我)(?:说|喊)[“\"「]?(?P<z2>[^”\"」，,。]+?)[”\"」]?(?:为止|之前)|[「『\"](?P<j1>[^」』\"]+)[」』\"]と(?:言う|いう)まで|[\"'“]?(?P<k1>[^\s\"'”]+)[\"'”]?(?:이?라고) (?:말)?할 때까지",
    re.IGNORECASE,
)  # fmt: skip
_EACH_TIME = re.compile(r"^(?:whenever|each time|every time|any ?time|每当|每次|每逢|只要)", re.IGNORECASE)
_EACH_TIME_LATE = re.compile(r"たび|때마다")


@dataclass(frozen=True, slots=True)
class Timing:
    """What a clause says of time. `rest` is the clause with that taken out; `begin` where the first of it stood, or -1.

    is_named: a start is given, not a length alone. until_s, until_middle: an end. is_wait: nothing but a length to wait.
    """

    when: When
    rest: str
    begin: int = -1
    is_named: bool = False
    until_s: float | None = None
    until_middle: bool = False
    is_wait: bool = False
    is_later: bool = False  # counted from what came before
    is_start: bool = False


_OPENING = re.compile(
    r"\b(?:(?:start|begin|open|end|finish|clos|conclud|wrap|kick)(?:s|e|es|ing|ning|ping)?(?: (?:up|off|out|it|things))*|(?:say|says|saying) (?:no|yes)|agree|disagree) with\b|with (?:your|the|his|her|one|a) (?:head|eye)\b|\b(?:left and right|right and left|up and down)\b",
    re.IGNORECASE,
)
_SPEAKING = ("", "说", "讲", "播", "演", "进行", "等")  # "讲到第五秒" is a time to begin at, "笑到第五秒" one to end at
_LENGTH = re.compile(f"{_N}|{_CLOCK}", re.IGNORECASE)


def protected(text: str) -> list[tuple[int, int]]:
    """What no clause boundary may cut: cues and times."""
    patterns = (_UNTIL_CUE, _CUE, _RANGE, _LAST, _FIRST, _AFTER, _LENGTH, _OPENING)
    return [match.span() for pattern in patterns for match in pattern.finditer(text)]


def time_of(text: str) -> Timing:
    """The time that a clause names."""
    timing = Timing(When(), text)
    if match := _THROUGHOUT.search(text):
        timing = replace(timing, rest=text[: match.start()] + " " * (match.end() - match.start()) + text[match.end() :])
    for read in (_read_until_cue, _read_cue, _read_every, _read_span, _read_until, _read_point, _read_length, _read_place):
        timing = read(timing)
    return timing


def _take(timing: Timing, match: re.Match[str], when: When, **changes: object) -> Timing:
    """With the matched words taken out, for nobody to read them again; what they leave is as long as they were."""
    begin = match.start() if timing.begin < 0 else min(timing.begin, match.start())
    rest = timing.rest[: match.start()] + " " * (match.end() - match.start()) + timing.rest[match.end() :]
    return replace(timing, when=when, rest=rest, begin=begin, **changes)  # type: ignore[arg-type]


def _groups(match: re.Match[str]) -> list[str]:
    return [group for group in match.groups() if group]


def _read_until_cue(timing: Timing) -> Timing:
    if match := _UNTIL_CUE.search(timing.rest):
        return _take(timing, match, replace(timing.when, until_cue=_groups(match)[0].strip()))
    return timing


def _read_cue(timing: Timing) -> Timing:
    if match := _CUE.search(timing.rest):
        named = {name: group for name, group in match.groupdict().items() if group and name not in ("how", "zhow", "zeach")}
        words = next(iter(named.values())).strip()
        each = _EACH_TIME.match(match.group()) is not None or _EACH_TIME_LATE.search(match.group()) is not None
        if words:
            return _take(timing, match, replace(timing.when, cue=words, each_time=each), is_named=True)
    return timing


def _read_every(timing: Timing) -> Timing:
    if match := _EVERY.search(timing.rest):
        groups = _groups(match)
        every_s = seconds(groups[0]) if groups else 4.0
        return _take(timing, match, replace(timing.when, every_s=every_s or 1.0))
    return timing


def _read_span(timing: Timing) -> Timing:
    """From … to …, the first …, the last …."""
    if match := _RANGE.search(timing.rest):
        groups = _groups(match)
        first, last = seconds(groups[0]), seconds(groups[1])
        if first is not None and last is not None and last > first:
            return _take(timing, match, replace(timing.when, at_s=first, for_s=last - first), is_named=True)
    if match := _LAST.search(timing.rest):
        groups = _groups(match)
        return _take(timing, match, replace(timing.when, last_s=(seconds(groups[0]) if groups else None) or 2.0), is_named=True)
    if match := _FIRST.search(timing.rest):
        return _take(timing, match, replace(timing.when, at_s=0.0, for_s=seconds(_groups(match)[0])), is_named=True)
    return timing


def _read_until(timing: Timing) -> Timing:
    if match := _UNTIL_MIDDLE.search(timing.rest):
        return _take(timing, match, timing.when, until_middle=True)
    match = _UNTIL.search(timing.rest)
    if match and not (match.group()[0] == "到" and timing.rest[: match.start()] in _SPEAKING):
        return _take(timing, match, timing.when, until_s=seconds(_groups(match)[0]))
    return timing


def _read_point(timing: Timing) -> Timing:
    if timing.is_named and not timing.when.cue:
        return timing
    if match := _AFTER.search(timing.rest):
        later = _LATER.search(match.group()) is not None
        return _take(timing, match, replace(timing.when, after_s=seconds(_groups(match)[0])), is_named=True, is_later=later)
    if match := _SOON.search(timing.rest):
        return _take(timing, match, replace(timing.when, after_s=2.0), is_named=True, is_later=True)
    if match := _AT.search(timing.rest):
        return _take(timing, match, replace(timing.when, at_s=seconds(_groups(match)[0])), is_named=True)
    return timing


def _read_length(timing: Timing) -> Timing:
    if timing.when.for_s is not None:
        return timing
    if match := _FOR.search(timing.rest):
        return _take(timing, match, replace(timing.when, for_s=seconds(_groups(match)[0])))
    if match := _BRIEFLY.search(timing.rest):
        return _take(timing, match, replace(timing.when, for_s=2.0))
    return timing


def _read_place(timing: Timing) -> Timing:
    if timing.is_named:
        return timing
    if match := _FIRST_HALF.search(timing.rest):
        return _take(timing, match, replace(timing.when, place="start"), until_middle=True, is_named=True, is_start=True)
    if match := _FRACTION.search(timing.rest):
        place = next(name for name, said in match.groupdict().items() if said).removesuffix("_zh").replace("_", " ")
        return _take(timing, match, replace(timing.when, place=place), is_named=True)
    for place, pattern in (("end", _END), ("middle", _MIDDLE), ("start", _START)):
        if match := pattern.search(timing.rest):
            return _take(timing, match, replace(timing.when, place=place), is_named=True, is_start=place == "start")
    return timing


def seconds(text: str) -> float | None:
    """A length of time in seconds: "two and a half seconds", "0:05", "半分钟", "十二秒", "3초"; None for anything else."""
    text = text.strip().lower()
    if clock := re.fullmatch(r"(\d{1,2}):(\d{2})", text):
        return 60.0 * int(clock[1]) + int(clock[2])
    unit = 60.0 if re.search(r"\bmin|(?<![a-z])m\b|分|분", text) else 1.0
    if number := re.match(r"\d+(?:\.\d+)?", text):
        value: float | None = float(number.group())
    elif word := next((w for w in _EN_NUMBERS if re.match(rf"{w}\b", text)), None):
        value = float(_EN_NUMBERS[word])
    elif text[0] in _KO_NUMBERS:
        value = float(_KO_NUMBERS[text[0]])
    else:
        value = _chinese(re.match(r"[零一二两兩三四五六七八九十几幾数半]*", text).group())  # type: ignore[union-attr]
    if value is None:
        return None
    half = 0.5 if "and a half" in text or re.search(r"[个個]半", text) else 0.0
    return (value + half) * unit


def _chinese(number: str) -> float | None:
    if not number:
        return None
    if number == "半":
        return 0.5
    tens, ten, ones = number.rpartition("十")
    if ten:
        return 10.0 * (_DIGITS.get(tens, 1) if tens else 1) + (_DIGITS.get(ones, 0) if ones else 0)
    return float(_DIGITS.get(number[0], 1))
