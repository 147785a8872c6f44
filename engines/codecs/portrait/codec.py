"""The portrait codec: motion latents and one still picture to frames of a speaking person."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.avatar_library import Avatar
from engines.codecs.portrait.face import Array, Face
from engines.codecs.portrait.flow import Flow, camera_matrix
from engines.codecs.portrait.layers import Background, Layers, cover
from engines.codecs.portrait.view import Picture, View
from engines.motion import INDEX, NUM_CHANNELS, Motion


class PortraitCodec:
    """Draws one avatar at one size. Building it takes about half a second, a frame a few milliseconds."""

    def __init__(self, avatar: Avatar, size: tuple[int, int], background: Background = "keep") -> None:
        """size: (width, height) in pixels, both even. Raises ValueError for sizes that cannot be drawn."""
        face = Face.of(avatar.landmarks)
        self.view = View.framing((avatar.width, avatar.height), size, face)
        self.face = self.view.place(face)
        self.flow = Flow(self.view, self.face)
        self.layers = Layers.of(self.view, avatar.picture(), avatar.matte(), avatar.background(), background)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.view.size

    def decode_rgb(self, motion: Motion) -> Picture:
        """One frame as RGB uint8 [height, width, 3]."""
        return cv2.cvtColor(self.decode(motion), cv2.COLOR_YUV2RGB_I420)

    def decode(self, motion: Motion) -> Picture:
        """One frame, motion [64], as I420 uint8 [height * 3 // 2, width]. Raises ValueError for another shape."""
        if motion.shape != (NUM_CHANNELS,):
            raise ValueError(f"motion must be [{NUM_CHANNELS}], not {list(motion.shape)}")
        motion = within_range(motion)
        width, height = self.size
        out = np.empty((height * 3 // 2, width), np.uint8)
        camera = camera_matrix(motion, self.view)
        source = self._sources(motion, camera)
        map_y, map_uv = self._lay(source, 1), self._lay(source, 2)
        behind_y, behind_uv = self._behind(camera)
        layers = self.layers
        person = cv2.remap(layers.person_y, map_y, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.remap(layers.alpha_y, map_y, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        cv2.add(person, cover(behind_y, cv2.bitwise_not(alpha)), dst=out[:height], dtype=cv2.CV_8U)
        person = cv2.remap(layers.person_uv, map_uv, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.remap(layers.alpha_uv, map_uv, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.bitwise_not(alpha)
        chroma = cv2.add(person, cover(behind_uv, cv2.merge((alpha, alpha))))
        chroma = cv2.add(chroma, 128.0, dtype=cv2.CV_8U)
        planes = out[height:].reshape(2, height // 2, width // 2)
        planes[0], planes[1] = chroma[..., 0], chroma[..., 1]
        return out

    def _sources(self, motion: Motion, camera: Array) -> Array:
        """Canvas pixels that a coarse grid of frame cells shows, one cell more on each side: [rows, columns, 2]."""
        step = self.flow.step
        width, height = self.size
        x = (np.arange(-1, -(-width // step) + 1, dtype=np.float32) + 0.5) * step - 0.5
        y = (np.arange(-1, -(-height // step) + 1, dtype=np.float32) + 0.5) * step - 0.5
        at = np.empty((len(y), len(x), 2), np.float32)
        at[..., 0] = camera[0, 0] * x + camera[0, 1] * y[:, None] + camera[0, 2]
        at[..., 1] = camera[1, 0] * x + camera[1, 1] * y[:, None] + camera[1, 2]
        above, below, _ = self.flow.forward(motion)
        upper = self.flow.sources(above, at)
        lower = self.flow.sources(below, at)
        return np.where(self.flow.sample(self.flow.lip_side, lower)[..., None] > 0, lower, upper)

    def _lay(self, source: Array, divide: int) -> Array:
        """A coarse grid of canvas pixels stretched over the frame, or over its half-size chroma: [h, w, 2]."""
        width, height = self.size[0] // divide, self.size[1] // divide
        step = self.flow.step
        rows, cols = source.shape[:2]
        if divide == 1:
            full = cv2.resize(source, (cols * step, rows * step), interpolation=cv2.INTER_LINEAR)
            return full[step : step + height, step : step + width]
        # chroma pixel i lies at 2 i + 0.5 of the frame
        matrix = np.array([[2 / step, 0, (1.0) / step + 0.5], [0, 2 / step, 1.0 / step + 0.5]], np.float64)
        half = cv2.warpAffine(source, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        return half * 0.5 - 0.25

    def _behind(self, camera: Array) -> tuple[Picture, NDArray[np.int16]]:
        width, height = self.size
        margin = self.view.margin
        if np.array_equal(camera, np.array([[1, 0, margin], [0, 1, margin]], np.float32)):
            rows, cols = self.view.frame
            half = margin // 2
            return self.layers.behind_y[rows, cols], self.layers.behind_uv[half : half + height // 2, half : half + width // 2]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        y = cv2.warpAffine(self.layers.behind_y, camera, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)
        half_camera = camera.copy()
        half_camera[:, 2] = (camera @ np.array([0.5, 0.5, 1.0], np.float32) - 0.5) / 2
        size = (width // 2, height // 2)
        uv = cv2.warpAffine(self.layers.behind_uv, half_camera, size, flags=flags, borderMode=cv2.BORDER_REFLECT)
        return y, uv


def within_range(motion: Motion) -> Motion:
    """The motion with each channel kept where the drawing holds; not-a-number is rest."""
    limit_low = np.zeros(NUM_CHANNELS, np.float32)
    limit_high = np.ones(NUM_CHANNELS, np.float32)
    for name, limit in (
        ("headYaw", 0.6), ("headPitch", 0.45), ("headRoll", 0.5), ("headX", 0.6), ("headY", 0.5), ("headZ", 1.2),
        ("cameraX", 0.25), ("cameraY", 0.25), ("cameraZoom", 0.8), ("cameraRoll", 0.3),
    ):  # fmt: skip
        limit_low[INDEX[name]], limit_high[INDEX[name]] = -limit, limit
    return np.clip(np.nan_to_num(motion.astype(np.float32), nan=0.0), limit_low, limit_high)
