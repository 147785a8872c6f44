"""hibari-tts (Apache-2.0): one natural English voice made into many by moving its pitch and formants before resynthesis."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.train.data.speech import SILENCE, Utterance, phones_from_symbols, to_16k
from export.train.data.voices import EngineMissing, Voice

_LATE_S = 0.05  # measured against the sound
_DURATIONS = "/Round_output_0"
_FRAME_S = 0.025
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
        for phonemes in self._tts.phonemize(text):
            kept = [c for c in phonemes if c in self._tts.vocab]
            ids = np.array([[0, *(self._tts.vocab[c] for c in kept), 0]], np.int64)
            *parts, frames = self._session.run(None, {"ids": ids, "speed": speed})
            lh, theta, ln, lr, phi, f0 = (np.ascontiguousarray(part[0]) for part in parts)
            lh, ln, lr = (_warped(x, formants) for x in (lh, ln, lr))
            # fewer, farther harmonics carry the same envelope: keep the loudness
            audio = self._dsp.synth(lh + 0.5 * np.log(pitch), theta, ln + breath, lr, phi, f0 * pitch, rng)
            pieces.append(audio.astype(np.float32))
            durations = np.asarray(frames, np.float64).ravel() * _FRAME_S
            symbols += zip([SILENCE, *kept, SILENCE], (durations * (len(audio) / 24000 / durations.sum())).tolist(), strict=True)
        audio = to_16k(np.concatenate(pieces), 24000)
        return Utterance(audio, phones_from_symbols(symbols, audio, _LATE_S), f"hibari:{voice.name}", "en", text)


def _warped(envelope: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Log spectrum [bins, frames] with everything moved to ``factor`` times its frequency."""
    bins = np.arange(len(envelope))
    source = np.minimum(bins / factor, len(envelope) - 1)
    low = source.astype(int)
    part = (source - low)[:, None].astype(np.float32)
    return envelope[low] * (1 - part) + envelope[np.minimum(low + 1, len(envelope) - 1)] * part
