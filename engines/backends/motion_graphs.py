"""The motion transformer by graphs that take torch's tensors: on TensorRT, or on torch itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engines.backends.graph import Graph
from engines.backends.tensorrt import tensorrt_graph

Array = NDArray[np.float32]


class GraphTransformer:
    """A `Transformer` of two graphs: `conditions` with CONDITION_INPUTS and CONDITION_OUTPUTS, `model` with `velocity`."""

    def __init__(self, conditions: Graph, model: Graph, device: str) -> None:
        self._conditions, self._model, self._device = conditions, model, device

    def condition(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """As in `engines.sampler.Transformer`."""
        return self._run(self._conditions, inputs)

    def denoise(self, inputs: Mapping[str, Array]) -> Array:
        """As in `engines.sampler.Transformer`."""
        return self._run(self._model, inputs)["velocity"]

    def _run(self, graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Array]:
        given = {name: torch.from_numpy(np.ascontiguousarray(value)).to(self._device) for name, value in inputs.items()}
        return {name: tensor.float().cpu().numpy() for name, tensor in graph(given).items()}


def tensorrt_transformer(folder: Path) -> GraphTransformer:
    """Of the engines that `rostrum export tensorrt` built. Raises BackendError where they do not run here."""
    return GraphTransformer(tensorrt_graph(folder, "conditions"), tensorrt_graph(folder, "model"), "cuda")
