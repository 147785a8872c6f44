"""Speech features: the first two blocks of Whisper tiny.en's encoder over a short sliding window, 50 vectors a second.

The media clock is cut into blocks of `BLOCK_S`. The features of a block come from one window: the last second of sound up to
the block's end, and `RIGHT_CONTEXT_S` beyond it. So they are the same bits wherever a sub-clip is cut, live or offline, as long
as the sound given reaches `LEAD_S` back from the first feature asked for (sound that is missing there counts as silence).

At the live edge the blocks whose right context has not arrived yet are read from one last window that ends with the sound;
they are nearly as good (0.583 against 0.590 in lip correlation). `encode(..., final=True)` takes what follows for
silence instead.

Weights: OpenAI Whisper, MIT (engines/weights/speech).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from engines.specs import FEATURE_DIM, FEATURE_RATE_HZ, LEFT_CONTEXT_S, RIGHT_CONTEXT_S, SAMPLE_RATE_HZ

WEIGHTS = Path(__file__).parent / "weights" / "speech" / "encoder.onnx"

BLOCK_S = 0.32
#: Sound that must be given before the first feature asked for, so that its window is whole.
LEAD_S = LEFT_CONTEXT_S

NUM_MELS = 80
_HOP = 160  # samples between mel frames
_FFT = 400
_STEP = SAMPLE_RATE_HZ // FEATURE_RATE_HZ  # samples between features
_BLOCK = round(BLOCK_S * SAMPLE_RATE_HZ)
_BLOCK_STEPS = _BLOCK // _STEP
_LEFT = round(LEFT_CONTEXT_S * SAMPLE_RATE_HZ)
_RIGHT = round(RIGHT_CONTEXT_S * SAMPLE_RATE_HZ)
_WINDOW = _LEFT + _RIGHT
WINDOW_MEL_FRAMES = _WINDOW // _HOP
_CACHED_BLOCKS = 128

#: log10 power of the loudest mel bin that counts as speech; a window below it is quiet, and is not brought up.
_QUIET_LOG_POWER = -1.5


def _mel_filters() -> NDArray[np.float32]:
    """Slaney's mel filter bank, [80, 201], 0–8 kHz (Malcolm Slaney, Auditory Toolbox 1998), as Whisper was trained with."""

    def to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(hz < 1000.0, hz * 3 / 200, 15 + np.log(np.maximum(hz, 1000.0) / 1000.0) * 27 / math.log(6.4))

    def to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(mel < 15.0, mel * 200 / 3, 1000.0 * np.exp((mel - 15) * math.log(6.4) / 27))

    edges = to_hz(np.linspace(0.0, float(to_mel(np.array(8000.0))), NUM_MELS + 2))
    bins = np.linspace(0.0, SAMPLE_RATE_HZ / 2, _FFT // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    filters = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return filters.astype(np.float32)


_MEL = _mel_filters()
_HANN = np.hanning(_FFT + 1)[:-1].astype(np.float32)
_FRAMES = np.arange(WINDOW_MEL_FRAMES)[:, None] * _HOP + np.arange(_FFT)


def log_mel(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Whisper's log-mel of windows [b, 17280] in −1..1, as [b, 80, 108].

    Whisper's own scaling, but levelled: the loudest bin of a window comes to the same value at any microphone level down to
    `_QUIET_LOG_POWER`; silence stays at the floor.
    """
    padded = np.pad(windows, ((0, 0), (_FFT // 2, _FFT // 2)), mode="reflect")
    power = np.abs(np.fft.rfft(padded[:, _FRAMES] * _HANN, axis=2)).astype(np.float32) ** 2
    log_power = np.log10(np.maximum(power @ _MEL.T, 1e-10)).transpose(0, 2, 1)
    loudest = np.maximum(log_power.max(axis=(1, 2), keepdims=True), _QUIET_LOG_POWER)
    return ((np.maximum(log_power, loudest - 8.0) - loudest + 5.0) / 4.0).astype(np.float32)


class SpeechEncoder:
    """Sound to features. Keeps the last `_CACHED_BLOCKS` blocks it encoded, so asking again for the same sound costs little."""

    def __init__(self, path: Path = WEIGHTS, threads: int = 1) -> None:
        """Raises FileNotFoundError naming the file and how to make it."""
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: reinstall rostrum, or write it with python -m export.train.speech")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._blocks: OrderedDict[tuple[int, int], NDArray[np.float32]] = OrderedDict()

    def encode(
        self,
        samples: NDArray[np.int16] | NDArray[np.float32],
        start_s: float,
        end_s: float,
        *,
        origin_s: float = 0.0,
        final: bool = False,
    ) -> NDArray[np.float32]:
        """Features [n, 384] at times `first_time(start_s)`, + 20 ms, …, before `end_s`, as far as the sound reaches.

        samples: 16 kHz mono, int16, or float32 in −1..1; samples[0] is at `origin_s` on the clock of `start_s` and `end_s`.
        final: no more sound will come, so what lies beyond the end is silence, and all that is asked for is given.
        Raises ValueError for sound of another type or shape.
        """
        sound = _as_float(samples)
        origin = round(origin_s * SAMPLE_RATE_HZ)
        first, stop = _first_step(start_s), _first_step(end_s)
        sound_end = origin + len(sound)
        if not final:
            stop = min(stop, sound_end // _STEP)
        if stop <= first:
            return np.zeros((0, FEATURE_DIM), np.float32)
        features = np.zeros((stop - first, FEATURE_DIM), np.float32)
        step = first
        for k in range(first // _BLOCK_STEPS, -(-stop // _BLOCK_STEPS)):
            end = (k + 1) * _BLOCK + _RIGHT
            at_edge = not final and end > sound_end
            if at_edge:
                end = sound_end // _STEP * _STEP
            block_stop = stop if at_edge else min(stop, (k + 1) * _BLOCK_STEPS)
            window_step = (end - _WINDOW) // _STEP  # the time of the window's first feature
            encoded = self._window(_cut(sound, end - _WINDOW - origin), end)
            features[step - first : block_stop - first] = encoded[step - window_step : block_stop - window_step]
            step = block_stop
            if at_edge:
                break
        return features

    def read_window(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """The features [54, 384] of one window of sound, float32 [17280] in −1..1, all of it heard at once."""
        (features,) = self._session.run(["features"], {"mel": log_mel(sound[None])})
        return features[0]

    def _window(self, window: NDArray[np.float32], end: int) -> NDArray[np.float32]:
        key = (end, hash(window.tobytes()))
        if key not in self._blocks:
            # One window a call: a batch could round differently from a single, and then a cut would show.
            self._blocks[key] = self.read_window(window)
            if len(self._blocks) > _CACHED_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(key)
        return self._blocks[key]


def first_time(start_s: float) -> float:
    """The time of the first feature at or after `start_s`: features fall on multiples of 20 ms."""
    return _first_step(start_s) / FEATURE_RATE_HZ


def _first_step(time_s: float) -> int:
    return math.ceil(time_s * FEATURE_RATE_HZ - 1e-6)


def _as_float(samples: NDArray[np.int16] | NDArray[np.float32]) -> NDArray[np.float32]:
    if samples.ndim != 1:
        raise ValueError(f"sound must be mono, shape [n], not {samples.shape}")
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / 32768.0
    if samples.dtype == np.float32:
        return samples.astype(np.float32, copy=False)
    raise ValueError(f"sound must be int16 or float32, not {samples.dtype}")


def _cut(sound: NDArray[np.float32], start: int) -> NDArray[np.float32]:
    """`_WINDOW` samples from `start`, silence where there are none."""
    window = np.zeros(_WINDOW, np.float32)
    low, high = max(start, 0), min(start + _WINDOW, len(sound))
    if high > low:
        window[low - start : high - start] = sound[low:high]
    return window
