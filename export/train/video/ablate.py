"""What each strategy of the recipe is worth: the same seeds, one thing changed at a time; a table, and films to look at.

Trained anew for it (briefly, from the same beginning): the audio stage whole, without weighted mouths, with the words'
attention not frozen, with no sound dropped, deaf. Sampled from the trained model: audio attention scale, negative-frame
guidance, and clips that land on keyframes against clips that only go on. Lips are held against the mouth that the portrait
codec was told to draw; what is trained briefly shows in its errors on clips kept apart long before it shows in lips.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engines.backends.torch import torch_graphs
from engines.lips import APERTURE_GAIN
from engines.models.video_dit import VideoDiT
from engines.motion import INDEX
from engines.specs import ClipRequest
from engines.video import VideoModel
from engines.video_sampler import Sampling
from export.evaluate.face_track import FaceReader
from export.train.run import Pace
from export.train.video.clips import FPS, Clip, load
from export.train.video.encoded import encode, heard_by_frame
from export.train.video.transformer import RECIPES, Encoded, Recipe, heard, train_stage
from export.train.video.vae import split
from export.train.video.windows import Harm

log = logging.getLogger(__name__)

AUDIO_SCALES = (0.5, 1.0, 1.5, 2.0, 3.0)
FRAME_SCALES = (0.0, 0.5, 1.0)
NUM_APART = 96  # windows of clips kept apart
CLIP_LATENTS = 2  # of each clip that is drawn
_LONGER = 5  # times as long, keyframes against plain continuation
_SEED = 7

Pictures = NDArray[np.uint8]  # [T, h, w, 3]


@dataclass(frozen=True, slots=True)
class Row:
    """mouth_error: squared, of the velocity at mouths of clips kept apart; hearing: the share by which another clip's sound
    makes it larger. lip_r: correlation of apertures with those told to the portrait codec; None where no face is seen. Drift:
    how the last second differs from the first picture, in contrast and saturation (ratios) and in identity (mean difference
    of the face's pixels, of 255)."""

    name: str
    mouth_error: float | None = None
    hearing: float | None = None
    lip_r: float | None = None
    aperture_p90: float | None = None
    identity_distance: float | None = None
    contrast_ratio: float | None = None
    saturation_ratio: float | None = None


def ablate(
    known: VideoModel, trained: VideoDiT, base: VideoDiT | None, encoded: Path, clips: Path, out: Path, steps: int,
    seconds: float, seed: int = 0, num_clips: int = 4,
) -> str:  # fmt: skip
    """Writes `table.json` and a film a row, and gives the table as Markdown. base: where trained variants begin."""
    out.mkdir(parents=True, exist_ok=True)
    apart = [load(path) for path in split(clips)[1][:num_clips]]
    encode(known, split(clips)[1], out / "apart", NUM_APART, Harm(0, 0, 0), seed)
    windows_apart = Encoded(out / "apart", known)
    rows = []
    for name, recipe in variants(RECIPES["audio"]):
        model = VideoDiT(known.config)
        model.load_state_dict((base or trained).state_dict())
        pace = Pace(steps=steps, lr=5e-4, warm_steps=max(1, steps // 10), save_every=max(1, steps))
        made = train_stage("audio", model, Encoded(encoded, known), out / _file(name), pace, 8, recipe, seed=seed)
        error, hearing = heard(made.eval(), windows_apart, recipe)
        rows.append(replace(_lips(name, told_by(known, made), apart, out), mouth_error=error, hearing=hearing))
    for scale in AUDIO_SCALES:
        sampling = replace(known.sampling, audio_attention_scale=scale)
        rows.append(_lips(f"audio attention scale {scale}", told_by(known, trained, sampling), apart, out))
    for scale in FRAME_SCALES:
        sampling = replace(known.sampling, frame_guidance_scale=scale)
        rows.append(
            _drift(
                f"negative-frame guidance {scale}, {seconds:.0f} s", told_by(known, trained, sampling), apart[0], seconds, out
            )
        )
    for lands in (True, False):
        name = f"{'keyframes' if lands else 'plain continuation'}, {_LONGER * seconds:.0f} s"
        rows.append(_drift(name, told_by(known, trained), apart[0], _LONGER * seconds, out, lands))
    (out / "table.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return table(rows)


def variants(recipe: Recipe) -> Iterator[tuple[str, Recipe]]:
    """The stage whole, and with each of its strategies off."""
    yield "audio stage", recipe
    yield "mouths weigh no more", replace(recipe, mouth=False)
    yield "words not frozen", replace(recipe, freezes_text=False)
    yield "no sound dropped", replace(recipe, drops_audio=0.0)
    yield "deaf", replace(recipe, hears=False)


def told_by(known: VideoModel, transformer: VideoDiT, sampling: Sampling | None = None) -> VideoModel:
    """The same codec, words and ears with this transformer."""
    graphs = torch_graphs(transformer.eval())
    return VideoModel(
        known.config, graphs, known.codec, known.words, None, known.ears, sampling or known.sampling, area=known.area
    )


def continued(model: VideoModel, clip: Clip, num_frames: int, lands: bool = True) -> Pictures:
    """Pictures [T, h, w, 3] in clips, each from the frame drawn last; the motion goes to and fro where it is too short.

    lands: each clip is told the picture that it ends on, as keyframes have it.
    """
    length = len(clip.pictures)
    there_and_back = np.r_[np.arange(length), np.arange(length - 2, 0, -1)]
    at = np.resize(there_and_back, num_frames + 1)
    step = CLIP_LATENTS * model.frames_a_latent
    heard, zero = heard_by_frame(clip)
    drawn = [clip.pictures[0]]
    for start in range(0, num_frames, step):
        end = min(start + step, num_frames)
        request = ClipRequest(
            first=drawn[-1], last=clip.pictures[at[end]] if lands and end - start == step else None, num_frames=1 + step,
            text=clip.text, voice=np.zeros(1, np.float32), lead_frames=0, fps=FPS, seed=_SEED + start,
        )  # fmt: skip
        features = _around(heard, zero + at[start : end + 1], step + 1)
        drawn += list(model.clip(request, torch.from_numpy(features)))[1 : end - start + 1]
    return np.stack(drawn)


def _around(heard: NDArray[np.float32], at: NDArray[np.int_], length: int) -> NDArray[np.float32]:
    """Features at these frames, [length, d]; the last one stands for those missing."""
    at = np.r_[at, np.repeat(at[-1:], length - len(at))]
    return heard[np.clip(at, 0, len(heard) - 1)]


def _lips(name: str, model: VideoModel, clips: Sequence[Clip], out: Path) -> Row:
    rs, apertures = [], []
    for i, clip in enumerate(clips):
        pictures = continued(model, clip, len(clip.pictures) - 1)
        if i == 0:
            film(out / f"{_file(name)}.mp4", pictures)
        with FaceReader() as reader:
            for picture in pictures:
                reader.read(picture)
            try:
                shown = reader.track().lips[:, 0]
            except ValueError as error:  # hours of training may lie behind this row, and others follow
                log.warning("%s: the lips of clip %d are not measured: %s", name, i, error)
                continue
        told = sum(gain * clip.motion[:, INDEX[channel]] for channel, gain in APERTURE_GAIN.items())
        apertures.append(shown)
        if np.std(shown) > 0 and np.std(told) > 0:
            rs.append(float(np.corrcoef(shown, told)[0, 1]))
    wide = float(np.percentile(np.concatenate(apertures), 90)) if apertures else None
    return Row(name, lip_r=float(np.median(rs)) if rs else None, aperture_p90=wide)


def _drift(name: str, model: VideoModel, clip: Clip, seconds: float, out: Path, lands: bool = True) -> Row:
    pictures = continued(model, clip, round(seconds * FPS), lands)
    film(out / f"{_file(name)}.mp4", pictures)
    first, last = pictures[:1].astype(np.float32), pictures[-FPS:].astype(np.float32)
    height, width = pictures.shape[1:3]
    face = np.s_[:, height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    spread = [float(each.mean(-1).std()) for each in (first, last)]
    colour = [float((each.max(-1) - each.min(-1)).mean()) for each in (first, last)]
    distance = float(np.abs(first[face] - last[face]).mean())
    return Row(name, identity_distance=distance, contrast_ratio=spread[1] / spread[0], saturation_ratio=colour[1] / colour[0])


def film(path: Path, pictures: Pictures) -> None:
    """As MP4 at 25 a second."""
    height, width = pictures.shape[1:3]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (width, height))
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()


def _file(name: str) -> str:
    return "-".join("".join(letter if letter.isalnum() or letter == "." else " " for letter in name).split())


def table(rows: Sequence[Row]) -> str:
    """As Markdown."""
    lines = [
        "| | mouth error | another's sound | lip r | aperture p90 | identity | contrast | saturation |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        values = [getattr(row, name) for name in Row.__slots__[1:]]
        lines.append(f"| {row.name} | " + " | ".join("" if value is None else f"{value:.3f}" for value in values) + " |")
    return "\n".join(lines)
