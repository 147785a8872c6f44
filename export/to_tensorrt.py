"""ONNX graphs to TensorRT engines, strongly typed, so that precision is the graph's own; TensorRT's and -RTX's path is one.

TensorRT-RTX builds without a GPU, for the compute capabilities that it is told; TensorRT builds for the GPU it runs on.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from engines.backends.error import BackendError
from engines.backends.tensorrt import gpu_name, library, runtime_name
from engines.catalog import STATISTICS
from engines.manifest import Manifest

log = logging.getLogger(__name__)

WORKSPACE_BYTES = 8 << 30

Progress = Callable[[str], None]


def build_folder(
    source: Path, out: Path, *, flavour: str | None = None, compute_capability: str = "CURRENT",
    timing_cache: Path | None = None, stream_weights: bool = False, tell: Progress = lambda _: None,
) -> Manifest:  # fmt: skip
    """An engine for each graph of an exported folder, and their manifest.

    flavour: `tensorrt` or `rtx`; None: whichever is installed. Raises BackendError where a graph cannot be parsed or built.
    """
    made = Manifest.load(source)
    made.require(source, kind="onnx")
    if made.linear == "int8":
        raise BackendError(f"{source} has int8 weights, which are for processors: build engines of float32")
    trt = library(flavour)
    out.mkdir(parents=True, exist_ok=True)
    for graph, inputs in made.shapes.items():
        tell(graph)
        plan = build(trt, source / f"{graph}.onnx", inputs, compute_capability, timing_cache, stream_weights)
        (out / f"{graph}.engine").write_bytes(plan)
    built_for = compute_capability if compute_capability != "CURRENT" else gpu_name()
    manifest = replace(made, kind="tensorrt", gpu=built_for, runtime=runtime_name(trt))
    manifest.save(out)
    if (source / STATISTICS).is_file():
        shutil.copy(source / STATISTICS, out)
    return manifest


def build(
    trt: Any, file: Path, inputs: dict[str, list[list[int]]], compute_capability: str = "CURRENT",
    timing_cache: Path | None = None, stream_weights: bool = False,
) -> bytes:  # fmt: skip
    """One serialised engine. inputs: by name one shape, or smallest, best and largest. Raises BackendError."""
    builder = trt.Builder(_logger(trt))
    if builder is None:
        raise BackendError("TensorRT gave no builder")
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, _logger(trt))
    if not parser.parse_from_file(str(file)):
        reasons = "; ".join(str(parser.get_error(i).desc()) for i in range(parser.num_errors))
        raise BackendError(f"TensorRT cannot parse {file}: {reasons}")
    _let_attention_decompose(trt, network)
    _ask_apart(trt, network)
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE_BYTES)
    if stream_weights:
        config.set_flag(trt.BuilderFlag.WEIGHT_STREAMING)
    if compute_capability != "CURRENT":
        _aim_at(trt, config, compute_capability)
    _add_profile(builder, config, network, inputs, file)
    cache = _begin_timing(config, timing_cache)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise BackendError(f"TensorRT could not build {file} (its own words stand in the log above)")
    if cache is not None and timing_cache and (used := config.get_timing_cache()):
        timing_cache.parent.mkdir(parents=True, exist_ok=True)
        timing_cache.write_bytes(bytes(used.serialize()))
    return bytes(plan)


def _add_profile(builder: Any, config: Any, network: Any, inputs: dict[str, list[list[int]]], file: Path) -> None:
    profile = builder.create_optimization_profile()
    varies = False
    for i in range(network.num_inputs):
        tensor = network.get_input(i)
        if tensor.name not in inputs:
            raise BackendError(f"{file.name} takes {tensor.name}, of which its manifest knows nothing: export it again")
        ranges = inputs[tensor.name]
        if -1 in tuple(tensor.shape):
            varies = True
            profile.set_shape(tensor.name, ranges[0], ranges[len(ranges) // 2], ranges[-1])
        elif list(tensor.shape) != ranges[0]:
            raise BackendError(f"{file.name} takes {tensor.name} of {list(tensor.shape)}, its manifest says {ranges[0]}")
    if varies and config.add_optimization_profile(profile) < 0:
        raise BackendError(f"{file.name}: these shapes make no profile: {inputs}")


def _let_attention_decompose(trt: Any, network: Any) -> None:
    """Opset 23's Attention has no fused kernel in float32; it may fall apart into what has."""
    for i in range(network.num_layers):
        layer = network.get_layer(i)
        if layer.type == getattr(trt.LayerType, "ATTENTION_INPUT", None):
            layer.__class__ = trt.IAttentionInputLayer  # the network gives plain layers
            layer.attention.decomposable = True


def _ask_apart(trt: Any, network: Any) -> None:
    """TensorRT-RTX 1.7 dies where one tensor asks in two whole attentions. All but the first get it negated twice.

    The parser scales the tensor for each of them: it is what goes into that product that must differ.
    """
    made_by: dict[str, Any] = {}
    for i in range(network.num_layers):
        layer = network.get_layer(i)
        made_by |= {layer.get_output(j).name: layer for j in range(layer.num_outputs)}
    asked: set[str] = set()
    for layer in list(made_by.values()):
        if layer.type != getattr(trt.LayerType, "ATTENTION_INPUT", None):
            continue
        taker = made_by.get(layer.get_input(0).name, layer)
        taker = taker if taker.type == trt.LayerType.ELEMENTWISE else layer
        query = taker.get_input(0)
        if query.name in asked:
            negated = network.add_unary(query, trt.UnaryOperation.NEG).get_output(0)
            taker.set_input(0, network.add_unary(negated, trt.UnaryOperation.NEG).get_output(0))
        asked.add(query.name)


def _aim_at(trt: Any, config: Any, compute_capability: str) -> None:
    if not hasattr(trt, "ComputeCapability"):
        raise BackendError("TensorRT builds for the GPU it runs on; --compute-capability is for TensorRT-RTX")
    known = [name for name in dir(trt.ComputeCapability) if name.startswith("SM")]
    if compute_capability not in known:
        raise BackendError(f"--compute-capability {compute_capability}: take CURRENT or one of {', '.join(known)}")
    config.num_compute_capabilities = 1
    config.set_compute_capability(getattr(trt.ComputeCapability, compute_capability), 0)


def _begin_timing(config: Any, file: Path | None) -> Any:
    """Tactics timed before need not be timed again."""
    if file is None:
        return None
    cache = config.create_timing_cache(file.read_bytes() if file.is_file() else b"")
    return cache if cache is not None and config.set_timing_cache(cache, False) else None


def _logger(trt: Any) -> Any:
    global _LOGGER
    if _LOGGER is None:

        class Logger(trt.ILogger):
            def __init__(self) -> None:
                trt.ILogger.__init__(self)

            def log(self, severity: Any, message: str) -> None:
                level = logging.ERROR if severity <= trt.ILogger.Severity.ERROR else logging.DEBUG
                log.log(level, "TensorRT: %s", message)

        _LOGGER = Logger()
    return _LOGGER


_LOGGER: Any = None  # TensorRT keeps one for the whole process
