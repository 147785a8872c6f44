"""`rostrum bench recording`: a live broadcast recorded by the server: are its pictures even, and in step with its sound?

The host's voice has a tone in it every two seconds, and each picture a mark as light as the tone is loud in its own 1/fps of
voice (`marking_worker`). Between the centres of gravity of the two lies the skew, to less than a picture's length. Pictures
that a busy machine held are counted, and left out of it; a tone amid more than two in a row is counted and not timed.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from clients.bench import machine, voices
from clients.bench.live_server import LiveServer, ServerFailed
from clients.bench.marking_worker import LOUD, TONE_HZ, TURNS, marks, tone_levels
from clients.python.control import ControlRefused
from clients.python.host import Host
from clients.python.server import Server, ServerError
from clients.python.sound import RATE_HZ, SoundMicrophone
from engines.avatar_library import AvatarError
from engines.specs import SAMPLE_RATE_HZ
from streamer.webrtc import offer_loopback

_VOICE_S = 120.0
_TONE_S = 0.16
_START_S = 90.0
_ABOUT_S, _MOST_HELD = 0.3, 2  # near a tone, how many pictures may be held in a row
_BLOCK = RATE_HZ // 1000  # 1 ms of the recorded sound
_WORKER = "clients.bench.marking_worker:MarkingWorker"


@dataclass(frozen=True, slots=True)
class Read:
    """A recording: when each picture is shown, how light its mark is, which are new (not the one before, held), and how loud
    the tone is in each ms of its sound. Levels are 0 to 1."""

    at_s: NDArray[np.float64]
    light: NDArray[np.float64]
    is_new: NDArray[np.bool_]
    loud: NDArray[np.float32]
    sound_starts_s: float

    @classmethod
    def of(cls, path: Path) -> Read:
        at_s, light, turns, sound, starts_s = [], [], [], [], None
        with av.open(str(path)) as container:
            for frame in container.decode(container.streams.video[0], container.streams.audio[0]):
                if isinstance(frame, av.VideoFrame):
                    levels = [
                        (float(mark.mean()) - 16) / 219 for mark in marks(frame.to_ndarray(format="yuv420p").astype(np.uint8))
                    ]
                    at_s.append(float(frame.time or 0))
                    light.append(levels[0])
                    turns.append(round((TURNS - 1) * levels[1]))
                elif isinstance(frame, av.AudioFrame):
                    starts_s = float(frame.time or 0) if starts_s is None else starts_s
                    sound.append(frame.to_ndarray().mean(axis=0).astype(np.float32))
        loud = tone_levels(np.concatenate(sound), RATE_HZ, _BLOCK) if sound else np.zeros(0, np.float32)
        is_new = np.diff(np.array(turns), prepend=-1) != 0
        return cls(np.array(at_s), np.array(light), is_new, loud, starts_s or 0.0)

    def skews(self, fps: int) -> list[tuple[float, float]]:
        """(when, by how much later than its marks a tone is heard), in seconds: not more than one, not a number amid holds."""
        heard = _centres(self.sound_starts_s + (np.arange(len(self.loud)) + 0.5) / 1000, self.loud)
        light = np.interp(self.at_s, self.at_s[self.is_new], self.light[self.is_new])
        seen = np.array(_centres(self.at_s + 0.5 / fps, light))
        whole = [at for at in heard if self.at_s[0] + 1 < at < self.at_s[-1] - 1]
        late = [min(max(at - float(seen[np.abs(seen - at).argmin()]), -1.0), 1.0) for at in whole] if len(seen) else []
        return [(at, math.nan if self._is_held_about(at) else each) for at, each in zip(whole, late, strict=False)]

    def _is_held_about(self, at_s: float) -> bool:
        near = self.is_new[np.abs(self.at_s - at_s) < _ABOUT_S]
        return len(near) > _MOST_HELD and not np.lib.stride_tricks.sliding_window_view(near, _MOST_HELD + 1).any(axis=1).all()


def _centres(times_s: NDArray[np.float64], levels: NDArray[Any]) -> list[float]:
    """Of each tone: its levels' centre of gravity. What is faint is not one, and tones lie more than half a second apart."""
    levels = np.where(levels > 0.15, levels, 0)
    (there,) = np.nonzero(levels)
    groups = np.split(there, np.nonzero(np.diff(times_s[there]) > 0.5)[0] + 1) if len(there) else []
    return [float((times_s[group] * levels[group]).sum() / levels[group].sum()) for group in groups]


def voice_with_tones(seconds: float) -> tuple[NDArray[np.int16], int]:
    """Made-up speech at 48 kHz with a tone every 1.6 to 2.4 s, and how many there are."""
    sound = np.repeat(voices.babble(seconds), RATE_HZ // SAMPLE_RATE_HZ).astype(np.float32) * 0.5
    rng, times = np.random.default_rng(0), np.arange(round(_TONE_S * RATE_HZ)) / RATE_HZ
    tone = 1.2 * LOUD * 32768 * np.hanning(len(times)) ** 0.5 * np.sin(2 * np.pi * TONE_HZ * times)
    at_s, count = 1.0, 0
    while at_s < seconds - 1:
        first = round(at_s * RATE_HZ)
        sound[first : first + len(tone)] = tone
        at_s, count = at_s + rng.uniform(1.6, 2.4), count + 1
    return np.clip(sound, -32768, 32767).astype(np.int16), count


def run(arguments: argparse.Namespace) -> int:
    """0 measured; 1 with a message where serving, speaking or recording failed."""
    try:
        avatar = voices.chosen_avatars(arguments.avatar)[0].name
        offer_loopback(None)
        with tempfile.TemporaryDirectory(prefix="rostrum-bench-") as folder:
            root = arguments.keep or Path(folder)
            with LiveServer("--log-level", "warning", "--worker-class", _WORKER, "--recordings", str(root)) as server:
                try:
                    path, told = asyncio.run(_recorded(server, avatar, root, arguments))
                except ServerError as error:
                    raise ServerFailed(f"{error}\nThe server said:\n{server.said}") from None
            measured = figures(Read.of(path), arguments.fps)
    except (AvatarError, ServerFailed, ServerError, ControlRefused, OSError) as error:
        print(f"rostrum bench recording: {error}", file=sys.stderr)
        return 1
    machine.show({**measured, **told, "machine": machine.facts()}, arguments.json)
    return 0


async def _recorded(server: LiveServer, avatar: str, root: Path, arguments: argparse.Namespace) -> tuple[Path, dict[str, Any]]:
    api = Server(server.url)
    broadcast = await api.make_broadcast(avatar, arguments.size, arguments.fps)
    async with Host(api, broadcast, SoundMicrophone(voice_with_tones(_VOICE_S)[0], loop=True)) as host:
        await host.control.wait_for("metrics", lambda message: message["frames"] > arguments.fps, _START_S)
        await host.control.ask("start_output", kind="record")
        began_cpu_s, began_s = server.cpu_s(), time.monotonic()
        machine.say(f"on air; recording for {arguments.minutes:g} minutes")
        for _ in range(round(60 * arguments.minutes)):
            await asyncio.sleep(1.0)
            if host.control.latest["state"]["state"] == "ended":
                raise ServerError(f"the broadcast ended: {host.control.latest['state']['reason']}")
        lasted_s, metrics = time.monotonic() - began_s, host.control.latest["metrics"]
        (output,) = host.control.latest["outputs"]["outputs"]
        told = {
            "holds": metrics["holds"],
            "late_pictures": metrics["late_frames"],
            "dropped_turns": output["dropped_turns"],
            "server_cpu_percent": round(100 * (server.cpu_s() - began_cpu_s) / lasted_s, 1),
        }
        await host.control.ask("stop_output", output=output["id"])
        await host.control.wait_for("outputs", lambda message: message["outputs"][0]["state"] == "ended")
    return root / Path(output["link"]).name, told


def figures(read: Read, fps: int) -> dict[str, Any]:
    """What the bench prints. Raises ServerError where the tones cannot be found again."""
    tones = read.skews(fps)
    skews = [(at_s, skew_s) for at_s, skew_s in tones if math.isfinite(skew_s)]
    if len(skews) < 5:
        raise ServerError("the tones of the host's voice were not found in the recording: nothing can be timed")
    minutes: dict[int, list[float]] = {}
    for at_s, skew_s in skews:
        minutes.setdefault(int(at_s / 60), []).append(1e3 * skew_s)
    all_ms = [1e3 * skew_s for _, skew_s in skews]
    gaps = np.diff(read.at_s)
    return {
        "pictures": len(read.at_s),
        "held_pictures": int((~read.is_new).sum()),
        "uneven_pictures": int((np.abs(gaps - 1 / fps) > 1e-4).sum()),
        "video_s": round(float(read.at_s[-1] - read.at_s[0]) + 1 / fps, 2),
        "sound_s": round(len(read.loud) / 1000, 2),
        "tones": len(tones),
        "tones_amid_holds": len(tones) - len(skews),
        "skew_ms_median": round(statistics.median(all_ms), 1),
        "skew_ms_p95": round(float(np.percentile(np.abs(all_ms), 95)), 1),
        "skew_ms_worst": _worst(all_ms),
        "beyond_40_ms": sum(abs(each) > 40 for each in all_ms),
        "skew_ms_median_by_minute": [round(statistics.median(each), 1) for _, each in sorted(minutes.items())],
        "skew_ms_worst_by_minute": [_worst(each) for _, each in sorted(minutes.items())],
    }


def _worst(skews_ms: list[float]) -> float:
    return round(float(skews_ms[int(np.abs(skews_ms).argmax())]), 1)
