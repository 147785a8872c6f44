"""Hold a video model's exported graphs against torch, time them, and note both in the table that chooses a backend."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from engines.backends.choice import Measured, graphs_on, machine
from engines.backends.error import BackendError
from engines.backends.graph import Graph
from engines.backends.torch import torch_graphs
from engines.checkpoints import weights_hash
from engines.manifest import Manifest
from engines.models.video_dit import VideoDiT

#: Largest relative error of the velocity (norm of the difference over norm) against torch in the same weights, unrounded.
TOLERANCES = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 5e-2, "fp8": 1e-1}
_WARM_UP, _REPEATS = 2, 5


def compare(reference: Mapping[str, Graph], graphs: Mapping[str, Graph], manifest: Manifest, device: str) -> dict[str, float]:
    """The relative error of each graph on random inputs of its best shapes; the larger one where it has two outputs."""
    errors = {}
    for name, inputs in random_inputs(manifest, device):
        expected = {output: value.float().cpu() for output, value in reference[name](inputs).items()}
        ours = graphs[name](inputs)
        errors[name] = max(float((ours[o].float().cpu() - e).norm() / e.norm()) for o, e in expected.items())
    return errors


def random_inputs(manifest: Manifest, device: str) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Inputs of each graph at the middle one of its shapes; keys and values in the weights' own type."""
    dtype = getattr(torch, manifest.precision)
    for name, shapes in manifest.shapes.items():
        generator = torch.Generator().manual_seed(1)
        inputs = {}
        for given, ranges in shapes.items():
            value = torch.randn(ranges[len(ranges) // 2], generator=generator)
            if given == "timestep":
                value = value.abs() * 300
            inputs[given] = value.to(device, dtype if given.endswith(("_k", "_v")) else torch.float32)
        yield name, inputs


def step_ms(denoise: Graph, inputs: Mapping[str, Tensor]) -> float:
    """Wall milliseconds of one step, the median of several, after warming up."""
    on_gpu = next(iter(inputs.values())).is_cuda
    times = []
    for i in range(_WARM_UP + _REPEATS):
        began = time.perf_counter()
        denoise(inputs)
        if on_gpu:
            torch.cuda.synchronize()
        if i >= _WARM_UP:
            times.append((time.perf_counter() - began) * 1e3)
    return sorted(times)[len(times) // 2]


def measure(
    model: VideoDiT, folders: Mapping[str, Path | None], root: Path, manifest: Manifest, say: Callable[[str], None]
) -> list[Measured]:  # fmt: skip
    """Verify and time each backend of `folders` (backend → its files, None for torch's own) on this machine.

    A backend that cannot run is said and left out; one that is wrong is in the table, and never chosen.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    weights = weights_hash(model)
    reference = torch_graphs(model)
    inputs = dict(random_inputs(manifest, device))["denoise"]
    tolerance = TOLERANCES[manifest.linear or manifest.precision]
    rows = []
    for backend, folder in folders.items():
        try:
            graphs = graphs_on(backend, model, folder, weights)
            errors = compare(reference, graphs, manifest, device)
            ms = step_ms(graphs["denoise"], inputs)
        except BackendError as error:
            say(f"{backend}: {error}")
            continue
        place = str(folder.relative_to(root)) if folder and folder.is_relative_to(root) else str(folder or "")
        latents = list(inputs["latents"].shape)
        rows.append(Measured(backend, machine(), weights, latents, round(ms, 3), max(errors.values()), tolerance, place))
        say(f"{backend}: {ms:.1f} ms a step; " + ", ".join(f"{name} {error:.1e}" for name, error in errors.items()))
    return rows
