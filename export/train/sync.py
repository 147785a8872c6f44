"""Train the sync scorer (`export.curate.sync`): lips and speech that belong together, told from all others.

    python -m export.train.sync CLIPS --talking DIR --out export/curate/weights/sync.onnx [--minutes 8]

CLIPS: what `export.train.curation_clips` wrote. DIR: landmarks of real talkers (`export.train.data.real`); those whose
recordings may be trained on are learnt from as they were filmed, all others only measured.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from engines.features import SpeechEncoder
from engines.specs import FEATURE_DIM
from export.curate.lip_shape import NUM_MEASURES, lip_shape
from export.curate.roc import roc_auc
from export.curate.sync import best_offset, speech_rows
from export.evaluate.talking import read_clip
from export.to_onnx import export_onnx
from export.train.augment import harmed
from export.train.data.real import VAL_CLIPS, permitted

DIM, WIDTH = 32, 64
FRAMES = 48  # of a piece of clip
PIECES = 24  # in a batch
HARMED = 3  # copies of each clip's sound
REAL_SHARE = 0.4  # of a batch's pieces
NEIGHBOURS = 0.12  # of the target, on each frame beside the right one

Rows = NDArray[np.float32]


class Towers(nn.Module):
    """Lips [b, T, 10] and speech [b, T, 384] to unit vectors [b, T, 32] of both; each sees a few frames to both sides."""

    def __init__(self, lips_mean: Rows, lips_scale: Rows, speech_mean: Rows, speech_scale: Rows) -> None:
        super().__init__()
        self.lm: Tensor
        self.ls: Tensor
        self.sm: Tensor
        self.ss: Tensor
        for name, value in {"lm": lips_mean, "ls": lips_scale, "sm": speech_mean, "ss": speech_scale}.items():
            self.register_buffer(name, torch.from_numpy(value))
        self.from_lips = nn.Sequential(
            nn.Conv1d(NUM_MEASURES, WIDTH, 5, padding=2), nn.GELU(),
            nn.Conv1d(WIDTH, WIDTH, 3, padding=2, dilation=2), nn.GELU(), nn.Dropout(0.1), nn.Conv1d(WIDTH, DIM, 1),
        )  # fmt: skip
        self.from_speech = nn.Sequential(
            nn.Dropout(0.1), nn.Conv1d(FEATURE_DIM, WIDTH, 1), nn.GELU(), nn.Conv1d(WIDTH, WIDTH, 5, padding=2), nn.GELU(),
            nn.Dropout(0.1), nn.Conv1d(WIDTH, DIM, 1),
        )  # fmt: skip
        self.log_scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, lips: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.from_lips(((lips - self.lm) / self.ls).clamp(-4, 4).transpose(1, 2)).transpose(1, 2)
        heard = self.from_speech(((speech - self.sm) / self.ss).clamp(-6, 6).transpose(1, 2)).transpose(1, 2)
        return F.normalize(seen, dim=-1), F.normalize(heard, dim=-1)


def contrastive(seen: Tensor, heard: Tensor, scale: Tensor) -> Tensor:
    """InfoNCE (van den Oord et al. 2018) both ways, over all frames of a batch [b, T, d]: each frame's sound is to be found
    among all others'. The frames beside the right one, hardly another sound, share a little of the target."""
    b, t, d = seen.shape
    logits = scale * seen.reshape(b * t, d) @ heard.reshape(b * t, d).T
    target = torch.eye(t)
    target = target + NEIGHBOURS * (torch.diag(torch.ones(t - 1), 1) + torch.diag(torch.ones(t - 1), -1))
    target = torch.block_diag(*[target / target.sum(1, keepdim=True)] * b)
    return -0.5 * ((target * logits.log_softmax(1)).sum(1).mean() + (target * logits.T.log_softmax(1)).sum(1).mean())


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """lips [T, 10]; speech [copies, T, 384], the first as it was recorded."""

    name: str
    lips: Rows
    speech: NDArray[np.float16]


def example(
    name: str, landmarks: Rows, found: NDArray[np.bool_], audio: NDArray[np.int16], encoder: SpeechEncoder, copies: int
) -> Example:
    """Sound in `1 + copies` lives, see `export.train.augment.harmed`."""
    num = min(len(landmarks), len(audio) // 640)
    rng = np.random.default_rng([*name.encode()])
    voice = (audio / 32768).astype(np.float32)
    sounds = [voice, *(harmed(voice, [], rng) for _ in range(copies))]
    speech = np.stack([speech_rows(encoder, sound, num) for sound in sounds]).astype(np.float16)
    return Example(name, lip_shape(landmarks[:num], found[:num]), speech)


def rendered(folder: Path, encoder: SpeechEncoder) -> tuple[list[Example], list[Example]]:
    """Of speech, for training and for validation (voices kept aside)."""
    train: list[Example] = []
    val: list[Example] = []
    for path in tqdm(sorted(folder.glob("*.npz")), desc="drawn clips"):
        with np.load(path) as clip:
            kind, split = str(clip["kind"]), str(clip["split"])
            if kind == "idle" or clip["found"].mean() < 0.9:
                continue
            copies = HARMED if split == "train" else 0
            one = example(path.stem, clip["landmarks"], clip["found"], clip["audio"], encoder, copies)
        (train if split == "train" else val).append(one)
    return train, val


def filmed(folder: Path, encoder: SpeechEncoder) -> tuple[list[Example], list[Example], list[Example]]:
    """Of real people: to train on, to validate on, and those that are only measured."""
    train: list[Example] = []
    val: list[Example] = []
    foreign: list[Example] = []
    for path in tqdm(sorted(folder.glob("*.npz")), desc="filmed clips"):
        clip, may = read_clip(path), permitted(path.stem)
        trained = may and path.stem not in VAL_CLIPS
        one = example(path.stem, clip.landmarks, clip.found, clip.audio, encoder, 3 * HARMED if trained else 0)
        (train if trained else val if may else foreign).append(one)
    return train, val, foreign


def piece(one: Example, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """`FRAMES` frames of it with lips as another reader might have measured them."""
    num = len(one.lips)
    start = int(rng.integers(0, max(1, num - FRAMES + 1)))
    lips = one.lips[start : start + FRAMES]
    speech = one.speech[int(rng.integers(len(one.speech)))][start : start + FRAMES].astype(np.float32)
    lips = np.pad(lips, ((0, FRAMES - len(lips)), (0, 0)), mode="edge")
    speech = np.pad(speech, ((0, FRAMES - len(speech)), (0, 0)), mode="edge")
    size = np.exp(rng.normal(0, 0.2, NUM_MEASURES) + rng.normal(0, 0.3))
    noise = rng.normal(0, rng.uniform(0, 0.006), lips.shape)
    return (lips * size + noise).astype(np.float32), speech


@torch.no_grad()
def measure(model: Towers, examples: list[Example], rng: np.random.Generator) -> str:
    """AUC of clips as they are against (a) somebody else's sound and (b) their own 4–12 frames off; share within a frame."""
    whole, foreign, shifted, near = [], [], [], 0
    model.eval()

    def score(lips: Rows, speech: Rows) -> tuple[float, int]:
        seen, heard = model(torch.from_numpy(lips)[None], torch.from_numpy(speech.astype(np.float32))[None])
        found = best_offset(seen.numpy(), heard.numpy())
        return found.in_step, found.offset_frames

    for i, one in enumerate(examples):
        value, offset = score(one.lips, one.speech[0])
        whole.append(value)
        near += abs(offset) <= 1
        for other in rng.choice(len(examples), 3):
            if other != i:
                num = min(len(one.lips), len(examples[other].lips))
                foreign.append(score(one.lips[:num], examples[other].speech[0][:num])[0])
        for sign in (-1, 1):
            by = sign * int(rng.integers(4, 13))
            lips = one.lips[max(0, by) : len(one.lips) + min(0, by)]
            shifted.append(score(lips, one.speech[0][max(0, -by) : len(one.lips) - max(0, by)])[0])
    model.train()
    return (
        f"AUC {roc_auc(whole, foreign):.3f} foreign, {roc_auc(whole, shifted):.3f} shifted, "
        f"offset within 1: {near / len(examples):.2f}, median {np.median(whole):.3f} / {np.median(foreign):.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--talking", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    encoder = SpeechEncoder()
    drawn, drawn_val = rendered(args.clips, encoder)
    real, real_val, foreign = filmed(args.talking, encoder)
    print(f"drawn {len(drawn)} + {len(drawn_val)}, filmed {len(real)} + {len(real_val)}, only measured {len(foreign)}")
    lips = np.concatenate([one.lips for one in drawn + real])
    speech = np.concatenate([one.speech[0] for one in drawn + real]).astype(np.float32)
    model = Towers(lips.mean(0), lips.std(0) + 1e-6, speech.mean(0), speech.std(0) + 1e-3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.02)
    rng = np.random.default_rng(0)
    lengths = [np.array([len(one.lips) for one in group], float) for group in (drawn, real)]
    began, step, losses = time.process_time(), 0, []
    while (done := (time.process_time() - began) / 60 / args.minutes) < 1:
        for settings in optimizer.param_groups:
            settings["lr"] = 2e-3 * min(1.0, step / 100) * (0.5 + 0.5 * np.cos(np.pi * done))
        pieces = []
        for number in range(PIECES):
            which = int(number < PIECES * REAL_SHARE)
            weights = lengths[which] / lengths[which].sum()
            pieces.append(piece((drawn, real)[which][int(rng.choice(len(weights), p=weights))], rng))
        seen, heard = model(*(torch.from_numpy(np.stack(each)) for each in zip(*pieces, strict=True)))
        loss = contrastive(seen, heard, model.log_scale.exp().clamp(max=40))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        step += 1
        if step % 400 == 0:
            where = " | ".join(
                f"{name}: {measure(model, group, np.random.default_rng(1))}"
                for name, group in (("drawn val", drawn_val), ("strangers", foreign))
            )
            print(f"{step} loss {np.mean(losses[-400:]):.3f} {where}", flush=True)
    for name, group in (("drawn val", drawn_val), ("filmed val", real_val), ("strangers", foreign)):
        print(f"{name}: {measure(model, group, np.random.default_rng(1))}")
    model.eval()
    inputs = {"lips": torch.zeros(1, FRAMES, NUM_MEASURES), "speech": torch.zeros(1, FRAMES, FEATURE_DIM)}
    export_onnx(model, inputs, ["seen", "heard"], args.out, {"lips": {1: "t"}, "speech": {1: "t"}})
    print(f"{args.out}: {args.out.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
