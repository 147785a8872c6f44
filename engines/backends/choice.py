"""Which backend runs a model: the fastest of those that were verified and measured on this machine, not the one in favour."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engines.backends.error import BackendError
from engines.backends.graph import Graph, graph_names

if TYPE_CHECKING:
    from engines.models.video_dit import VideoDiT

FILE = "measured.json"
BACKENDS = ("torch", "torch-compiled", "onnx-cpu", "onnx-cuda", "onnx-tensorrt", "tensorrt", "tensorrt-rtx")


@dataclass(frozen=True, slots=True)
class Measured:
    """One backend on one machine. latents: the shape [b, c, f, h, w] that a step was timed at. folder: of its files, from the
    table's own; "" for torch. error: the largest of its graphs', relative."""

    backend: str
    machine: str
    weights: str
    latents: list[int]
    step_ms: float
    error: float
    tolerance: float
    folder: str = ""

    @property
    def is_right(self) -> bool:
        return self.error <= self.tolerance

    @property
    def cost(self) -> float:
        """Time for one value of the latents."""
        return self.step_ms / math.prod(self.latents)


def machine() -> str:
    """The GPU that is used, or the processor."""
    from engines.backends.tensorrt import gpu_name

    return gpu_name() or platform.machine()


def read_table(folder: Path) -> list[Measured]:
    """What was measured, by `rostrum export verify`. Empty where nothing was. Raises BackendError for a spoilt table."""
    file = folder / FILE
    try:
        return [Measured(**row) for row in json.loads(file.read_text())] if file.is_file() else []
    except (json.JSONDecodeError, TypeError) as error:
        raise BackendError(f"{file} cannot be read: {error}. Remove it and run `rostrum export verify` again") from None


def note(folder: Path, rows: Sequence[Measured]) -> None:
    """Put rows into the table, in place of older ones of the same files, backend, machine, weights and shape."""
    fresh = {(row.folder, row.backend, row.machine, row.weights, *row.latents): row for row in [*read_table(folder), *rows]}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps([asdict(row) for row in fresh.values()], indent=1) + "\n")


def by_speed(table: Sequence[Measured], here: str, weights: str) -> list[Measured]:
    """Those that are right on this machine with these weights, fastest first."""
    right = [row for row in table if row.is_right and row.machine == here and row.weights == weights]
    return sorted(right, key=lambda row: row.cost)


def graph_on(backend: str, name: str, model: VideoDiT, folder: Path | None, weights: str | None = None) -> Graph:
    """One of a model's graphs on one backend; `folder` holds its files. Raises BackendError where it cannot run here."""
    if backend in ("torch", "torch-compiled"):
        from engines.backends.torch import TorchGraph

        return TorchGraph(model, name, compiled=backend == "torch-compiled" and name == "denoise")  # no other is worth it
    if folder is None:
        raise BackendError(f"{backend} runs exported graphs: name their folder")
    if backend.startswith("onnx-"):
        from engines.backends.onnx_graph import onnx_graph

        return onnx_graph(folder, name, backend, weights)
    from engines.backends.tensorrt import library, tensorrt_graph

    return tensorrt_graph(folder, name, weights, library("rtx" if backend == "tensorrt-rtx" else "tensorrt"))


def graphs_on(backend: str, model: VideoDiT, folder: Path | None, weights: str | None = None) -> dict[str, Graph]:
    """All of a model's graphs, as `graph_on`."""
    return {name: graph_on(backend, name, model, folder, weights) for name in graph_names(model.config)}
