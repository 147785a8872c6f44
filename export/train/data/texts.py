"""Sentences to be spoken: frames of ``vocabulary`` filled with words by a seeded generator."""

from __future__ import annotations

import re

import numpy as np

from export.train.data.vocabulary import GRAMMARS

LANGUAGES: tuple[str, ...] = tuple(GRAMMARS)
_SLOT = re.compile(r"\{(\w+)\}")


def sentence(language: str, rng: np.random.Generator) -> str:
    """One sentence (or two or three short ones). Raises KeyError for a language outside LANGUAGES.

    A slot with a capital, ``{Who}``, capitalises its word.
    """
    grammar = GRAMMARS[language]

    def fill(match: re.Match[str]) -> str:
        slot = match[1]
        words = grammar[slot.lower()]
        word = words[int(rng.integers(len(words)))]
        return word[0].upper() + word[1:] if slot[0].isupper() else word

    frames = grammar["frames"]
    text = _SLOT.sub(fill, frames[int(rng.integers(len(frames)))])
    text = re.sub(r"\s+", " ", text)
    return text[0].upper() + text[1:]
