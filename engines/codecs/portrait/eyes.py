"""Eyes: lids that close over the eyeball, and an iris that looks about between them.

An eye is redrawn in the picture's own place, before the face is warped. Around it three layers are told apart: the lids,
which slide along the eye's height (the upper lid's skin is drawn down, its lash line keeps its shape); the clean eyeball,
whose iris moves and whose hidden parts are filled in; and what the lids leave on the eyeball (lash shadow, waterline),
which moves with the lids. At rest their sum is the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.codecs.portrait.face import Array, Face
from engines.codecs.portrait.fields import smoothstep
from engines.codecs.portrait.view import mesh
from engines.motion import INDEX, Motion

#: Upper and lower lid from one corner to the other, brow's lower edge, iris centre and ring; by the speaker's side.
LIDS = {
    "Right": ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    "Left": ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
}
BROW_EDGE = {"Right": (53, 52, 65), "Left": (283, 282, 295)}
IRIS = {"Right": (468, 469, 470, 471, 472), "Left": (473, 474, 475, 476, 477)}

LASH = 0.10  # half eye widths above the lid's edge that move with it unstretched
CHEEK_REACH = 0.75  # half eye widths below the lower lid that its movement reaches
LOOK_SIDE, LOOK_UP, LOOK_DOWN = 0.40, 0.22, 0.26  # travel of the iris, half eye widths
UPPER_SHADE, LOWER_SHADE = 0.17, 0.09  # reach of the lids' shadow on the eyeball, half eye widths


@dataclass(slots=True, eq=False)
class _Plane:
    """One plane (Y, or UV at half size) of an eye's window: pixel-wise coordinates and layers."""

    rows: slice
    cols: slice
    x: Array  # window pixels
    y: Array
    s: Array  # -1 to 1 between the corners
    t: Array  # below the line between the corners, half eye widths
    upper: Array  # the lids' places at s
    lower: Array
    iris_dx: Array  # from the iris's centre, half eye widths along s and t
    iris_dy: Array
    scale: float  # pixels in half an eye width
    picture: Array
    ball: Array  # the clean eyeball
    stain: Array  # what the lids leave on it: picture - ball


@dataclass(frozen=True, slots=True)
class _Pose:
    """What an eye does now: all in shares of its opening, and half eye widths for the gaze."""

    close: float  # of the upper lid; negative is wider
    lift: float  # of the lower lid
    gaze_s: float
    gaze_t: float
    shut: float  # 0-1, how much of a closed eye is to be seen

    @property
    def still(self) -> bool:
        return not (self.close or self.lift or self.gaze_s or self.gaze_t)


class Eye:
    """One eye on the canvas."""

    def __init__(self, face: Face, side: str, person_y: Array, person_uv: Array) -> None:
        self.side = side
        marks = face.landmarks[:, :2]
        upper, lower = (marks[list(lid)] for lid in LIDS[side])
        a, b = upper[0], upper[-1]
        self.centre, self.half = (a + b) / 2, float(np.linalg.norm(b - a) / 2)
        self.along = (b - a) / np.linalg.norm(b - a)
        self.down = np.array((-self.along[1], self.along[0]), np.float32)
        upper_s, upper_t = self._local(upper)
        lower_s, lower_t = self._local(lower)
        self.upper_fit, self.lower_fit = _lid_curve(upper_s, upper_t), _lid_curve(lower_s, lower_t)
        brow = float(np.median(self._local(marks[list(BROW_EDGE[side])])[1]))
        self.opening = float(max(0.05, np.max(lower_t) - np.min(upper_t)))
        self.brow_gap = float(np.clip(np.min(upper_t) - brow, 0.35, 1.2))
        centre_s, centre_t = self._local(marks[[IRIS[side][0]]])
        self.iris = float(centre_s[0]), float(centre_t[0])
        ring = marks[list(IRIS[side][1:])] - marks[IRIS[side][0]]
        self.iris_radius = float(np.clip(np.linalg.norm(ring, axis=1).mean() / self.half, 0.25, 0.75))
        self.planes = (self._plane(person_y, 1), self._plane(person_uv, 2))
        self._find_lash_contrast()

    def _local(self, points: Array) -> tuple[Array, Array]:
        p = (points - self.centre) / self.half
        return (p @ self.along).astype(np.float32), (p @ self.down).astype(np.float32)

    def _plane(self, whole: Array, divide: int) -> _Plane:
        reach = np.array([1.5, self.brow_gap + 0.35 + self.opening]) * self.half
        box = np.abs(self.along) * reach[0] + np.abs(self.down) * reach[1]
        low = np.floor((self.centre - box) / divide).astype(int)
        high = np.ceil((self.centre + box) / divide).astype(int)
        height, width = whole.shape[:2]
        rows = slice(int(np.clip(low[1], 0, height - 2)), int(np.clip(high[1], 2, height)))
        cols = slice(int(np.clip(low[0], 0, width - 2)), int(np.clip(high[0], 2, width)))
        picture = np.ascontiguousarray(whole[rows, cols])
        grid = mesh(picture.shape[1], picture.shape[0])
        points = (grid + (cols.start, rows.start)).astype(np.float32) * divide + np.float32((divide - 1) / 2)
        s, t = self._local(points)
        bow = np.clip(1 - s * s, 0, None)
        upper, lower = bow * np.polyval(self.upper_fit, s), bow * np.polyval(self.lower_fit, s)
        lower = np.maximum(lower, upper)
        scale = self.half / divide
        dx, dy = s - self.iris[0], t - self.iris[1]
        ball = _clean_ball(picture, s, t, upper, lower, dx, dy, self.iris_radius)
        inside = np.clip((t - upper) * scale + 0.5, 0, 1) * np.clip((lower - t) * scale + 0.5, 0, 1)
        stain = (picture - ball) * (inside if picture.ndim == 2 else inside[..., None])
        f = np.float32
        return _Plane(
            rows, cols, grid[..., 0], grid[..., 1], s, t, upper.astype(f), lower.astype(f), dx, dy, scale,
            picture, ball.astype(f), stain.astype(f),
        )  # fmt: skip

    def _find_lash_contrast(self) -> None:
        """How much darker than the lid the picture draws the lash line, 0-1."""
        p = self.planes[0]
        near = (np.abs(p.t - p.upper) < 0.12) & (np.abs(p.s) < 0.75)
        skin = (p.upper - p.t > 0.25) & (p.upper - p.t < 0.5) & (np.abs(p.s) < 0.75)
        self.lash = 0.4
        if near.any() and skin.any():
            light = max(20.0, float(np.median(p.picture[skin])))
            self.lash = float(np.clip(1 - np.percentile(p.picture[near], 12) / light, 0.12, 0.75))

    def pose(self, motion: Motion) -> _Pose:
        """What the channels ask of this eye."""
        get = lambda name: float(motion[INDEX[name + self.side]])  # noqa: E731
        blink, squint, wide = get("eyeBlink"), get("eyeSquint"), get("eyeWide")
        down, up = get("eyeLookDown"), get("eyeLookUp")
        outward = get("eyeLookOut") - get("eyeLookIn")
        gaze_s = LOOK_SIDE * outward * (1 if self.side == "Left" else -1)
        gaze_t = LOOK_DOWN * down - LOOK_UP * up
        follow = 0.42 * down + 0.26 * squint - 0.24 * wide - 0.10 * up
        close = min(1.0, follow * (1 - max(blink, 0.0)) + blink)
        lift = 0.30 * squint * (1 - blink) - 0.12 * down * (1 - blink)
        return _Pose(close, lift, gaze_s, gaze_t, float(np.clip((close - 0.15) / 0.85, 0, 1)))

    def draw(self, motion: Motion, person_y: Array, person_uv: Array) -> None:
        """Write the eye into the person's planes, in place."""
        pose = self.pose(motion)
        for plane, target in zip(self.planes, (person_y, person_uv), strict=True):
            target[plane.rows, plane.cols] = plane.picture if pose.still else self._render(plane, pose, target.ndim == 2)

    def _render(self, p: _Plane, pose: _Pose, light: bool) -> Array:
        opening = p.lower - p.upper
        meet = p.lower - 0.10 * opening  # where closed lids meet
        upper = p.upper + pose.close * (meet - p.upper)
        lower = p.lower + max(0.0, pose.close) ** 2 * (meet - p.lower) - pose.lift * opening
        lower = np.maximum(lower, upper)
        # Skin: each lid slides along t; the lash band moves unstretched, the rest stretches as far as the brow.
        above = upper - p.t
        span = self.brow_gap + (p.upper - p.upper.min())
        ratio = (span - LASH) / np.maximum(span + upper - p.upper - LASH, 0.05)
        source_above = np.where(above < LASH, above, LASH + (above - LASH) * ratio)
        source_above = np.where(above > span + upper - p.upper, above - (upper - p.upper), source_above)
        below = p.t - lower
        ratio = CHEEK_REACH / np.maximum(CHEEK_REACH - (lower - p.lower), 0.05)
        source_below = np.where(below < CHEEK_REACH - (lower - p.lower), below * ratio, below + (lower - p.lower))
        middle = (upper + lower) / 2
        shift = np.where(p.t < middle, p.upper - source_above, p.lower + source_below) - p.t
        shift *= np.float32(p.scale)
        skin = cv2.remap(
            p.picture, p.x + shift * self.down[0], p.y + shift * self.down[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        shown = np.clip((p.t - upper) * p.scale + 0.5, 0, 1) * np.clip((lower - p.t) * p.scale + 0.5, 0, 1)
        ball = self._ball(p, pose, upper, lower, light)
        if light:
            return skin * self._lid_shade(p, pose, upper) * (1 - shown) + ball * shown
        shown = shown[..., None]
        return skin * (1 - shown) + ball * shown

    def _ball(self, p: _Plane, pose: _Pose, upper: Array, lower: Array, light: bool) -> Array:
        far = np.hypot(p.iris_dx - pose.gaze_s, p.iris_dy - pose.gaze_t) / self.iris_radius
        carried = 1 - smoothstep(far, 1.05, 2.6)
        u, v = pose.gaze_s * p.scale * carried, pose.gaze_t * p.scale * carried
        x = p.x - u * self.along[0] - v * self.down[0]
        y = p.y - u * self.along[1] - v * self.down[1]
        ball = cv2.remap(p.ball, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        # The stain of each lid goes where the lid goes.
        near_upper = (p.t - upper) < (lower - p.t) * (UPPER_SHADE / LOWER_SHADE)
        shift = np.where(near_upper, p.upper - upper, p.lower - lower) * np.float32(p.scale)
        stain = cv2.remap(
            p.stain, p.x + shift * self.down[0], p.y + shift * self.down[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        ball = ball + stain
        if light and pose.close > 0:
            ball *= 1 - 0.40 * min(1.0, pose.close * 1.5) * np.exp(-np.maximum(p.t - upper, 0) / 0.16)
        return ball

    def _lid_shade(self, p: _Plane, pose: _Pose, upper: Array) -> Array:
        """The lash line and the roundness of a closing lid, a factor."""
        if not pose.shut:
            return np.float32(1)
        width = np.clip(1.06 - p.s * p.s, 0, 1)
        d = (p.t - upper) / 0.055
        lash = self.lash * np.exp(-np.where(d > 0, 0.6 * d, d) ** 2) * width**0.5
        rounded = 0.07 * np.exp(-(((upper - p.t) / 0.16) ** 2)) * width
        return 1 - pose.shut * np.maximum(lash * 0.75, rounded)


def _lid_curve(s: Array, t: Array) -> Array:
    """Polynomial p of a lid: t = (1 - s^2) p(s), least squares through its inner points."""
    bow = 1 - s[1:-1] ** 2
    terms = np.vander(s[1:-1], 4) * bow[:, None]
    ridge = np.diag([0.08, 0.04, 0.01, 0.0])
    return np.linalg.solve(terms.T @ terms + ridge, terms.T @ t[1:-1]).astype(np.float32)


def _clean_ball(
    picture: Array, s: Array, t: Array, upper: Array, lower: Array, dx: Array, dy: Array, radius: float
) -> Array:  # fmt: skip
    """The eyeball without lids: seen where it is seen, the iris completed by its rings, the white spread from its neighbours."""
    reach_up = np.minimum(UPPER_SHADE, 0.35 * (lower - upper))
    reach_low = np.minimum(LOWER_SHADE, 0.2 * (lower - upper))
    seen = (t > upper + reach_up) & (t < lower - reach_low) & (np.abs(s) < 0.93)
    far = np.hypot(dx, dy) / radius
    flat = picture if picture.ndim == 3 else picture[..., None]
    white = seen & (far > 1.18)
    if white.sum() < 4 or seen.sum() < 12:
        return picture.copy()
    filled = spread(flat, white.astype(np.float32))
    # Rings of the iris, 24 of them, by their mean
    ring = np.clip((far * 16).astype(int), 0, 23)
    iris = np.zeros_like(flat)
    for c in range(flat.shape[2]):
        weight = np.bincount(ring[seen], minlength=24).astype(np.float64)
        total = np.bincount(ring[seen], weights=flat[..., c][seen], minlength=24)
        known = weight > 0
        profile = np.interp(np.arange(24), np.flatnonzero(known), total[known] / weight[known])
        iris[..., c] = np.interp(far * 16 - 0.5, np.arange(24), profile)
    disc = (1 - smoothstep(far, 1.02, 1.22))[..., None]
    guess = iris * disc + filled * (1 - disc)
    soft = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), max(0.6, 0.03 * radius * picture.shape[0]))
    keep = np.where(seen, smoothstep(soft, 0.45, 0.9), 0)[..., None]
    ball = flat * keep + guess * (1 - keep)
    return ball.reshape(picture.shape).astype(np.float32)


def spread(plane: Array, weight: Array) -> Array:
    """Fill where weight is 0 from where it is 1, smoothly (pull-push over a pyramid). plane: [h, w, c]; weight: [h, w]."""
    height, width = weight.shape
    if min(height, width) < 2 or weight.min() > 0.99:
        mean = (plane * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return plane * weight[..., None] + mean * (1 - weight[..., None])
    size = ((width + 1) // 2, (height + 1) // 2)
    low_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    low = cv2.resize(plane * weight[..., None], size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
    low = low / np.maximum(low_weight, 1e-6)[..., None]
    low = spread(low.astype(np.float32), np.minimum(1, low_weight * 2))
    back = cv2.resize(low, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, -1)
    return (plane * weight[..., None] + back * (1 - weight[..., None])).astype(np.float32)
