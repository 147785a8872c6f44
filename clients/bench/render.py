"""`rostrum bench render`: milliseconds a frame of the codec, and seconds of video a second of the whole offline road."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from clients.bench import machine, voices
from engines.avatar_library import Avatar, AvatarError
from engines.codecs.portrait.codec import PortraitCodec
from engines.motion import INDEX, Motion, rest
from streamer.offline import ShowOptions, render_video
from streamer.recording import Recording

CODEC_SIZES = {"512x512": (512, 512), "1280x720": (1280, 720), "1920x1080": (1920, 1080)}
ROADS = {"512x512@25": ((512, 512), 25), "1920x1080@48": ((1920, 1080), 48)}
WORKERS = (1, 2)
_WARM_UP_FRAMES = 10


def run(arguments: argparse.Namespace) -> int:
    """0 measured; 1 with a message where the avatar is not to be had."""
    try:
        avatar = voices.chosen_avatars(arguments.avatar)[0]
        before = machine.facts()
        codec = {name: _codec_ms(avatar, size, arguments.frames) for name, size in CODEC_SIZES.items()}
        speed = _road_speeds(avatar, arguments.seconds)
    except (AvatarError, OSError) as error:
        print(f"rostrum bench render: {error}", file=sys.stderr)
        return 1
    figures: dict[str, Any] = {
        "ms_per_frame": {name: median for name, (median, _, _) in codec.items()},
        "ms_per_frame_p95": {name: p95 for name, (_, p95, _) in codec.items()},
        "cpu_ms_per_frame": {name: cpu for name, (_, _, cpu) in codec.items()},
        "video_s_per_s": speed,
        "avatar": avatar.name,
        "machine": before,
    }
    machine.show(figures, arguments.json)
    return 0


def lively_motion(num_frames: int, fps: float = 25.0) -> Motion:
    """Motion [num_frames, 64] in which everything moves as in lively talk, so that no shortcut for a still face is timed."""
    motion = rest(num_frames)
    time_s = np.arange(num_frames) / fps

    def swing(hz: float, phase: float = 0.0) -> np.ndarray:
        return np.asarray(np.sin(2 * np.pi * hz * time_s + phase))

    for name, low, high, hz in (
        ("jawOpen", 0.0, 0.45, 3.1), ("mouthFunnel", 0.0, 0.4, 1.7), ("mouthPucker", 0.0, 0.4, 1.3),
        ("mouthSmileLeft", 0.0, 0.5, 0.3), ("mouthSmileRight", 0.0, 0.5, 0.3), ("browInnerUp", 0.0, 0.6, 0.4),
        ("eyeBlinkLeft", 0.0, 1.0, 0.5), ("eyeBlinkRight", 0.0, 1.0, 0.5), ("eyeLookOutLeft", 0.0, 0.4, 0.2),
        ("eyeLookInRight", 0.0, 0.4, 0.2), ("breath", 0.0, 1.0, 0.25), ("headYaw", -0.25, 0.25, 0.21),
        ("headPitch", -0.12, 0.12, 0.33), ("headRoll", -0.1, 0.1, 0.17), ("cameraZoom", 0.0, 0.15, 0.05),
    ):  # fmt: skip
        motion[:, INDEX[name]] = low + (high - low) * (0.5 + 0.5 * swing(hz, phase=len(name)))
    return motion


def _codec_ms(avatar: Avatar, size: tuple[int, int], num_frames: int) -> tuple[float, float, float]:
    """Median and 95th percentile of decoding one frame on one thread, and the median of the processor time it took.

    On a machine with other work the last tells more: it does not count the waiting.
    """
    cv2.setNumThreads(1)
    codec = PortraitCodec(avatar, size)
    wall_ms, cpu_ms = [], []
    for frame in lively_motion(num_frames + _WARM_UP_FRAMES):
        began, began_cpu = time.perf_counter(), time.thread_time()
        codec.decode(frame)
        wall_ms.append((time.perf_counter() - began) * 1e3)
        cpu_ms.append((time.thread_time() - began_cpu) * 1e3)
    median, p95 = (round(float(np.percentile(wall_ms[_WARM_UP_FRAMES:], q)), 2) for q in (50, 95))
    cpu = round(float(np.median(cpu_ms[_WARM_UP_FRAMES:])), 2)
    machine.say(f"codec {size[0]}x{size[1]}: {median} ms a frame, p95 {p95}, processor {cpu}")
    return median, p95, cpu


def _road_speeds(avatar: Avatar, seconds: float) -> dict[str, float]:
    """Seconds of video for a second of work, recording to MP4, processes started and models loaded included."""
    speeds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="rostrum-bench-") as scratch:
        recording: Recording = voices.recording_of(voices.babble(seconds), Path(scratch))
        for name, (size, fps) in ROADS.items():
            for workers in WORKERS:
                options = ShowOptions(size=size, fps=fps, workers=workers)
                report, _ = render_video(avatar.folder, recording, Path(scratch) / "out.mp4", "", options)
                label = f"{name} {workers} worker" + ("s" if workers > 1 else "")
                speeds[label] = report.realtime
                machine.say(f"{label}: {report.realtime} s of video a second")
    return speeds
