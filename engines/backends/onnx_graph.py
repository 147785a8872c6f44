"""Graphs on ONNX Runtime: on the CPU, on CUDA, or through its TensorRT execution provider. Never on another than asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime as ort
import torch
from torch import Tensor

from engines.backends.error import BackendError
from engines.manifest import Manifest

PROVIDERS = {
    "onnx-cpu": ["CPUExecutionProvider"],
    "onnx-cuda": ["CUDAExecutionProvider"],
    "onnx-tensorrt": ["TensorrtExecutionProvider", "CUDAExecutionProvider"],
}
#: torch's types as ONNX numbers them.
_TYPES = {torch.float32: 1, torch.float16: 10, torch.bfloat16: 16, torch.int64: 7}


def session(file: Path, backend: str, threads: int = 0) -> Any:
    """A session on exactly the provider asked for. Raises BackendError: the runtime itself would silently fall back."""
    providers = PROVIDERS[backend]
    if missing := [p for p in providers if p not in ort.get_available_providers()]:
        raise BackendError(
            f"{backend}: this ONNX Runtime has no {missing[0]}, only {', '.join(ort.get_available_providers())}. "
            "Install Rostrum with [gpu], which puts onnxruntime-gpu in place of onnxruntime"
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    options.add_session_config_entry("session.disable_quant_qdq", "1")  # it would move 8-bit rounding to where no kernel is
    try:
        made = ort.InferenceSession(file, options, providers=providers)
    except Exception as error:  # of the runtime's own kinds
        raise BackendError(f"{backend} cannot load {file}: {error}") from None
    if made.get_providers()[0] != providers[0]:
        raise BackendError(f"{backend} was asked for, and ONNX Runtime gave {made.get_providers()[0]}: is there a GPU driver?")
    return made


class OnnxGraph:
    """One file. On a GPU inputs and outputs stay there."""

    def __init__(self, file: Path, name: str, manifest: Manifest, backend: str = "onnx-cpu", threads: int = 0) -> None:
        self._name, self._manifest = name, manifest
        self._on_gpu = backend != "onnx-cpu"
        self._session = session(file, backend, threads)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._inputs = [given.name for given in self._session.get_inputs()]

    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As `Graph`. Raises BackendError for a shape that the graph was not exported for."""
        for name in self._inputs:
            self._manifest.require_shape(self._name, name, list(inputs[name].shape))
        if not self._on_gpu:
            made = self._session.run(self._outputs, {name: inputs[name].numpy() for name in self._inputs})
            return {name: torch.from_numpy(value) for name, value in zip(self._outputs, made, strict=True)}
        binding = self._session.io_binding()
        held = {name: inputs[name].contiguous() for name in self._inputs}
        for name, tensor in held.items():
            binding.bind_input(name, "cuda", 0, _TYPES[tensor.dtype], tuple(tensor.shape), tensor.data_ptr())
        for name in self._outputs:
            binding.bind_output(name, "cuda", 0)
        torch.cuda.current_stream().synchronize()  # the runtime has a stream of its own
        self._session.run_with_iobinding(binding)
        return {
            name: torch.from_dlpack(value._ortvalue.to_dlpack())
            for name, value in zip(self._outputs, binding.get_outputs(), strict=True)
        }


def onnx_graph(folder: Path, name: str, backend: str = "onnx-cpu", weights: str | None = None) -> OnnxGraph:
    """One graph of an exported folder. Raises BackendError where it cannot run here or is of other weights."""
    manifest = Manifest.load(folder)
    manifest.require(folder, kind="onnx", weights=weights)
    if backend == "onnx-cpu" and manifest.precision != "float32":
        raise BackendError(
            f"{folder} is in {manifest.precision}, for which ONNX Runtime has no kernels on a CPU: export float32"
        )
    return OnnxGraph(folder / f"{name}.onnx", name, manifest, backend)
