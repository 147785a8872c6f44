"""The discriminators that ship with the package: small ONNX graphs, one core."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import onnxruntime as ort

WEIGHTS = Path(__file__).parent / "weights"


@lru_cache(maxsize=8)
def load(name: str) -> ort.InferenceSession:
    """`weights/NAME.onnx`, once a process. Raises FileNotFoundError that says how to make it."""
    path = WEIGHTS / f"{name}.onnx"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: reinstall rostrum, or write it with python -m export.train.{name}")
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
