"""Hold an exported motion model against the checkpoint it was made from, and time it.

    python -m export.verify engines/weights/portrait RUN/last.pt

Prints the largest difference of the velocity, relative to its size, at several sizes, and the milliseconds of one request; ends
with an error when a difference is more than float16 weights explain.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from engines.catalog import CONFIGS, load_motion_model
from engines.conditions import CONDITION_INPUTS
from engines.manifest import Manifest
from engines.models.avatar_dit import AvatarDiT
from engines.motion import NUM_CHANNELS, rest
from engines.sampler import Transformer
from engines.specs import FEATURE_DIM, BeatCondition, MotionModel, MotionRequest
from export.motion_onnx import example_inputs, weights_of

SIZES = ({"b": 1, "f": 2, "k": 1, "n": 13}, {"b": 3, "f": 13, "k": 2, "n": 41}, {"b": 6, "f": 64, "k": 3, "n": 140})
TOLERANCE = 5e-3
INT8_TOLERANCE = 0.25  # of the largest value; a tenth in the norm


def difference(model: AvatarDiT, other: Transformer, **sizes: int) -> float:
    """Largest difference of torch's velocity from the other's, over torch's largest value."""
    inputs = example_inputs(model.config, **sizes)
    with torch.no_grad():
        expected = model(**inputs).numpy()
    arrays = {name: value.numpy() for name, value in inputs.items()}
    arrays.update(other.condition({name: arrays.pop(name) for name in CONDITION_INPUTS}))
    return float(np.abs(other.denoise(arrays) - expected).max() / np.abs(expected).max())


def request_ms(motion: MotionModel, num_frames: int, repeats: int = 20) -> float:
    """Processor milliseconds of one request with both kinds of guidance."""
    mask = np.zeros((num_frames, NUM_CHANNELS), np.bool_)
    audio = np.zeros((num_frames * 2 + 12, FEATURE_DIM), np.float32)
    beats = (BeatCondition(0.0, 9.0, "very joyful; nods"),)
    request = MotionRequest(num_frames, 0.04, rest(num_frames), mask, audio, -0.12, beats, seed=0)
    motion.generate([request])
    began = time.process_time()
    for _ in range(repeats):
        motion.generate([request])
    return (time.process_time() - began) * 1e3 / repeats


def check(folder: Path, source: Path, say: Callable[[str], None], config: str = "portrait") -> int:
    """Compare a folder of graphs with the checkpoint (or folder of graphs) it was made from; 1 where they are apart."""
    model = AvatarDiT(CONFIGS[config]).eval()
    model.load_state_dict(weights_of(source)[0])
    motion = load_motion_model(str(folder))
    worst = 0.0
    for sizes in SIZES:
        apart = difference(model, motion.transformer, **sizes)
        worst = max(worst, apart)
        say(f"{sizes}: {apart:.2e}")
    for num_frames in (11, 25, 38):
        say(f"{num_frames} frames, 4 steps, guided: {request_ms(motion, num_frames):.1f} ms of one core")
    tolerance = INT8_TOLERANCE if Manifest.load(folder).linear == "int8" else TOLERANCE
    if worst > tolerance:
        say(f"{folder} was not made from {source}: velocities differ by {worst:.2e}, more than {tolerance}")
        return 1
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--config", default="portrait", choices=CONFIGS)
    args = parser.parse_args()
    raise SystemExit(check(args.folder, args.checkpoint, print, args.config))


if __name__ == "__main__":
    main()
