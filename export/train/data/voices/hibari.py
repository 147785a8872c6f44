"""hibari-tts (Apache-2.0): one natural English voice made into many by moving its pitch and formants before resynthesis."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.train.data.speech import SILENCE, Utterance, phones_from_symbols, to_16k
from export.train.data.voices import EngineMissing, Voice

_LATE_FRAMES = 4  # of 12.5 ms: how late the durations are, measured against the sound
#: Share of utterances that are sung: vowels held, the pitch a melody.
SUNG_SHARE = 0.15
_VOWELS = frozenset("AIOQWYaeiouæɑɐɒɔəɛɜɪʊʌᵻ")
_DURATIONS = "/Round_output_0"
#: name → (pitch factor, formant factor, breathiness in nepers): speakers from child to bass.
SPEAKERS: dict[str, tuple[float, float, float]] = {
    "heart": (1.0, 1.0, 0.0), "child": (1.45, 1.18, 0.1), "girl": (1.25, 1.1, 0.2), "alto": (0.86, 0.96, 0.0),
    "tenor": (0.66, 0.88, 0.0), "baritone": (0.55, 0.84, -0.1), "bass": (0.45, 0.8, -0.2), "boy": (1.1, 1.06, 0.0),
    "old": (0.78, 0.9, 0.5), "whisperish": (0.95, 0.98, 0.9), "soprano": (1.15, 1.03, 0.1), "gruff": (0.5, 0.9, 0.3),
}  # fmt: skip
_VAL = ("alto", "baritone")


class Hibari:
    """Raises EngineMissing when its packages are not installed."""

    def __init__(self, threads: int = 1) -> None:
        try:
            hibari = importlib.import_module("hibari")
            self._dsp: Any = importlib.import_module("hibari.dsp")
            onnx, ort = importlib.import_module("onnx"), importlib.import_module("onnxruntime")
        except ImportError as error:
            raise EngineMissing("hibari is not installed: pip install 'rostrum[speech]'") from error
        self._tts: Any = hibari.Hibari(threads=threads)
        model = onnx.load(self._tts.model_path)
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(_DURATIONS))
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session: Any = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def cast(self) -> list[Voice]:
        return [Voice("hibari", name, "en", "val" if name in _VAL else "train") for name in SPEAKERS]

    def speak(self, voice: Voice, text: str, rng: np.random.Generator) -> Utterance:
        """Speed 0.75–1.3 at random."""
        pitch, formants, breath = SPEAKERS[voice.name]
        pitch *= float(rng.uniform(0.94, 1.06))
        pieces: list[NDArray[np.float32]] = []
        symbols: list[tuple[str, float]] = []
        speed = np.array([rng.uniform(0.75, 1.3)], np.float32)
        sung = rng.random() < SUNG_SHARE
        for phonemes in self._tts.phonemize(text):
            kept = [c for c in phonemes if c in self._tts.vocab]
            ids = np.array([[0, *(self._tts.vocab[c] for c in kept), 0]], np.int64)
            *parts, durations = self._session.run(None, {"ids": ids, "speed": speed})
            lh, theta, ln, lr, phi, f0 = (np.ascontiguousarray(part[0]) for part in parts)
            edges = np.concatenate([[0.0], np.cumsum(np.asarray(durations, np.float64).ravel())])
            edges = np.round(edges * len(f0) / edges[-1]).astype(int)
            edges[1:-1] = np.maximum(edges[1:-1] - _LATE_FRAMES, 0)
            if sung:
                source, edges, melody = _sung([SILENCE, *kept, SILENCE], edges, rng)
                lh, theta, ln, lr, phi = (np.ascontiguousarray(x[:, source]) for x in (lh, theta, ln, lr, phi))
                f0 = np.where(f0[source] > 40, melody, f0[source]).astype(np.float32)
            lh, ln, lr = (_warped(x, formants) for x in (lh, ln, lr))
            # fewer, farther harmonics carry the same envelope: keep the loudness
            audio = self._dsp.synth(lh + 0.5 * np.log(pitch), theta, ln + breath, lr, phi, f0 * pitch, rng)
            pieces.append((0.8 * np.tanh(audio / 0.8)).astype(np.float32))
            symbols += zip([SILENCE, *kept, SILENCE], (np.diff(edges) * len(audio) / len(f0) / 24000).tolist(), strict=True)
        audio = to_16k(np.concatenate(pieces), 24000)
        return Utterance(audio, phones_from_symbols(symbols, audio), f"hibari:{voice.name}", "en", text)


def _sung(
    symbols: list[str], edges: NDArray[np.int_], rng: np.random.Generator
) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.float64]]:
    """Hold each vowel for a note. Returns the source frame of each new frame, the new edges, and the melody in Hz a frame."""
    tempo_s = rng.uniform(0.22, 0.45)
    scale = 196.0 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 14]) / 12) * 2 ** rng.uniform(-0.2, 0.35)
    source: list[NDArray[np.int_]] = []
    notes: list[NDArray[np.float64]] = []
    degree = int(rng.integers(2, 6))
    new_edges = [0]
    for symbol, start, end in zip(symbols, edges[:-1], edges[1:], strict=True):
        length = int(end - start)
        if symbol in _VOWELS and length > 0:
            degree = int(np.clip(degree + rng.integers(-2, 3), 0, len(scale) - 1))
            length = max(length, round(tempo_s * float(rng.choice([1, 1, 2, 3])) / 0.0125))
        source.append((start + (np.arange(length) + 0.5) * (end - start) / max(length, 1)).astype(int))
        notes.append(np.full(length, scale[degree]))
        new_edges.append(new_edges[-1] + length)
    melody = np.concatenate(notes)
    kernel = np.hanning(9)
    glide = np.exp(np.convolve(np.pad(np.log(melody), 4, mode="edge"), kernel / kernel.sum(), mode="valid"))
    vibrato = 1 + 0.012 * np.sin(2 * np.pi * rng.uniform(4.8, 6.2) * np.arange(len(melody)) * 0.0125)
    return np.concatenate(source), np.array(new_edges), glide * vibrato


def _warped(envelope: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Log spectrum [bins, frames] with everything moved to ``factor`` times its frequency."""
    bins = np.arange(len(envelope))
    source = np.minimum(bins / factor, len(envelope) - 1)
    low = source.astype(int)
    part = (source - low)[:, None].astype(np.float32)
    return envelope[low] * (1 - part) + envelope[np.minimum(low + 1, len(envelope) - 1)] * part
