"""The motion transformer on ONNX Runtime, on CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from engines.catalog import MotionStatistics
from engines.motion import Motion
from engines.sampler import batch_key, sample
from engines.specs import MotionRequest
from engines.text import TextEncoder

PROVIDER = "CPUExecutionProvider"


class OnnxMotionModel:
    """A `MotionModel`: `model.onnx` and `statistics.json` of one folder. Same requests and seeds, same motion."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Raises FileNotFoundError naming the missing file, and RuntimeError if the runtime falls back to another provider."""
        for name in ("model.onnx", "statistics.json"):
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder / name} is missing: write it with python -m export.motion_onnx")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(folder / "model.onnx", options, providers=[PROVIDER])
        if self._session.get_providers()[0] != PROVIDER:
            raise RuntimeError(f"ONNX Runtime gave {self._session.get_providers()}, not {PROVIDER}")
        self._statistics = MotionStatistics.load(folder / "statistics.json")
        self._text_encoder = TextEncoder()

    def generate(self, requests: list[MotionRequest]) -> list[Motion]:
        """Motion [f, 64] for each request, those alike in frames, steps and guidance in one batch."""
        groups: dict[tuple[object, ...], list[int]] = {}
        for i, request in enumerate(requests):
            groups.setdefault(batch_key(request), []).append(i)
        motion: dict[int, Motion] = {}
        for members in groups.values():
            batch = sample(self._velocity, [requests[i] for i in members], self._text_encoder, self._statistics)
            motion.update(zip(members, batch, strict=True))
        return [motion[i] for i in range(len(requests))]

    def _velocity(self, inputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        (velocity,) = self._session.run(["velocity"], dict(inputs))
        return velocity
