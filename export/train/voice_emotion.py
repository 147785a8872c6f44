"""Fit the judge of emotion in a voice on the Berlin Database of Emotional Speech (EmoDB; its files' names say it all).

    pip install 'rostrum[speech]'
    python -m export.train.voice_emotion EMODB/wav engines/weights/voice/emotion.npz

Linear discriminants with a shared, ridged covariance (Fisher 1936; Hastie et al. 2009, 4.3), over Whisper's features and over
the prosodic measures, are added up. Each clip counts three times: as it is, and twice through another microphone, room and
speaker size. To the covariance comes that of synthetic voices that all read the same plain text: in what these differ there is
no feeling (within-class covariance normalisation, Hatch et al. 2006). Shares and thresholds are set on other corpora: see
engines/weights/voice/README.md.
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
from export.train.data.voices.hibari import Hibari
from streamer.recording import Recording

Rows = NDArray[np.float64]
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
#: How much the synthetic voices' covariance counts, and the prosody beside the sound: of the discriminants of anger and joy,
#: and of that of sadness.
_LIVELY, _SAD = (1.0, 1.85), (10.0, 1.45)
_TIRED = 0.28  # of the evidence against anger and joy counts as evidence for sadness
#: The log-odds against calm from which an emotion is believed.
_THRESHOLDS = {"anger": 1.16, "joy": 0.87, "sadness": 1.77}
_PLAIN = (
    "Hello everybody, and welcome back to the channel. Today we are looking at three keyboards that I have used for a month.",
    "The meeting was moved to Thursday because two of the speakers cannot make it, so please check the new schedule.",
    "If you turn left at the library you will see a small park, and the museum is right behind it, next to the station.",
)
_WINDOW_S = 4  # seconds of a plain voice that are measured together, every second one


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
    rows: Rows, labels: NDArray[np.int64], nuisance: NDArray[np.float64], ridge: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights [d, k] and biases [k] of the log-odds of k classes against class 0.

    rows: [n, d], of unit spread. nuisance: [d, d], covariance of what does not matter.
    """
    classes = range(len(VOICE_EMOTIONS))
    means = np.stack([rows[labels == k].mean(axis=0) for k in classes])
    within = np.mean([np.cov(rows[labels == k].T, bias=True) for k in classes], axis=0)
    weights = np.linalg.solve(within + nuisance + ridge * np.eye(rows.shape[1]), means.T)
    bias = -0.5 * (means.T * weights).sum(axis=0)
    return weights[:, 1:] - weights[:, :1], bias[1:] - bias[0]


def fit(rows: Rows, labels: NDArray[np.int64], plain: Rows) -> dict[str, NDArray[np.float32]]:
    """What `EmotionJudge` reads. rows, plain: [n, 384 + len(MEASURES)], of acted clips and of synthetic voices."""
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    unit, voices = (np.clip((each - mean) / scale, -3, 3) for each in (rows, plain))
    prosody = FEATURE_DIM + np.array([MEASURES.index(name) for name in KEPT])

    def both(nuisance: float, prosody_share: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        weights, bias = np.zeros((rows.shape[1], len(VOICE_EMOTIONS) - 1)), np.zeros(len(VOICE_EMOTIONS) - 1)
        for columns, ridge, share in (
            (np.arange(FEATURE_DIM), _RIDGE["sound"], 1.0),
            (prosody, _RIDGE["prosody"], prosody_share),
        ):
            among_voices = nuisance * np.cov(voices[:, columns].T, bias=True)
            w, b = discriminant(unit[:, columns], labels, among_voices, ridge)
            weights[columns] += share * w
            bias += share * b
        return weights, bias

    weights, bias = both(*_LIVELY)
    sad_weights, sad_bias = both(*_SAD)
    sadness = VOICE_EMOTIONS.index("sadness") - 1
    lively = [VOICE_EMOTIONS.index(emotion) - 1 for emotion in ("anger", "joy")]
    weights[:, sadness] = sad_weights[:, sadness] - _TIRED * weights[:, lively].mean(axis=1)
    bias[sadness] = sad_bias[sadness] - _TIRED * bias[lively].mean()
    bias -= [_THRESHOLDS[emotion] for emotion in VOICE_EMOTIONS[1:]]
    arrays = {"mean": mean, "scale": scale, "weights": weights, "bias": bias}
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def acted(folder: Path) -> tuple[Rows, NDArray[np.int64]]:
    """EmoDB's clips, measured: [n, m], and the emotion of each as an index of `VOICE_EMOTIONS`."""
    rng = np.random.default_rng(0)
    rows, labels = [], []
    for path in sorted(folder.glob("*.wav")):
        if (label := LABELS.get(path.stem[5])) is None:
            continue
        voice = Recording.open(path).voice
        for copy in [voice, *(harmed(voice, rng) for _ in range(_HARMED))]:
            if (row := measure(seconds_of(copy), _LEAST_SPEECH_S)) is not None:
                rows.append(row.astype(np.float64))
                labels.append(VOICE_EMOTIONS.index(label))
    print(f"{len(rows)} clips: {dict(zip(VOICE_EMOTIONS, np.bincount(labels).tolist(), strict=True))}")
    return np.stack(rows), np.array(labels)


def plain_voices() -> Rows:
    """Synthetic voices that feel nothing, measured: [n, m]. Raises EngineMissing."""
    rng, engine = np.random.default_rng(0), Hibari()
    rows = []
    for voice in engine.cast():
        for text in _PLAIN:
            sound = (np.clip(engine.speak(voice, text, rng).audio, -1, 1) * 32767).astype(np.int16)
            for copy in (sound, harmed(sound, rng)):
                seconds = seconds_of(copy)
                windows = (seconds[i - _WINDOW_S + 1 : i + 1] for i in range(_WINDOW_S - 1, len(seconds), 2))
                rows += [row.astype(np.float64) for each in windows if (row := measure(each)) is not None]
    print(f"{len(rows)} windows of synthetic voices")
    return np.stack(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("emodb", type=Path, help="folder of 03a01Fa.wav and so on")
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    plain = plain_voices()
    np.savez_compressed(args.out, **fit(*acted(args.emodb), plain))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
