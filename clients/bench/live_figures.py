"""Delay, skew and the way of a prompt to the air, out of what a viewer received and what a host spoke.

Three clocks meet here: *spoken* (seconds into the host's sound), *media* (the sender's clock, told by RTCP sender reports, the
same for sound and picture) and *arrival* (the viewer's own). Sound is recognised by cross-correlation, which ties media to
spoken time; pictures carry media time, and so it is known when what they show was spoken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000
LEAST_RMS = 60.0  # of 32768, -55 dB: nothing can be recognised in less
Pairs = list[tuple[float, float]]


@dataclass(slots=True, eq=False)
class Received:
    """Everything a viewer received.

    pictures: (media_s, arrived_s) of each. voice: of each packet (media_s of its first sample, arrived_s, mono int16, 48 kHz).
    """

    pictures: Pairs = field(default_factory=list)
    voice: list[tuple[float, float, NDArray[np.int16]]] = field(default_factory=list)

    @property
    def sounds(self) -> Pairs:
        """(media_s of its end, arrived_s) of each packet of sound, in order of media time."""
        return sorted((media_s + len(samples) / RATE_HZ, arrived_s) for media_s, arrived_s, samples in self.voice)


def media_minus_spoken(
    spoken: NDArray[np.int16], spoken_at: float, received: Received, window_s: float = 2.0, longest_s: float = 8.0
) -> Pairs:
    """(media_s, media − spoken) for each window of the received voice that is recognised; spoken is mono at 48 kHz.

    spoken_at: arrival time at which sample 0 was spoken. Delays up to `longest_s` are looked for.
    """
    step = 12  # works at 4 kHz; peaks are refined by a parabola
    source = _coarse(spoken, step)
    rate = RATE_HZ / step
    found: Pairs = []
    for start_s, arrived_s, piece in _windows(received.voice, round(window_s * RATE_HZ)):
        sound = _coarse(piece, step)
        if np.sqrt((sound**2).mean()) < LEAST_RMS:
            continue
        latest_s = arrived_s - spoken_at
        first = max(0, round((latest_s - longest_s - window_s) * rate))
        at = _best_match(source[first : max(0, round((latest_s + 0.1) * rate))], sound)
        if at is not None:
            found.append((start_s, start_s - (first + at) / rate))
    return found


def skews_ms(received: Received, since_s: float) -> NDArray[np.float64]:
    """For each picture after media time `since_s`: how much later than its own sound it arrived. Signed.

    Its own sound is that of the picture's middle: a frame stands for 1/fps of sound, and neither end of it is more right.
    """
    if not received.voice or not received.pictures:
        return np.zeros(0)
    media, arrived = np.array(received.sounds).T
    shown = np.array(sorted(received.pictures))
    frame_s = float(np.median(np.diff(shown[:, 0]))) if len(shown) > 1 else 0.04
    middle = shown[:, 0] + frame_s / 2
    kept = (shown[:, 0] >= since_s) & (middle > media[0]) & (middle < media[-1])
    return np.asarray(((shown[kept, 1] - np.interp(middle[kept], media, arrived)) * 1e3).astype(np.float64))


def picture_delays_ms(received: Received, offsets: Pairs, spoken_at: float, since_s: float) -> NDArray[np.float64]:
    """From a sound being spoken (its sample 0 at `spoken_at`) to the picture that shows it arriving, for each picture."""
    media, offset = np.array(sorted(offsets)).T
    shown = np.array([pair for pair in sorted(received.pictures) if pair[0] >= since_s]).reshape(-1, 2)
    spoken = shown[:, 0] - np.interp(shown[:, 0], media, offset)
    return np.asarray((shown[:, 1] - (spoken_at + spoken)) * 1e3)


def prompt_to_air_ms(received: Received, offsets: Pairs, sent_at: float, on_air_s: float) -> float | None:
    """From sending a prompt to the arrival of the first picture at or past its on-air time (seconds of spoken time)."""
    media, offset = np.array(sorted(offsets)).T
    for media_s, arrived_s in sorted(received.pictures):
        if arrived_s >= sent_at and media_s - float(np.interp(media_s, media, offset)) >= on_air_s - 1e-3:
            return (arrived_s - sent_at) * 1e3
    return None


def silent_after_ms(received: Received, sent_at: float, loud_rms: float = 600.0, for_s: float = 0.1) -> float | None:
    """From `sent_at` to the arrival of the first sound of a silence that lasts `for_s`; None where it was silent already."""
    in_order = sorted(received.voice, key=lambda packet: packet[0])
    packets = [(arrived_s, _rms(samples), len(samples) / RATE_HZ) for _, arrived_s, samples in in_order]
    before = [rms for arrived_s, rms, _ in packets if sent_at - 0.2 <= arrived_s < sent_at]
    if max(before, default=0.0) < loud_rms:
        return None
    began_at, silent_s = 0.0, 0.0
    for arrived_s, rms, length_s in packets:
        if arrived_s < sent_at:
            continue
        if rms >= LEAST_RMS:
            silent_s = 0.0
            continue
        began_at = began_at if silent_s else arrived_s
        silent_s += length_s
        if silent_s >= for_s:
            return (began_at - sent_at) * 1e3
    return None


def _rms(samples: NDArray[np.int16]) -> float:
    return float(np.sqrt((samples.astype(np.float64) ** 2).mean())) if len(samples) else 0.0


def holds_per_min(first: dict[str, int], last: dict[str, int], seconds: float) -> dict[str, float]:
    """By reason, between two counts."""
    return {reason: round((count - first.get(reason, 0)) / seconds * 60, 2) for reason, count in last.items()}


def spread(values: Sequence[float] | NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Median and 95th percentile, to a tenth; None where there is nothing."""
    if not len(values):
        return None, None
    return round(float(np.median(values)), 1), round(float(np.percentile(values, 95)), 1)


def _windows(
    voice: Sequence[tuple[float, float, NDArray[np.int16]]], length: int
) -> list[tuple[float, float, NDArray[np.int16]]]:
    """Unbroken stretches of `length` samples, each with the media time of its first and the arrival of its last."""
    windows: list[tuple[float, float, NDArray[np.int16]]] = []
    pieces: list[NDArray[np.int16]] = []
    start_s, end_s = 0.0, None
    for media_s, arrived_s, samples in sorted(voice, key=lambda packet: packet[0]):  # packets may overtake each other
        if end_s is None or abs(media_s - end_s) > 0.004:
            pieces, start_s = [], media_s
        pieces.append(samples)
        end_s = media_s + len(samples) / RATE_HZ
        if sum(map(len, pieces)) >= length:
            windows.append((start_s, arrived_s, np.concatenate(pieces)))
            end_s = None
    return windows


def _coarse(sound: NDArray[np.int16], step: int) -> NDArray[np.float64]:
    return np.asarray(sound[: len(sound) // step * step].astype(np.float64).reshape(-1, step).mean(axis=1))


def _best_match(span: NDArray[np.float64], piece: NDArray[np.float64], least: float = 0.3) -> float | None:
    """Where in `span` `piece` fits best by normalised correlation, in samples; None where nothing fits."""
    if len(span) < len(piece):
        return None
    size = 1 << (len(span) + len(piece)).bit_length()
    product = np.fft.irfft(np.fft.rfft(span, size) * np.conj(np.fft.rfft(piece, size)), size)[: len(span) - len(piece) + 1]
    total = np.concatenate([[0.0], np.cumsum(span**2)])
    score = product / np.sqrt(np.maximum(total[len(piece) :] - total[: -len(piece)], 1e-9) * (piece**2).sum() + 1e-9)
    best = int(score.argmax())
    if score[best] < least:
        return None
    if 0 < best < len(score) - 1:
        before, peak, after = score[best - 1 : best + 2]
        bend = before - 2 * peak + after
        return best + (0.5 * float((before - after) / bend) if bend < 0 else 0.0)
    return float(best)
