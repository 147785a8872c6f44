"""An utterance: sound with the times of its phones, whoever spoke it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from export.train.data import SAMPLE_RATE_HZ

#: A stretch without speech.
SILENCE = "_"

_STRESS = {"ˈ": 2, "ˌ": 1}
_MODIFIERS = frozenset("ːˑʰʲᵝʷˠˤ̴̩̪̯̃̊̈̆̄̍̃͡ʼ˞ⁿ→↗↓↘˥˦˧˨˩012345ᵊ̞̟̠̝̥̬̹̜̚ᵐ")
_PAUSES = frozenset(' ;:,.!?—…"“”()¡¿«»')
AFFRICATES = frozenset(("tʃ", "dʒ", "tɕ", "dʑ", "ts", "dz", "tʂ", "dʐ", "ʧ", "ʤ", "ʨ", "ʥ", "ꭧ"))
_IGNORED = _MODIFIERS | frozenset(_STRESS) | frozenset("-|'.\u0308")
#: Single letters that Kokoro's and Misaki's alphabet uses for diphthongs.
_DIPHTHONGS = {"A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ"}
_SAME = {"?": "ʔ", "T": "ɾ", "g": "ɡ", "ᵻ": "ɪ", "ʦ": "ts", "ʣ": "dz", "ɝ": "ɚ"}


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone in IPA, or SILENCE. ``stress``: 0 none, 1 secondary, 2 primary (of the syllable that begins with it)."""

    symbol: str
    start_s: float
    end_s: float
    stress: int = 0


@dataclass(frozen=True, slots=True)
class Utterance:
    """``audio``: float32 mono at 16 kHz, [samples], within ±1. The phones follow each other without gaps and cover it."""

    audio: NDArray[np.float32]
    phones: tuple[Phone, ...]
    voice: str
    language: str
    text: str

    @property
    def duration_s(self) -> float:
        return len(self.audio) / SAMPLE_RATE_HZ


def to_16k(audio: NDArray[np.floating], rate_hz: int) -> NDArray[np.float32]:
    """Band-limited resampling to 16 kHz: the spectrum cut off at, or continued by zeros to, the new rate's half."""
    divisor = int(np.gcd(rate_hz, SAMPLE_RATE_HZ))
    up, down = SAMPLE_RATE_HZ // divisor, rate_hz // divisor
    whole = -(-len(audio) // down)  # so that both lengths are whole numbers of samples
    spectrum = np.fft.rfft(np.pad(audio.astype(np.float64), (0, whole * down - len(audio))))
    resampled = np.fft.irfft(spectrum[: whole * up // 2 + 1], whole * up) * (up / down)
    return resampled[: -(-len(audio) * up // down)].astype(np.float32)


def phones_from_symbols(
    symbols: Sequence[tuple[str, float]], audio: NDArray[np.float32], late_s: float = 0.0
) -> tuple[Phone, ...]:
    """Group one-letter symbols with durations in seconds into phones.

    Stress marks lend their time to the phone that follows, lengths, tones and other modifiers to the one before.
    Spaces and punctuation are SILENCE where the sound is quiet there, else they are shared out between their neighbours.
    ``late_s``: how much later than the sound the engine's times are (measured: where stops are silent, where hisses are).
    """
    edges = np.concatenate([[0.0], np.cumsum([duration for _, duration in symbols])])
    edges = np.maximum(0.0, edges - late_s)
    level = _level_db(audio)
    groups: list[Phone] = []
    stress, pending_start = 0, -1.0
    for (letter, _), start, end in zip(symbols, edges[:-1], edges[1:], strict=True):
        if letter in _STRESS:
            stress, pending_start = _STRESS[letter], float(start) if pending_start < 0 else pending_start
        elif letter in _MODIFIERS and groups:
            groups[-1] = replace(groups[-1], end_s=float(end))
        elif letter in _PAUSES or letter == SILENCE:
            if groups and groups[-1].symbol == SILENCE:
                groups[-1] = replace(groups[-1], end_s=float(end))
            else:
                groups.append(Phone(SILENCE, float(start), float(end)))
        else:
            begin = pending_start if pending_start >= 0 else float(start)
            parts = tuple(_DIPHTHONGS[letter]) if letter in _DIPHTHONGS else (_SAME.get(letter, letter),)
            cut = begin + (float(end) - begin) * np.array([0.0, 0.55, 1.0] if len(parts) == 2 else [0.0, 1.0])
            for index, part in enumerate(parts):
                groups.append(Phone(part, float(cut[index]), float(cut[index + 1]), stress if index == 0 else 0))
            stress, pending_start = 0, -1.0
    return _close_gaps(_cut_quiet_tails(_drop_loud_pauses(groups, level), level), len(audio) / SAMPLE_RATE_HZ)


def _level_db(audio: NDArray[np.float32]) -> NDArray[np.float64]:
    """Level every 10 ms, in decibels below the loud parts, [n]."""
    hop = SAMPLE_RATE_HZ // 100
    frames = audio[: len(audio) // hop * hop].reshape(-1, hop)
    power = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-10)
    return power - np.percentile(power, 95) if len(power) else power


def _drop_loud_pauses(groups: list[Phone], level: NDArray[np.float64]) -> list[Phone]:
    kept: list[Phone] = []
    for i, phone in enumerate(groups):
        inner = 0 < i < len(groups) - 1
        if phone.symbol == SILENCE and inner:
            span = level[int(phone.start_s * 100) : max(int(phone.start_s * 100) + 1, int(phone.end_s * 100))]
            if phone.end_s - phone.start_s < 0.06 or not len(span) or np.median(span) > -32:
                continue
        kept.append(phone)
    return kept


def _cut_quiet_tails(groups: list[Phone], level: NDArray[np.float64]) -> list[Phone]:
    """Where speech stops, end the last phone with its sound: length predictors let it run on into the pause."""
    out = list(groups)
    for i, phone in enumerate(groups[:-1]):
        if phone.symbol == SILENCE or groups[i + 1].symbol != SILENCE:
            continue
        heard = np.flatnonzero(level[int(phone.start_s * 100) : int(phone.end_s * 100)] > -35)
        end_s = phone.start_s + max(0.06, (heard[-1] + 3) / 100 if len(heard) else 0.0)
        if end_s < phone.end_s:
            out[i], out[i + 1] = replace(phone, end_s=end_s), replace(groups[i + 1], start_s=end_s)
    return out


def _close_gaps(groups: list[Phone], duration_s: float) -> tuple[Phone, ...]:
    """Share gaps between neighbours, half each, and stretch the ends over the whole sound."""
    if not groups:
        return (Phone(SILENCE, 0.0, duration_s),)
    out = [replace(groups[0], start_s=0.0)]
    for phone in groups[1:]:
        middle = 0.5 * (out[-1].end_s + phone.start_s)
        out[-1] = replace(out[-1], end_s=middle)
        out.append(replace(phone, start_s=middle))
    out[-1] = replace(out[-1], end_s=max(duration_s, out[-1].start_s))
    return tuple(phone for phone in out if phone.end_s > phone.start_s)


def from_segments(segments: Sequence[tuple[str, float, float, int]], duration_s: float) -> tuple[Phone, ...]:
    """Phones from (IPA, start, end, stress) tuples; symbols of several letters share their time out (``tʃ``, ``aɪ``)."""
    out: list[Phone] = []
    for symbol, start, end, stress in segments:
        base = unicodedata.normalize("NFC", "".join(c for c in unicodedata.normalize("NFD", symbol) if c not in _IGNORED))
        if symbol == SILENCE or not base:
            if out and out[-1].symbol == SILENCE:
                out[-1] = replace(out[-1], end_s=end)
            else:
                out.append(Phone(SILENCE, start, end))
            continue
        whole = _SAME.get(base, base)
        parts = [whole] if whole in AFFRICATES else [part for c in base for part in _DIPHTHONGS.get(c, _SAME.get(c, c))]
        cut = np.linspace(start, end, len(parts) + 1)
        out += (Phone(part, float(cut[i]), float(cut[i + 1]), stress if i == 0 else 0) for i, part in enumerate(parts))
    return _close_gaps(out, duration_s)


def stretched(utterance: Utterance, factor: float) -> Utterance:
    """The same utterance ``factor`` times slower, its pitch and formants lower by as much (plain resampling)."""
    length = max(1, round(len(utterance.audio) * factor))
    positions = np.linspace(0, len(utterance.audio) - 1, length)
    if factor < 1:  # keep what would fold over out
        spectrum = np.fft.rfft(utterance.audio)
        spectrum[int(len(spectrum) * factor) :] = 0
        source = np.fft.irfft(spectrum, len(utterance.audio)).astype(np.float32)
    else:
        source = utterance.audio
    audio = np.interp(positions, np.arange(len(source)), source).astype(np.float32)
    scale = length / len(utterance.audio)
    phones = tuple(replace(p, start_s=p.start_s * scale, end_s=p.end_s * scale) for p in utterance.phones)
    return replace(utterance, audio=audio, phones=phones, voice=f"{utterance.voice}*{factor:.2f}")
