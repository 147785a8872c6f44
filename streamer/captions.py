"""What was said in a recording, word by word: the lines of its captions, and WebVTT (W3C, https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streamer.plan import Pts, pts_from_s, s_from_pts

_LONGEST_S = 5.0
_WIDEST = 64  # characters; letters of Chinese, Japanese and Korean count twice
_PAUSE_S = 0.7
_ENDS = tuple(".!?。！？…")


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """`text` as it is written, with the space before it where its language has any."""

    text: str
    start: Pts
    end: Pts


@dataclass(frozen=True, slots=True)
class CaptionLine:
    """One line to read while it is heard."""

    text: str
    start: Pts
    end: Pts


def lines(words: Iterable[SpokenWord]) -> list[CaptionLine]:
    """A new line at the end of a sentence, at a pause, and where the one before is long enough."""
    found: list[CaptionLine] = []
    held: list[SpokenWord] = []
    for word in words:
        if held and _is_full(held, word):
            found.append(_line(held))
            held = []
        held.append(word)
        if word.text.strip().endswith(_ENDS):
            found.append(_line(held))
            held = []
    return [*found, _line(held)] if held else found


def webvtt(captions: Sequence[CaptionLine]) -> str:
    """A WebVTT file."""
    blocks = [f"{_time(line.start)} --> {_time(line.end)}\n{_escaped(line.text)}\n" for line in captions]
    return "\n".join(["WEBVTT\n", *blocks])


def _is_full(held: Sequence[SpokenWord], word: SpokenWord) -> bool:
    width = sum(_width(each.text) for each in held) + _width(word.text)
    length = word.end - held[0].start
    return width > _WIDEST or length > pts_from_s(_LONGEST_S) or word.start - held[-1].end > pts_from_s(_PAUSE_S)


def _width(text: str) -> int:
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)


def _line(words: Sequence[SpokenWord]) -> CaptionLine:
    end = max(words[-1].end, Pts(words[0].start + pts_from_s(0.5)))
    return CaptionLine("".join(word.text for word in words).strip(), words[0].start, end)


def _time(pts: Pts) -> str:
    minutes, ms = divmod(round(1000 * s_from_pts(pts)), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{ms // 1000:02}.{ms % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
