"""Graphs on PyTorch itself: eager, or compiled by its own compiler."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from engines.backends.graph import OUTPUTS, Graph, graph_names
from engines.models.video_dit import VideoDiT

METHODS = {"text": "condition_text", "images": "condition_images", "audio": "condition_audio", "denoise": "denoise"}


class TorchGraph:
    """One method of a `VideoDiT`, which goes to the device of its first inputs.

    compiled: the first call of each shape takes minutes, the later ones less than eager.
    """

    def __init__(self, model: VideoDiT, name: str, compiled: bool = False) -> None:
        self._model, self._device = model, torch.device("meta")
        method = getattr(model, METHODS[name])
        self._run = torch.compile(method, dynamic=False) if compiled else method
        self._outputs = OUTPUTS[name]

    @torch.inference_mode()
    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        device = next(iter(inputs.values())).device
        if device != self._device:
            self._model.to(device)
            self._device = device
        made = self._run(**inputs)
        return dict(zip(self._outputs, (made,) if isinstance(made, Tensor) else made, strict=True))


def torch_graphs(model: VideoDiT) -> dict[str, Graph]:
    """All graphs that a model of its config has, eager."""
    return {name: TorchGraph(model, name) for name in graph_names(model.config)}
