"""Graphs on TensorRT's native runtime, or TensorRT-RTX's: fixed buffers, one CUDA graph a call, no wait for the host."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engines.backends.error import BackendError
from engines.manifest import Manifest
from engines.recent import Recent

log = logging.getLogger(__name__)

_LAYOUTS = 8  # of an engine, kept
FLAVOURS = {"tensorrt": "tensorrt", "rtx": "tensorrt_rtx"}


def library(flavour: str | None = None) -> Any:
    """The TensorRT module: the flavour asked for, or the first that is installed. Raises BackendError."""
    wanted = [flavour] if flavour else list(FLAVOURS)
    reasons = []
    for each in wanted:
        if each not in FLAVOURS:
            raise BackendError(f"--flavour {each}: take one of {', '.join(FLAVOURS)}")
        try:
            return importlib.import_module(FLAVOURS[each])
        except (ImportError, OSError) as error:
            reasons.append(f"{FLAVOURS[each]}: {error}")
    raise BackendError(
        f"TensorRT is not installed ({'; '.join(reasons)}). Install Rostrum with [gpu], or with [rtx] for TensorRT-RTX"
    )


def runtime_name(trt: Any) -> str:
    """Such as `tensorrt_rtx 1.7.1`: engines are good for the one that built them."""
    return f"{trt.__name__} {trt.__version__}"


def gpu_name() -> str:
    """Of the current GPU with its compute capability; "" where there is none."""
    if not torch.cuda.is_available():
        return ""
    major, minor = torch.cuda.get_device_capability()
    return f"{torch.cuda.get_device_name()} SM{major}{minor}"


def check_engines(folder: Path, weights: str | None = None, trt: Any = None, gpu: str | None = None) -> Manifest:
    """The manifest of engines that may run here. Raises BackendError naming what does not match.

    Engines built for a compute capability alone run on every GPU of it.
    """
    manifest = Manifest.load(folder)
    here = gpu_name() if gpu is None else gpu
    if not here:
        raise BackendError(f"{folder} holds TensorRT engines: they need an NVIDIA GPU, and none is usable here")
    if manifest.gpu.startswith("SM") and here.endswith(manifest.gpu):
        here = manifest.gpu
    manifest.require(folder, kind="tensorrt", weights=weights, gpu=here, runtime=runtime_name(trt or library()))
    return manifest


class Layout:
    """An engine at certain shapes: buffers of its own, and the CUDA graph of a run over them."""

    def __init__(self, engine: Any, name: str, shapes: Mapping[str, tuple[int, ...]], settings: Any, types: Any) -> None:
        """settings: of a runtime that captures by itself; None where this has to. Raises BackendError for a run that fails."""
        self._name = name
        self._context = engine.create_execution_context(settings) if settings else engine.create_execution_context()
        for given, shape in shapes.items():
            self._context.set_input_shape(given, list(shape))
        self._buffers: dict[str, Tensor] = {}
        for i in range(engine.num_io_tensors):
            tensor = engine.get_tensor_name(i)
            dtype = types[engine.get_tensor_dtype(tensor)]
            self._buffers[tensor] = torch.zeros(tuple(self._context.get_tensor_shape(tensor)), dtype=dtype, device="cuda")
            self._context.set_tensor_address(tensor, self._buffers[tensor].data_ptr())
        self._filled_with: dict[str, Tensor] = {}
        self._graph: torch.cuda.CUDAGraph | None = None
        self._run()  # compiles, and allocates what it needs
        torch.cuda.synchronize()
        if not settings:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._run()
            self._graph = graph

    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Inputs that are the same tensors as last time are not copied again."""
        for name, tensor in inputs.items():
            if self._filled_with.get(name) is not tensor:
                self._buffers[name].copy_(tensor)
                self._filled_with[name] = tensor
        if self._graph:
            self._graph.replay()
        else:
            self._run()
        return {name: buffer for name, buffer in self._buffers.items() if name not in inputs}

    def _run(self) -> None:
        if not self._context.execute_async_v3(torch.cuda.current_stream().cuda_stream):
            raise BackendError(f"TensorRT could not run graph {self._name}")


class TensorRtGraph:
    """One engine, laid out for the shapes that were asked for last."""

    def __init__(self, trt: Any, file: Path, name: str, manifest: Manifest) -> None:
        """Raises BackendError for an engine that does not load."""
        self._name, self._manifest = name, manifest
        self._runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        self._engine = self._runtime.deserialize_cuda_engine(file.read_bytes())
        if self._engine is None:
            raise BackendError(f"{file} does not load here: build it again with `rostrum export tensorrt`")
        free, _ = torch.cuda.mem_get_info()
        if self._engine.streamable_weights_size > 0.9 * free:
            self._engine.weight_streaming_budget_v2 = self._engine.get_weight_streaming_automatic_budget()
            log.warning("%s: weights are streamed, for they do not fit into %.1f GB of free memory", file.name, free / 1e9)
        self._settings: Any = None
        if hasattr(trt, "CudaGraphStrategy"):  # TensorRT-RTX compiles on first use, and captures by itself
            self._settings = self._engine.create_runtime_config()
            self._settings.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        self._types = {
            trt.DataType.FLOAT: torch.float32, trt.DataType.HALF: torch.float16, trt.DataType.BF16: torch.bfloat16,
            trt.DataType.INT64: torch.int64, trt.DataType.INT32: torch.int32, trt.DataType.BOOL: torch.bool,
        }  # fmt: skip
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        self._inputs = [n for n in names if self._engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
        self._layouts: Recent[tuple[tuple[int, ...], ...], Layout] = Recent(_LAYOUTS)

    @torch.inference_mode()
    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As `Graph`. Raises BackendError for a shape that the engine was not built for."""
        given = {name: inputs[name] for name in self._inputs}
        shapes = {name: tuple(tensor.shape) for name, tensor in given.items()}
        return self._layouts.get(tuple(shapes.values()), lambda: self._layout(shapes))(given)

    def _layout(self, shapes: Mapping[str, tuple[int, ...]]) -> Layout:
        for name, shape in shapes.items():
            self._manifest.require_shape(self._name, name, list(shape))
        return Layout(self._engine, self._name, shapes, self._settings, self._types)


def tensorrt_graph(folder: Path, name: str, weights: str | None = None, trt: Any = None) -> TensorRtGraph:
    """One engine of a folder. Raises BackendError where it is not for this machine or these weights."""
    trt = trt or library()
    return TensorRtGraph(trt, folder / f"{name}.engine", name, check_engines(folder, weights, trt))
