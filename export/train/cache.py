"""Clips made ready for training: each clip in several copies, its sound harmed differently in each, features taken.

    python -m export.train.cache DATA --out CACHE --copies 3 [--workers 2]

A cached copy is one `.npz`: features float16 [n, 384] at 50 Hz, motion float16 [T, 64] at 50 frames a second, and the clip's
beats, weight, kind, split and voice. Copies that exist are left alone, so the command can be stopped and run again.
"""

from __future__ import annotations

import argparse
import json
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engines.features import SpeechEncoder
from engines.specs import FEATURE_RATE_HZ
from export.train.augment import harmed, resampled
from export.train.data import MOTION_FPS
from export.train.whole import save_whole

assert MOTION_FPS == FEATURE_RATE_HZ  # one feature a frame of motion

_encoder: SpeechEncoder | None = None


def encoder() -> SpeechEncoder:
    """One session a process."""
    global _encoder
    _encoder = _encoder or SpeechEncoder()
    return _encoder


def hurried(motion: NDArray[np.float32], rate: float) -> NDArray[np.float32]:
    """Motion [T, 64] played `rate` times as fast, in as many frames as that takes."""
    times = np.arange(round(len(motion) / rate)) * rate
    low = np.minimum(times.astype(int), len(motion) - 1)
    high = np.minimum(low + 1, len(motion) - 1)
    part = (times - low)[:, None]
    return (motion[low] * (1 - part) + motion[high] * part).astype(np.float32)


def make_copy(clip_path: Path, out: Path, copy: int, others: list[Path]) -> None:
    """Copy 0 is clean; the others are harmed, the odd ones hurried or slowed too."""
    if out.exists():
        return
    rng = np.random.default_rng(zlib.crc32(f"{clip_path.name} {copy}".encode()))
    with np.load(clip_path) as clip:
        motion, audio = clip["motion"].astype(np.float32), clip["audio"].astype(np.float32) / 32768.0
        beats = json.loads(str(clip["beats"]))
        kept = {name: clip[name] for name in ("weight", "kind", "split", "voice", "language")}
    if copy:
        rate = float(rng.uniform(0.88, 1.14)) if copy % 2 else 1.0
        if rate != 1.0:
            audio, motion = resampled(audio, rate), hurried(motion, rate)
            beats = [{**beat, "start_s": beat["start_s"] / rate, "end_s": beat["end_s"] / rate} for beat in beats]
        voices = []
        for path in rng.choice(np.array(others, object), size=min(len(others), 3), replace=False):
            with np.load(path) as other:
                voices.append(other["audio"].astype(np.float32) / 32768.0)
        audio = harmed(audio, voices, rng)
    features = encoder().encode(audio, 0.0, len(motion) / MOTION_FPS, final=True)
    save_whole(out, features=features.astype(np.float16), motion=motion.astype(np.float16), beats=json.dumps(beats), **kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--real-copies", type=int, default=10, help="of real faces, which are few")
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    entries = json.loads((args.data / "index.json").read_text())
    paths = [args.data / entry["file"] for entry in entries]
    speaking = [path for path, entry in zip(paths, entries, strict=True) if entry["kind"] == "tts"]
    jobs = [
        (path, args.out / f"{path.stem}.{copy}.npz", copy, speaking)
        for path, entry in zip(paths, entries, strict=True)
        for copy in range(2 if entry["split"] == "val" else args.real_copies if entry["kind"] == "real" else args.copies)
    ]
    # Real faces first, then at random, so that a cache cut short holds some of everything.
    real = {args.data / entry["file"] for entry in entries if entry["kind"] == "real"}
    order = np.random.default_rng(0).permutation(len(jobs))
    jobs = sorted((jobs[i] for i in order), key=lambda job: job[0] not in real)
    with ProcessPoolExecutor(args.workers) as pool:
        for _ in tqdm(pool.map(make_copy, *zip(*jobs, strict=True), chunksize=4), total=len(jobs), unit="copy"):
            pass


if __name__ == "__main__":
    main()
