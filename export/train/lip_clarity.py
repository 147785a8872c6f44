"""Train the discriminator of clear lips (`export.curate.lip_clarity`) on mouths spoilt on purpose.

    python -m export.train.lip_clarity DATA --out export/curate/weights/lip_clarity.onnx [--minutes 8] [--pictures DIR]

DATA: what `export.train.data.make` writes; its motion moves the shipped avatars that are not held out, at many sizes.
--pictures: portraits that are only measured on, never learnt from.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from engines.avatar_library import SHIPPED_ROOT, Avatar, AvatarError
from engines.codecs.portrait.codec import PortraitCodec
from engines.codecs.portrait.create import create_avatar
from export.curate.faces import LIPS, MOUTH_SIDE, FaceReader, upright
from export.curate.lip_clarity import SIDE, STATES
from export.curate.perturb import MOUTH_FAULTS, compressed
from export.curate.rehearsal import HELD_OUT
from export.curate.roc import roc_auc
from export.to_onnx import export_onnx
from export.train.data.clips import load_clip

SIZES = (288, 352, 416, 512, 640)
FRAMES_A_SIZE = 36
LEAST_EYES_PX = 46  # between the eyes: below it no mouth counts as clear
BATCH = 48
VIEW = 1.3  # of what is kept of a frame, over what the network sees

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Mouth:
    """A mouth in the frame's own pixels, grey [n, n], a little wider than the network sees. unit: pixels between the eyes."""

    picture: Grey
    unit: float


def mouths_of(avatar: Avatar, motion: NDArray[np.float32], sizes: Iterable[int], rng: np.random.Generator) -> Iterator[Mouth]:
    """Drawn in moments of the motion [n, 64]."""
    for size in sizes:
        codec = PortraitCodec(avatar, (size, size))
        with FaceReader() as reader:
            for row in motion[rng.choice(len(motion), FRAMES_A_SIZE)]:
                frame = codec.decode_rgb(row)
                face = reader.read(frame)
                if face is None or face.eye_distance_px < LEAST_EYES_PX:
                    continue
                side = round(VIEW * MOUTH_SIDE * face.eye_distance_px)
                centre = face.landmarks[list(LIPS), :2].mean(axis=0)
                across = face.landmarks[263, :2] - face.landmarks[33, :2]
                grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
                yield Mouth(upright(grey, centre, side, float(np.arctan2(across[1], across[0])), side), face.eye_distance_px)


def some_motion(data: Path, rng: np.random.Generator, num_clips: int = 40) -> NDArray[np.float32]:
    """Frames of people speaking, [n, 64]."""
    paths = sorted((data / "clips").glob("*.npz"))
    return np.concatenate([load_clip(paths[i]).motion[::5] for i in rng.choice(len(paths), min(num_clips, len(paths)), False)])


def lived(mouth: Mouth, rng: np.random.Generator) -> Mouth:
    """As another camera might have seen it, and still clear: turned, stretched, lit otherwise."""
    n = len(mouth.picture)
    stretch = np.exp(rng.normal(0, 0.08, 2)) * np.exp(rng.normal(0, 0.06))
    angle = rng.normal(0, 0.1)
    move = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * stretch
    if rng.random() < 0.5:
        move[0] *= -1
    shift = np.array([n / 2, n / 2]) + rng.normal(0, 0.03, 2) * n - move @ np.array([n / 2, n / 2])
    view = np.column_stack([move, shift])
    picture = cv2.warpAffine(mouth.picture, view, (n, n), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    tone = np.linspace(0, 1, 256) ** np.exp(rng.normal(0, 0.35)) * rng.uniform(0.45, 1.1) + rng.uniform(-0.05, 0.25)
    if rng.random() < 0.05:
        tone = 1 - tone
    picture = cv2.LUT(picture, (np.clip(tone, 0, 1) * 255).astype(np.uint8))
    return Mouth(picture, mouth.unit)


def recorded(picture: Grey, rng: np.random.Generator) -> Grey:
    """What a sensor and a codec at an ordinary rate do to any picture, clear or not: grain, skin smoothed between edges,
    blocks. Neither grain nor its absence may tell a clear mouth."""
    if rng.random() < 0.4:
        picture = np.clip(picture + rng.normal(0, rng.uniform(0.5, 4), picture.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        picture = np.asarray(cv2.bilateralFilter(picture, 5, rng.uniform(4, 16), rng.uniform(1, 3)), np.uint8)
    if rng.random() < 0.5:
        picture = compressed(picture, int(rng.integers(50, 96)))
    return picture


def shown(mouth: Mouth, state: str, rng: np.random.Generator) -> Grey:
    """What the network sees of it, [96, 96], clear or spoilt."""
    picture = mouth.picture if state == "clear" else MOUTH_FAULTS[state](mouth.picture, mouth.unit, rng)
    picture = recorded(picture, rng)
    n = len(picture)
    return upright(picture, np.array([n / 2, n / 2], np.float32), MOUTH_SIDE * mouth.unit, 0.0, SIDE)


class Discriminator(nn.Module):
    """Grey mouths [b, 1, 96, 96], 0–255, to logits [b, 5] of `STATES`."""

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 24, 32, 48, 64)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            if before > 1:
                layers += [nn.Conv2d(after, after, 3, 1, 1, groups=after, bias=False), nn.Conv2d(after, after, 1, bias=False),
                           nn.BatchNorm2d(after), nn.ReLU()]  # fmt: skip
        self.body = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Linear(2 * widths[-1], 48), nn.ReLU(), nn.Dropout(0.2), nn.Linear(48, len(STATES)))

    def forward(self, mouths: Tensor) -> Tensor:
        mean = mouths.mean((2, 3), keepdim=True)
        spread = (mouths - mean).square().mean((2, 3), keepdim=True).sqrt()
        seen = self.body((mouths - mean) / (spread + 8.0))
        return self.head(torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], 1))


@torch.no_grad()
def measure(model: Discriminator, mouths: list[Mouth], rng: np.random.Generator) -> str:
    """AUC of each fault against clear mouths, by single pictures."""
    model.eval()
    scores = {}
    for state in STATES:
        batch = np.stack([shown(lived(mouth, rng), state, rng) for mouth in mouths])[:, None].astype(np.float32)
        scores[state] = model(torch.from_numpy(batch)).softmax(1)[:, 0].numpy()
    model.train()
    return " ".join(f"{state} {roc_auc(scores['clear'], scores[state]):.3f}" for state in STATES[1:])


def foreign_mouths(folder: Path, motion: NDArray[np.float32], rng: np.random.Generator) -> list[Mouth]:
    """Of portraits that nobody trains on."""
    found: list[Mouth] = []
    with tempfile.TemporaryDirectory() as root:
        for path in sorted(folder.glob("*.jpg")):
            try:
                avatar = create_avatar(path, path.stem.replace("_", "-"), root=Path(root))
            except AvatarError as error:
                print(f"{path.name}: {error}")
                continue
            found += list(mouths_of(avatar, motion, (416,), rng))[:20]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--pictures", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    motion = some_motion(args.data, rng)
    train: list[Mouth] = []
    val: list[Mouth] = []
    for folder in tqdm(sorted(path for path in SHIPPED_ROOT.iterdir() if path.is_dir()), desc="drawing mouths"):
        held_out = folder.name in HELD_OUT
        (val if held_out else train).extend(mouths_of(Avatar.load(folder), motion, (416,) if held_out else SIZES, rng))
    strangers = foreign_mouths(args.pictures, motion, rng) if args.pictures else []
    print(f"{len(train)} mouths to train on, {len(val)} of held-out avatars, {len(strangers)} of strangers")
    model = Discriminator()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.02)
    began, step, losses = time.process_time(), 0, []
    while (done := (time.process_time() - began) / 60 / args.minutes) < 1:
        for settings in optimizer.param_groups:
            settings["lr"] = 3e-3 * min(1.0, (step + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * done))
        states = rng.choice(len(STATES), BATCH, p=[0.4, 0.15, 0.15, 0.15, 0.15])
        batch = [shown(lived(train[int(rng.integers(len(train)))], rng), STATES[state], rng) for state in states]
        logits = model(torch.from_numpy(np.stack(batch)[:, None].astype(np.float32)))
        loss = F.cross_entropy(logits, torch.from_numpy(states), label_smoothing=0.03)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        step += 1
        if step % 400 == 0:
            told = f"held out: {measure(model, val, np.random.default_rng(1))}"
            print(f"{step} loss {np.mean(losses[-400:]):.3f} {told}", flush=True)
    for name, group in (("held out", val), ("strangers", strangers)):
        if group:
            print(f"{name}: {measure(model, group, np.random.default_rng(1))}")
    export_onnx(model, {"mouths": torch.zeros(2, 1, SIDE, SIDE)}, ["states"], args.out, {"mouths": {0: "b"}})
    print(f"{args.out}: {args.out.stat().st_size / 1024:.0f} KiB, {step} steps of {BATCH}")


if __name__ == "__main__":
    main()
