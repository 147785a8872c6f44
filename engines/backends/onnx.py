"""The motion transformer on ONNX Runtime, on CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from engines.catalog import MotionStatistics
from engines.conditions import CONDITION_OUTPUTS
from engines.motion import Motion
from engines.sampler import batch_key, sample
from engines.specs import MotionRequest
from engines.text import TextEncoder

PROVIDER = "CPUExecutionProvider"
FILES = ("conditions.onnx", "model.onnx", "statistics.json")


class OnnxMotionModel:
    """A `MotionModel` and its `Transformer`, of the files of one folder. Same requests and seeds, same motion."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Raises FileNotFoundError naming the missing file, and RuntimeError if the runtime falls back to another provider."""
        for name in FILES:
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder / name} is missing: write it with python -m export.motion_onnx")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._conditions, self._model = (
            ort.InferenceSession(folder / name, options, providers=[PROVIDER]) for name in ("conditions.onnx", "model.onnx")
        )
        for session in (self._conditions, self._model):
            if session.get_providers()[0] != PROVIDER:
                raise RuntimeError(f"ONNX Runtime gave {session.get_providers()}, not {PROVIDER}")
        self._statistics = MotionStatistics.load(folder / "statistics.json")
        self._text_encoder = TextEncoder()

    def generate(self, requests: list[MotionRequest]) -> list[Motion]:
        """Motion [f, 64] for each request, those alike in frames and steps in one batch."""
        groups: dict[tuple[object, ...], list[int]] = {}
        for i, request in enumerate(requests):
            groups.setdefault(batch_key(request), []).append(i)
        motion: dict[int, Motion] = {}
        for members in groups.values():
            batch = sample(self, [requests[i] for i in members], self._text_encoder, self._statistics)
            motion.update(zip(members, batch, strict=True))
        return [motion[i] for i in range(len(requests))]

    def condition(self, inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """As in `engines.sampler.Transformer`."""
        return dict(zip(CONDITION_OUTPUTS, self._conditions.run(CONDITION_OUTPUTS, dict(inputs)), strict=True))

    def denoise(self, inputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """As in `engines.sampler.Transformer`."""
        (velocity,) = self._model.run(["velocity"], dict(inputs))
        return velocity
