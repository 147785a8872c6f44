"""torch modules to ONNX: opset 20 where nothing else is asked for, nothing in the graph that TensorRT refuses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

OPSET = 20
WHOLE_ATTENTION_OPSET = 23  # one node each, where lower ones take eleven to turn the keys
_MIN_HALF_SIZE = 256  # smaller initializers (shapes, eps, scales) stay as they are
_EXTERNAL_BYTES = 1_900_000_000  # a protobuf ends at 2 GB
_REFUSED_OPS = ("ScatterND", "GridSample")  # TensorRT has them slow, or not at all
_COMPLEX = (TensorProto.COMPLEX64, TensorProto.COMPLEX128)


class Method(nn.Module):
    """One method of a module, as the exporter wants it: a module of its own."""

    def __init__(self, model: nn.Module, name: str) -> None:
        super().__init__()
        self.model = model
        self.forward = getattr(model, name)


def export_onnx(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: list[str],
    path: Path,
    dynamic: Mapping[str, Mapping[int, str]],
    half_weights: bool = True,
    opset: int = OPSET,
    revise: Callable[[onnx.ModelProto], object] | None = None,
) -> None:
    """Write `module`, traced on `inputs` (its forward arguments by name), to `path`.

    dynamic: for each input, axis to name; equal names mean equal sizes at the moment of the call.
    half_weights: float32 weights are stored as float16 and widened when the file is loaded (ONNX Runtime folds the casts).
    revise: changes the graph in place before it is written.
    Beyond 2 GB the weights lie in `<path>.data`. Raises ValueError for a graph that is not clean (see `check_clean`).
    """
    dims: dict[str, torch.export.Dim] = {}
    shapes = {
        name: {axis: dims.setdefault(label, torch.export.Dim.DYNAMIC) for axis, label in dynamic.get(name, {}).items()}
        for name in inputs
    }
    program = torch.onnx.export(
        module.eval(), (), kwargs=dict(inputs), dynamo=True, dynamic_shapes=shapes or None, opset_version=opset,
        input_names=list(inputs), output_names=outputs, optimize=True, verbose=False,
    )  # fmt: skip
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    model = program.model_proto
    check_clean(model, path)
    if revise:
        revise(model)
    if half_weights:
        store_half(model)
    del model.graph.value_info[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = path.with_name(path.name + ".data")
    data.unlink(missing_ok=True)
    if sum(math.prod(t.dims) * 4 for t in model.graph.initializer) > _EXTERNAL_BYTES:
        onnx.save(model, path, save_as_external_data=True, all_tensors_to_one_file=True, location=data.name)
        onnx.checker.check_model(str(path))
    else:
        onnx.checker.check_model(model)
        onnx.save(model, path)


def check_clean(model: onnx.ModelProto, path: Path) -> None:
    """Raises ValueError for complex numbers, scattered writes and sampled grids: no engine takes them well."""
    refused = sorted({node.op_type for node in model.graph.node if node.op_type in _REFUSED_OPS})
    has_complex = any(t.data_type in _COMPLEX for t in model.graph.initializer) or any(
        value.type.tensor_type.elem_type in _COMPLEX for value in (*model.graph.value_info, *model.graph.input)
    )
    if refused or has_complex:
        raise ValueError(f"{path.name} has {', '.join([*refused, *(['complex numbers'] if has_complex else [])])}")


def store_half(model: onnx.ModelProto) -> None:
    """Replace large float32 initializers by float16 ones and a Cast, in place."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < _MIN_HALF_SIZE:
            continue
        if np.abs(values).max() > np.finfo(np.float16).max:
            raise ValueError(f"{tensor.name} holds values beyond float16")
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT, name=f"widen {name}"))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def widen(model: onnx.ModelProto) -> None:
    """What `store_half` did, undone in place: float32 initializers, and no Cast."""
    halves = {tensor.name: tensor for tensor in model.graph.initializer}
    kept = []
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in halves:
            tensor = halves[node.input[0]]
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), node.output[0]))
        else:
            kept.append(node)
    del model.graph.node[:]
    model.graph.node.extend(kept)
