"""What `deploy/gpu_check.sh` runs: video transformers on this machine, verified, then timed with random weights at true sizes.

Speed does not depend on what the weights are. The check is made of parts; each writes `PARTS/<part>.json` as it is done, and a
second run goes on with those that are missing. Nothing starts that would not end within the budget.
"""

from __future__ import annotations

import argparse
import functools
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from clients.bench.machine import facts
from engines.backends.choice import graphs_on, machine
from engines.backends.doctor import examine
from engines.backends.error import BackendError
from engines.backends.graph import Graph
from engines.backends.torch import torch_graphs
from engines.catalog import WAN_1_3B, WAN_14B, FrameAudio, VideoDiTConfig, wan_rope_split
from engines.codecs.wan import WanCodec
from engines.conditioners import AudioConditioner, ImageConditioner
from engines.manifest import Manifest
from engines.models.tiny_vae import TinyVae
from engines.models.video_dit import VideoDiT
from engines.models.wan_vae import WanVae, WanVaeConfig
from engines.specs import ClipRequest
from engines.video import VideoModel
from engines.video_sampler import Sampling
from export.fp8 import measured_inputs
from export.verify_video import TOLERANCES, compare, random_inputs, step_ms
from export.video_onnx import ClipShape, example_inputs, export_video_model

log = logging.getLogger(__name__)

#: As EchoMimicV3-Flash is, and Wan2.1-FLF2V with InfiniteTalk.
SMALL = replace(WAN_1_3B, audio=FrameAudio(style="echomimic", token_dim=WAN_1_3B.dim))
LARGE = replace(WAN_14B, image_positions=514, audio=FrameAudio())
NUM_STEPS = 4


@dataclass(frozen=True, slots=True)
class Case:
    """One model at one size, and what to run it on. needs_s: how long that may take, at most."""

    name: str
    config: VideoDiTConfig
    shape: ClipShape
    backends: tuple[str, ...]
    needs_s: float


def true_cases() -> list[Case]:
    """In the order of what they tell."""
    eager, all_torch = ("torch", "diffusers"), ("torch", "diffusers", "torch-compiled", "diffusers-compiled")
    return [
        Case("wan-1.3b 512x512 33", SMALL, ClipShape(512, 512, 33), all_torch, 150),
        Case("wan-14b 832x480 33", LARGE, ClipShape(832, 480, 33), eager, 120),
        Case("wan-1.3b 832x480 33", SMALL, ClipShape(832, 480, 33), eager, 60),
        Case("wan-1.3b 512x512 17", SMALL, ClipShape(512, 512, 17), eager, 60),
        Case("wan-1.3b 832x480 17", SMALL, ClipShape(832, 480, 17), eager, 60),
        Case("wan-14b 832x480 17", LARGE, ClipShape(832, 480, 17), ("torch",), 90),
        Case("wan-1.3b 512x512 33 engines", SMALL, ClipShape(512, 512, 33), ("onnx-cuda", "tensorrt", "tensorrt-rtx"), 400),
        Case("wan-1.3b 512x512 33 fp8", SMALL, ClipShape(512, 512, 33), ("tensorrt fp8", "tensorrt-rtx fp8"), 300),
        Case("wan-14b 832x480 33 compiled", LARGE, ClipShape(832, 480, 33), ("torch-compiled",), 200),
    ]


def dry_cases() -> list[Case]:
    """The same road at toy sizes, for machines without a GPU."""
    config = VideoDiTConfig(
        dim=48, ffn_dim=64, num_heads=2, num_blocks=2, text_dim=20, image_dim=12, frequency_dim=16,
        rope_split=wan_rope_split(24), audio=FrameAudio(style="echomimic", feature_dim=24, token_dim=48, num_tokens=4),
    )  # fmt: skip
    return [
        Case("dry 64x48 9", config, ClipShape(64, 48, 9), ("torch", "diffusers"), 60),
        Case("dry 64x48 9 engines", config, ClipShape(64, 48, 9), ("onnx-cpu", "onnx-cuda", "tensorrt", "tensorrt-rtx"), 120),
        Case("dry 64x48 9 fp8", config, ClipShape(64, 48, 9), ("onnx-cpu fp8", "tensorrt fp8", "tensorrt-rtx fp8"), 120),
    ]


def main(argv: list[str] | None = None) -> int:
    """0: all is done; 3: there is more to do, run it again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--parts", type=Path, default=Path("gpu_check"), metavar="DIR", help="where parts lie (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="all parts as one JSON (default: DIR/results.json)")
    parser.add_argument("--budget", type=float, default=540.0, metavar="S", help="seconds (default: %(default)s)")
    parser.add_argument("--dry", action="store_true", help="toy sizes, on whatever is here")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    log.setLevel(logging.INFO)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision
    if not arguments.dry and not torch.cuda.is_available():
        print("no GPU is usable here (`rostrum doctor` says why); --dry runs toy sizes on the processor", file=sys.stderr)
        return 1
    arguments.parts.mkdir(parents=True, exist_ok=True)
    began, left = time.monotonic(), []
    parts: list[tuple[str, float, Callable[[], Any]]] = [
        ("machine", 30, about),
        ("verify", 120, lambda: verify(arguments.parts / "verify")),
    ]
    cases = dry_cases() if arguments.dry else true_cases()
    parts += [(case.name, case.needs_s, functools.partial(measure, case, arguments.parts / case.name)) for case in cases]
    for name, needs_s, work in parts:
        file = arguments.parts / f"{name}.json"
        if file.is_file():
            continue
        if time.monotonic() - began + needs_s > arguments.budget:
            left.append(name)
            continue
        log.info("— %s", name)
        file.write_text(json.dumps(work(), indent=1) + "\n")
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    done = {name: json.loads((arguments.parts / f"{name}.json").read_text()) for name, _, _ in parts if name not in left}
    out = arguments.out or arguments.parts / "results.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"date": time.strftime("%Y-%m-%d"), "left": left, "parts": done}, indent=1) + "\n")
    print(out)
    if left:
        print(f"run it again for: {', '.join(left)}", file=sys.stderr)
    return 3 if left else 0


def about() -> dict[str, Any]:
    """Machine, driver, versions, and what can run."""
    found: dict[str, Any] = {"machine": machine(), "host": facts(), "torch": torch.__version__, "cuda": torch.version.cuda}
    if torch.cuda.is_available():
        ask = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "-i", "0"]
        found["driver"] = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
        found["memory_gb"] = round(torch.cuda.mem_get_info()[1] / 1e9, 1)
    return found | {"backends": [asdict(finding) for finding in examine()]}


def verify(folder: Path) -> dict[str, Any]:
    """Relative errors of every backend that runs here against torch in float32, at a toy size, in float32 and bfloat16."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    case = dry_cases()[0]
    found: dict[str, Any] = {}
    for precision in ("float32", "bfloat16") if device == "cuda" else ("float32",):
        model = random_model(case.config, device, getattr(torch, precision))
        for backend in ("torch", "onnx-cpu", "onnx-cuda", "tensorrt", "tensorrt-rtx"):
            place = folder / precision
            try:
                graphs, manifest = exported(model, backend, case.shape, place)
                errors = compare(torch_graphs(model), graphs, manifest, device)
            except BackendError as error:
                found[f"{backend} {precision}"] = {"not_run": str(error)}
                continue
            right = max(errors.values()) <= TOLERANCES[precision]
            found[f"{backend} {precision}"] = {"errors": errors, "right": right}
    return found


def measure(case: Case, folder: Path) -> dict[str, Any]:
    """Milliseconds of a step on each backend; then, on the fastest of ours, of a whole clip with either VAE; and memory."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    model = random_model(case.config, device, dtype)
    parameters = sum(p.numel() for p in model.parameters())
    found: dict[str, Any] = {**asdict(case.shape), "parameters": parameters, "precision": str(dtype), "steps_ms": {}}
    usable: dict[str, dict[str, Graph]] = {}
    for backend in case.backends:
        try:
            if backend.startswith("diffusers"):
                found["steps_ms"][backend] = diffusers_step_ms(case, device, dtype, compiled=backend.endswith("-compiled"))
                continue
            graphs, manifest = exported(model, backend, case.shape, folder)
            inputs = dict(random_inputs(manifest, device))["denoise"]
            found["steps_ms"][backend] = round(step_ms(graphs["denoise"], inputs), 3)
            usable[backend] = graphs
        except (BackendError, ImportError, torch.cuda.OutOfMemoryError) as error:
            found["steps_ms"][backend] = f"{type(error).__name__}: {error}"
    timed = {backend: found["steps_ms"][backend] for backend in usable}
    if timed:
        fastest = min(timed, key=lambda backend: timed[backend])
        found["clips"] = {vae: clip_figures(case, usable[fastest], vae, device, dtype) for vae in ("wan", "tiny")}
        found["clips_on"] = fastest
    return found


def exported(model: VideoDiT, backend: str, shape: ClipShape, folder: Path) -> tuple[dict[str, Graph], Manifest]:
    """A model's graphs on a backend, their files written first where it needs any. Raises BackendError.

    `… fp8`: with linear layers in 8 bits, their ranges those of random inputs.
    """
    backend, _, linear = backend.partition(" ")
    dtype = str(model.patch_embedding.weight.dtype).removeprefix("torch.")
    shapes = {
        graph: {name: [list(tensor.shape)] for name, tensor in inputs.items()}
        for graph, inputs in example_inputs(model.config, shape).items()
    }
    plain = Manifest("onnx", "random", "", dtype, shapes)
    if backend in ("torch", "torch-compiled"):
        return graphs_on(backend, model, None), plain
    blocked = {finding.backend: finding.reason for finding in examine() if not finding.is_usable}
    if backend in blocked:
        raise BackendError(blocked[backend])
    source = folder / f"onnx{linear}"
    if not (source / "manifest.json").is_file():
        ranges = None
        if linear:
            with measured_inputs(model) as ranges, torch.inference_mode():
                model.denoise(**dict(random_inputs(plain, str(model.head.modulation.device)))["denoise"])
        export_video_model(model, "random", source, shape, largest_inputs=ranges)
    if backend.startswith("onnx"):
        return graphs_on(backend, model, source), Manifest.load(source)
    from export.to_tensorrt import build_folder

    out = folder / f"{backend}{linear}"
    build_folder(source, out, flavour="rtx" if backend == "tensorrt-rtx" else "tensorrt", timing_cache=folder / "timing.cache")
    return graphs_on(backend, model, out), Manifest.load(source)


def clip_figures(
    case: Case, graphs: dict[str, Graph], vae: str, device: str, dtype: torch.dtype
) -> dict[str, float]:  # fmt: skip
    """A whole clip, from pictures and voice to pictures, as a worker draws one after another; the prompt is known."""
    from transformers import CLIPVisionConfig, CLIPVisionModel, Wav2Vec2Config, Wav2Vec2Model

    config = case.config
    is_toy = config.dim < 256
    with torch.device(device):
        if is_toy:
            codec = WanCodec(WanVae(WanVaeConfig(dim=4)), TinyVae() if vae == "tiny" else None, device, dtype)
            clip = CLIPVisionConfig(
                hidden_size=12, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, patch_size=14
            )
            wav2vec2 = Wav2Vec2Config(
                hidden_size=8, num_hidden_layers=3, num_attention_heads=2, intermediate_size=16, conv_dim=(8,) * 7,
                num_conv_pos_embedding_groups=2, num_conv_pos_embeddings=16,
            )  # fmt: skip
        else:
            codec = WanCodec(WanVae(), TinyVae() if vae == "tiny" else None, device, dtype)
            clip = CLIPVisionConfig(
                hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=16, patch_size=14
            )
            wav2vec2 = Wav2Vec2Config()
        faces = ImageConditioner(CLIPVisionModel(clip), device, dtype)
        ears = AudioConditioner(Wav2Vec2Model(wav2vec2), device)
    model = VideoModel(
        config, graphs, codec, KnownWords(config, device), faces, ears, Sampling(num_steps=NUM_STEPS), device=device
    )
    rng = np.random.default_rng(0)
    voice = rng.standard_normal(round((case.shape.num_frames / 25 + 1.5) * 16_000)).astype(np.float32) * 0.1
    size = (case.shape.height, case.shape.width, 3)

    def draw(seed: int) -> tuple[float, float]:
        """Seconds to the first picture and to the last, of two anchors never seen before."""
        first, last = rng.integers(0, 256, (2, *size), np.uint8)
        began = time.perf_counter()
        frames = model.clip(ClipRequest(first, last, case.shape.num_frames, "a person talks", voice, 35, 25, seed))
        next(frames)
        first_s = time.perf_counter() - began
        for _ in frames:
            pass
        return first_s, time.perf_counter() - began

    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    draw(0)
    drawn = sorted(draw(seed) for seed in range(1, 4))
    first_s, whole_s = drawn[1]
    return {
        "fps": round((case.shape.num_frames - 1) / whole_s, 2),  # the frame it began from was there before
        "clip_s": round(whole_s, 4),
        "first_picture_s": round(first_s, 4),
        "decode_s": round(whole_s - first_s, 4),  # all but the first latent
        "peak_memory_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if device == "cuda" else 0.0,
    }


class KnownWords:
    """Prompts encoded already, as they are on air after the first clip."""

    def __init__(self, config: VideoDiTConfig, device: str) -> None:
        self._encoded = torch.randn(1, 512, config.text_dim, device=device)

    def encode(self, prompt: str) -> Tensor:
        return self._encoded


def random_model(config: VideoDiTConfig, device: str, dtype: torch.dtype) -> VideoDiT:
    """Weights of a trained model's size, made on the device."""
    torch.manual_seed(0)
    with torch.device("meta"):
        model = VideoDiT(config)
    model.to_precision(dtype)
    model.to_empty(device=device)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name and name.endswith("weight"):
                parameter.fill_(1.0)
            else:
                parameter.normal_(std=0.02)
    return model.eval()


def diffusers_step_ms(case: Case, device: str, dtype: torch.dtype, compiled: bool) -> float:
    """Of its WanTransformer3DModel at the same size. It has no ears, so that it does less work than ours."""
    from diffusers import WanTransformer3DModel

    config = case.config
    with torch.device("meta"):
        model = WanTransformer3DModel(
            num_attention_heads=config.num_heads, attention_head_dim=config.dim // config.num_heads,
            in_channels=config.in_channels, out_channels=config.latent_channels, text_dim=config.text_dim,
            freq_dim=config.frequency_dim, ffn_dim=config.ffn_dim, num_layers=config.num_blocks, image_dim=config.image_dim,
            added_kv_proj_dim=config.dim, pos_embed_seq_len=config.image_positions or None,
        )  # fmt: skip
        rope = type(model.rope)
    model.to_empty(device=device)
    model.rope = rope(config.dim // config.num_heads, config.patch_size, 1024).to(device)
    model = model.to(dtype).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.02)
    if compiled:
        model.compile_repeated_blocks(fullgraph=True)
    f, h, w = case.shape.latent
    latents = torch.randn(1, config.in_channels, f, h, w, device=device, dtype=dtype)
    text = torch.randn(1, 512, config.text_dim, device=device, dtype=dtype)
    images = torch.randn(1, 257, config.image_dim, device=device, dtype=dtype)
    if config.image_positions:
        images = images.expand(2, -1, -1)
    timestep = torch.full((1,), 750.0, device=device)

    @torch.inference_mode()
    def step(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"velocity": model(latents, timestep, text, images, return_dict=False)[0]}

    return round(step_ms(step, {"latents": latents}), 3)


if __name__ == "__main__":
    sys.exit(main())
