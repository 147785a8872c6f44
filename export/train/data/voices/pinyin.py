"""Chinese characters to pinyin, and pinyin to the IPA that Kokoro was taught."""

from __future__ import annotations

import importlib
import re

from export.train.data.voices import EngineMissing

_INITIALS = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l", "g": "k", "k": "kʰ", "h": "x",
    "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s", "": "",
}  # fmt: skip
#: ``*`` is where the tone goes.
_FINALS = {
    "a": "a*", "ai": "ai*", "an": "a*n", "ang": "a*ŋ", "ao": "au*", "e": "ɤ*", "ei": "ei*", "en": "ə*n", "eng": "ə*ŋ",
    "er": "ɚ*",
    "i": "i*", "ia": "ja*", "ian": "jɛ*n", "iang": "ja*ŋ", "iao": "jau*", "ie": "je*", "in": "i*n", "ing": "i*ŋ", "io": "jɔ*",
    "iong": "jʊ*ŋ", "iou": "jou*", "iu": "jou*", "o": "o*", "ong": "ʊ*ŋ", "ou": "ou*", "u": "u*", "ua": "wa*", "uai": "wai*",
    "uan": "wa*n", "uang": "wa*ŋ", "uei": "wei*", "ui": "wei*", "uen": "wə*n", "un": "wə*n", "ueng": "wə*ŋ", "uo": "wo*",
    "v": "y*", "van": "ɥɛ*n", "ve": "ɥe*", "vn": "y*n", "ue": "ɥe*",
}  # fmt: skip
_TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}
_MARKS = str.maketrans("，。？！：；、“”", ",.?!:;,  ")


def numbered_pinyin(text: str) -> str:
    """``你好。`` → ``ni3 hao3 .`` Raises EngineMissing without pypinyin."""
    try:
        pypinyin = importlib.import_module("pypinyin")
    except ImportError as error:
        raise EngineMissing("Chinese needs pypinyin: pip install 'rostrum[speech]'") from error
    parts = pypinyin.lazy_pinyin(text, style=pypinyin.Style.TONE3, neutral_tone_with_five=True)
    return re.sub(r"\s+([,.?!:;])", r"\1", " ".join(parts).translate(_MARKS)).strip()


def pinyin_ipa(syllable: str) -> str:
    """``zhong1`` → ``ꭧʊ→ŋ``. What is no pinyin comes back as it is."""
    match = re.fullmatch(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcs]?)([a-züv]*?)([1-5])", syllable.replace("ü", "v"))
    if match is None:
        return syllable
    initial, final, tone = match.groups()
    if initial == "" and final.startswith("y"):
        final = {"yi": "i", "yin": "in", "ying": "ing", "yu": "v", "yue": "ve", "yuan": "van", "yun": "vn", "you": "iou"}.get(
            final, "i" + final[1:]
        )
    elif initial == "" and final.startswith("w"):
        final = {"wu": "u", "wei": "uei", "wen": "uen"}.get(final, "u" + final[1:])
    elif initial in ("j", "q", "x") and final.startswith("u"):
        final = "v" + final[1:]
    if final == "i" and initial in ("zh", "ch", "sh", "r", "z", "c", "s"):
        return _INITIALS[initial] + "ɨ" + _TONES[tone]
    if final not in _FINALS:
        return syllable
    return _INITIALS[initial] + _FINALS[final].replace("*", _TONES[tone])


def chinese_ipa(text: str) -> str:
    """A Chinese sentence in Kokoro's alphabet: syllables joined in pairs, punctuation kept."""
    out, run = "", 0
    for word in numbered_pinyin(text).split():
        syllable, mark = re.fullmatch(r"(.*?)([,.?!:;]*)", word).groups()  # type: ignore[union-attr]
        out += pinyin_ipa(syllable) + mark
        run = run + 1 if not mark else 0
        out += " " if mark or run % 2 == 0 else ""
    return out.strip()
