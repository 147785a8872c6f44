"""Motion latents: what the portrait transformer writes and the portrait codec draws.

One frame of motion is a float32 vector of 64 channels:

=========  ========================  ==============================================================
index      channels                  unit and sign
=========  ========================  ==============================================================
0–51       ARKit blendshapes         weight 0–1; Left and Right are the speaker's own
52–54      head yaw, pitch, roll     radians; positive: to the speaker's left, up, towards their left shoulder
55–57      head x, y, z              eye distances (outer corners); picture right, picture down, towards the camera
58–59      shoulder raise, breath    0–1; 0 is the picture's rest
60–63      camera x, y, zoom, roll   picture widths right, picture heights down, log of magnification, radians clockwise
=========  ========================  ==============================================================

All zeros is the picture itself. Blendshape names and meanings: Apple ARKit ``ARFaceAnchor.BlendShapeLocation``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Motion = NDArray[np.float32]  # [..., 64]

BLENDSHAPES: tuple[str, ...] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
HEAD = ("headYaw", "headPitch", "headRoll", "headX", "headY", "headZ")
SHOULDERS = ("shoulderRaise", "breath")
CAMERA = ("cameraX", "cameraY", "cameraZoom", "cameraRoll")

CHANNELS: tuple[str, ...] = BLENDSHAPES + HEAD + SHOULDERS + CAMERA
NUM_CHANNELS = len(CHANNELS)
INDEX: dict[str, int] = {name: i for i, name in enumerate(CHANNELS)}

#: Channels that follow the syllables: an anchor leaves these free. Smile, frown and dimple are expression, and stay with it.
SPEECH_CHANNELS: tuple[int, ...] = tuple(
    i
    for name, i in INDEX.items()
    if name.startswith(("jaw", "mouth", "tongue", "cheekPuff"))
    and not name.startswith(("mouthSmile", "mouthFrown", "mouthDimple"))
)
#: Both eyes shut by these.
LIDS: tuple[int, ...] = (INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"])
#: The virtual camera: planned, never heard in the voice.
CAMERA_CHANNELS: tuple[int, ...] = tuple(INDEX[name] for name in CAMERA)
#: True for channels an anchor fixes, shape [64].
ANCHOR_MASK: NDArray[np.bool_] = np.array([i not in SPEECH_CHANNELS for i in range(NUM_CHANNELS)])


def rest(num_frames: int | None = None) -> Motion:
    """The picture's own pose: zeros of shape [64], or [num_frames, 64]."""
    return np.zeros(NUM_CHANNELS if num_frames is None else (num_frames, NUM_CHANNELS), np.float32)
