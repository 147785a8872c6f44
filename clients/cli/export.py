"""`rostrum export`: a model as ONNX graphs, as TensorRT engines, and the check that both are what they were made from.

rostrum export onnx --model wan-1.3b --weights DIR --size 512x512 --frames 33 --out DIR/engines/onnx
rostrum export tensorrt DIR/engines/onnx --out DIR/engines/tensorrt
rostrum export onnx --model wan-1.3b --weights DIR --frames 25 --fp8 speech.wav --out DIR/engines/fp8
rostrum export verify DIR
rostrum export onnx --model portrait --precision int8 --out portrait-int8
"""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path

from clients.cli.render import parse_size

PRECISIONS = ("float32", "bfloat16", "float16", "half-weights", "int8")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rostrum export onnx|tensorrt|verify`."""
    parser = subparsers.add_parser(
        "export", help="make ONNX graphs and TensorRT engines of a model, and verify them", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)

    onnx = kinds.add_parser("onnx", help="ONNX graphs of a model")
    onnx.add_argument("--model", default="portrait", help="portrait, wan-1.3b, wan-14b or wan (default: %(default)s)")
    onnx.add_argument(
        "--weights", type=Path, metavar="DIR", help="a video model's folder, or a portrait checkpoint (default: ours)"
    )
    onnx.add_argument("--size", default="512x512", metavar="WxH", help="of a video model's pictures (default: %(default)s)")
    onnx.add_argument(
        "--frames", type=int, default=33, metavar="N", help="of a video model's clips, 1 + 4k (default: %(default)s)"
    )
    onnx.add_argument("--up-to", metavar="WxHxN", help="any size and count from 64x64x5 to this, in place of just one")
    onnx.add_argument("--branches", type=int, default=1, metavar="N", help="of guidance, in one batch (default: %(default)s)")
    onnx.add_argument(
        "--precision", choices=PRECISIONS, help="video: float32, bfloat16 (default), float16; portrait: the others too"
    )
    onnx.add_argument(
        "--fp8", type=Path, metavar="SPEECH", help="a video model's linear layers in 8 bits, for TensorRT; their ranges are "
        "measured on clips of your avatars that say this",
    )  # fmt: skip
    onnx.add_argument(
        "--opset", type=int, default=20, choices=(20, 21, 22, 23, 24), help="23 keeps attention whole (default: 20)"
    )
    onnx.add_argument("--out", type=Path, required=True, metavar="DIR")
    onnx.set_defaults(run=run_onnx)

    tensorrt = kinds.add_parser("tensorrt", help="TensorRT engines of exported ONNX graphs")
    tensorrt.add_argument("source", type=Path, metavar="DIR", help="what `rostrum export onnx` wrote")
    tensorrt.add_argument("--out", type=Path, required=True, metavar="DIR")
    tensorrt.add_argument("--flavour", choices=("tensorrt", "rtx"), help="default: whichever is installed")
    tensorrt.add_argument(
        "--compute-capability", default="CURRENT", metavar="SMxx", help="with rtx: build for it, without a GPU"
    )
    tensorrt.add_argument("--timing-cache", type=Path, metavar="FILE", help="kept between builds (default: OUT/timing.cache)")
    tensorrt.add_argument("--stream-weights", action="store_true", help="for weights that do not fit into the GPU's memory")
    tensorrt.set_defaults(run=run_tensorrt)

    verify = kinds.add_parser("verify", help="hold exported graphs against torch, time them, choose the fastest")
    verify.add_argument("weights", type=Path, metavar="DIR", help="a video model's folder, its exports under DIR/engines; "
                        "or a folder of the portrait model")  # fmt: skip
    verify.add_argument("--model", default="wan", help="portrait, wan-1.3b, wan-14b or wan (default: %(default)s)")
    verify.add_argument("--backends", help="those to try, with commas between (default: all that `rostrum doctor` lists)")
    verify.add_argument("--checkpoint", type=Path, metavar="FILE", help="what the portrait's folder was made from")
    verify.set_defaults(run=run_verify)


def run_onnx(arguments: argparse.Namespace) -> int:
    """1 and a message where something about the input is wrong."""
    return _guarded(_portrait_onnx if arguments.model == "portrait" else _video_onnx, arguments)


def run_tensorrt(arguments: argparse.Namespace) -> int:
    """As `run_onnx`."""
    return _guarded(_tensorrt, arguments)


def run_verify(arguments: argparse.Namespace) -> int:
    """1 where a backend is further from torch than its precision explains, too."""
    return _guarded(_verify_portrait if arguments.model == "portrait" else _verify_video, arguments)


def _guarded(work: object, arguments: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision
    try:
        from engines.backends.error import BackendError
        from streamer.recording import RecordingError

        assert callable(work)
        return int(work(arguments))
    except (ImportError, ValueError, OSError, BackendError, RecordingError) as error:
        print(f"rostrum export: {error}", file=sys.stderr)
        if isinstance(error, ImportError):
            print("Install what exporting needs: pip install -e .[train,video]", file=sys.stderr)
        return 1


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _video_onnx(arguments: argparse.Namespace) -> int:
    import torch

    from engines.checkpoints import load_video_dit
    from engines.video_weights import VideoWeights
    from export.fp8 import measured_ranges
    from export.video_onnx import ClipShape, export_video_model

    precision = arguments.precision or "bfloat16"
    if precision not in ("float32", "bfloat16", "float16"):
        raise ValueError(f"--precision {precision} is for the portrait model; a video model takes float32, bfloat16 or float16")
    if not arguments.weights:
        raise ValueError(f"--model {arguments.model}: name the folder of its weights with --weights DIR")
    shape = ClipShape(*parse_size(arguments.size), arguments.frames, arguments.branches)
    largest = None
    if arguments.up_to:
        size, _, frames = arguments.up_to.rpartition("x")
        if not frames.isdigit():
            raise ValueError(f"--up-to {arguments.up_to}: write it as WIDTHxHEIGHTxFRAMES, such as 832x480x81")
        largest = ClipShape(*parse_size(size), int(frames), arguments.branches)
    smallest = ClipShape(64, 64, 5, arguments.branches) if largest else None
    weights = VideoWeights.of(arguments.weights)
    dtype, ranges = getattr(torch, precision), None
    if arguments.fp8:
        _say("ranges …")
        model, ranges = measured_ranges(arguments.model, arguments.weights, arguments.fp8, shape)
        model.to_precision(dtype)
    else:
        model = load_video_dit(weights.part("transformer"), weights.parts.get("adapter"), weights.updates, dtype)
    export_video_model(
        model, arguments.model, arguments.out, shape, arguments.opset, smallest, largest, ranges,
        tell=lambda graph: _say(f"{graph} …"),
    )  # fmt: skip
    print(arguments.out)
    return 0


def _portrait_onnx(arguments: argparse.Namespace) -> int:

    from engines.catalog import PORTRAIT, WEIGHTS
    from engines.models.avatar_dit import AvatarDiT
    from export.motion_onnx import export_motion_model, quantised, weights_of

    precision = arguments.precision or "half-weights"
    if precision not in ("float32", "half-weights", "int8"):
        raise ValueError(f"--precision {precision} is for video models; the portrait takes float32, half-weights or int8")
    source: Path = arguments.weights or WEIGHTS / "portrait"
    graphs: Path = arguments.out
    if precision == "int8" and source.is_dir():
        graphs = source
    else:
        graphs = graphs / "float32" if precision == "int8" else graphs
        model = AvatarDiT(PORTRAIT)
        state, statistics = weights_of(source)
        model.load_state_dict(state)
        export_motion_model(model, statistics, graphs, half_weights=precision == "half-weights", opset=arguments.opset)
    if precision == "int8":
        quantised(graphs, arguments.out)
    print(arguments.out)
    return 0


def _tensorrt(arguments: argparse.Namespace) -> int:
    from engines.manifest import FILE
    from export.to_tensorrt import build_folder

    if not (arguments.source / FILE).is_file():
        raise ValueError(f"{arguments.source} holds no graphs that `rostrum export onnx` wrote")
    build_folder(
        arguments.source, arguments.out, flavour=arguments.flavour, compute_capability=arguments.compute_capability,
        timing_cache=arguments.timing_cache or arguments.out / "timing.cache", stream_weights=arguments.stream_weights,
        tell=lambda graph: _say(f"{graph} …"),
    )  # fmt: skip
    print(arguments.out)
    return 0


def _verify_video(arguments: argparse.Namespace) -> int:
    import torch

    from engines.backends.choice import BACKENDS, by_speed, machine, note
    from engines.checkpoints import load_video_dit, weights_hash
    from engines.manifest import FILE, Manifest
    from engines.video_weights import VideoWeights
    from export.verify_video import measure

    weights = VideoWeights.of(arguments.weights)
    engines = arguments.weights / "engines"
    made = [(folder, Manifest.load(folder)) for folder in sorted(p.parent for p in engines.glob(f"**/{FILE}"))]
    graphs = [(folder, manifest) for folder, manifest in made if manifest.kind == "onnx"]
    if not graphs:
        raise ValueError(f"{engines} holds no exported graphs: write some with `rostrum export onnx --out {engines}/onnx`")
    source = (weights.part("transformer"), weights.parts.get("adapter"), weights.updates)
    wrong = False
    for folder, manifest in graphs:
        model = load_video_dit(*source, getattr(torch, manifest.precision))
        on: dict[str, Path | None] = {"onnx-cpu": folder, "onnx-cuda": folder, "onnx-tensorrt": folder}
        if not manifest.linear:
            on |= {"torch": None, "torch-compiled": None}
        for other, its in made:
            if its.kind == "tensorrt" and replace(its, kind="onnx", gpu="", runtime="") == manifest:
                on["tensorrt-rtx" if its.runtime.startswith("tensorrt_rtx") else "tensorrt"] = other
        wanted = arguments.backends.split(",") if arguments.backends else list(on)
        if unknown := set(wanted) - set(BACKENDS):
            raise ValueError(f"--backends {', '.join(sorted(unknown))}: take some of {', '.join(BACKENDS)}")
        rows = measure(model, {name: on[name] for name in wanted if name in on}, engines, manifest, _say)
        note(engines, rows)
        wrong |= any(not row.is_right for row in rows)
        chosen = by_speed(rows, machine(), weights_hash(model))
        if chosen:
            print(f"{folder.name}: {chosen[0].backend}, {chosen[0].step_ms:.1f} ms a step")
    return 1 if wrong else 0


def _verify_portrait(arguments: argparse.Namespace) -> int:
    from export.verify import check

    if not arguments.checkpoint:
        raise ValueError("--checkpoint: name the checkpoint or folder that these graphs were made from")
    return check(arguments.weights, arguments.checkpoint, print)
