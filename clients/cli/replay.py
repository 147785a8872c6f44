"""`rostrum replay`: the lineage of a live broadcast as a waterfall, and any sub-clip of it drawn again."""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clients.cli.waterfall import waterfall
from engines.motion import Motion
from streamer import gestures, lineage
from streamer.lineage import LineageError
from streamer.plan import SubClipJob

_SPAN_S = 4.0


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rostrum replay`."""
    parser = subparsers.add_parser(
        "replay", help="show what a live broadcast did, and draw any of it again", description=__doc__
    )
    parser.add_argument("lineage", type=Path, metavar="LINEAGE.jsonl", help="as `rostrum serve --lineage DIR` writes it")
    parser.add_argument("--at", type=float, metavar="S", help="seconds into the broadcast (default: where it was latest)")
    parser.add_argument("--span", type=float, default=_SPAN_S, metavar="S", help="to be shown (default %(default)s)")
    parser.add_argument("--clips", default="", metavar="N or N-M", help="draw these sub-clips again, and compare their motion")
    parser.add_argument("--size", default="512x512", metavar="WxH", help="of what is drawn again (default %(default)s)")
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="the waterfall (.svg), or with --clips the film (.mp4)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 done; 1 with a message, also where a sub-clip does not come out as it was; 2 for a wrong argument."""
    try:
        if arguments.clips:
            return _draw_again(arguments)
        entries = [entry for entry, _, _ in lineage.read(arguments.lineage)]
        if not entries:
            raise LineageError(f"{arguments.lineage} is empty")
        at_s = arguments.at if arguments.at is not None else _latest(entries)
        shown = [entry for entry in entries if at_s - arguments.span / 2 <= entry["start_s"] <= at_s + arguments.span / 2]
        if not shown:
            first, last = entries[0]["start_s"], entries[-1]["end_s"]
            raise LineageError(f"nothing was on air about {at_s} s; the file holds {first:.2f} to {last:.2f} s")
    except (LineageError, OSError) as error:
        print(f"rostrum replay: {error}", file=sys.stderr)
        return 1
    for entry in shown:
        print(_told(entry))
    out = arguments.out or arguments.lineage.with_suffix(".svg")
    out.write_text(waterfall(shown), encoding="utf-8")
    print(f"{out}: {len(shown)} sub-clips about {at_s:.2f} s", file=sys.stderr)
    return 0


def _latest(entries: Sequence[dict[str, Any]]) -> float:
    """Where most pictures came too late, or else where a clip had least time to spare."""
    found: float = max(entries, key=lambda entry: (entry["late_pictures"], -entry["playout_ms"]))["start_s"]
    return found


def _told(entry: dict[str, Any]) -> str:
    how = "joined by a repair" if entry["join"] else "chained" if entry["chained"] else "from its anchor"
    parts = " ".join(f"{part} {entry[f'{part}_ms']:.0f}" for part in ("jitter", "segment", "render", "playout", "encode"))
    late = f", {entry['late_pictures']} late" if entry["late_pictures"] else ""
    where = f"{entry['job']:6d}  {entry['start_s']:9.2f} s  {entry['frames']:3d} frames"
    return f"{where} {how}{late}, by {entry['worker']}; ms: {parts}"


def _draw_again(arguments: argparse.Namespace) -> int:
    from clients.cli.render import parse_size
    from engines.avatar_library import AvatarError, AvatarLibrary
    from streamer.outputs.mp4 import Mp4Writer, VideoFormat, encode_group
    from streamer.plan import Look
    from streamer.render_worker import RenderWorker

    try:
        first, _, last = arguments.clips.partition("-")
        wanted = range(int(first), int(last or first) + 1)
        size = parse_size(arguments.size)
    except ValueError as error:
        print(f"rostrum replay: {error}", file=sys.stderr)
        return 2
    worker = RenderWorker()
    motions: list[Motion] = []
    jobs: list[SubClipJob] = []
    voices: list[NDArray[np.int16]] = []
    differing, avatar, fps = 0, "", 25
    for entry, job, join in lineage.read(arguments.lineage):
        if job.job_id not in wanted:
            continue
        motion = worker.motion([job])[0][: job.num_frames]
        same = zlib.crc32(np.ascontiguousarray(motion).tobytes()) == entry["motion_crc32"]
        differing += not same
        print(f"{_told(entry)}; {'the same motion' if same else 'NOT the same motion: other weights, or another machine'}")
        if join is not None and motions:
            repaired, r = worker.motion([join])[0], join.num_frames // 2
            motions[-1][-r:], motion[:r] = repaired[:r], repaired[r:]
        motions.append(motion)
        jobs.append(job)
        heard = (job.start - job.audio_start) // 3
        voices.append(job.audio[heard : heard + (job.end - job.start) // 3])
        avatar, fps = entry["avatar"], job.fps
    if not motions:
        raise LineageError(f"{arguments.lineage} holds no sub-clip {arguments.clips}")
    if arguments.out:
        try:
            look = Look(AvatarLibrary.default().get(avatar).folder, *size)
        except AvatarError as error:
            print(f"rostrum replay: {error}", file=sys.stderr)
            return 1
        worker.open(look)
        video = VideoFormat(*size, fps)
        with Mp4Writer(arguments.out, video) as writer:
            sound = np.repeat(np.concatenate(voices).repeat(3)[:, None], 2, axis=1)
            shown = [gestures.performed(job.gestures, job.start, fps, each) for job, each in zip(jobs, motions, strict=True)]
            writer.write(encode_group(worker.pictures(look, np.concatenate(shown)), video), sound)
        print(f"{arguments.out}: {len(motions)} sub-clips of {avatar}", file=sys.stderr)
    return 1 if differing else 0
