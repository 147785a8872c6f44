"""Find the one face in a picture: MediaPipe's face landmarker, with retries for small, tight and drawn faces."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from numpy.typing import NDArray

from engines.avatar_library import NUM_LANDMARKS, AvatarError
from engines.motion import BLENDSHAPES

WEIGHTS = Path(__file__).parents[2] / "weights" / "face"
LANDMARKER_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
#: Names a face landmarker bundle to use in place of ours; its contents are then the user's own affair.
LANDMARKER_ENV = "ROSTRUM_FACE_LANDMARKER"

#: Outer eye corners (the speaker's right, left) in the face mesh.
EYE_CORNERS = (33, 263)
MIN_EYE_DISTANCE_PX = 28
#: The largest face is taken when it is this much larger, in area, than the next.
CLEARLY_LARGER = 2.5
MAX_YAW_DEGREES = 50
MAX_ROLL_DEGREES = 60
MAX_SHARE_OUTSIDE = 0.2
#: Eye corners, nose tip, mouth corners and lower lip: all must be in the picture.
ESSENTIAL = (33, 133, 362, 263, 4, 61, 291, 17)


#: Side of the second look at a face, and how far its landmarks may move on average, in eye distances.
_SECOND_LOOK_PX = 512
_MAX_APART = 0.15


class NoFace(AvatarError):
    code = "no_face"


class SeveralFaces(AvatarError):
    code = "several_faces"


class FaceTooSmall(AvatarError):
    code = "face_too_small"


class FaceCutOff(AvatarError):
    code = "face_cut_off"


class FaceTurnedAway(AvatarError):
    code = "face_turned_away"


class SidewaysPicture(AvatarError):
    code = "sideways"


class BadModelFile(AvatarError):
    code = "bad_model_file"


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """landmarks float32 [478, 3] in picture pixels, blendshapes float32 [52], transform float32 [4, 4]: as in `Avatar`."""

    landmarks: NDArray[np.float32]
    blendshapes: NDArray[np.float32]
    transform: NDArray[np.float32]

    @property
    def eye_distance_px(self) -> float:
        """Outer eye corner to outer eye corner, depth included, so that turning the head does not shrink it."""
        return float(np.linalg.norm(self.landmarks[EYE_CORNERS[0]] - self.landmarks[EYE_CORNERS[1]]))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """left, top, right, bottom in pixels."""
        (left, top), (right, bottom) = self.landmarks[:, :2].min(0), self.landmarks[:, :2].max(0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def area(self) -> float:
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)

    def moved(self, x: float, y: float, scale: float) -> Face:
        """The same face after its picture was a crop at (x, y), magnified by `scale`."""
        return replace(self, landmarks=(self.landmarks / scale + np.array([x, y, 0])).astype(np.float32))


def verified(path: Path, sha256: str) -> Path:
    """The path itself, if the file has that hash. Raises BadModelFile."""
    if not path.is_file():
        raise BadModelFile(f"The model file {path} is missing: install Rostrum again.")
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise BadModelFile(f"The model file {path} is not the one this version was made with: install Rostrum again.")
    return path


def landmarker_path() -> Path:
    """The face landmarker bundle: $ROSTRUM_FACE_LANDMARKER, or the verified one in the package."""
    if own := os.environ.get(LANDMARKER_ENV):
        if not Path(own).is_file():
            raise BadModelFile(f"{LANDMARKER_ENV} names {own}, which is not a file.")
        return Path(own)
    return verified(WEIGHTS / "face_landmarker.task", LANDMARKER_SHA256)


class FaceLandmarker:
    """MediaPipe's landmarker for single pictures. Close it, or use `contextlib.closing`."""

    def __init__(self, min_confidence: float = 0.5, max_faces: int = 4) -> None:
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(landmarker_path())),
            num_faces=max_faces,
            min_face_detection_confidence=min_confidence,
            min_face_presence_confidence=min_confidence,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        try:
            self._landmarker = vision.FaceLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            raise BadModelFile(f"MediaPipe cannot use {landmarker_path()} as a face landmarker: {error}") from error

    def faces(self, picture: NDArray[np.uint8]) -> list[Face]:
        """Every face in an RGB picture [h, w, 3], largest first."""
        height, width = picture.shape[:2]
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
        found = self._landmarker.detect(image)
        faces = [
            Face(_pixels(points, width, height), _weights(shapes), np.asarray(transform, np.float32))
            for points, shapes, transform in zip(
                found.face_landmarks, found.face_blendshapes, found.facial_transformation_matrixes, strict=True
            )
        ]
        return sorted(faces, key=lambda face: -face.area)

    def close(self) -> None:
        self._landmarker.close()


def find_face(picture: NDArray[np.uint8]) -> Face:
    """The face of an RGB picture [h, w, 3].

    Raises NoFace, SeveralFaces, FaceTooSmall, FaceCutOff, FaceTurnedAway, SidewaysPicture, BadModelFile.
    """
    with closing(FaceLandmarker()) as landmarker:
        faces = _search(landmarker, _views(picture))
        sideways = not faces and any(landmarker.faces(np.rot90(picture, turns)) for turns in (1, 2, 3))
    if sideways or (faces and abs(roll_degrees(faces[0])) > MAX_ROLL_DEGREES):
        raise SidewaysPicture("The face lies on its side or stands on its head: turn the picture upright and retry.")
    if not faces:
        with closing(FaceLandmarker(min_confidence=0.25)) as landmarker:
            faces = _search(landmarker, _views(picture))
    return _the_one(faces, picture.shape[1], picture.shape[0])


View = tuple[NDArray[Any], float, float, float]  # a picture cut at x, y and magnified by scale


def _views(picture: NDArray[np.uint8]) -> Iterator[tuple[NDArray[Any], list[View]]]:
    """Ways to look at the picture, likeliest first: the picture as redrawn, and the views of it to search together."""
    yield picture, [(picture, 0, 0, 1)]
    yield picture, [_padded(picture)]
    for num_parts in (2, 3, 5):
        yield picture, list(_tiles(picture, num_parts))
    for redraw in (_contrasted, _softened, _flattened):
        redrawn = redraw(picture)
        yield redrawn, [(redrawn, 0, 0, 1), _padded(redrawn)]


def _search(landmarker: FaceLandmarker, groups: Iterator[tuple[NDArray[Any], list[View]]]) -> list[Face]:
    """The faces of the first group that shows any, each once, largest first."""
    for picture, views in groups:
        found: list[Face] = []
        for pixels, x, y, scale in views:
            found += [face.moved(x, y, scale) for face in landmarker.faces(pixels)]
        found = [face for face in found if _confirmed(landmarker, picture, face)]
        if found:
            found.sort(key=lambda face: -face.area)
            return [face for i, face in enumerate(found) if all(_overlap(face, other) < 0.3 for other in found[:i])]
    return []


def _confirmed(landmarker: FaceLandmarker, picture: NDArray[Any], face: Face) -> bool:
    """Whether a second look, straight at the face, finds it in the same place; what is imagined moves."""
    left, top, right, bottom = face.box
    reach = 1.1 * max(right - left, bottom - top)
    x, y = (left + right) / 2 - reach, (top + bottom) / 2 - reach
    scale = _SECOND_LOOK_PX / (2 * reach)
    size = (_SECOND_LOOK_PX, _SECOND_LOOK_PX)
    matrix = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
    view = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    for again in landmarker.faces(view.astype(np.uint8)):
        apart = np.linalg.norm((again.moved(x, y, scale).landmarks - face.landmarks)[:, :2], axis=1).mean()
        if apart < _MAX_APART * face.eye_distance_px:
            return True
    return False


def _padded(picture: NDArray[Any], share: float = 0.35) -> View:
    """A border of the edge's own colours, for faces that fill the picture."""
    height, width = picture.shape[:2]
    x, y = round(width * share), round(height * share)
    return cv2.copyMakeBorder(picture, y, y, x, x, cv2.BORDER_REPLICATE), -x, -y, 1


def _tiles(picture: NDArray[Any], num_parts: int) -> Iterator[View]:
    """Half-overlapping crops, `num_parts` across the longer side, brought to at least 512 pixels, for small faces."""
    height, width = picture.shape[:2]
    side = max(height, width) // num_parts
    if side < 6 * MIN_EYE_DISTANCE_PX:
        return
    scale = max(1.0, 512 / side)
    for y in range(0, max(1, height - side // 2), side // 2):
        for x in range(0, max(1, width - side // 2), side // 2):
            tile = picture[y : y + side, x : x + side]
            yield cv2.resize(tile, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), x, y, scale


def _contrasted(picture: NDArray[Any]) -> NDArray[Any]:
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(2.5, (8, 8)).apply(lab[..., 0])
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).astype(np.uint8, copy=False)


def _softened(picture: NDArray[Any]) -> NDArray[Any]:
    """Hatching and brush strokes smoothed into tones."""
    sigma = max(picture.shape[:2]) / 150
    return cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.uint8, copy=False)


def _flattened(picture: NDArray[Any]) -> NDArray[Any]:
    """Any hues brought to skin-like warm greys, keeping light and dark."""
    grey = cv2.cvtColor(_softened(picture), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.clip(grey[..., None] * np.array([1.08, 0.96, 0.88]), 0, 255).astype(np.uint8)


def _overlap(a: Face, b: Face) -> float:
    """Intersection of the boxes over the smaller of them."""
    left, top, right, bottom = (pick(p, q) for pick, p, q in zip((max, max, min, min), a.box, b.box, strict=True))
    return max(0.0, right - left) * max(0.0, bottom - top) / max(1.0, min(a.area, b.area))


def _the_one(faces: list[Face], width: int, height: int) -> Face:
    if not faces:
        raise NoFace(
            "No face was found. Use a picture that shows one face from the front, well lit. For a drawing, animal or mask, "
            "place the points by hand: in the page, or with --points."
        )
    face = faces[0]
    if len(faces) > 1 and face.area < CLEARLY_LARGER * faces[1].area:
        raise SeveralFaces(f"There are {len(faces)} faces in the picture: crop it so that only the one to be shown is left.")
    if face.eye_distance_px < MIN_EYE_DISTANCE_PX:
        raise FaceTooSmall(
            f"The face is too small ({face.eye_distance_px:.0f} pixels between the eye corners, {MIN_EYE_DISTANCE_PX} needed): "
            "crop the picture closer to head and shoulders, or use a larger one."
        )
    x, y = face.landmarks[:, 0], face.landmarks[:, 1]
    outside = (x < 0) | (x >= width) | (y < 0) | (y >= height)
    if outside.mean() > MAX_SHARE_OUTSIDE or outside[list(ESSENTIAL)].any():
        raise FaceCutOff("Part of the face lies outside the picture: use one that shows the whole head.")
    if abs(yaw_degrees(face)) > MAX_YAW_DEGREES:
        raise FaceTurnedAway("The face is turned too far to the side: use a picture that shows both eyes from the front.")
    return face


def yaw_degrees(face: Face) -> float:
    """How far the head is turned in the picture; 0 is straight into the camera."""
    forward = face.transform[:3, 2]
    return float(np.degrees(np.arctan2(forward[0], forward[2])))


def roll_degrees(face: Face) -> float:
    """How far the line of the eyes is turned clockwise in the picture; 0 is upright."""
    x, y, _ = face.landmarks[EYE_CORNERS[1]] - face.landmarks[EYE_CORNERS[0]]
    return float(np.degrees(np.arctan2(y, x)))


def _pixels(points: list[Any], width: int, height: int) -> NDArray[np.float32]:
    landmarks = np.array([(p.x * width, p.y * height, p.z * width) for p in points], np.float32)
    if landmarks.shape != (NUM_LANDMARKS, 3):
        raise BadModelFile(
            f"The face landmarker gives {len(landmarks)} points, {NUM_LANDMARKS} are needed: use a newer bundle."
        )
    return landmarks


def _weights(shapes: list[Any]) -> NDArray[np.float32]:
    """By name, as MediaPipe has a "_neutral" in place of "tongueOut"."""
    by_name = {shape.category_name: shape.score for shape in shapes}
    return np.array([by_name.get(name, 0.0) for name in BLENDSHAPES], np.float32)
