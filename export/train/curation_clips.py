"""Renders talking clips, whole and as they are, for the discriminators of `export.curate` to be trained on.

    python -m export.train.curation_clips DATA --out CLIPS --minutes 14

DATA: what `export.train.data.make` writes (voices and the permitted real clips, as motion and sound). Avatars kept for
calibration (`export.curate.rehearsal.HELD_OUT`) are not drawn. One `.npz` a clip: landmarks float32 [T, 478, 3] and
found [T] as MediaPipe reads them off the drawn frames of `size` (width, height), small uint8 [T, h, w] (grey, see
`export.curate.coherence.small`), audio int16 at 16 kHz, voice, kind, split, avatar. T at 25 a second. Clips that exist are left
alone: the command can be stopped and run again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from engines.avatar_library import SHIPPED_ROOT, Avatar
from engines.codecs.portrait.codec import PortraitCodec
from export.curate.coherence import small
from export.curate.faces import FaceReader
from export.curate.rehearsal import HELD_OUT, drawn_frames
from export.train.data.clips import load_clip

SIZES = ((256, 256), (320, 320), (384, 288), (288, 384), (448, 256))
#: Real talkers are few and worth more than synthetic ones: each is drawn on so many avatars.
REAL_COPIES = 3


def render(clip_path: Path, avatar: Avatar, size: tuple[int, int], out: Path) -> int:
    """Draw one clip; the number of its frames."""
    clip = load_clip(clip_path)
    codec = PortraitCodec(avatar, size)
    smalls = []
    with FaceReader() as reader:
        for frame in drawn_frames(codec, clip.motion):
            reader.read(frame)
            smalls.append(small(frame))
        track = reader.track()
    partial = out.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez(
            file, landmarks=track.landmarks, found=track.found, small=np.stack(smalls), audio=clip.audio,
            voice=np.array(clip.voice), kind=np.array(clip.kind), split=np.array(clip.split), avatar=np.array(avatar.name),
            size=np.array(size),
        )  # fmt: skip
    partial.replace(out)
    return len(smalls)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=14)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    entries = json.loads((args.data / "index.json").read_text())
    rng = np.random.default_rng(0)
    real = [entry for entry in entries if entry["kind"] == "real"] * REAL_COPIES
    others = [entry for entry in entries if entry["kind"] != "real"]
    order = real + [others[i] for i in rng.permutation(len(others))]
    avatars = [
        Avatar.load(folder) for folder in sorted(SHIPPED_ROOT.iterdir()) if folder.is_dir() and folder.name not in HELD_OUT
    ]
    with tqdm(total=round(args.minutes * 60), unit="s", mininterval=5) as bar:
        for number, entry in enumerate(order):
            if bar.n >= args.minutes * 60:
                break
            avatar, size = avatars[number % len(avatars)], SIZES[int(rng.integers(len(SIZES)))]
            out = args.out / f"{number:04d}.npz"
            if not out.exists():
                render(args.data / entry["file"], avatar, size, out)
            bar.update(round(entry["num_frames"] / 50))


if __name__ == "__main__":
    main()
