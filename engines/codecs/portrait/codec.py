"""The portrait codec: motion latents and one still picture to frames of a speaking person.

A frame is drawn in this order: the eyes are redrawn in the picture's own place (`eyes`); a coarse grid says which place
of the picture each cell of the frame shows (`flow`); the frame is filled with the background, which only the camera moves,
and the person's layer is laid over it, warped (`layers`); last, the mouth's window is put together from both lips and the
inside of the mouth (`lips`, `mouth`).
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from engines.avatar_library import Avatar
from engines.codecs.portrait.behind import Behind
from engines.codecs.portrait.eye_shape import EyeShape, drawn, fitted
from engines.codecs.portrait.eyes import Eye
from engines.codecs.portrait.face import Face
from engines.codecs.portrait.flow import Flow, Sources, camera_matrix, within
from engines.codecs.portrait.frame import Cells, Frame
from engines.codecs.portrait.layers import Background, Layers
from engines.codecs.portrait.lips import Lips, add_interior, compose, coverage
from engines.codecs.portrait.person import Person
from engines.codecs.portrait.planes import Array, Picture, half, look_up, store
from engines.codecs.portrait.view import View
from engines.lips import APERTURE_GAIN
from engines.motion import INDEX, NUM_CHANNELS, Motion

#: Channels that have a range of their own; all others go from 0 to 1.
LIMITS = {
    "headYaw": 0.45, "headPitch": 0.35, "headRoll": 0.35, "headX": 0.6, "headY": 0.4, "headZ": 1.2,
    "cameraX": 0.25, "cameraY": 0.25, "cameraZoom": 0.8, "cameraRoll": 0.3,
}  # fmt: skip


class PortraitCodec:
    """Draws one avatar at one size. Building it takes about half a second, a frame a few milliseconds. Not for two threads."""

    def __init__(self, avatar: Avatar, size: tuple[int, int], background: Background | Picture = "keep") -> None:
        """size: (width, height) in pixels, both even. background: or a picture, RGB [h, w, 3], cropped to cover. "clear" is
        none: frames then have an alpha plane.

        Raises ValueError for sizes that cannot be drawn.
        """
        face = Face.of(avatar.landmarks)
        picture, matte, behind = avatar.picture(), avatar.matte(), avatar.background()
        self.view = View.framing((avatar.width, avatar.height), size, face, matte)
        self.face = face = self.view.place(face)
        self.flow = Flow(self.view, face, crown_cut=bool(matte[0].max() >= 128))
        self.layers = layers = Layers.of(self.view, picture, matte, behind, background)
        self.person = Person(layers, self.flow.grid, self.flow.step)
        planes = layers.person()
        shapes = EyeShape.of(face, "Right"), EyeShape.of(face, "Left")
        if avatar.points == "detected":
            shapes = fitted(shapes, *planes)
        else:
            shapes = drawn(shapes[0], *planes), drawn(shapes[1], *planes)
        self.eyes = tuple(Eye(shape.with_iris_found(planes[0]), *planes) for shape in shapes)
        canonical = self.flow.head.canonical.reshape(*self.flow.grid, 3)
        self.lips = Lips(face, self.flow.fields.mouth, canonical, self.flow.step, *planes)
        self.behind = Behind(layers, self.view)
        self.is_clear = isinstance(background, str) and background == "clear"

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.view.size

    def decode_rgb(self, motion: Motion) -> Picture:
        """One frame as RGB uint8 [height, width, 3], without its alpha."""
        i420 = self.decode(motion)[: self.size[1] * 3 // 2]
        return np.asarray(cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420), np.uint8)

    def frames(self, motion: Motion) -> Iterator[Picture]:
        """Motion [n, 64] to n pictures as `decode` draws them, each when it is asked for."""
        return map(self.decode, motion)

    def decode(self, motion: Motion) -> Picture:
        """One frame, motion [64], as I420 uint8 [height * 3 // 2, width]. Raises ValueError for another shape.

        Where the background is clear, the alpha plane [height, width] lies below: 255 is the person, who is not premultiplied.
        """
        if motion.shape != (NUM_CHANNELS,):
            raise ValueError(f"motion must be [{NUM_CHANNELS}], not {list(motion.shape)}")
        motion = self._closed_no_further(within_range(motion))
        self.person.focus(float(motion[INDEX["cameraZoom"]]))
        for eye in self.eyes:
            eye.draw(motion, self.person)
        camera = camera_matrix(motion, self.view)
        sources = self.flow.cells(motion, camera)
        frame = Frame.empty(*self.size, with_alpha=self.is_clear)
        for plane, into in zip(self.behind.seen(camera), frame.planes, strict=True):
            np.copyto(into, plane)
        mouth = self._mouth_cells(sources)
        self.person.draw(sources.chosen, frame, redrawn=mouth)
        if mouth:
            self._draw_mouth(sources, motion, frame, mouth)
        if self.is_clear:
            frame.unmultiply()
        return frame.pixels

    @property
    def shut(self) -> float:
        """The weight of mouthClose that shuts the lips of a picture whose mouth is open at rest; 0 where it is shut."""
        return float(self.lips.rest_gap / (-APERTURE_GAIN["mouthClose"] * self.flow.fields.mouth.smallness))

    def _closed_no_further(self, motion: Motion) -> Motion:
        """Lips in contact stay in contact: mouthClose takes away the opening that there is, no more."""
        close = INDEX["mouthClose"]
        others = motion.copy()
        others[close] = 0
        opening = max(0.0, float(sum(gain * others[INDEX[name]] for name, gain in APERTURE_GAIN.items())))
        others[close] = min(float(motion[close]), self.shut + opening / -APERTURE_GAIN["mouthClose"])
        return others

    def _draw_mouth(self, sources: Sources, motion: Motion, frame: Frame, cells: Cells) -> None:
        lips, sides, step = self.lips, (sources.above, sources.below), self.flow.step
        box = frame.box(cells, step)
        maps = [np.stack(cells.places(at, step, box[0].shape)) for at in sides]
        on_upper, on_lower, edges = coverage(*(lips.edge(at - lips.offset, lip) for lip, at in enumerate(maps)))
        detail = np.float32(self.layers.detail)
        new_y = compose([look_up(self.person.y, at * detail) for at in maps], on_upper, on_lower)
        half_maps = [cells.places(at * np.float32(0.5) - np.float32(0.25), step // 2, box[1].shape) for at in sides]
        skin = [look_up(self.person.uv, at)[..., :2] for at in half_maps]
        new_uv = compose(skin, half(on_upper), half(on_lower))
        opening = cv2.boundingRect((on_upper + on_lower < 0.996).astype(np.uint8))
        if opening[2]:
            left, top = opening[0] // 2 * 2, opening[1] // 2 * 2
            part = slice(top, opening[1] + opening[3] + 1 & ~1), slice(left, opening[0] + opening[2] + 1 & ~1)
            head = np.stack([axis[part] for axis in cells.places(sources.head - lips.offset, step, box[0].shape)])
            through = 1 - on_upper[part] - on_lower[part]
            rounded_lips = float(motion[INDEX["mouthFunnel"]] + motion[INDEX["mouthPucker"]])
            depth = 0.95 * min(1.0, max(0.0, (rounded_lips - 0.15) / 0.5))
            inside = lips.interior(head, self._jaw_shift(motion), edges[0][part], edges[1][part], depth)
            half_part = tuple(slice(axis.start // 2, axis.stop // 2) for axis in part)
            add_interior(new_y[part], new_uv[half_part], inside, through)
        # The face's outline is drawn already, and stays.
        full = (look_up(self.layers.through, maps[1]) < 2).astype(np.float32)
        solid = np.asarray(cv2.erode(full, np.ones((7, 7), np.uint8)), np.float32)
        half_solid = half(solid)
        new = (new_y, new_uv[..., 0], new_uv[..., 1])
        for into, plane, share in zip(box, new, (solid, half_solid, half_solid), strict=True):
            store(plane * share + into * (1 - share), into)

    def _mouth_cells(self, sources: Sources) -> Cells | None:
        """The cells of the frame where the lips meet or part; None where they are out of the frame."""
        height, width = self.lips.cavity.shape[:2]
        inset = np.array((0.06, 0.3), np.float32) * np.float32(self.face.unit)
        low = self.lips.offset.ravel() + inset
        high = self.lips.offset.ravel() + np.array((width, height), np.float32) - inset
        seen = [within(at[:, 1:-1, 1:-1], low, high) for at in (sources.above, sources.below, sources.head)]
        x, v, num_cols, num_rows = cv2.boundingRect(seen[0] | seen[1] | seen[2])
        if not num_cols:
            return None
        # Further away the face is drawn already: by the field that holds, from its own lip.
        part = slice(v, v + num_rows + 2), slice(x, x + num_cols + 2)
        upper, lower = (
            self.lips.edge(at[:, *part] - self.lips.offset, lip)[0] for lip, at in enumerate((sources.above, sources.below))
        )
        is_lower, clear = sources.is_lower[part], np.float32(self.flow.step / 2 + 2)
        near = ~np.where(is_lower, (upper > clear) & (lower < -clear), upper < -clear)
        around = np.ones((3, 3), np.uint8)
        mixed = cv2.dilate(near.astype(np.uint8), around) | cv2.morphologyEx(is_lower, cv2.MORPH_GRADIENT, around)
        dx, dv, num_cols, num_rows = cv2.boundingRect(mixed[1:-1, 1:-1])
        return Cells(x + dx, v + dv, x + dx + num_cols, v + dv + num_rows) if num_cols else None

    def _jaw_shift(self, motion: Motion) -> Array:
        """How far the lower teeth have moved, pixels [2]."""
        down = 0.92 * self.flow.fields.mouth.smallness * APERTURE_GAIN["jawOpen"] * motion[INDEX["jawOpen"]]
        side = 0.11 * (motion[INDEX["jawLeft"]] - motion[INDEX["jawRight"]])
        return (self.face.unit * (side * self.face.axes[0, :2] + down * self.face.axes[1, :2])).astype(np.float32)


def within_range(motion: Motion) -> Motion:
    """The motion with each channel kept where the drawing holds; not-a-number is rest."""
    high = np.ones(NUM_CHANNELS, np.float32)
    low = np.zeros(NUM_CHANNELS, np.float32)
    for name, limit in LIMITS.items():
        low[INDEX[name]], high[INDEX[name]] = -limit, limit
    return np.clip(np.nan_to_num(motion.astype(np.float32), nan=0.0), low, high)
