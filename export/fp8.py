"""Linear layers in 8 bits: weights and inputs as E4M3 (Micikevicius et al. 2022), one scale for each tensor.

The graph says so by QuantizeLinear and DequantizeLinear around each product, from which TensorRT makes FP8 kernels (compute
capability 8.9 and later), and ONNX Runtime's processor the same rounding. Scales of inputs are measured beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from engines.avatar_library import AvatarLibrary
from engines.backends.graph import Graph
from engines.backends.torch import torch_graphs
from engines.models.video_dit import VideoDiT
from engines.specs import ClipRequest
from engines.video import load_video_model
from streamer.recording import Recording

if TYPE_CHECKING:
    from export.video_onnx import ClipShape

LARGEST = 448.0  # of E4M3
_NUM_CLIPS = 4


@contextmanager
def measured_inputs(model: VideoDiT) -> Iterator[dict[str, float]]:
    """The largest absolute input that each linear layer of the blocks has met so far, by the layer's name."""
    met: dict[str, Tensor] = {}

    def watch(name: str) -> Any:
        def hook(_module: nn.Module, given: tuple[Tensor, ...]) -> None:
            largest = given[0].detach().abs().amax().float()
            met[name] = torch.maximum(met[name], largest) if name in met else largest

        return hook

    layers = [(name, m) for name, m in model.named_modules() if name.startswith("blocks.") and isinstance(m, nn.Linear)]
    hooks = [layer.register_forward_pre_hook(watch(name)) for name, layer in layers]
    found: dict[str, float] = {}
    try:
        yield found
    finally:
        for one in hooks:
            one.remove()
        found.update({name: float(largest) for name, largest in met.items()})


def measured_ranges(name: str, folder: Path, speech: Path, shape: ClipShape) -> tuple[VideoDiT, dict[str, float]]:
    """The transformer of a video model's folder, and its `measured_inputs` on clips of several avatars that say this.

    Raises CheckpointError for weights and RecordingError for speech that cannot be used.
    """
    taken: list[VideoDiT] = []

    def by_torch(model: VideoDiT) -> Mapping[str, Graph]:
        taken.append(model)
        return torch_graphs(model)

    voice = Recording.open(speech).voice.astype(np.float32) / np.float32(32768)
    whole = load_video_model(name, folder, graphs=by_torch)
    with measured_inputs(taken[0]) as largest:
        for i, avatar in enumerate(AvatarLibrary.default().list()[:_NUM_CLIPS]):
            picture = cv2.resize(avatar.picture(), (shape.width, shape.height), interpolation=cv2.INTER_AREA)
            heard: NDArray[np.float32] = np.roll(voice, -(i * len(voice) // _NUM_CLIPS))
            whole.clip(ClipRequest(picture, picture, shape.num_frames, "a person talks to the camera", heard, 35, 25, seed=i))
    return taken[0].cpu(), largest


def quantise(model: onnx.ModelProto, largest: Mapping[str, float]) -> int:
    """Put the products of these layers into 8 bits, in place; gives how many there were.

    Layers are known by their biases, which keep their names in an exported graph. Raises ValueError for an input that was
    never anything but 0.
    """
    graph = model.graph
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    made_by = {output: node for node in graph.node for output in node.output}
    before: dict[int, list[onnx.NodeProto]] = {}
    known: dict[tuple[str, float], str] = {}
    layers: dict[str, onnx.NodeProto] = {}
    for node in graph.node:
        for bias, product in (node.input, node.input[::-1]) if node.op_type == "Add" else ():
            source = made_by.get(product)
            name = bias.removeprefix("model.").removesuffix(".bias")
            if name in largest and bias.endswith(".bias") and source and source.op_type == "MatMul":
                layers[name] = source
    for name, product in layers.items():
        weight = initializers.get(product.input[1])
        if weight is None:
            continue
        kind = weight.data_type
        if not largest[name] > 0:
            raise ValueError(f"{name} met nothing but zeros: its input has no scale")
        values = numpy_helper.to_array(weight).astype(np.float32)
        nodes = before.setdefault(id(product), [])
        given = (product.input[0], largest[name])
        if given not in known:
            scale = _scale(f"{name}.input_scale", largest[name], kind)
            zero = helper.make_tensor(f"{name}.input_zero", TensorProto.FLOAT8E4M3FN, [], b"\0", raw=True)
            graph.initializer.extend([scale, zero])
            known[given] = f"{name}.input"
            nodes += [
                helper.make_node("QuantizeLinear", [product.input[0], scale.name, zero.name], [f"{name}.input_fp8"]),
                helper.make_node("DequantizeLinear", [f"{name}.input_fp8", scale.name, zero.name], [known[given]]),
            ]
        scale = _scale(f"{name}.weight_scale", float(np.abs(values).max()), kind)
        by = numpy_helper.to_array(scale).astype(np.float32)
        small = torch.from_numpy((values / by).clip(-LARGEST, LARGEST)).to(torch.float8_e4m3fn).view(torch.uint8).numpy()
        stored = helper.make_tensor(f"{name}.weight_fp8", TensorProto.FLOAT8E4M3FN, weight.dims, small.tobytes(), raw=True)
        graph.initializer.extend([scale, stored])
        nodes.append(helper.make_node("DequantizeLinear", [stored.name, scale.name], [f"{name}.weight_wide"]))
        product.input[0], product.input[1] = known[given], f"{name}.weight_wide"
    ordered = [each for node in graph.node for each in (*before.get(id(node), ()), node)]
    used = {name for node in ordered for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(ordered)
    graph.initializer.extend(kept)
    return len(layers)


def _scale(name: str, largest: float, kind: int) -> onnx.TensorProto:
    """What brings a tensor to the range of E4M3, in the graph's own type."""
    return helper.make_tensor(name, kind, [], [largest / LARGEST])
