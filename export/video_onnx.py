"""A `VideoDiT` as a folder of graphs: text.onnx, images.onnx, audio.onnx, denoise.onnx and their manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from engines.backends.graph import OUTPUTS
from engines.backends.torch import METHODS
from engines.catalog import VideoDiTConfig
from engines.checkpoints import weights_hash
from engines.manifest import Manifest, Shapes
from engines.models.video_dit import VideoDiT
from engines.models.wan_vae import FRAMES_A_LATENT, PIXELS_A_LATENT
from export.fp8 import quantise
from export.to_onnx import OPSET, Method, export_onnx

NUM_TEXT_TOKENS = 512
NUM_IMAGE_TOKENS = 257
#: Axes that may vary where frames and sizes are not fixed.
_VARYING = {"latents": {2: "f", 3: "h", 4: "w"}, "audio_k": {2: "f"}, "audio_v": {2: "f"}, "audio_later": {1: "later"}}

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ClipShape:
    """Pixels, frames (1 + 4k) and branches of guidance of one call. Raises ValueError for what no clip can have."""

    width: int
    height: int
    num_frames: int
    num_branches: int = 1

    def __post_init__(self) -> None:
        side = 2 * PIXELS_A_LATENT
        if self.width % side or self.height % side or not self.width or not self.height:
            raise ValueError(f"--size {self.width}x{self.height}: both sides must be multiples of {side}")
        if self.num_frames % FRAMES_A_LATENT != 1:
            raise ValueError(f"--frames {self.num_frames}: take 1 + 4k, such as 17 or 33")

    @property
    def latent(self) -> tuple[int, int, int]:
        """Frames, rows and columns of the latents."""
        return 1 + self.num_frames // FRAMES_A_LATENT, self.height // PIXELS_A_LATENT, self.width // PIXELS_A_LATENT


def example_inputs(config: VideoDiTConfig, shape: ClipShape, device: str = "cpu") -> dict[str, dict[str, Tensor]]:
    """Random inputs of every graph that a model of this config has."""
    generator = torch.Generator().manual_seed(0)
    b, (f, h, w) = shape.num_branches, shape.latent
    heads = (config.num_heads, config.dim // config.num_heads)

    def normal(*sizes: int) -> Tensor:
        return torch.randn(*sizes, generator=generator).to(device)

    def pair(name: str, *sizes: int) -> dict[str, Tensor]:
        return {f"{name}_{kind}": normal(config.num_blocks, b, *sizes, *heads) for kind in ("k", "v")}

    graphs = {"text": {"text": normal(1, NUM_TEXT_TOKENS, config.text_dim)}}
    steps = {"latents": normal(b, config.in_channels, f, h, w), "timestep": torch.full((b,), 750.0, device=device)}
    steps |= pair("text", NUM_TEXT_TOKENS)
    if config.image_dim:
        tokens = config.image_positions or NUM_IMAGE_TOKENS
        graphs["images"] = {"images": normal(1, tokens, config.image_dim)}
        steps |= pair("image", tokens)
    if config.audio:
        first, later = config.audio.windows
        d = config.audio.feature_dim
        graphs["audio"] = {"audio_first": normal(1, first, d), "audio_later": normal(1, f - 1, later, d)}
        steps |= pair("audio", f, config.audio.num_tokens)
        steps["audio_scale"] = torch.ones(b, device=device)
    return graphs | {"denoise": steps}


def export_video_model(
    model: VideoDiT, name: str, folder: Path, shape: ClipShape, opset: int = OPSET, smallest: ClipShape | None = None,
    largest: ClipShape | None = None, largest_inputs: Mapping[str, float] | None = None, tell: Progress = lambda _: None,
) -> Manifest:  # fmt: skip
    """Write the graphs at one shape; or, with a smallest and a largest, for every frame count and size between them.

    largest_inputs: of `export.fp8.measured_inputs`, for linear layers of the steps in 8 bits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    varies = smallest is not None and largest is not None
    every = [example_inputs(model.config, s) for s in ([smallest, shape, largest] if varies else [shape]) if s]
    typical = every[1] if varies else every[0]
    dtype = model.patch_embedding.weight.dtype
    shapes: Shapes = {}
    for graph, inputs in typical.items():
        tell(graph)
        inputs = {n: t.to(dtype) if n.endswith(("_k", "_v")) else t for n, t in inputs.items()}
        dynamic = {n: _VARYING[n] for n in inputs if varies and n in _VARYING}
        export_onnx(
            Method(model, METHODS[graph]), inputs, list(OUTPUTS[graph]), folder / f"{graph}.onnx", dynamic,
            half_weights=False, opset=opset,
            revise=partial(quantise, largest=largest_inputs) if largest_inputs and graph == "denoise" else None,
        )  # fmt: skip
        shapes[graph] = {n: [list(one[graph][n].shape) for one in every] for n in inputs}
    manifest = Manifest(
        kind="onnx", model=name, weights=weights_hash(model), precision=str(dtype).removeprefix("torch."), shapes=shapes,
        opset=opset, linear="fp8" if largest_inputs else "", config=asdict(model.config),
    )  # fmt: skip
    manifest.save(folder)
    return manifest
