"""`rostrum bench live`: a real server, a host that speaks and a viewer that watches, over real WebRTC, and what that took."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import statistics
import sys
import time
from dataclasses import dataclass, field, replace
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from clients.bench import live_figures, machine, voices
from clients.bench.counting_viewers import CountingViewer
from clients.bench.live_server import LiveServer, ServerFailed
from clients.bench.packet_arrivals import PacketArrivals
from clients.python.control import ControlRefused
from clients.python.host import Host
from clients.python.server import Server, ServerError
from clients.python.sound import RATE_HZ, SoundError, SoundMicrophone, read_sound
from clients.python.viewer import Received as ReceivedFrame
from clients.python.viewer import Viewer
from engines.avatar_library import AvatarError
from engines.specs import SAMPLE_RATE_HZ
from streamer.plan import TIME_BASE_HZ
from streamer.webrtc import offer_loopback

START_S = 90.0  # at most, until the first sub-clip has been on air: models load, and the machine may be busy
BEGINNING_S = 20.0  # from the first delay that the server tells
SETTLE_S = 4.0  # after that, before anything counts
PROMPT_EVERY_S = 6.0
STOP_EVERY_S = 2.0
MUTED_S = 0.6
PROMPTS = ("very happy", "calm", "surprised, raises the brows", "calm, nods", "sad", "confident, slow zoom in")


@dataclass(frozen=True, slots=True)
class Other:
    """A broadcast beside the measured one. Its viewer decodes nothing: it would be on another machine."""

    host: Host
    viewer: CountingViewer

    def figures(self, seconds: float) -> dict[str, Any]:
        metrics = self.host.control.latest.get("metrics", {})
        delay = metrics.get("delay_ms")
        return {
            "pictures_per_s": round(self.viewer.counted.pictures / seconds, 1),
            "freezes": self.viewer.counted.freezes,
            "delay_ms": delay and delay["total"],
            "holds": metrics.get("holds"),
            "effort": metrics.get("effort"),
        }


@dataclass(slots=True, repr=False)  # a loop that ends prints its result
class Taken:
    """One broadcast as it went."""

    received: live_figures.Received
    spoken_at: float = 0.0
    since: float = 0.0  # arrivals after it count
    until: float = 0.0
    prompts: list[tuple[float, float]] = field(default_factory=list)  # sent at, on air at spoken time
    parts: list[dict[str, float]] = field(default_factory=list)
    holds: list[dict[str, int]] = field(default_factory=list)
    stops: list[tuple[str, float, float]] = field(default_factory=list)  # kind, sent at, new pictures from spoken time on
    told: list[tuple[float, float]] = field(default_factory=list)  # when, and the delay that the server tells, in ms
    others: list[Other] = field(default_factory=list)  # the broadcasts beside it
    beside: list[dict[str, Any]] = field(default_factory=list)  # what came of those
    loop_lag_ms: float | None = None
    late_frames: int = 0
    cpu_s: float = float("nan")
    first_frame_ms: float | None = None


def run(arguments: argparse.Namespace) -> int:
    """0 measured; 1 with a message where serving, speaking or watching failed."""
    try:
        avatar = voices.chosen_avatars(arguments.avatar)[0]
        sound = _sound(arguments)
        offer_loopback(None)
        with LiveServer("--log-level", "warning", *_server_flags(arguments)) as server:
            try:
                taken = asyncio.run(_broadcast(server, avatar.name, sound, arguments))
            except ServerError as error:
                raise ServerFailed(f"{error}\nThe server said:\n{server.said}") from None
        measured = figures(sound, taken)
    except (AvatarError, ServerFailed, ServerError, ControlRefused, SoundError, OSError) as error:
        print(f"rostrum bench live: {error}", file=sys.stderr)
        return 1
    about = {"avatar": avatar.name, "size": arguments.size, "fps": arguments.fps, "machine": machine.facts()}
    machine.show({**measured, **about}, arguments.json)
    return 0


def _server_flags(arguments: argparse.Namespace) -> list[str]:
    flags = ["--segment", str(arguments.segment), "--broadcasts", str(arguments.broadcasts)]
    flags += ["--workers", str(arguments.workers)] if arguments.workers else []
    flags += ["--lineage", str(arguments.lineage)] if arguments.lineage else []
    return flags + (["--worker-class", arguments.worker_class] if arguments.worker_class else [])


def _sound(arguments: argparse.Namespace) -> NDArray[np.int16]:
    """Mono at 48 kHz, long enough and never twice the same (or a repeated file could not be told from itself)."""
    wanted = arguments.seconds + SETTLE_S + START_S + 10 + 2 * arguments.stops * (STOP_EVERY_S + 1)
    if arguments.audio is None:
        return np.repeat(voices.babble(wanted), RATE_HZ // SAMPLE_RATE_HZ)
    sound = read_sound(arguments.audio)
    times = math.ceil(wanted * RATE_HZ / len(sound))
    if times == 1:
        return sound
    rng = np.random.default_rng(0)
    gaps = [np.zeros(round(rng.uniform(0.3, 1.2) * RATE_HZ), np.int16) for _ in range(times)]
    return np.concatenate([piece for gap in gaps for piece in (sound, gap)])


async def _broadcast(server: LiveServer, avatar: str, sound: NDArray[np.int16], arguments: argparse.Namespace) -> Taken:
    taken = Taken(live_figures.Received())
    microphone = SoundMicrophone(sound)
    api = Server(server.url)
    broadcast = await api.make_broadcast(avatar, arguments.size, arguments.fps)

    arrivals: list[PacketArrivals] = []

    def hear(message: dict[str, Any]) -> None:
        if message["type"] == "metrics" and message["delay_ms"]:
            taken.told.append((time.monotonic(), message["delay_ms"]["total"]))

    def note(frame: ReceivedFrame) -> None:
        if isinstance(frame.frame, av.AudioFrame):
            samples = frame.frame.to_ndarray().reshape(-1, frame.frame.layout.nb_channels)[:, 0].astype(np.int16, copy=False)
            taken.received.voice.append((frame.media_s, frame.arrived_at, samples))
        else:
            assert frame.frame.pts is not None and frame.frame.time_base is not None
            arrived_at = arrivals[0].of(frame.frame.pts, frame.frame.time_base)
            taken.received.pictures.append((frame.media_s, arrived_at or frame.arrived_at))

    async with contextlib.AsyncExitStack() as stack:
        for _ in range(arguments.broadcasts - 1):
            taken.others.append(await _another(stack, api, avatar, sound, arguments))
        host = await stack.enter_async_context(Host(api, broadcast, microphone, on_event=hear))
        viewer = await stack.enter_async_context(Viewer(broadcast.whep_url, on_frame=note))
        arrivals += [PacketArrivals(receiver) for receiver in viewer.receivers("video")]
        await viewer.picture(START_S)
        await host.control.wait_for("metrics", lambda message: message["delay_ms"] is not None, START_S)
        await asyncio.sleep(SETTLE_S)
        assert microphone.started_at is not None
        taken.spoken_at, taken.since = microphone.started_at, time.monotonic()
        began_cpu_s = server.cpu_s()
        for other in taken.others:
            other.viewer.counted.begin()
        machine.say(f"on air; measuring for {arguments.seconds:g} s")
        prompts = asyncio.create_task(_prompt(host, taken))
        end_at = taken.since + arguments.seconds
        while (now := time.monotonic()) < end_at:
            await asyncio.sleep(min(1.0, end_at - now))
            _check_on_air(host)
            metrics = host.control.latest.get("metrics")
            if metrics:
                taken.holds.append(metrics["holds"])
                taken.late_frames = metrics["late_frames"]
                if metrics["delay_ms"]:
                    taken.parts.append(metrics["delay_ms"])
        taken.cpu_s, taken.until = server.cpu_s() - began_cpu_s, time.monotonic()
        prompts.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await prompts  # raises what went wrong with one
        taken.loop_lag_ms = await server.loop_lag_ms()
        taken.beside = [other.figures(taken.until - taken.since) for other in taken.others]
        await _stop(host, taken, arguments.stops)
        await asyncio.sleep(2.5)  # the last prompts and sounds are still on their way
        taken.first_frame_ms = viewer.first_frame_ms
    return taken


async def _another(
    stack: contextlib.AsyncExitStack, api: Server, avatar: str, sound: NDArray[np.int16], arguments: argparse.Namespace
) -> Other:
    """A broadcast beside the measured one, with a viewer of its own."""
    broadcast = await api.make_broadcast(avatar, arguments.size, arguments.fps)
    other = Other(await stack.enter_async_context(Host(api, broadcast, SoundMicrophone(sound))), CountingViewer())
    await other.viewer.join(broadcast.whep_url)
    stack.push_async_callback(other.viewer.leave)
    await other.viewer.picture(START_S)
    return other


async def _stop(host: Host, taken: Taken, times: int) -> None:
    """Interrupts and mutes, at all places in a sub-clip."""
    rng = np.random.default_rng(0)
    for kind in ("interrupt", "mute") * times:
        await asyncio.sleep(STOP_EVERY_S + rng.uniform(0, 0.5))
        sent_at = time.monotonic()
        accepted = await (host.control.ask("mute", on=True) if kind == "mute" else host.control.ask("interrupt"))
        taken.stops.append((kind, sent_at, accepted["on_air_pts"] / TIME_BASE_HZ))
        if kind == "mute":
            await asyncio.sleep(MUTED_S)
            await host.control.ask("mute", on=False)


def _check_on_air(host: Host) -> None:
    state = host.control.latest.get("state", {})
    if state.get("state") == "ended":
        raise ServerError(f"the broadcast ended while it was measured: {state['reason']}")


async def _prompt(host: Host, taken: Taken) -> None:
    for i in range(10_000):
        await asyncio.sleep(PROMPT_EVERY_S)
        sent_at = time.monotonic()
        accepted = await host.control.prompt(PROMPTS[i % len(PROMPTS)])
        taken.prompts.append((sent_at, accepted["on_air_pts"] / TIME_BASE_HZ))


def figures(sound: NDArray[np.int16], taken: Taken) -> dict[str, Any]:
    """What the bench prints. Raises ServerError when the viewer got nothing that could be measured."""
    received, seconds = taken.received, taken.until - taken.since
    offsets = live_figures.media_minus_spoken(sound, taken.spoken_at, received)
    if not offsets:
        raise ServerError("the host's voice was not recognised in what the viewer received: nothing can be timed")
    pictures = [pair for pair in received.pictures if taken.since <= pair[1] < taken.until]
    if not pictures:
        raise ServerError("no picture reached the viewer while it was measured")
    since_s = pictures[0][0]
    measured = replace(received, pictures=pictures)
    delays = live_figures.picture_delays_ms(measured, offsets, taken.spoken_at, since_s)
    skews = live_figures.skews_ms(measured, since_s)
    voice = _voice_delays_ms(received, offsets, taken)
    to_air = [
        ms
        for sent_at, on_air_s in taken.prompts
        if (ms := live_figures.prompt_to_air_ms(received, offsets, sent_at, on_air_s)) is not None
    ]
    holds = live_figures.holds_per_min(taken.holds[0], taken.holds[-1], seconds) if taken.holds else {}
    delay_median, delay_p95 = live_figures.spread(delays)
    voice_median, voice_p95 = live_figures.spread(voice)
    skew_median, skew_p95 = live_figures.spread(np.abs(skews))
    air_median, air_p95 = live_figures.spread(to_air)
    return {
        "seconds": round(seconds, 1),
        "fps_received": round(len(pictures) / seconds, 2),
        "holds_per_min": round(sum(holds.values()), 2),
        "delay_ms_median": delay_median,
        "delay_ms_p95": delay_p95,
        "delay_ms_most_at_first": _most_at_first(taken),
        "voice_delay_ms_median": voice_median,
        "voice_delay_ms_p95": voice_p95,
        "av_skew_ms_median": skew_median,
        "av_skew_ms_p95": skew_p95,
        "picture_after_sound_ms": round(float(np.median(skews)), 1) if len(skews) else None,
        "prompt_to_air_ms_median": air_median,
        "prompt_to_air_ms_p95": air_p95,
        "num_prompts": len(to_air),
        **_stop_figures(taken, offsets),
        "loop_lag_ms_p95": None if taken.loop_lag_ms is None else round(taken.loop_lag_ms, 1),
        "others": taken.beside,
        "first_frame_ms": None if taken.first_frame_ms is None else round(taken.first_frame_ms, 1),
        "late_frames": taken.late_frames,
        "cpu_percent": None if math.isnan(taken.cpu_s) else round(taken.cpu_s / seconds * 100, 1),
        "holds_by_reason_per_min": {reason: rate for reason, rate in holds.items() if rate},
        "delay_parts_ms": {part: round(statistics.median(parts[part] for parts in taken.parts), 1) for part in taken.parts[-1]}
        if taken.parts
        else {},
    }


def _most_at_first(taken: Taken) -> float | None:
    """The longest delay in the first 20 s on air, as the server tells it."""
    return max((ms for at, ms in taken.told if at < taken.told[0][0] + BEGINNING_S), default=None)


def _stop_figures(taken: Taken, offsets: live_figures.Pairs) -> dict[str, Any]:
    """From sending an interrupt or a mute to the first silent sound, and to the first picture of what came after."""
    found: dict[str, Any] = {}
    for kind in ("interrupt", "mute"):
        sent = [(sent_at, on_air_s) for which, sent_at, on_air_s in taken.stops if which == kind]
        sound = [live_figures.silent_after_ms(taken.received, sent_at) for sent_at, _ in sent]
        picture = [live_figures.prompt_to_air_ms(taken.received, offsets, *each) for each in sent]
        for name, values in ((f"{kind}_sound", sound), (f"{kind}_picture", picture)):
            kept = [ms for ms in values if ms is not None]
            found[f"{name}_ms_median"], found[f"{name}_ms_p95"] = live_figures.spread(kept)
        found[f"num_{kind}s"] = len(sent)
    return found


def _voice_delays_ms(received: live_figures.Received, offsets: live_figures.Pairs, taken: Taken) -> list[float]:
    """From a sample being spoken to its arrival, for each received packet."""
    media, offset = np.array(offsets).T
    return [
        (arrived_s - (taken.spoken_at + media_s - float(np.interp(media_s, media, offset)))) * 1e3
        for media_s, arrived_s in received.sounds
        if taken.since <= arrived_s < taken.until
    ]
