"""Write a trained `AvatarDiT` as the folder that `engines.catalog.load_motion_model` reads.

With whole attention, which on ONNX Runtime takes an eighth less time; for TensorRT `rostrum export onnx` writes another.

python -m export.motion_onnx run/last.pt engines/weights/portrait
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from engines.catalog import CONFIGS, STATISTICS, AvatarDiTConfig, MotionStatistics
from engines.checkpoints import weights_hash
from engines.conditions import CONDITION_INPUTS, CONDITION_OUTPUTS
from engines.manifest import Manifest
from engines.models.avatar_dit import AvatarDiT
from export.to_onnx import OPSET, WHOLE_ATTENTION_OPSET, Method, export_onnx, widen

DYNAMIC = {
    "latents": {0: "b", 2: "f"}, "timestep": {0: "b"}, "interval": {0: "b"}, "time": {0: "b", 1: "f"},
    "frame_scalars": {0: "b", 2: "f"}, "text": {0: "b", 1: "k", 2: "l"}, "text_mask": {0: "b", 1: "f", 2: "kl"},
    "audio": {0: "b", 1: "n"}, "audio_known": {0: "b", 1: "n"}, "audio_time": {0: "b", 1: "n"},
    "audio_mask": {0: "b", 1: "f", 2: "n"},
    "text_k": {1: "b", 2: "m"}, "text_v": {1: "b", 2: "m"}, "audio_k": {1: "b", 2: "n"}, "audio_v": {1: "b", 2: "n"},
}  # fmt: skip


#: Smallest, best and largest of these axes, for engines.
SIZES = {
    "b": (1, 3, 24), "f": (2, 16, 64), "k": (1, 1, 4), "l": (1, 12, 24), "kl": (1, 12, 96), "m": (2, 13, 97),
    "n": (12, 44, 140),
}  # fmt: skip


def example_inputs(
    config: AvatarDiTConfig, b: int = 3, f: int = 13, k: int = 2, n: int = 41, words: int = 11, seed: int = 0
) -> dict[str, Tensor]:
    """Random inputs of the right shapes, by name."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    def choice(*shape: int) -> Tensor:
        return (torch.rand(*shape, generator=generator) > 0.3).float()

    return {
        "latents": normal(b, config.in_channels - config.frame_scalars, f, 1, 1),
        "timestep": torch.rand(b, generator=generator) * 1000,
        "interval": torch.full((b,), 0.04),
        "time": torch.arange(f).float().mul(0.04).expand(b, f).clone(),
        "frame_scalars": normal(b, config.frame_scalars, f),
        "text": normal(b, k, words, config.text_dim),
        "text_mask": choice(b, f, k * words),
        "audio": normal(b, n, config.audio_dim),
        "audio_known": choice(b, n),
        "audio_time": torch.arange(n).float().mul(0.02).sub(0.12).expand(b, n).clone(),
        "audio_mask": choice(b, f, n),
    }


def export_motion_model(
    model: AvatarDiT, statistics: MotionStatistics, folder: Path, half_weights: bool = True, opset: int = OPSET
) -> None:
    """conditions.onnx (run once a request), model.onnx (run at every step) and statistics.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = example_inputs(model.config)
    once = {name: inputs[name] for name in CONDITION_INPUTS}
    each = {name: value for name, value in inputs.items() if name not in CONDITION_INPUTS}
    with torch.no_grad():
        each.update(zip(CONDITION_OUTPUTS, model.condition(**once), strict=True))
    for name, method, given, made in (
        ("conditions.onnx", "condition", once, list(CONDITION_OUTPUTS)),
        ("model.onnx", "denoise", each, ["velocity"]),
    ):
        export_onnx(Method(model, method), given, made, folder / name, DYNAMIC, half_weights, opset)
    statistics.save(folder / STATISTICS)
    motion_manifest(model, folder, opset).save(folder)


def motion_manifest(model: AvatarDiT, folder: Path, opset: int) -> Manifest:
    """What the two graphs of a folder are."""
    shapes = {name: input_shapes(folder / f"{name}.onnx") for name in ("conditions", "model")}
    return Manifest("onnx", "portrait", weights_hash(model), "float32", shapes, opset=opset, config=asdict(model.config))


def input_shapes(file: Path) -> dict[str, list[list[int]]]:
    """Smallest, best and largest shape of each input of a graph, by what `DYNAMIC` calls its axes and `SIZES` says of them."""
    shapes: dict[str, list[list[int]]] = {}
    for value in onnx.load(file, load_external_data=False).graph.input:
        axes, names = value.type.tensor_type.shape.dim, DYNAMIC.get(value.name, {})
        shapes[value.name] = [
            [SIZES[names[i]][j] if axis.dim_param else axis.dim_value for i, axis in enumerate(axes)] for j in range(3)
        ]
    return shapes


def quantised(folder: Path, out: Path) -> None:
    """The folder's graphs with int8 weights and activations quantised as they come, into `out`: for processors."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    out.mkdir(parents=True, exist_ok=True)
    for name in ("conditions.onnx", "model.onnx"):
        model = onnx.load(folder / name)
        widen(model)
        quantize_dynamic(
            model, out / name, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Gemm"], per_channel=True
        )
    shutil.copy(folder / STATISTICS, out)
    replace(Manifest.load(folder), linear="int8").save(out)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """The state dict of an `AvatarDiT` that `export_motion_model` wrote, so that training can go on from shipped weights.

    Linear weights lose their names in ONNX: each is found, transposed, before the addition of its named bias. Equal tensors
    are stored once: the interval embedding's last bias is the time embedding's. A weight
    that is not found is left out, which `load_state_dict` refuses.
    """
    state: dict[str, Tensor] = {}
    for name in ("conditions", "model"):
        graph = onnx.load(folder / f"{name}.onnx").graph
        values = {tensor.name: numpy_helper.to_array(tensor).astype(np.float32) for tensor in graph.initializer}
        values |= {node.output[0]: values[node.input[0]] for node in graph.node if node.input[0] in values}
        made_by = {output: node for node in graph.node for output in node.output}
        for key, value in values.items():
            if key.startswith("model.") and not key.endswith(".half"):
                state[key.removeprefix("model.")] = torch.from_numpy(value.copy())
        for node in graph.node:
            for bias, product in (node.input, node.input[::-1]) if node.op_type == "Add" else ():
                source = made_by.get(product)
                if not (bias.startswith("model.") and bias.endswith(".bias") and source and source.op_type == "MatMul"):
                    continue
                if source.input[1] in values:
                    weight = torch.from_numpy(values[source.input[1]].T.copy())
                    state[bias.removeprefix("model.").removesuffix("bias") + "weight"] = weight
    state.setdefault("interval_embedding.2.bias", state["time_embedding.2.bias"])
    patch = state["patch_embedding.weight"]  # of 1 × 1 × 1, so that it may have become a linear layer
    state["patch_embedding.weight"] = patch.reshape(*patch.shape[:2], 1, 1, 1)
    return state


def weights_of(source: Path) -> tuple[dict[str, Tensor], MotionStatistics]:
    """The state dict and statistics that a run of `export.train.motion` came to (its `last.pt`), or of a folder of graphs."""
    if source.is_dir():
        return read_weights(source), MotionStatistics.load(source / STATISTICS)
    saved = torch.load(source, map_location="cpu", weights_only=True)
    return saved["ema"], MotionStatistics(**saved["notes"]["statistics"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="written by export.train.motion")
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", default="portrait", choices=CONFIGS)
    args = parser.parse_args()
    state, statistics = weights_of(args.checkpoint)
    model = AvatarDiT(CONFIGS[args.config])
    model.load_state_dict(state)
    export_motion_model(model, statistics, args.out, opset=WHOLE_ATTENTION_OPSET)


if __name__ == "__main__":
    main()
