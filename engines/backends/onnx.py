"""The motion transformer on ONNX Runtime, on CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from engines.conditions import CONDITION_OUTPUTS

PROVIDER = "CPUExecutionProvider"
FILES = ("conditions.onnx", "model.onnx")


class OnnxTransformer:
    """A `Transformer` of the files of one folder."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Raises FileNotFoundError naming the missing file, and RuntimeError if the runtime falls back to another provider."""
        for name in FILES:
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder / name} is missing: write it with `rostrum export onnx --model portrait`")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._conditions, self._model = (ort.InferenceSession(folder / name, options, providers=[PROVIDER]) for name in FILES)
        for session in (self._conditions, self._model):
            if session.get_providers()[0] != PROVIDER:
                raise RuntimeError(f"ONNX Runtime gave {session.get_providers()}, not {PROVIDER}")

    def condition(self, inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """As in `engines.sampler.Transformer`."""
        return dict(zip(CONDITION_OUTPUTS, self._conditions.run(CONDITION_OUTPUTS, dict(inputs)), strict=True))

    def denoise(self, inputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """As in `engines.sampler.Transformer`."""
        (velocity,) = self._model.run(["velocity"], dict(inputs))
        return velocity
