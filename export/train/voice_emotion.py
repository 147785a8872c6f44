"""Fit the judge of emotion in a voice on the Berlin Database of Emotional Speech (EmoDB; its files' names say it all).

    python -m export.train.voice_emotion EMODB/wav engines/weights/voice/emotion.npz

Two linear discriminants with a shared, ridged covariance (Fisher 1936; Hastie et al. 2009, 4.3), one over Whisper's features
and one over the prosodic measures, are added up. Each clip counts three times: as it is, and twice through another microphone,
room and speaker size. The thresholds are set by hand on other corpora: see engines/weights/voice/README.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, resample_poly

from engines.prosody import MEASURES
from engines.specs import FEATURE_DIM, SAMPLE_RATE_HZ
from engines.voice_emotion import VOICE_EMOTIONS, HeardSecond, VoiceEar, measure
from streamer.recording import Recording

LABELS = {"W": "anger", "F": "joy", "T": "sadness", "N": "calm", "L": "calm"}  # Wut, Freude, Trauer, neutral, Langeweile
#: The measures that hold in other languages and rooms too.
KEPT = (
    "pitch_median", "pitch_p90", "pitch_wobble", "voiced_share", "strength_mean", "level_rise", "loud_pitch", "loud_alpha",
    "slope_low_mean", "cepstrum_1_mean", "flux_mean", "hammarberg_spread", "slope_low_spread", "slope_high_spread",
    "cepstrum_3_spread", "cepstrum_4_spread", "unvoiced_alpha",
)  # fmt: skip
_HARMED = 2  # copies of each clip
_LEAST_SPEECH_S = 0.8  # in a clip: they are short
_RIDGE = {"sound": 3.0, "prosody": 0.5}
#: What each discriminant counts, and the log-odds against calm from which an emotion is believed.
_SHARES = {"anger": (0.7, 0.8), "joy": (0.7, 0.8), "sadness": (1.0, 0.0)}
_THRESHOLDS = {"anger": 2.0, "joy": 1.07, "sadness": -2.2}


def harmed(voice: NDArray[np.int16], rng: np.random.Generator) -> NDArray[np.int16]:
    """Another speaker size (±15 %), equaliser, room, noise and level."""
    sound = voice.astype(np.float32) / 32768
    rate = rng.choice([0.85, 0.9, 1, 1, 1, 1.1, 1.15])
    sound = resample_poly(sound, 20, round(20 * rate)).astype(np.float32)
    spectrum, hz = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ)
    gains = np.cumsum(rng.normal(0, 2, 7)) + rng.normal(0, 3) * np.linspace(-1, 1, 7)
    spectrum *= 10 ** (np.interp(hz, [0, 150, 400, 1000, 2500, 5000, 8000], gains - gains.mean()) / 20)
    if rng.random() < 0.2:
        spectrum[(hz < 250) | (hz > 3500)] *= 0.03
    sound = np.fft.irfft(spectrum, len(sound))
    if rng.random() < 0.4:
        num = int(SAMPLE_RATE_HZ * rng.uniform(0.1, 0.4))
        room = rng.standard_normal(num) * np.exp(-6.9 * np.arange(num) / num)
        room *= 10 ** (-rng.uniform(6, 18) / 20) / np.linalg.norm(room)
        room[0] += 1
        sound = fftconvolve(sound, room)[: len(sound)]
    if rng.random() < 0.6:
        noise = rng.standard_normal(len(sound))
        if rng.random() < 0.6:
            noise = np.cumsum(noise) - np.linspace(0, noise.sum(), len(noise))
        sound += noise / noise.std() * sound.std() * 10 ** (-rng.uniform(12, 35) / 20)
    sound *= rng.uniform(0.02, 0.9) / max(1e-6, float(np.abs(sound).max()))
    return (sound * 32767).astype(np.int16)


def seconds_of(voice: NDArray[np.int16]) -> list[HeardSecond]:
    """A whole recording as the live path hears it."""
    return VoiceEar().push(np.concatenate([voice, np.zeros(-len(voice) % SAMPLE_RATE_HZ, np.int16)]))


def discriminant(
    rows: NDArray[np.float64], labels: NDArray[np.int64], ridge: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights [d, k] and biases [k] of the log-odds of k classes against class 0. rows: [n, d], of unit spread."""
    classes = range(len(VOICE_EMOTIONS))
    means = np.stack([rows[labels == k].mean(axis=0) for k in classes])
    within = np.mean([np.cov(rows[labels == k].T, bias=True) for k in classes], axis=0) + ridge * np.eye(rows.shape[1])
    weights = np.linalg.solve(within, means.T)
    bias = -0.5 * (means.T * weights).sum(axis=0)
    return weights[:, 1:] - weights[:, :1], bias[1:] - bias[0]


def fit(rows: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    """What `EmotionJudge` reads. rows: [n, 384 + len(MEASURES)]."""
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    unit = np.clip((rows - mean) / scale, -3, 3)
    sound = np.arange(FEATURE_DIM)
    prosody = FEATURE_DIM + np.array([MEASURES.index(name) for name in KEPT])
    weights, bias = np.zeros((rows.shape[1], len(VOICE_EMOTIONS) - 1)), np.zeros(len(VOICE_EMOTIONS) - 1)
    shares = np.array([_SHARES[emotion] for emotion in VOICE_EMOTIONS[1:]])
    for i, (columns, ridge) in enumerate(((sound, _RIDGE["sound"]), (prosody, _RIDGE["prosody"]))):
        w, b = discriminant(unit[:, columns], labels, ridge)
        weights[columns] = w * shares[:, i]
        bias += b * shares[:, i]
    bias -= [_THRESHOLDS[emotion] for emotion in VOICE_EMOTIONS[1:]]
    arrays = {"mean": mean, "scale": scale, "weights": weights, "bias": bias}
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("emodb", type=Path, help="folder of 03a01Fa.wav and so on")
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    rows, labels = [], []
    for path in sorted(args.emodb.glob("*.wav")):
        if (label := LABELS.get(path.stem[5])) is None:
            continue
        voice = Recording.open(path).voice
        for copy in [voice, *(harmed(voice, rng) for _ in range(_HARMED))]:
            if (row := measure(seconds_of(copy), _LEAST_SPEECH_S)) is not None:
                rows.append(row.astype(np.float64))
                labels.append(VOICE_EMOTIONS.index(label))
    print(f"{len(rows)} clips: {dict(zip(VOICE_EMOTIONS, np.bincount(labels).tolist(), strict=True))}")
    judge = fit(np.stack(rows), np.array(labels))
    np.savez_compressed(args.out, **judge)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
