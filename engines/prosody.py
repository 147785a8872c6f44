"""How a voice sounds, apart from its words: pitch, loudness, spectral balance and voice quality, every 10 ms.

The measures are those of the Geneva set (Eyben et al. 2016, "The Geneva Minimalistic Acoustic Parameter Set for voice research
and affective computing"), as far as they can be had without marking single glottal periods. Pitch is the autocorrelation
method of Boersma (1993). A loud or quiet microphone makes no difference: levels count only against each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.specs import SAMPLE_RATE_HZ

HOP = 160  # samples between frames
FRAME_RATE_HZ = SAMPLE_RATE_HZ // HOP
WINDOW = 640  # samples: 40 ms
_FFT = 1024
_LOWEST_HZ, _HIGHEST_HZ = 65.0, 550.0
_FIRST_LAG, _LAST_LAG = int(SAMPLE_RATE_HZ / _HIGHEST_HZ), int(SAMPLE_RATE_HZ / _LOWEST_HZ)
_NUM_CANDIDATES = 4
_OCTAVE_COST = 0.02  # what a period twice as long must be better by
VOICED = 0.5  # strength of the autocorrelation peak from which a frame counts as voiced

_HANN = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
_HZ = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE_HZ)
_FULL_SCALE = WINDOW * _FFT / 4  # power of a sine of full scale, summed over the bins
_RANGE_DB = 40.0
_FLOOR = 1 / (1 + (_HZ / 500) ** 2)  # shaped as speech is on average
_FLOOR = (_FLOOR / _FLOOR.sum()).astype(np.float32)
_NUM_CEPSTRA = 5
_NUM_BANDS = 26


def _window_autocorrelation() -> NDArray[np.float32]:
    power = np.abs(np.fft.rfft(_HANN, _FFT)) ** 2
    correlation = np.fft.irfft(power)[: _LAST_LAG + 2]
    return (correlation / correlation[0]).astype(np.float32)


def _mel_bands() -> NDArray[np.float32]:
    """Triangles [513, 26] even in mel (O'Shaughnessy), 50–5500 Hz: what most microphones and codecs leave."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (50.0, 5500.0))
    edges_mel = np.linspace(low, high, _NUM_BANDS + 2)
    edges = 700 * (10 ** (edges_mel / 2595) - 1)
    rising = (_HZ[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - _HZ[:, None]) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def _cosines() -> NDArray[np.float32]:
    bands = np.arange(_NUM_BANDS) + 0.5
    return np.cos(np.pi / _NUM_BANDS * bands[:, None] * np.arange(1, _NUM_CEPSTRA + 1)).astype(np.float32) / _NUM_BANDS


def _slope(low_hz: float, high_hz: float) -> NDArray[np.float32]:
    """Weights [513] that make a spectrum in dB into its slope in dB a kHz between two frequencies (least squares)."""
    inside = (low_hz <= _HZ) & (high_hz > _HZ)
    x = np.where(inside, _HZ / 1000, 0.0)
    x = np.where(inside, x - x[inside].mean(), 0.0)
    return (x / (x**2).sum()).astype(np.float32)


_WINDOW_CORRELATION = _window_autocorrelation()
_MEL, _COSINES = _mel_bands(), _cosines()
_SLOPES = np.stack([_slope(80, 500), _slope(500, 1500), _slope(1500, 4000)], axis=1)
_LOW, _HIGH = (_HZ >= 50) & (_HZ < 1000), (_HZ >= 1000) & (_HZ < 5000)
_PEAK_LOW, _PEAK_HIGH = (_HZ >= 50) & (_HZ < 2000), (_HZ >= 2000) & (_HZ < 5000)


@dataclass(frozen=True, slots=True, eq=False)
class VoiceFrames:
    """A row every 10 ms, the first 20 ms after the beginning of the sound.

    pitch_hz, strength: float32 [n, 4], the candidate pitches by falling strength (0–1); 0 Hz where there are fewer.
    level_db: [n], of 80 Hz and above, against full scale. spectrum: [n, 11] in dB: `SPECTRAL`.
    """

    pitch_hz: NDArray[np.float32]
    strength: NDArray[np.float32]
    level_db: NDArray[np.float32]
    spectrum: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.level_db)

    def where(self, mask: NDArray[np.bool_]) -> VoiceFrames:
        return VoiceFrames(*(a[mask] for a in (self.pitch_hz, self.strength, self.level_db, self.spectrum)))

    def then(self, others: VoiceFrames) -> VoiceFrames:
        pairs = zip(
            (self.pitch_hz, self.strength, self.level_db, self.spectrum),
            (others.pitch_hz, others.strength, others.level_db, others.spectrum),
            strict=True,
        )
        return VoiceFrames(*(np.concatenate(pair) for pair in pairs))


#: The columns of `VoiceFrames.spectrum`.
SPECTRAL = (
    "alpha_ratio",  # 50–1000 Hz over 1–5 kHz
    "hammarberg",  # strongest of 0–2 kHz over strongest of 2–5 kHz
    "slope_low",  # 80–500 Hz, dB a kHz
    "slope_mid",  # 500–1500 Hz
    "slope_high",  # 1500–4000 Hz
    *(f"cepstrum_{i}" for i in range(1, _NUM_CEPSTRA + 1)),
    "flux",  # change of the mel bands since the frame before, dB
)


def analyse(samples: NDArray[np.int16], loud_db: float | None = None) -> VoiceFrames:
    """16 kHz mono int16 [n] to (n - 640) // 160 + 1 frames; none where the sound is shorter than a window.

    Going on with more sound: give the last 640 - 160 samples again before it (`flux` of the first frame is then 0).
    loud_db: the level of this voice's loud frames before, if it was louder then. A floor 40 dB below the loud frames is laid
    under all, so that a studio and a bedroom are measured over the same range.
    """
    sound = samples.astype(np.float32) / 32768
    n = max(0, (len(sound) - WINDOW) // HOP + 1)
    if not n:
        empty = np.zeros((0, _NUM_CANDIDATES), np.float32)
        return VoiceFrames(empty, empty, np.zeros(0, np.float32), np.zeros((0, len(SPECTRAL)), np.float32))
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP][:n]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * _HANN
    power = np.abs(np.fft.rfft(frames, _FFT)).astype(np.float32) ** 2 + 1e-7
    power[:, _HZ < 50] = 1e-7
    pitch, strength = _pitch(power)
    level = 10 * np.log10(power[:, _HZ >= 80].sum(axis=1) / _FULL_SCALE)
    loud = max(float(np.percentile(level, 95)), -100.0 if loud_db is None else loud_db)
    power += np.float32(10 ** ((loud - _RANGE_DB) / 10) * _FULL_SCALE) * _FLOOR
    db = 10 * np.log10(power)
    bands = 10 * np.log10(power @ _MEL)
    flux = np.zeros(n, np.float32)
    flux[1:] = np.abs(np.diff(bands, axis=0)).mean(axis=1)
    columns = [
        10 * np.log10(power[:, _LOW].sum(axis=1) / power[:, _HIGH].sum(axis=1)),
        db[:, _PEAK_LOW].max(axis=1) - db[:, _PEAK_HIGH].max(axis=1),
        *(db @ _SLOPES).T,
        *(bands @ _COSINES).T,
        flux,
    ]
    return VoiceFrames(pitch, strength, level.astype(np.float32), np.stack(columns, axis=1).astype(np.float32))


def _pitch(power: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Candidates [n, 4] in Hz and their strengths: peaks of the autocorrelation over that of the window (Boersma 1993)."""
    correlation = np.fft.irfft(power)[:, : _LAST_LAG + 2].astype(np.float32)
    r = correlation / (correlation[:, :1] * _WINDOW_CORRELATION)
    left, at, right = r[:, _FIRST_LAG - 1 : -2], r[:, _FIRST_LAG:-1], r[:, _FIRST_LAG + 1 :]
    is_peak = (at > left) & (at >= right) & (at > 0.2)
    lags = np.arange(_FIRST_LAG, _FIRST_LAG + at.shape[1])
    worth = np.where(is_peak, at - _OCTAVE_COST * np.log2(lags / _FIRST_LAG), -1.0)
    best = np.argsort(-worth, axis=1)[:, :_NUM_CANDIDATES]
    take = lambda a: np.take_along_axis(a, best, axis=1)  # noqa: E731
    before, peak, after = take(left), take(at), take(right)
    curve = before - 2 * peak + after
    shift = np.where(curve < -1e-9, 0.5 * (before - after) / np.where(curve < -1e-9, curve, -1), 0)
    known = take(is_peak)
    pitch = np.where(known, SAMPLE_RATE_HZ / (lags[best] + np.clip(shift, -0.5, 0.5)), 0)
    return pitch.astype(np.float32), np.where(known, np.clip(peak, 0, 1), 0).astype(np.float32)


#: What `describe` gives, in order.
MEASURES = (
    "pitch_median", "pitch_p10", "pitch_p90", "pitch_spread", "pitch_rise", "pitch_fall", "pitch_wobble",
    "voiced_share", "voiced_stretch_s", "strength_mean", "strength_spread",
    "level_spread", "level_range", "level_rise", "peaks_per_s", "loud_pitch", "loud_alpha",
    *(f"{name}_mean" for name in SPECTRAL), *(f"{name}_spread" for name in SPECTRAL[:-1]),
    "alpha_of_all", "hammarberg_of_all", "unvoiced_alpha",
)  # fmt: skip
_LEAST_VOICED = 40  # frames


def describe(frames: VoiceFrames) -> NDArray[np.float32] | None:
    """A few seconds of a voice in `MEASURES`, float32 [m]; None where less than 0.4 s of it is voiced.

    Pitch is in semitones above 55 Hz, slopes in semitones or dB a second. Pauses are left out.
    """
    if len(frames) < _LEAST_VOICED:
        return None
    loudest = np.percentile(frames.level_db, 95)
    floor = np.percentile(frames.level_db, 5)
    is_speech = frames.level_db > max(loudest - 30, min(floor + 6, loudest - 12))
    pitch, strength = _track(frames)
    voiced = is_speech & (strength > VOICED) & (pitch > 0)
    if voiced.sum() < _LEAST_VOICED:
        return None
    tone = 12 * np.log2(np.where(voiced, pitch, 55) / 55)
    runs = _runs(voiced)
    level, spectrum = frames.level_db, frames.spectrum
    slopes, wobbles, lengths = [], [], []
    for first, last in runs:
        if last - first < 6:
            continue
        run = tone[first:last]
        smooth = np.convolve(np.pad(run, 2, mode="edge"), np.full(5, 0.2), mode="valid")
        slopes.append(np.diff(smooth) * FRAME_RATE_HZ)
        wobbles.append(np.abs(run - smooth))
        lengths.append((last - first) / FRAME_RATE_HZ)
    slope = np.concatenate(slopes) if slopes else np.zeros(1)
    smooth_level = np.convolve(np.pad(level, 3, mode="edge"), np.hanning(9)[1:-1] / np.hanning(9).sum(), mode="valid")
    change = np.diff(smooth_level) * FRAME_RATE_HZ
    in_speech = is_speech[1:] & is_speech[:-1]
    heard = tone[voiced]
    p10, p50, p90 = np.percentile(heard, (10, 50, 90))
    q10, q90 = np.percentile(level[is_speech], (10, 90))
    seconds = is_speech.sum() / FRAME_RATE_HZ
    unvoiced = is_speech & ~voiced
    v = spectrum[voiced]
    return np.array(
        [
            p50, p10, p90, heard.std(),
            _mean(slope[slope > 0]), -_mean(slope[slope < 0]), _mean(np.concatenate(wobbles)) if wobbles else 0.0,
            voiced.sum() / is_speech.sum(), float(np.mean(lengths)) if lengths else 0.1,
            strength[voiced].mean(), strength[voiced].std(),
            level[is_speech].std(), q90 - q10, _mean(np.abs(change[in_speech])),
            _peaks(smooth_level, is_speech) / seconds,
            _correlation(level[voiced], heard), _correlation(level[voiced], v[:, 0]),
            *v.mean(axis=0), *v[:, :-1].std(axis=0),
            *_weighted(spectrum[is_speech, :2], level[is_speech]),
            spectrum[unvoiced, 0].mean() if unvoiced.sum() > 10 else v[:, 0].mean(),
        ],
        np.float32,
    )  # fmt: skip


def _track(frames: VoiceFrames) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of each frame's candidates the one that is strong and near the voice's usual pitch: (Hz [n], strength [n])."""
    hz, strength = frames.pitch_hz, frames.strength
    sure = strength[:, 0] > 0.75
    if sure.sum() < 10:
        return hz[:, 0], strength[:, 0]
    usual = np.log2(np.median(hz[sure, 0]))
    away = np.abs(np.log2(np.maximum(hz, 1)) - usual)
    best = np.argmax(strength - 0.15 * np.maximum(away - 0.4, 0) - (hz <= 0), axis=1)
    rows = np.arange(len(hz))
    return hz[rows, best], strength[rows, best]


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _peaks(level: NDArray[np.float32], is_speech: NDArray[np.bool_]) -> int:
    """Syllables, about: loud moments that stand 2 dB above the dips on both sides."""
    count, low, high, rising = 0, level[0], level[0], True
    for value in level[is_speech].tolist():
        if rising:
            high = max(high, value)
            if value < high - 2:
                count, low, rising = count + 1, value, False
        else:
            low = min(low, value)
            if value > low + 2:
                high, rising = value, True
    return count


def _mean(values: NDArray[np.floating]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 1e-6 else 0.0


def _weighted(values: NDArray[np.float32], level_db: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of rows, the loud ones counting more."""
    weights = 10 ** (level_db / 20)
    return (values * weights[:, None]).sum(axis=0) / weights.sum()
