"""Where pictures come from: one transformer and one codec, in a process of their own. The only file here that loads models."""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.avatar_library import Avatar
from engines.background_library import read_background
from engines.catalog import load_motion_model
from engines.codecs.portrait.codec import PortraitCodec
from engines.features import LEAD_S, SpeechEncoder, first_time
from engines.motion import ANCHOR_MASK, INDEX, Motion, rest
from engines.specs import MotionRequest
from streamer import blueprint, subclips
from streamer.blueprint import BlueprintRoller
from streamer.features import VOICE_RATE_HZ, VoiceWindow
from streamer.plan import (
    TIME_BASE_HZ,
    Beat,
    Blueprint,
    BlueprintJob,
    Keyframe,
    Look,
    Pts,
    Storyline,
    Stretch,
    SubClipJob,
    pts_from_s,
    s_from_pts,
)
from streamer.render_process import come_last

log = logging.getLogger(__name__)

THUMBNAIL_SIDE = 96  # pixels; square whatever the shape of the broadcast
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 78]
_WARM_FRAMES = range(5, 12)  # sub-clips of a quarter to half a second at 25 a second


class RenderWorker:
    """Draws blueprints, sub-clips, and pictures of the avatars it has open. Plain and synchronous; one in each worker process.

    threads: for the transformer and for the codec.
    """

    def __init__(self, *, threads: int = 1, model: str = "portrait") -> None:
        cv2.setNumThreads(threads)
        self._model = load_motion_model(model, threads=threads)
        self._speech = SpeechEncoder(threads=threads)
        self._codecs: dict[Look, PortraitCodec] = {}
        self._small: dict[Look, PortraitCodec | None] = {}  # None: it is being opened
        self._shelf: Path | None = None
        self.name = f"worker@{os.getpid()}"

    def warm(self) -> None:
        """Draw what a broadcast will ask for, of silence: each shape is slow the first time."""
        storyline = Storyline(1, (Beat(Pts(0)),))
        anchor = Keyframe(Pts(0), rest(), ANCHOR_MASK)
        voice = VoiceWindow()
        voice.push(np.zeros(2 * VOICE_RATE_HZ, np.int16))
        window = BlueprintRoller().next_job(storyline, anchor, 0, voice.read(Pts(0), voice.end), Pts(0), 0)
        assert window is not None
        self.blueprint(window)
        for num_frames in _WARM_FRAMES:
            last = Keyframe(Pts(num_frames * TIME_BASE_HZ // 25), rest(), ANCHOR_MASK)
            self.motion([subclips.cut(0, 0, storyline, anchor, last, voice, 25, 0, rest(subclips.HISTORY_FRAMES))])

    def open(self, look: Look, shelf: Path | None = None) -> NDArray[np.uint8]:
        """Have this look ready until it is forgotten. Returns it at rest, I420. May run beside anything else.

        shelf: a folder where workers leave each other what they have opened.
        """
        self._shelf = shelf
        codec = self._codecs[look] = _opened(look, shelf)
        return next(codec.frames(_shut(rest(1), codec)))

    def forget(self, look: Look) -> None:
        """It will not be drawn any more."""
        self._codecs.pop(look, None)
        self._small.pop(look, None)
        if self._shelf:
            for kept in (look, _small(look)):
                _place(self._shelf, kept).unlink(missing_ok=True)

    def blueprint(self, job: BlueprintJob) -> Blueprint:
        """The coarse pass of one window."""
        features, features_start = self._features(job.audio, job.audio_start)
        motion = self._model.generate([blueprint.motion_request(job, features, features_start)])[0]
        return Blueprint(job.storyline_version, job.first.pts, job.interval, blueprint.on_camera(job, motion))

    def motion(self, jobs: list[SubClipJob]) -> list[Motion]:
        """The motion [n + approach, 64] of each job, without planned gestures, in one batch where their lengths agree."""
        requests: list[MotionRequest] = []
        own: list[slice] = []
        for job in jobs:
            request, frames = subclips.motion_request(job, *self._features(job.audio, job.audio_start))
            requests.append(request)
            own.append(frames)
        drawn = zip(jobs, self._model.generate(requests), own, strict=True)
        return [subclips.finished(job, motion[frames]) for job, motion, frames in drawn]

    def pictures(self, look: Look, motion: Motion) -> Iterator[NDArray[np.uint8]]:
        """Motion [n, 64] to n I420 pictures [h * 3 // 2, w] of an open look, each drawn when it is asked for.

        A mouth that the portrait shows open shuts in silence. Raises KeyError for a look that is not open.
        """
        codec = self._codecs[look]
        return codec.frames(_shut(motion, codec))

    def film(self, look: Look, stretch: Stretch, frames: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """The pictures of a stretch at `frames`, counted from its start. Raises KeyError as `pictures`."""
        return self.pictures(look, stretch.motion[list(frames)])

    def thumbnail(self, look: Look, pose: Motion) -> bytes:
        """A JPEG of one pose [64], 96 pixels square. The first call opens a small codec beside the work and answers b""."""
        if look not in self._small:
            self._small[look] = None
            threading.Thread(target=self._open_small, args=(look,), name="small-codec", daemon=True).start()
        if (small := self._small[look]) is None:
            return b""
        picture = small.decode(_shut(pose, small))
        _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_YUV2BGR_I420), _JPEG)
        return jpeg.tobytes()

    def _open_small(self, look: Look) -> None:
        come_last()
        codec = _opened(_small(look), self._shelf)
        if look in self._small:  # not forgotten meanwhile
            self._small[look] = codec

    def _features(self, audio: NDArray[np.int16], audio_start: Pts) -> tuple[NDArray[np.float32], Pts]:
        """Speech features [n, 384] at 50 Hz of a job's voice, and the PTS of the first; a second of context goes before it."""
        origin_s = s_from_pts(audio_start)
        start_s, end_s = origin_s + LEAD_S, origin_s + len(audio) / VOICE_RATE_HZ
        features = self._speech.encode(audio, start_s, end_s, origin_s=origin_s)
        return features, pts_from_s(first_time(start_s))


def _small(look: Look) -> Look:
    return replace(look, width=THUMBNAIL_SIDE, height=THUMBNAIL_SIDE)


def _opened(look: Look, shelf: Path | None) -> PortraitCodec:
    """As another worker has left it on the shelf, which takes a hundredth of the time, else made, and left there."""
    if shelf:
        place = _place(shelf, look)
        if place.exists():
            opened: PortraitCodec = pickle.loads(place.read_bytes())  # written by a worker of this server, nobody else may
            return opened
    background = read_background(look.avatar / look.background) if isinstance(look.background, Path) else look.background
    codec = PortraitCodec(Avatar.load(look.avatar), (look.width, look.height), background=background)
    if shelf:
        unfinished = place.with_suffix(f".{os.getpid()}-{threading.get_native_id()}")
        try:
            unfinished.write_bytes(pickle.dumps(codec, protocol=5))
            unfinished.replace(place)
        except OSError as error:
            log.warning("%s is opened by each worker by itself: %s", look.avatar.name, error)
    return codec


def _place(shelf: Path, look: Look) -> Path:
    return shelf / f"{hashlib.sha256(repr(look).encode()).hexdigest()[:32]}.look"


def _shut(motion: Motion, codec: PortraitCodec) -> Motion:
    """Motion [..., 64] with the lips as far together as a mouth needs that the portrait shows open."""
    on_air = motion.copy()
    on_air[..., INDEX["mouthClose"]] += codec.shut
    return on_air
