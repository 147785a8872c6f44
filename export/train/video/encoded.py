"""Clips as a transformer is trained on them: latents, what is known of them, what is heard and read.

    rostrum train encode CLIPS --out ENCODED [--model mini --weights DIR] --count 2000

Each `.npz` is a window of 1 + k latents with its changes of picture: `latents` [c, f, h, w], `known` (mask and known frames),
`audio_first`, `audio_later` as `engines.conditioners.audio_windows` gives them, `weight` [f, h, w] (how much a latent's mouth
counts), all float16, and `text`. Words are encoded when training, once each.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from engines.conditioners import audio_windows
from engines.mini import by_frame
from engines.video import VideoModel
from export.train.video.clips import FPS, Clip
from export.train.video.windows import Harm, Pieces, changed, importance, levels
from export.train.whole import save_whole

LENGTHS = (1, 2, 3, 4)  # latents after the first
LENGTH_SHARES = (0.4, 0.2, 0.2, 0.2)
CROPPED, CROP_TOKENS = 0.7, 4  # the share of windows cut round the face, and how many tokens a side: a quarter of the work


def latent_weight(weight: NDArray[np.float32], frames_a_latent: int, rows: int, columns: int) -> Tensor:
    """Importance of pixels [1 + k n, h, w] to that of latents [1 + k, rows, columns], 1 in the mean."""
    pixels = torch.from_numpy(weight)
    frames = torch.cat([pixels[:1].expand(frames_a_latent - 1, -1, -1), pixels])
    pooled = F.adaptive_avg_pool2d(frames, (rows, columns)).unflatten(0, (-1, frames_a_latent)).mean(1)
    return pooled / pooled.mean()


def heard_by_frame(clip: Clip) -> tuple[NDArray[np.float32], int]:
    """All of a clip's features as the model hears frames, [m, d], and which of them is frame 0's."""
    steps = clip.features[clip.lead % 2 :]
    return by_frame(steps, FPS, len(steps) // 2), clip.lead // 2


def window(model: VideoModel, pieces: Pieces, harm: Harm) -> dict[str, NDArray[np.float16] | str]:
    """One window, changed at random, as the model takes it; `CROPPED` of them round the face alone."""
    n, audio = model.codec.frames_a_latent, model.config.audio
    assert audio
    clip, rng = pieces.clip(), pieces.rng
    longest = (len(clip.pictures) - 1) // n
    num_frames = 1 + n * min(int(rng.choice(LENGTHS, p=LENGTH_SHARES)), longest)
    start = int(rng.integers(0, len(clip.pictures) - num_frames + 1))
    part = slice(start, start + num_frames)
    side = model.codec.pixels_a_token * CROP_TOKENS
    crop = side if rng.random() < CROPPED and side <= min(clip.pictures.shape[1:3]) else None
    x, mouth = changed(clip.pictures[part], clip.mouth[part], harm, rng, crop)
    pictures = levels(x)
    latents = model.codec.encode(pictures)[0].float()
    last = pictures[-1] if rng.random() < 0.85 else None
    known = model.codec.known_frames(pictures[0], last, num_frames)[0].float()
    heard, zero = heard_by_frame(clip)
    first, later = audio_windows(torch.from_numpy(heard), zero + start, num_frames, audio, n)
    weight = latent_weight(importance(mouth, *pictures.shape[1:3]), n, *latents.shape[2:])
    made = {"latents": latents, "known": known, "audio_first": first[0], "audio_later": later[0], "weight": weight}
    return {**{name: value.cpu().numpy().astype(np.float16) for name, value in made.items()}, "text": clip.text}


def encode(model: VideoModel, paths: list[Path], out: Path, count: int, harm: Harm | None = None, seed: int = 0) -> None:
    """Writes windows `00000.npz` … that are not there yet."""
    out.mkdir(parents=True, exist_ok=True)
    pieces = Pieces(paths, seed)
    for i in tqdm(range(count), unit="window", mininterval=5):
        target = out / f"{i:05d}.npz"
        if target.exists():
            continue
        save_whole(target, **window(model, pieces, harm or Harm()))
