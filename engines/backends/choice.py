"""Which backend runs a model: the fastest of those that were verified and measured on this machine, not the one in favour."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engines.backends.graph import BackendError, Graph

if TYPE_CHECKING:
    from engines.models.video_dit import VideoDiT

FILE = "measured.json"
BACKENDS = ("torch", "torch-compiled", "onnx-cpu", "onnx-cuda", "onnx-tensorrt", "tensorrt", "tensorrt-rtx")


@dataclass(frozen=True, slots=True)
class Measured:
    """One backend on one machine. folder: of its files, from the table's own; "" for torch. error: of velocity, relative."""

    backend: str
    machine: str
    weights: str
    step_ms: float
    error: float
    tolerance: float
    folder: str = ""

    @property
    def is_right(self) -> bool:
        return self.error <= self.tolerance


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
    """Put rows into the table, in place of older ones of the same backend, machine and weights."""
    fresh = {(row.backend, row.machine, row.weights): row for row in [*read_table(folder), *rows]}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps([asdict(row) for row in fresh.values()], indent=1) + "\n")


def by_speed(table: Sequence[Measured], here: str, weights: str) -> list[Measured]:
    """Those that are right on this machine with these weights, fastest first."""
    right = [row for row in table if row.is_right and row.machine == here and row.weights == weights]
    return sorted(right, key=lambda row: row.step_ms)


def graphs_of(backend: str, model: VideoDiT, folder: Path | None, weights: str | None = None) -> dict[str, Graph]:
    """A model's graphs on one backend; `folder` holds its files. Raises BackendError where it cannot run here."""
    from engines.backends.torch import torch_graphs

    if backend in ("torch", "torch-compiled"):
        return torch_graphs(model, compiled=backend == "torch-compiled")
    if folder is None:
        raise BackendError(f"{backend} runs exported graphs: name their folder")
    if backend.startswith("onnx-"):
        from engines.backends.onnx_graph import onnx_graphs

        return onnx_graphs(folder, backend, weights)
    from engines.backends.tensorrt import library, tensorrt_graphs

    return tensorrt_graphs(folder, weights, library("rtx" if backend == "tensorrt-rtx" else "tensorrt"))


def fastest(
    model: VideoDiT, table_folder: Path, weights: str, say: Callable[[str], None]
) -> tuple[str, dict[str, Graph]]:  # fmt: skip
    """The backend that was measured fastest here and still runs, and its graphs; torch's own where nothing was measured.

    What is passed over is said, with its reason.
    """
    for row in by_speed(read_table(table_folder), machine(), weights):
        try:
            graphs = graphs_of(row.backend, model, table_folder / row.folder if row.folder else None, weights)
        except BackendError as error:
            say(f"{row.backend} was fastest here and does not run any more: {error}")
            continue
        return row.backend, graphs
    say(f"no backend was measured on {machine()} with these weights (`rostrum export verify` does it): torch runs them, eager")
    return "torch", graphs_of("torch", model, None)
