"""A graph: one computation of a model on some backend. What runs it may be torch, ONNX Runtime or TensorRT.

A video transformer is up to four graphs, each with the inputs and outputs of `VideoDiT`'s method of that name:

=========  ========================================  ==================  ====================
graph      inputs                                    outputs             run
=========  ========================================  ==================  ====================
text       text                                      text_k, text_v      once a prompt
images     images                                    image_k, image_v    once a pair of anchors
audio      audio_first, audio_later                  audio_k, audio_v    once a clip
denoise    latents, timestep, audio_scale, the above velocity            at every step
=========  ========================================  ==================  ====================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from engines.catalog import VideoDiTConfig

OUTPUTS: dict[str, tuple[str, ...]] = {
    "text": ("text_k", "text_v"),
    "images": ("image_k", "image_v"),
    "audio": ("audio_k", "audio_v"),
    "denoise": ("velocity",),
}
INPUTS: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "images": ("images",),
    "audio": ("audio_first", "audio_later"),
    "denoise": (
        "latents", "timestep", "text_k", "text_v", "image_k", "image_v", "audio_k", "audio_v", "audio_scale",
    ),
}  # fmt: skip


class Graph(Protocol):
    """Tensors in by name, tensors out by name, on one device. What it returns may be overwritten by the next call."""

    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]: ...


def graph_names(config: VideoDiTConfig) -> list[str]:
    """Of the graphs that a model of this config has."""
    return ["text", *(["images"] if config.image_dim else []), *(["audio"] if config.audio else []), "denoise"]
