"""What a broadcast says of itself: to its hosts over the control websocket, and to Prometheus. Values in, messages out."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from streamer.config import BroadcastSettings
from streamer.control import Role
from streamer.effort import LEVELS
from streamer.metrics import Sample
from streamer.outputs.output import Report
from streamer.plan import Keyframe, Pts, Storyline, SubClipJob, s_from_pts
from streamer.protocol import Accepted, Aired, Command, Hello, Horizon, KeyframeMessage, Metrics, State


def hello(broadcast: str, role: Role, state: State, avatar: str, settings: BroadcastSettings) -> Hello:
    """What a new control connection is told first."""
    return Hello(
        broadcast=broadcast,
        role=role,
        state=state,
        avatar=avatar,
        width=settings.width,
        height=settings.height,
        fps=settings.fps,
    )


def keyframe(anchor: Keyframe, version: int, avatar: str, jpeg: bytes) -> KeyframeMessage:
    image = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    start_s = round(s_from_pts(anchor.pts), 3)
    return KeyframeMessage(pts=anchor.pts, start_s=start_s, version=version, avatar=avatar, image=image)


def aired(job: SubClipJob) -> Aired:
    start_s, end_s = (round(s_from_pts(pts), 3) for pts in (job.start, job.end))
    return Aired(version=job.storyline_version, start_pts=job.start, end_pts=job.end, start_s=start_s, end_s=end_s)


def accepted(
    message: Command,
    storyline: Storyline,
    at: Pts,
    position: Pts,
    understood: tuple[str, ...],
    undrawn: tuple[str, ...],
    cues: tuple[str, ...],
    note: str,
) -> Accepted:
    """The answer to a command that is carried out from `at` on."""
    return Accepted(
        id=message.id,
        version=storyline.version,
        on_air_pts=at,
        on_air_in_s=round(max(0.0, s_from_pts(Pts(at - position))), 3),
        understood=understood,
        undrawn=undrawn,
        cues=cues,
        note=note,
    )


def unheard(cues: tuple[str, ...], problem: str) -> str:
    """That these cue words will never be heard, and why; "" where there are none. problem: of what would write them down."""
    if not cues:
        return ""
    way_out = problem or "start it with --transcript MODEL (pip install 'rostrum[transcript]')"
    return f"“{cues[0]}” is heard in lines that are typed, not from the microphone: {way_out}"


def horizon(aired: Pts | None, heard: Pts, committed: Pts, planned: Pts, line: Storyline) -> Horizon:
    """Each is at least the one before it. The storyline is intended as far as its last change."""
    aired_s = s_from_pts(aired or 0)
    committed_s = max(aired_s, s_from_pts(committed))
    planned_s = max(committed_s, s_from_pts(planned))
    last = line.beats[-1]
    return Horizon(
        aired_s=round(aired_s, 3),
        heard_s=round(s_from_pts(heard), 3),
        committed_s=round(committed_s, 3),
        planned_s=round(planned_s, 3),
        intended_s=round(max(planned_s, s_from_pts(last.end or last.start)), 3),
    )


def of_server(
    *, broadcasts: tuple[int, int, int], is_ready: bool, is_draining: bool, workers: tuple[float, int]
) -> list[Sample]:
    """What concerns all broadcasts. broadcasts: running, ever started, at most. workers: share taken, number replaced."""
    (running, started, at_most), (load, restarts) = broadcasts, workers
    return [
        Sample("rostrum_broadcasts", "gauge", "Broadcasts that run.", running, {}),
        Sample("rostrum_broadcasts_started_total", "counter", "Broadcasts ever started.", started, {}),
        Sample("rostrum_broadcasts_max", "gauge", "Broadcasts at once, at most.", at_most, {}),
        Sample("rostrum_ready", "gauge", "1: able to take a broadcast; as /readyz.", is_ready, {}),
        Sample("rostrum_draining", "gauge", "1: about to stop.", is_draining, {}),
        Sample("rostrum_render_load", "gauge", "The share of the render workers that is taken.", load, {}),
        Sample("rostrum_worker_restarts_total", "counter", "Render workers replaced.", restarts, {}),
    ]


def output_samples(broadcast: str, found: Iterable[Report]) -> list[Sample]:
    """How the outputs stand, as Prometheus reads it."""
    made = []
    for report in found:
        labels = {"broadcast": broadcast, "output": report.id, "kind": report.kind}
        for name, kind, text, value in (
            (
                "rostrum_output_up",
                "gauge",
                "1: what is sent arrives; 0: it starts, is tried again, has failed or ended.",
                report.state == "on",
            ),
            ("rostrum_output_bytes_total", "counter", "Written to the output.", report.sent_bytes),
            ("rostrum_output_retries_total", "counter", "How often the output was begun anew.", report.retries),
            (
                "rostrum_output_dropped_turns_total",
                "counter",
                "Pictures the output could not take in time.",
                report.dropped_turns,
            ),
        ):
            made.append(Sample(name, kind, text, value, labels))
    return made


def samples(broadcast: str, metrics: Metrics) -> list[Sample]:
    """The metrics message as Prometheus reads it."""
    labels = {"broadcast": broadcast}
    plain = (
        ("rostrum_fps", "gauge", "Frames put on air in the last second.", metrics.fps),
        ("rostrum_frames_total", "counter", "Frames aired.", metrics.frames),
        ("rostrum_late_frames_total", "counter", "Frames dropped because they came too late.", metrics.late_frames),
        ("rostrum_viewers", "gauge", "Viewers connected.", metrics.viewers),
        (
            "rostrum_effort_level",
            "gauge",
            "0: sub-clips are drawn in full; 1: in fewer steps; 2: every other picture only.",
            [level.name for level in LEVELS].index(metrics.effort),
        ),
        (
            "rostrum_interrupt_ms",
            "gauge",
            "From the last interrupt to the first packet without what it dropped; 0: there was none.",
            metrics.interrupt_ms or 0,
        ),
        (
            "rostrum_render_ms_per_frame",
            "gauge",
            "Transformer and codec, the last sub-clip's.",
            metrics.render_ms_per_frame or 0,
        ),
        (
            "rostrum_bits_per_second",
            "gauge",
            "Encoded, before it is sent to each viewer.",
            metrics.bitrate_bps,
        ),
    )
    found = [Sample(name, kind, text, value, labels) for name, kind, text, value in plain]
    for reason, count in metrics.holds.items():
        found.append(
            Sample("rostrum_holds_total", "counter", "Frames repeated, by reason.", count, {**labels, "reason": reason})
        )
    if metrics.delay_ms:
        for part, ms in metrics.delay_ms.model_dump().items():
            found.append(Sample("rostrum_delay_ms", "gauge", "Mic to viewer, by part.", ms, {**labels, "part": part}))
    return found


#: What waits where, by its name in `Session.queues`.
QUEUES = {
    "voice_packets": "Packets of the microphone that have come and are not taken.",
    "sentences": "Sentences that wait to be spoken by the voice.",
    "lines_seconds": "Seconds of typed or pushed speech that wait to be said.",
    "voice_seconds": "Seconds of voice that have arrived and are not on air.",
    "pictures_seconds": "Seconds that are queued, rendering or rendered, and not on air.",
    "blueprints": "Blueprint windows that are being drawn.",
    "controllers": "Control connections.",
    "agents": "Connections that push sound.",
}


def queue_samples(broadcast: str, queues: dict[str, float]) -> list[Sample]:
    """`rostrum_queue_<name>` for each."""
    return [
        Sample(f"rostrum_queue_{name}", "gauge", QUEUES[name], round(depth, 3), {"broadcast": broadcast})
        for name, depth in queues.items()
    ]
