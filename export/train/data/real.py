"""Measured landmarks of real talkers → motion, for the clips whose recordings may be trained on.

A clip is an ``.npz`` with ``landmarks`` [T, 478, 3] (MediaPipe FaceMesh with irises, 25 a second; x over the width, y over
the height), ``mask`` [T], ``aspect`` (width over height) and ``audio`` (int16, 16 kHz). The person's own rest (lips shut, eyes
open, median pose) is zero, as the picture's is for a portrait. Eyes' outer corners (33, 263) set the unit of length.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.signal import savgol_filter

from engines.lips import APERTURE_GAIN
from engines.motion import INDEX, NUM_CHANNELS, Motion, rest
from export.train.data import MOTION_FPS, SAMPLES_PER_FRAME
from export.train.data.actions import draw_gaze
from export.train.data.clips import Clip, ClipBeat, as_pcm, limited
from export.train.data.wording import line

Points = NDArray[np.float64]

#: Clips that weights may be trained on, by the beginning of their names, and why.
PERMITTED = {
    "lipnet_": "GRID corpus (Cooke et al. 2006), CC BY 4.0: train and ship, with attribution",
    "sadtalker_WDA_": "weekly addresses of a US party: public statements, published for redistribution",
}
#: Permitted clips kept for validation. All clips that are not permitted are for measuring only.
VAL_CLIPS = ("lipnet_swiz3n", "lipnet_lbax4n")

_STABLE = (
    10,
    67,
    297,
    109,
    338,
    168,
    6,
    197,
    33,
    133,
    263,
    362,
    127,
    356,
    234,
    454,
    151,
    9,
)  # forehead, bridge, eye corners, temples
_CAMERA_DISTANCE = 7.0  # eye distances between camera and face, to turn size into depth
_SOURCE_FPS = 25
#: How far each channel group can be trusted; what is not named is not measured.
_WEIGHTS = {
    1.0: ("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthStretch", "mouthSmile", "mouthUpperUp",
    "mouthLowerDown",
          "headYaw", "headPitch", "headRoll", "headX", "headY", "headZ"),
    0.5: ("mouthRollLower", "mouthRollUpper", "browInnerUp", "browOuterUp", "browDown", "eyeLookIn", "eyeLookOut",
    "eyeLookUp", "eyeLookDown",
          "mouthFrown"),
}  # fmt: skip


def permitted(name: str) -> bool:
    """Whether weights that ship may be trained on the clip of this name."""
    return name.startswith(tuple(PERMITTED))


def permitted_clips(folder: Path) -> Iterator[Clip]:
    """Clips of the permitted recordings. Raises FileNotFoundError when the folder holds none."""
    paths = [path for path in sorted(folder.glob("*.npz")) if permitted(path.stem)]
    if not paths:
        raise FileNotFoundError(f"no recording that may be trained on in {folder}: names begin with {', '.join(PERMITTED)}")
    for path in paths:
        yield real_clip(path)


def real_clip(path: Path) -> Clip:
    """Any clip of that format, permitted or not, as motion and sound."""
    with np.load(path) as data:
        landmarks, mask, aspect = data["landmarks"].astype(np.float64), data["mask"], float(data["aspect"])
        audio, language = data["audio"], str(data["language"])
    motion = motion_of(landmarks, mask, aspect)
    num_frames = min(len(motion), len(audio) // SAMPLES_PER_FRAME)
    pcm = as_pcm(audio.astype(np.float32) / 32768, num_frames)
    rng = np.random.default_rng([*path.stem.encode()])
    beat = ClipBeat(0.0, num_frames / MOTION_FPS, "calm", 0.3, None, "static", 0.5, line("calm", 0.3, None, "static", 0.5, rng))
    weight = np.zeros(NUM_CHANNELS, np.float32)
    for value, names in _WEIGHTS.items():
        weight[[i for channel, i in INDEX.items() if channel.startswith(names)]] = value
    level = np.sqrt(np.mean((pcm.reshape(num_frames, -1) / 32768.0) ** 2, axis=1))
    speech = (level > 0.1 * np.percentile(level, 95)).astype(np.uint8)
    split = "val" if path.stem in VAL_CLIPS or not permitted(path.stem) else "train"
    code = {"English": "en", "Chinese": "zh"}.get(language.removeprefix("probably ").split(" ")[0], "und")
    return Clip(motion[:num_frames], pcm, (beat,), weight, f"real:{path.stem}", code, "real", split, speech)


def motion_of(landmarks: Points, mask: NDArray[np.bool_], aspect: float) -> Motion:
    """[T, 478, 3] at 25 a second → motion [2T, 64] at 50. Frames without a face are bridged."""
    points = landmarks * np.array([1.0, 1.0 / aspect, 1.0])
    seen = np.flatnonzero(mask)
    points = (
        CubicSpline(seen, points[seen], axis=0)(np.clip(np.arange(len(points)), seen[0], seen[-1]))
        if len(seen) < len(mask)
        else points
    )
    unit = float(np.median(np.linalg.norm(points[:, 33, :2] - points[:, 263, :2], axis=1)))
    points /= unit
    face, rotation, scale, centre = _stilled(points)
    motion = rest(len(points)).astype(np.float64)
    _pose(motion, rotation, scale, centre)
    _mouth(motion, face)
    _eyes(motion, face)
    at = (np.arange(2 * len(points)) + 0.5) / MOTION_FPS * _SOURCE_FPS - 0.5
    return limited(CubicSpline(np.arange(len(points)), motion, axis=0)(np.clip(at, 0, len(points) - 1)).astype(np.float32))


def _stilled(points: Points) -> tuple[Points, Points, Points, Points]:
    """Points without head movement, [T, 478, 3], and the rotations [T, 3, 3], sizes [T] and centres [T, 3] taken out.

    Procrustes (Umeyama 1991) on points that no expression moves, towards their mean shape, twice.
    """
    stable = points[:, _STABLE]
    model = stable[0] - stable[0].mean(axis=0)
    for _ in range(3):
        rotation, scale, centre = _fit(model, stable)
        model = np.median(np.einsum("tji,tnj->tni", rotation, stable - centre[:, None]) / scale[:, None, None], axis=0)
        model -= model.mean(axis=0)
    rotation, scale, centre = _fit(model, stable)
    face = np.einsum("tji,tnj->tni", rotation, points - centre[:, None]) / scale[:, None, None]
    return face, rotation, scale, centre


def _fit(model: Points, shapes: Points) -> tuple[Points, Points, Points]:
    centre = shapes.mean(axis=1)
    u, s, vt = np.linalg.svd(np.einsum("tni,nj->tij", shapes - centre[:, None], model))
    sign = np.sign(np.linalg.det(u @ vt))
    flip = np.stack([np.ones_like(sign), np.ones_like(sign), sign], axis=1)
    rotation = (u * flip[:, None, :]) @ vt
    return rotation, (s * flip).sum(axis=1) / (model**2).sum(), centre


def _quiet(track: Points, window: int = 5) -> Points:
    """Savitzky–Golay along time: landmark noise goes, peaks stay."""
    return savgol_filter(track, window, 2, axis=0) if len(track) > window else track


def _pose(motion: Points, rotation: Points, scale: Points, centre: Points) -> None:
    nose = -rotation[:, :, 2]
    yaw, pitch = np.arctan2(nose[:, 0], -nose[:, 2]), np.arcsin(np.clip(-nose[:, 1], -1, 1))
    roll = np.arctan2(rotation[:, 1, 0], rotation[:, 0, 0])
    depth = _CAMERA_DISTANCE * (1 - np.median(scale) / scale)
    for name, track in (
        ("headYaw", yaw),
        ("headPitch", pitch),
        ("headRoll", roll),
        ("headX", centre[:, 0]),
        ("headY", centre[:, 1]),
        ("headZ", depth),
    ):
        motion[:, INDEX[name]] = _quiet(track - np.median(track), 9)


def _distance(face: Points, a: int, b: int) -> Points:
    return np.linalg.norm(face[:, a, :2] - face[:, b, :2], axis=1)


def _mouth(motion: Points, face: Points) -> None:
    """Jaw from the chin; lips so that ``inner_lip_aperture`` of the motion is the measured opening less the rest's."""
    opening = _quiet(_distance(face, 13, 14))
    opening = np.maximum(opening - min(np.percentile(opening, 5), 0.04), 0.0)
    resting = opening <= np.percentile(opening, 15)

    def change(track: Points) -> Points:
        return _quiet(track - np.median(track[resting]))

    chin = change(face[:, 152, 1] - face[:, 2, 1])
    width, corners = change(_distance(face, 61, 291)), change(-(face[:, 61, 1] + face[:, 291, 1]) / 2)
    gain = APERTURE_GAIN["jawOpen"]
    jaw = np.clip(np.maximum(chin / 0.42, (opening - 0.045) / gain), 0.0, 1.0)
    spread = width + 0.12 * jaw
    rounded = np.clip(-spread / 0.16, 0.0, 1.0)
    parted = np.clip(opening / 0.05, 0.0, 1.0)
    funnel, pucker = 0.6 * rounded * parted, rounded * (1 - 0.4 * parted)
    corners = corners + 0.12 * jaw  # an opening jaw takes the corners down with it
    smile = np.clip(corners / 0.08, 0.0, 1.0)
    left = opening - gain * jaw - APERTURE_GAIN["mouthFunnel"] * funnel - APERTURE_GAIN["mouthPucker"] * pucker
    lips = np.clip(left / 0.12, 0.0, 1.0)
    tracks = {
        "jawOpen": jaw, "mouthClose": np.clip(-left / gain, 0.0, 1.0), "mouthFunnel": funnel, "mouthPucker": pucker,
        "mouthStretch": np.clip(spread / 0.2 - 0.5 * smile, 0.0, 0.8), "mouthSmile": smile,
        "mouthFrown": np.clip(-corners / 0.1 - 0.2, 0.0, 0.4),
        "mouthUpperUp": lips, "mouthLowerDown": lips,
    }  # fmt: skip
    shut = 1 - parted
    for name, outer, inner in (("mouthRollUpper", 0, 13), ("mouthRollLower", 17, 14)):
        thick = _quiet(_distance(face, outer, inner))
        tracks[name] = shut * np.clip(1 - thick / np.median(thick[resting]) - 0.1, 0.0, 0.7)
    _draw(motion, tracks)


def _eyes(motion: Points, face: Points) -> None:
    for side, top, bottom, outer, inner in (("Right", 159, 145, 33, 133), ("Left", 386, 374, 263, 362)):
        ratio = _distance(face, top, bottom) / _distance(face, outer, inner)
        open_ratio = np.percentile(ratio, 80)
        motion[:, INDEX[f"eyeBlink{side}"]] = np.clip((1 - ratio / open_ratio - 0.15) / 0.5, 0.0, 1.0)
    irises = (face[:, 468] + face[:, 473]) / 2
    corners = face[:, (33, 133, 362, 263)].mean(axis=1)
    eye_width = np.median(_distance(face, 33, 133))
    offset = _quiet((irises - corners) / (0.22 * eye_width), 5)
    offset -= np.median(offset, axis=0)
    draw_gaze(motion, np.clip(offset[:, 0], -1, 1), np.clip(-offset[:, 1], -1, 1))
    brows = {"inner": (107, 336), "outer": (70, 300)}
    lift = {}
    for place, ids in brows.items():
        height = -face[:, ids, 1].mean(axis=1)
        lift[place] = _quiet(height - np.median(height), 7) / 0.09
    tracks = {
        "browInnerUp": lift["inner"],
        "browOuterUp": lift["outer"],
        "browDown": -0.5 * (lift["inner"] + lift["outer"]) - 0.05,
    }
    _draw(motion, {name: np.clip(track, 0.0, 1.0) for name, track in tracks.items()})


def _draw(motion: Points, tracks: dict[str, Points]) -> None:
    for name, track in tracks.items():
        for channel in (name,) if name in INDEX else (name + "Left", name + "Right"):
            motion[:, INDEX[channel]] += track
