"""Clips to train pixel models on: portraits of the package, moved by motion that goes with speech, drawn by the portrait codec.

    python -m export.train.video.clips CACHE --out CLIPS --count 1000

CACHE is what `export.train.cache` writes: motion with the speech features and words that belong to it. A clip is one `.npz`:
`pictures` (JPEG bytes of [T, 256, 256, 3] at 25 fps), `features` float16 [2 T + margins, 384] at 50 Hz with `lead` of them
before frame 0, `motion` float16 [T, 64], `mouth` [T, 4] (centre and half sizes of the mouth's box, pixels), `text`, `avatar`,
`split`. Clips that exist are left alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engines.avatar_library import SHIPPED_ROOT, Avatar
from engines.codecs.portrait.codec import PortraitCodec
from engines.motion import INDEX
from export.train.whole import save_whole

SIDE = 256
FPS = 25
#: Never trained on: what "unseen" means in the figures of the models trained here.
HELD_OUT = ("anna", "ravi")
MARGIN = 12  # features (20 ms) kept before and after the frames' own
_QUALITY = 93


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """pictures uint8 [T, h, w, 3] RGB; features float32 [m, 384] at 50 Hz, `lead` before frame 0; mouth float32 [T, 4]."""

    pictures: NDArray[np.uint8]
    features: NDArray[np.float32]
    lead: int
    motion: NDArray[np.float32]
    mouth: NDArray[np.float32]
    text: str
    avatar: str


def load(path: Path) -> Clip:
    """A clip as it was written. Raises OSError for a file that is none."""
    with np.load(path) as stored:
        ends = np.cumsum(stored["sizes"])
        data = stored["pictures"]
        coded = [data[end - size : end] for end, size in zip(ends, stored["sizes"], strict=True)]
        pictures = np.stack([cv2.cvtColor(cv2.imdecode(one, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB) for one in coded])
        return Clip(
            pictures.astype(np.uint8), stored["features"].astype(np.float32), int(stored["lead"]),
            stored["motion"].astype(np.float32), stored["mouth"].astype(np.float32), str(stored["text"]), str(stored["avatar"]),
        )  # fmt: skip


def mouth_boxes(codec: PortraitCodec, motion: NDArray[np.float32]) -> NDArray[np.float32]:
    """Centre x, y and half width, height in pixels [T, 4] of the mouth, roughly: as the head's shift and the camera move it."""
    face, (width, height) = codec.face, codec.size
    centre = np.mean(face.landmarks[[13, 14, 61, 291], :2], axis=0) - codec.view.margin
    unit, middle = face.unit, np.array((width / 2, height / 2))

    def of(name: str) -> NDArray[np.float32]:
        return motion[:, INDEX[name]]

    x = centre[0] + unit * (of("headX") + 0.6 * of("headYaw"))
    y = centre[1] + unit * (of("headY") - 0.4 * of("headPitch"))
    zoom = np.exp(of("cameraZoom"))
    x = middle[0] + zoom * (x - middle[0] - of("cameraX") * width)
    y = middle[1] + zoom * (y - middle[1] - of("cameraY") * height)
    return np.stack([x, y, 0.55 * unit * zoom, 0.5 * unit * zoom], 1).astype(np.float32)


def windows(paths: list[Path], num_frames: int, rng: np.random.Generator) -> Iterator[tuple[Path, int]]:
    """A source and its first frame at 50 a second, at random, for ever."""
    lengths = []
    for path in paths:
        with np.load(path) as source:
            lengths.append(len(source["motion"]))
    share = np.array([max(0, length - 2 * num_frames) for length in lengths], float)
    while True:
        i = int(rng.choice(len(paths), p=share / share.sum()))
        yield paths[i], int(rng.integers(0, lengths[i] - 2 * num_frames))


def draw(source: Path, start: int, codec: PortraitCodec, name: str, num_frames: int, out: Path) -> None:
    with np.load(source) as cached:
        motion = cached["motion"][start : start + 2 * num_frames : 2].astype(np.float32)
        first, last = max(0, start - MARGIN), start + 2 * num_frames + MARGIN
        features = cached["features"][first:last]
        beats = json.loads(str(cached["beats"]))
        split = str(cached["split"])
    at_s = start / 50
    text = next((beat["text"] for beat in reversed(beats) if beat["start_s"] <= at_s + 0.3), "")
    coded = []
    for pose in motion:
        picture = cv2.cvtColor(codec.decode(pose), cv2.COLOR_YUV2BGR_I420)
        coded.append(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].ravel())
    save_whole(
        out, pictures=np.concatenate(coded), sizes=[len(one) for one in coded], features=features, lead=start - first,
        motion=motion.astype(np.float16), mouth=mouth_boxes(codec, motion), text=text, avatar=name,
        split="val" if name in HELD_OUT or split == "val" else "train",
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--frames", type=int, default=33)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    names = sorted(path.name for path in SHIPPED_ROOT.iterdir() if (path / "avatar.json").is_file())
    codecs = {}
    rng = np.random.default_rng(args.seed)
    choose = windows(sorted(args.cache.glob("*.npz")), args.frames, rng)
    for i in tqdm(range(args.count), unit="clip"):
        source, start = next(choose)
        name = names[i % len(names)]
        out = args.out / f"{i:05d}.npz"
        if out.exists():
            continue
        if name not in codecs:
            codecs[name] = PortraitCodec(Avatar.load(SHIPPED_ROOT / name), (SIDE, SIDE))
        draw(source, start, codecs[name], name, args.frames, out)


if __name__ == "__main__":
    main()
