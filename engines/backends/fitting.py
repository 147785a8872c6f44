"""A model's graphs on several backends at once: each call runs on the fastest that was verified here and takes its shapes.

Files are loaded when they are first wanted, so that many exported sizes may lie side by side and only those in use take memory.
What cannot run is passed over and said, once; what no file takes, torch runs, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from engines.backends.choice import Measured, by_speed, graph_on, graphs_on, machine, read_table
from engines.backends.error import BackendError
from engines.backends.graph import Graph
from engines.manifest import Manifest

if TYPE_CHECKING:
    from torch import Tensor

    from engines.models.video_dit import VideoDiT

Say = Callable[[str], None]
Shapes = dict[str, list[int]]


class Candidate:
    """What the table has a row for. Raises BackendError where its files have no manifest any more."""

    def __init__(self, row: Measured, model: VideoDiT, root: Path) -> None:
        self.row = row
        self._model = model
        self._folder = root / row.folder if row.folder else None
        self._manifest = Manifest.load(self._folder) if self._folder else None
        self._graphs: dict[str, Graph] = {}

    def takes(self, name: str, shapes: Shapes) -> bool:
        """Whether its graph runs at these shapes without being made anew for them."""
        if self._manifest:
            return self._manifest.takes(name, shapes)
        return self.row.backend == "torch" or name != "denoise" or shapes["latents"] == self.row.latents

    def has_loaded(self, name: str) -> bool:
        """Whether the graph costs no more memory than it has."""
        return name in self._graphs

    def graph(self, name: str) -> Graph:
        """Raises BackendError where it does not run here."""
        if name not in self._graphs:
            self._graphs[name] = graph_on(self.row.backend, name, self._model, self._folder, self.row.weights)
        return self._graphs[name]


class Fitting:
    """One graph of the model."""

    def __init__(self, name: str, candidates: list[Candidate], otherwise: Graph, say: Say) -> None:
        """candidates: of all graphs; those that do not run are taken out. say: takes what a user should know."""
        self._name, self._candidates, self._otherwise, self._say = name, candidates, otherwise, say
        self._chosen: dict[tuple[tuple[int, ...], ...], Graph] = {}

    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As `Graph`; any shapes."""
        key = tuple(tuple(tensor.shape) for tensor in inputs.values())
        if key not in self._chosen:
            self._chosen[key] = self._choose({name: list(tensor.shape) for name, tensor in inputs.items()})
        return self._chosen[key](inputs)

    def _choose(self, shapes: Shapes) -> Graph:
        def rank(candidate: Candidate) -> tuple[bool, bool, float]:
            """What runs once a clip is not worth a second file in memory; what was timed at just these latents leads."""
            row = candidate.row
            return (
                self._name == "denoise" or not candidate.has_loaded(self._name),
                row.latents != shapes.get("latents"),
                row.cost,
            )

        for candidate in sorted(self._candidates, key=rank):
            if not candidate.takes(self._name, shapes):
                continue
            try:
                return candidate.graph(self._name)
            except BackendError as error:
                self._say(f"{candidate.row.backend} was fastest here and does not run any more: {error}")
                self._candidates.remove(candidate)
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if not name.endswith(("_k", "_v")))
        self._say(f"no verified backend takes {self._name} with {told}: torch runs it, eager (`rostrum export` makes others)")
        return self._otherwise


def fitting_graphs(model: VideoDiT, root: Path, weights: str, say: Say) -> dict[str, Graph]:
    """All graphs of a model, by the table that `rostrum export verify` wrote into `root`. Raises BackendError if spoilt."""
    candidates: list[Candidate] = []
    for row in by_speed(read_table(root), machine(), weights):
        try:
            candidates.append(Candidate(row, model, root))
        except BackendError as error:
            say(f"{row.backend} was measured here and is gone: {error}")
    otherwise = graphs_on("torch", model, None)
    if not candidates:
        say(f"nothing was measured on {machine()} with these weights (`rostrum export verify` does it): torch runs them, eager")
        return otherwise
    return {name: Fitting(name, candidates, graph, say) for name, graph in otherwise.items()}
