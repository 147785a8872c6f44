"""`rostrum bench soak`: on air for long, in real time over real WebRTC or in virtual time; what grows, and what drifts.

Slopes are straight lines through all samples after the first fifth (warm-up): a broadcast of any length has none.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clients.bench import machine, virtual_time, voices
from clients.bench.fault_scene import Scene, Sizes
from clients.bench.live_server import LiveServer, ServerFailed
from clients.bench.processes import own_resident_mb, resident_mb
from clients.bench.virtual_soak import VirtualShow
from clients.python.control import ControlRefused
from clients.python.server import Server, ServerError
from clients.python.sound import RATE_HZ, SoundMicrophone
from engines.avatar_library import AvatarError
from engines.specs import SAMPLE_RATE_HZ
from streamer.webrtc import notice_losses_soon, offer_loopback

_EVERY_S = 10.0  # a sample, in real time
_VIRTUAL_EVERY_S = 60.0
_VOICE_S = 120.0
_WARM_UP = 0.2
_PROMPTS = ("very happy", "calm", "surprised, raises the brows", "sad, slow zoom in", "confident, nods")


@dataclass
class Course:
    """Samples of one soak: hours since the start, and a column for each thing that must not grow or drift."""

    hours: list[float] = field(default_factory=list)
    columns: dict[str, list[float]] = field(default_factory=dict)

    def add(self, seconds: float, **values: float | None) -> None:
        self.hours.append(seconds / 3600)
        for name, value in values.items():
            self.columns.setdefault(name, []).append(float("nan") if value is None else float(value))

    def slope_per_hour(self, name: str) -> float | None:
        """Least squares, after warm-up; None where there is too little."""
        first = round(_WARM_UP * len(self.hours))
        x, y = np.array(self.hours[first:]), np.array(self.columns[name][first:])
        known = np.isfinite(y)
        if known.sum() < 3:
            return None
        return round(float(np.polyfit(x[known], y[known], 1)[0]), 3)

    def median(self, name: str) -> float | None:
        known = [value for value in self.columns[name] if np.isfinite(value)]
        return round(statistics.median(known), 2) if known else None

    def ends(self, name: str) -> tuple[float, float]:
        """The first sample after warm-up, and the last."""
        column = self.columns[name]
        return round(column[round(_WARM_UP * len(column))], 1), round(column[-1], 1)


def run(arguments: argparse.Namespace) -> int:
    """0 measured; 1 with a message where serving, speaking or watching failed."""
    try:
        if arguments.virtual_hours:
            figures = virtual_time.run(_virtual(3600 * arguments.virtual_hours, arguments.seed))
        else:
            offer_loopback(None)
            notice_losses_soon()
            avatar = voices.chosen_avatars(arguments.avatar)[0].name
            with LiveServer("--log-level", "warning") as server:
                try:
                    figures = asyncio.run(_real(server, avatar, arguments))
                except ServerError as error:
                    raise ServerFailed(f"{error}\nThe server said:\n{server.said}") from None
    except (AvatarError, ServerFailed, ServerError, ControlRefused, OSError) as error:
        print(f"rostrum bench soak: {error}", file=sys.stderr)
        return 1
    machine.show({**figures, "machine": machine.facts()}, arguments.json)
    return 0


async def _real(server: LiveServer, avatar: str, arguments: argparse.Namespace) -> dict[str, Any]:
    course, api = Course(), Server(server.url)
    broadcast = await api.make_broadcast(avatar, arguments.size, arguments.fps)
    sound = np.repeat(voices.babble(_VOICE_S), RATE_HZ // SAMPLE_RATE_HZ)
    async with Scene(
        server.url, server.pid, api, broadcast, SoundMicrophone(sound, loop=True), Sizes(), arguments.fps
    ) as scene:
        await scene.is_on_air()
        began_s, lags = scene.begin(), []
        end_s, prompts = began_s + 60 * arguments.minutes, 0
        while (now_s := scene.now_s()) < end_s:
            await asyncio.sleep(min(_EVERY_S, end_s - now_s))
            prompts += 1
            await scene.host.control.prompt(_PROMPTS[prompts % len(_PROMPTS)])
            lag = await server.loop_lag_ms()
            lags += [] if lag is None else [lag]
            course.add(
                scene.now_s() - began_s,
                server_mb=resident_mb(server.pid, alone=True),
                family_mb=scene.rss_mb(),
                skew_ms=scene.skew_ms(scene.now_s() - 5.0),
                delay_ms=scene.delay_ms(),
                fps=scene.fps_since(scene.now_s() - 5.0),
            )
            scene.forget_before(scene.now_s() - 20.0)
        return {
            "minutes": round((scene.now_s() - began_s) / 60, 2),
            **_memory_and_drift(course, "server_mb", "family_mb", "skew_ms", "delay_ms", "fps"),
            "holds": scene.holds(),
            "host_reconnects": scene.host.reconnects,
            "viewer_reconnects": scene.viewer.reconnects,
            "event_loop_lag_ms_p95": round(statistics.median(lags), 1) if lags else None,
            "host_message": scene.host_was_told(),
        }


async def _virtual(seconds: float, seed: int) -> dict[str, Any]:
    course, loop = Course(), asyncio.get_running_loop()
    async with VirtualShow(seed) as show:
        began_s = loop.time()
        while loop.time() - began_s < seconds:
            await asyncio.sleep(min(_VIRTUAL_EVERY_S, seconds - (loop.time() - began_s)))
            gc.collect()
            course.add(
                loop.time() - began_s,
                process_mb=own_resident_mb(),
                objects=len(gc.get_objects()),
                tasks=len(asyncio.all_tasks()),
                skew_ms=show.skew_ms(),
                delay_ms=show.delay_ms(),
            )
            if len(course.hours) % 15 == 0:
                machine.say(f"{course.hours[-1]:.1f} h of media, {course.columns['process_mb'][-1]:.1f} MB")
    return {
        "virtual_hours": round(seconds / 3600, 3),
        "frames": show.frames,
        **_memory_and_drift(course, "process_mb", "objects", "tasks", "skew_ms", "delay_ms"),
        "skew_ms_worst": show.worst_skew_ms,
        "holds": show.holds(),
        "commands": show.commands,
    }


def _memory_and_drift(course: Course, *names: str) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name in names:
        figures[f"{name}_median"] = course.median(name)
        figures[f"{name}_per_hour"] = course.slope_per_hour(name)
        if name.endswith(("_mb", "objects", "tasks")):
            figures[f"{name}_first"], figures[f"{name}_last"] = course.ends(name)
    return figures
