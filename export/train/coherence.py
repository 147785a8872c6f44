"""Train the discriminator of spliced clips (`export.curate.coherence`): six frames in a row, or with a piece cut out of them.

    python -m export.train.coherence CLIPS --out export/curate/weights/coherence.onnx [--minutes 8]

CLIPS: what `export.train.curation_clips` wrote.
"""

from __future__ import annotations

import argparse
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from export.curate.coherence import HEAD_SIDE, NUM_FRAMES, SMALL_SIDE, heads
from export.curate.roc import roc_auc
from export.to_onnx import export_onnx

BATCH = 48
LEAST_GAP, MOST_GAP = 6, 60  # frames that are cut out
MIDDLE = NUM_FRAMES // 2
VAL_SHARE = 0.15

Views = NDArray[np.uint8]


class Discriminator(nn.Module):
    """Frames [b, 6, 48, 48], 0–255, to the log-odds [b, 1] that something is missing between the middle two.

    It sees the frames' differences from one to the next beside the middle two themselves.
    """

    def __init__(self) -> None:
        super().__init__()
        widths = (NUM_FRAMES - 1 + 2, 32, 48, 64)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
                       nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]  # fmt: skip
        self.body = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Linear(2 * widths[-1] + NUM_FRAMES - 1, 48), nn.ReLU(), nn.Dropout(0.2), nn.Linear(48, 1))

    def forward(self, frames: Tensor) -> Tensor:
        middle = frames[:, MIDDLE - 1 : MIDDLE + 1]
        mean = frames.mean((1, 2, 3), keepdim=True)
        spread = (frames - mean).square().mean((1, 2, 3), keepdim=True).sqrt() + 8.0
        steps = (frames[:, 1:] - frames[:, :-1]) / spread
        seen = self.body(torch.cat([4 * steps, (middle - mean) / spread], 1))
        sizes = (steps.abs().mean((2, 3)) + 1e-3).log()
        return self.head(torch.cat([seen.mean((2, 3)), seen.amax((2, 3)), sizes], 1))


def window(views: Views, other: Views, spliced: bool, rng: np.random.Generator) -> Views:
    """[6, 48, 48] of a clip [T, 48, 48]; spliced: its second half comes from later or earlier, now and then from elsewhere."""
    pace = int(rng.choice([1, 1, 1, 2]))  # as filmed, or by somebody livelier
    order = np.arange(NUM_FRAMES) * pace
    if rng.random() < 0.35:  # other rates brought to 25 a second repeat or leave out a frame now and then
        order[int(rng.integers(1, NUM_FRAMES)) :] += int(rng.choice([-1, 1]))
    num = len(views)
    if not spliced:
        start = int(rng.integers(0, num - order[-1]))
        return views[start + order]
    if rng.random() < 0.1:
        return np.concatenate([views[order[:MIDDLE]], other[order[MIDDLE:] % len(other)]])
    gap = int(rng.integers(LEAST_GAP, min(MOST_GAP, num - order[-1] - 1)))
    start = int(rng.integers(0, num - order[-1] - gap))
    if rng.random() < 0.5:
        return views[start + np.concatenate([order[:MIDDLE], order[MIDDLE:] + gap])]
    return views[start + np.concatenate([order[:MIDDLE] + gap, order[MIDDLE:]])]


def lived(frames: Views, rng: np.random.Generator) -> Views:
    """Through another camera: tone, grain, mirror, a hand that shakes a little, a light that flickers a little."""
    out = frames[:, :, ::-1] if rng.random() < 0.5 else frames
    if rng.random() < 0.5:
        drift = np.cumsum(rng.normal(0, rng.uniform(0, 0.35), (len(out), 2)), axis=0)
        size = out.shape[2], out.shape[1]
        views = [np.array([[1.0, 0, x], [0, 1.0, y]]) for x, y in drift]
        out = np.stack(
            [cv2.warpAffine(each, view, size, borderMode=cv2.BORDER_REPLICATE) for each, view in zip(out, views, strict=True)]
        )
    tone = out.astype(np.float32) * np.exp(rng.normal(0, 0.2)) + rng.uniform(-20, 30)
    tone *= np.exp(rng.normal(0, rng.uniform(0, 0.015), (len(out), 1, 1)))
    tone += rng.normal(0, rng.uniform(0, 3), out.shape)
    return np.clip(tone, 0, 255).astype(np.uint8)


def read(folder: Path) -> tuple[list[Views], list[Views]]:
    """Views of the heads of every clip, for training and validation."""
    train: list[Views] = []
    val: list[Views] = []
    rng = np.random.default_rng(0)
    for path in tqdm(sorted(folder.glob("*.npz")), desc="drawn clips"):
        with np.load(path) as clip:
            smalls, found, landmarks = clip["small"], clip["found"], clip["landmarks"]
            if found.mean() < 0.9 or len(smalls) < 3 * NUM_FRAMES:
                continue
            points = landmarks[found][:, :, :2] * SMALL_SIDE / max(clip["size"])
        (left, top), (right, bottom) = np.median(points.min(1), axis=0), np.median(points.max(1), axis=0)
        box = (float(left), float(top), float(right), float(bottom))
        (val if rng.random() < VAL_SHARE else train).append(heads(smalls, box))
    return train, val


@torch.no_grad()
def measure(model: Discriminator, clips: list[Views], rng: np.random.Generator, num: int = 400) -> str:
    """AUC by windows, and by whole clips: the likeliest splice of a clip as it is, against that of one with a piece cut out."""
    model.eval()

    def chance(windows: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(model(torch.from_numpy(windows.astype(np.float32)))[:, 0].numpy())

    picked = [clips[int(i)] for i in rng.integers(0, len(clips), num)]
    whole, spliced = (chance(np.stack([lived(window(c, clips[0], s, rng), rng) for c in picked])) for s in (False, True))
    kept: list[float] = []
    cut: list[float] = []
    for clip in clips:
        at = int(rng.integers(10, len(clip) - 30))
        gap = int(rng.integers(LEAST_GAP, min(MOST_GAP, len(clip) - at - 8)))
        for views, into in ((clip, kept), (np.delete(clip, np.s_[at : at + gap], axis=0), cut)):
            rows = np.lib.stride_tricks.sliding_window_view(views, NUM_FRAMES, axis=0).transpose(0, 3, 1, 2)
            into.append(float(chance(rows).max()))
    model.train()
    return f"AUC {roc_auc(list(spliced), list(whole)):.3f} of windows, {roc_auc(cut, kept):.3f} of clips"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(0)
    train, val = read(args.clips)
    print(f"{len(train)} clips to train on, {len(val)} aside")
    model, rng = Discriminator(), np.random.default_rng(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.02)
    began, step, losses = time.process_time(), 0, []
    while (done := (time.process_time() - began) / 60 / args.minutes) < 1:
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, (step + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * done))
        labels = rng.random(BATCH) < 0.4
        picks = rng.integers(0, len(train), (BATCH, 2))
        batch = [lived(window(train[a], train[b], bool(s), rng), rng) for (a, b), s in zip(picks, labels, strict=True)]
        logits = model(torch.from_numpy(np.stack(batch).astype(np.float32)))[:, 0]
        target = torch.from_numpy(labels.astype(np.float32)) * 0.96 + 0.02
        loss = F.binary_cross_entropy_with_logits(logits, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        step += 1
        if step % 500 == 0:
            print(f"{step} loss {np.mean(losses[-500:]):.3f} {measure(model, val, np.random.default_rng(1))}", flush=True)
    print(measure(model, val, np.random.default_rng(1)))
    inputs = {"frames": torch.zeros(2, NUM_FRAMES, HEAD_SIDE, HEAD_SIDE)}
    export_onnx(model, inputs, ["missing"], args.out, {"frames": {0: "b"}})
    print(f"{args.out}: {args.out.stat().st_size / 1024:.0f} KiB, {step} steps of {BATCH}")


if __name__ == "__main__":
    main()
