"""Is somebody speaking? Silero VAD over 16 kHz sound, 32 ms at a time; 0.15 ms of one core for each.

Weights: silero-vad 6.2.3, MIT (engines/weights/voice).
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

WEIGHTS = Path(__file__).parent / "weights" / "voice" / "activity.onnx"
SHA256 = "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49"
CHUNK = 512  # samples
_CONTEXT = 64  # samples of the chunk before that the model sees again


class VoiceActivity:
    """The probability of speech in each chunk of an endless voice. Keeps less than a chunk of sound."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        """Raises FileNotFoundError, or ValueError where the file is not the one this was made for."""
        self._session = _load(path)
        self._state = np.zeros((2, 1, 128), np.float32)
        self._sound = np.zeros(_CONTEXT, np.float32)

    def push(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """int16 [n] right behind what came before, to the probabilities [k] of the chunks that it completed, 0–1."""
        self._sound = np.concatenate([self._sound, samples.astype(np.float32) / 32768])
        found = []
        while len(self._sound) >= _CONTEXT + CHUNK:
            inputs = {"input": self._sound[None, : _CONTEXT + CHUNK], "state": self._state, "sr": np.array(16_000, np.int64)}
            speech, self._state = self._session.run(None, inputs)
            found.append(speech[0, 0])
            self._sound = self._sound[CHUNK:]
        return np.array(found, np.float32)


@lru_cache(maxsize=2)
def _load(path: Path) -> ort.InferenceSession:
    """One for all broadcasts: a session keeps no state of its own."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: reinstall rostrum")
    model = path.read_bytes()
    if sha256(model).hexdigest() != SHA256:
        raise ValueError(f"{path} is not silero-vad 6.2.3's silero_vad_16k_op15.onnx: reinstall rostrum")
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
