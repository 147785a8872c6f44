"""torch module to ONNX, weights stored as float16 (half the file, and float32 arithmetic all the same)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

OPSET = 20
_MIN_HALF_SIZE = 256  # smaller initializers (shapes, eps, scales) stay as they are


def export_onnx(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: list[str],
    path: Path,
    dynamic: Mapping[str, Mapping[int, str]],
    half_weights: bool = True,
) -> None:
    """Write `module`, traced on `inputs` (its forward arguments by name), to `path`.

    dynamic: for each input, axis to name; equal names mean equal sizes at the moment of the call.
    half_weights: float32 weights are stored as float16 and widened when the file is loaded (ONNX Runtime folds the casts).
    """
    dims: dict[str, torch.export.Dim] = {}
    shapes = {
        name: {axis: dims.setdefault(label, torch.export.Dim.DYNAMIC) for axis, label in dynamic.get(name, {}).items()}
        for name in inputs
    }
    program = torch.onnx.export(
        module.eval(), (), kwargs=dict(inputs), dynamo=True, dynamic_shapes=shapes, opset_version=OPSET,
        input_names=list(inputs), output_names=outputs, optimize=True, verbose=False,
    )  # fmt: skip
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    model = program.model_proto
    if half_weights:
        store_half(model)
    del model.graph.value_info[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


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
