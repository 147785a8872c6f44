"""What an exported folder is: which model, at which shapes, for which machine. Read, and refused if wrong, before it runs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from engines.backends.error import BackendError

FORMAT = 1
FILE = "manifest.json"

#: Input of a graph → its shape; or, where it may vary, smallest, best and largest.
Shapes = dict[str, dict[str, list[list[int]]]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """kind: what the files are. weights: a hash of the tensors. linear: what linear layers are rounded to. gpu, runtime:
    what TensorRT engines were built for and with."""

    kind: Literal["onnx", "tensorrt"]
    model: str
    weights: str
    precision: str
    shapes: Shapes
    opset: int = 20
    linear: Literal["", "fp8", "int8"] = ""
    config: dict[str, object] = field(default_factory=dict)
    gpu: str = ""
    runtime: str = ""
    format: int = FORMAT

    def save(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Raises BackendError where there is none, or one of another format."""
        file = folder / FILE
        try:
            read = json.loads(file.read_text())
        except FileNotFoundError:
            raise BackendError(f"{folder} has no {FILE}: export it again with `rostrum export`") from None
        except json.JSONDecodeError as error:
            raise BackendError(f"{file} is not JSON: {error}") from None
        if read.get("format") != FORMAT:
            raise BackendError(f"{file} is of format {read.get('format')}, not {FORMAT}: export it again")
        return cls(**read)

    def require(
        self, folder: Path, *, kind: str, weights: str | None = None, gpu: str | None = None, runtime: str | None = None
    ) -> None:
        """Raises BackendError naming what does not match, and what to do."""
        for name, mine, wanted in (
            ("files", self.kind, kind), ("weights", self.weights, weights),
            ("GPU", self.gpu, gpu), ("TensorRT", self.runtime, runtime),
        ):  # fmt: skip
            if wanted is not None and mine != wanted:
                raise BackendError(
                    f"{folder} was made for {name} {mine or 'unknown'}, here it is {wanted}: "
                    f"build it again with `rostrum export {'tensorrt' if kind == 'tensorrt' else 'onnx'}`"
                )

    def takes(self, graph: str, shapes: dict[str, list[int]]) -> bool:
        """Whether a graph was built for inputs of these shapes."""
        try:
            for name in self.shapes.get(graph, {}):
                self.require_shape(graph, name, shapes[name])
        except (BackendError, KeyError):
            return False
        return graph in self.shapes

    def require_shape(self, graph: str, name: str, shape: list[int]) -> None:
        """Raises BackendError for an input that the graph was not built for."""
        ranges = self.shapes[graph].get(name)
        if ranges is None:
            raise BackendError(f"graph {graph} takes no {name}; it takes {', '.join(self.shapes[graph])}")
        low, high = ranges[0], ranges[-1]
        if len(shape) != len(low) or not all(a <= n <= b for a, n, b in zip(low, shape, high, strict=True)):
            allowed = f"{low}" if low == high else f"{low} to {high}"
            raise BackendError(f"graph {graph} was built for {name} of {allowed}, not {shape}: export it at that size")
