"""What jaw and lips aim at in each phone of the IPA, after the phonetics textbooks (Ladefoged & Johnson; Bell-Berti & Harris
on rounding): how open, how round, how spread, how much of it matters, and how nearly the lips shut.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from export.train.data.speech import SILENCE


@dataclass(frozen=True, slots=True)
class Target:
    """Aims in blendshape weights, and how strongly the phone insists on each group of them (dominance, 0–1)."""

    jaw: float = 0.14
    funnel: float = 0.0
    pucker: float = 0.0
    stretch: float = 0.0
    smile: float = 0.0
    upper: float = 0.05  # upper lip raised off the teeth
    lower: float = 0.12  # lower lip drawn down
    roll_lower: float = 0.0
    roll_upper: float = 0.0
    press: float = 0.0
    shrug: float = 0.0
    puff: float = 0.0
    tongue: float = 0.0
    jaw_dominance: float = 0.4
    lip_dominance: float = 0.3
    round_dominance: float = 0.25
    #: How far the lips' opening is narrowed while the phone lasts: 1 is contact.
    constriction: float = 0.0
    #: The part of the phone, from its start, that the constriction holds for.
    hold: float = 1.0


def _vowel(jaw: float, funnel: float, pucker: float, stretch: float, smile: float, upper: float, lower: float) -> Target:
    return Target(
        jaw, funnel, pucker, stretch, smile, upper, lower, jaw_dominance=1.0, lip_dominance=0.8,
        round_dominance=1.0 if pucker > 0.15 else 0.7,
    )  # fmt: skip


_SHUT = Target(
    jaw=0.08, upper=0.0, lower=0.0, roll_lower=0.10, roll_upper=0.08, press=0.25, puff=0.06, jaw_dominance=0.35,
    lip_dominance=0.5,
    round_dominance=0.1, constriction=1.0, hold=0.8,
)  # fmt: skip
_LABIODENTAL = Target(
    jaw=0.06, upper=0.22, lower=0.0, roll_lower=0.45, shrug=0.12, jaw_dominance=0.8, lip_dominance=1.0,
    round_dominance=0.15, constriction=0.78
)  # fmt: skip
_HISS = Target(jaw=0.05, stretch=0.14, smile=0.06, upper=0.24, lower=0.42, jaw_dominance=1.0, lip_dominance=0.9)
_HUSH = Target(
    jaw=0.06, funnel=0.45, pucker=0.18, upper=0.28, lower=0.3, jaw_dominance=1.0, lip_dominance=0.9, round_dominance=0.8
)  # fmt: skip
_PALATAL_HISS = replace(_HISS, funnel=0.12, stretch=0.1)
_ALVEOLAR = Target(jaw=0.09, upper=0.06, lower=0.18, jaw_dominance=0.65, constriction=0.2)
_DENTAL = Target(jaw=0.11, upper=0.08, lower=0.2, tongue=0.2, jaw_dominance=0.7, constriction=0.15)
_LIQUID = Target(jaw=0.16, upper=0.06, lower=0.15, jaw_dominance=0.45)
_RHOTIC = Target(
    jaw=0.12, funnel=0.3, pucker=0.15, upper=0.08, lower=0.12, jaw_dominance=0.5, round_dominance=0.6, constriction=0.25
)
_VELAR = Target(jaw=0.16, jaw_dominance=0.3, lip_dominance=0.15, round_dominance=0.1)
_FREE = Target(jaw=0.18, jaw_dominance=0.06, lip_dominance=0.05, round_dominance=0.03)
_GLIDE_ROUND = Target(
    jaw=0.07, funnel=0.3, pucker=0.7, upper=0.02, lower=0.05, jaw_dominance=0.8, lip_dominance=0.7, round_dominance=1.0,
    constriction=0.5
)  # fmt: skip
_GLIDE_SPREAD = Target(
    jaw=0.1, stretch=0.22, smile=0.14, upper=0.1, lower=0.22, jaw_dominance=0.7, lip_dominance=0.6, round_dominance=0.5
)

_TABLE: dict[str, Target] = {
    "i": _vowel(0.10, 0.00, 0.00, 0.26, 0.20, 0.19, 0.41),
    "ɪ": _vowel(0.17, 0.00, 0.00, 0.16, 0.10, 0.14, 0.32),
    "e": _vowel(0.21, 0.00, 0.00, 0.20, 0.15, 0.18, 0.38),
    "ɛ": _vowel(0.29, 0.00, 0.00, 0.15, 0.08, 0.19, 0.38),
    "æ": _vowel(0.36, 0.00, 0.00, 0.18, 0.08, 0.24, 0.45),
    "a": _vowel(0.38, 0.00, 0.00, 0.06, 0.04, 0.19, 0.38),
    "ɑ": _vowel(0.39, 0.05, 0.00, 0.00, 0.00, 0.16, 0.35),
    "ʌ": _vowel(0.28, 0.04, 0.00, 0.00, 0.00, 0.11, 0.27),
    "ə": replace(_vowel(0.17, 0.03, 0.00, 0.04, 0.00, 0.07, 0.20), jaw_dominance=0.5, lip_dominance=0.35, round_dominance=0.3),
    "ɚ": _vowel(0.16, 0.28, 0.12, 0.00, 0.00, 0.09, 0.22),
    "ɔ": _vowel(0.27, 0.34, 0.20, 0.00, 0.00, 0.11, 0.22),
    "o": _vowel(0.18, 0.38, 0.40, 0.00, 0.00, 0.08, 0.14),
    "ʊ": _vowel(0.14, 0.30, 0.34, 0.00, 0.00, 0.05, 0.14),
    "u": _vowel(0.10, 0.34, 0.60, 0.00, 0.00, 0.04, 0.08),
    "y": _vowel(0.08, 0.32, 0.55, 0.00, 0.00, 0.07, 0.11),
    "ø": _vowel(0.17, 0.38, 0.40, 0.00, 0.00, 0.08, 0.16),
    "œ": _vowel(0.26, 0.36, 0.26, 0.00, 0.00, 0.11, 0.22),
    "ɯ": _vowel(0.11, 0.04, 0.06, 0.08, 0.00, 0.07, 0.22),
    "ɨ": _vowel(0.11, 0.04, 0.02, 0.10, 0.04, 0.14, 0.32),
    "ɤ": _vowel(0.22, 0.02, 0.00, 0.08, 0.02, 0.09, 0.27),
    "p": _SHUT, "b": _SHUT, "m": replace(_SHUT, press=0.15, puff=0.0, hold=0.9), "ʙ": _SHUT,
    "f": _LABIODENTAL, "v": _LABIODENTAL, "ɱ": _LABIODENTAL, "ʋ": replace(_LABIODENTAL, constriction=0.5, roll_lower=0.25),
    "ɸ": replace(_GLIDE_ROUND, pucker=0.2, funnel=0.1, constriction=0.7), "β": replace(_SHUT, constriction=0.75, press=0.05),
    "s": _HISS, "z": _HISS, "ts": _HISS, "dz": _HISS,
    "ʃ": _HUSH, "ʒ": _HUSH, "tʃ": _HUSH, "dʒ": _HUSH, "ʂ": replace(_HUSH, funnel=0.32), "ʐ": replace(_HUSH, funnel=0.3),
    "ɕ": _PALATAL_HISS, "ʑ": _PALATAL_HISS, "ç": replace(_PALATAL_HISS, jaw=0.1, constriction=0.1),
    "t": _ALVEOLAR, "d": _ALVEOLAR, "n": _ALVEOLAR, "ɲ": _ALVEOLAR, "ɬ": _ALVEOLAR, "ɮ": _ALVEOLAR,
    "θ": _DENTAL, "ð": _DENTAL,
    "l": _LIQUID, "ɫ": _LIQUID, "ʎ": _LIQUID, "ɾ": _LIQUID, "r": _LIQUID, "ɽ": _LIQUID, "ɺ": _LIQUID,
    "ɹ": _RHOTIC, "ɻ": _RHOTIC, "ʁ": _VELAR, "ʀ": _VELAR,
    "k": _VELAR, "ɡ": _VELAR, "ŋ": _VELAR, "x": _VELAR, "q": _VELAR, "χ": _VELAR, "ɣ": _VELAR, "ɢ": _VELAR, "ɴ": _VELAR,
    "c": _VELAR, "ɟ": _VELAR,
    "h": _FREE, "ɦ": _FREE, "ʔ": _FREE, "ħ": replace(_FREE, jaw=0.26, jaw_dominance=0.3), "ʕ": replace(_FREE, jaw=0.28,
    jaw_dominance=0.3),
    "w": _GLIDE_ROUND, "ɥ": replace(_GLIDE_ROUND, pucker=0.55), "ʍ": _GLIDE_ROUND, "ɰ": _VELAR, "j": _GLIDE_SPREAD,
    "ʝ": _GLIDE_SPREAD,
    SILENCE: Target(jaw=0.0, upper=0.0, lower=0.0, jaw_dominance=1.0, lip_dominance=1.0, round_dominance=0.8),
}  # fmt: skip
_ALIASES = {
    "?": "ʔ",
    "ʧ": "tʃ", "ʤ": "dʒ", "ʨ": "ɕ", "ʥ": "ʑ", "tɕ": "ɕ", "dʑ": "ʑ", "ꭧ": "ʂ", "tʂ": "ʂ", "dʐ": "ʐ", "ʦ": "ts", "ʣ": "dz",
    "g": "ɡ",
    "ɜ": "ɚ", "ɝ": "ɚ", "ɐ": "ʌ", "ɒ": "ɔ", "ɘ": "ə", "ɵ": "ø", "ʉ": "u", "ɞ": "œ", "ʏ": "y", "ʈ": "t", "ɖ": "d", "ɳ": "n",
    "ɭ": "l",
    "ʟ": "ɫ", "ɓ": "b", "ɗ": "d", "ɠ": "ɡ", "ᵻ": "ɪ", "ɶ": "œ", "ɧ": "ʃ", "ã": "a", "õ": "o", "ẽ": "e", "ĩ": "i", "ũ": "u",
}  # fmt: skip


def target(symbol: str) -> Target:
    """The aims of one phone. Raises KeyError for a symbol that is no phone of the table."""
    return _TABLE[_ALIASES.get(symbol, symbol)]


def is_vowel(symbol: str) -> bool:
    """Whether the phone can carry a syllable."""
    return target(symbol).jaw_dominance >= 0.5 and _ALIASES.get(symbol, symbol) in "iɪeɛæaɑʌəɚɔoʊuyøœɯɨɤ"
