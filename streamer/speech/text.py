"""Text cut into sentences, and the language its script tells of. Pure."""

from __future__ import annotations

import re

LONGEST = 240  # characters of one sentence; a longer one is cut at a comma or a space

_SENTENCE = re.compile(r".+?(?:[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[”’」』）]*|\n|$)", re.DOTALL)
_SCRIPTS = (  # the first that is found tells
    ("ja", "\u3040-\u30ff"),
    ("ko", "\uac00-\ud7af"),
    ("cmn", "\u4e00-\u9fff"),
    ("ru", "\u0400-\u04ff"),
    ("ar", "\u0600-\u06ff"),
    ("hi", "\u0900-\u097f"),
    ("he", "\u0590-\u05ff"),
    ("el", "\u0370-\u03ff"),
)


def sentences(text: str) -> list[str]:
    """The sentences of a text, none empty, each with its own punctuation and at most `LONGEST` characters."""
    found = (match[0].strip() for match in _SENTENCE.finditer(text))
    return [piece for sentence in found if re.search(r"\w", sentence) for piece in _pieces(sentence)]


def _pieces(sentence: str) -> list[str]:
    pieces = []
    while len(sentence) > LONGEST:
        head = sentence[:LONGEST]
        cut = max(head.rfind(mark) for mark in ",;:、，；") + 1 or head.rfind(" ") + 1 or LONGEST
        pieces.append(sentence[:cut].strip())
        sentence = sentence[cut:].strip()
    return [*pieces, sentence] if sentence else pieces


def language_of(text: str) -> str | None:
    """The language whose script is in the text (as espeak-ng names it); None for Latin letters, which tell nothing."""
    return next((name for name, letters in _SCRIPTS if re.search(f"[{letters}]", text)), None)
