"""`rostrum bench`: measure motion, live delay, fan-out, rendering speed, what the director understands and what of it shows."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rostrum bench` and its kinds."""
    parser = subparsers.add_parser("bench", help="measure motion, delay, speed or understanding", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)

    motion = kinds.add_parser("motion", help="render speech, read the faces back, and say how well they speak")
    motion.add_argument(
        "--talking", type=Path, metavar="DIR", help="folder of real talking clips (.npz): voices, and the yardstick"
    )
    motion.add_argument("--speech", type=Path, metavar="DIR", help="folder of more recordings to speak, of any kind")
    motion.add_argument("--avatars", default="", metavar="A,B", help="avatars to speak through, in turn (default: all shipped)")
    motion.add_argument("--limit", type=int, metavar="N", help="measure N clips only, spread over the folder")
    motion.add_argument("--skip", action="append", default=[], metavar="GLOB", help="leave out clips, such as those trained on")
    motion.add_argument("--size", default="384x384", metavar="WxH", help="of the rendered pictures (default 384x384)")
    motion.add_argument("--prompt", default="", help="spoken with this prompt (default: none)")
    motion.add_argument("--seed", type=int, default=0)
    motion.add_argument("--workers", type=int, default=2, metavar="N", help="avatars that speak at a time (default 2)")
    motion.add_argument("--no-baseline", action="store_true", help="do not render the ridge-driven face")
    motion.add_argument("--details", type=Path, metavar="FILE", help="write a JSON line a clip")
    motion.set_defaults(run=_motion)

    live = kinds.add_parser("live", help="serve, speak and watch over real WebRTC, and time it")
    live.add_argument("--seconds", type=float, default=60.0, help="on air (default 60)")
    live.add_argument("--size", default="512x512", metavar="WxH")
    live.add_argument("--fps", type=int, default=25)
    live.add_argument("--avatar", default="", metavar="NAME", help="default: the first shipped")
    live.add_argument(
        "--audio", type=Path, metavar="FILE", help="the host's speech (default: made-up sound with the rhythm of speech)"
    )
    live.add_argument("--segment", type=float, default=0.24, metavar="S", help="voice in one sub-clip (default 0.24)")
    live.add_argument("--broadcasts", type=int, default=1, metavar="N", help="at once; the first one is measured (default 1)")
    live.add_argument("--stops", type=int, default=10, metavar="N", help="interrupts, and as many mutes, timed afterwards")
    live.add_argument("--workers", type=int, metavar="N", help="render workers (default: the server's own)")
    live.add_argument("--worker-class", default="", metavar="MODULE:CLASS", help="what draws, such as a slower worker")
    live.add_argument("--lineage", type=Path, metavar="DIR", help="keep the lineage, for `rostrum replay`")
    live.set_defaults(run=_live)

    fanout = kinds.add_parser("fanout", help="serve one live broadcast to many viewers, and say what each of them costs")
    fanout.add_argument("--viewers", default="1,10,50,100", metavar="N,N", help="how many at once (default %(default)s)")
    fanout.add_argument("--seconds", type=float, default=15.0, help="to count, for each number of viewers (default 15)")
    fanout.add_argument("--size", default="512x512", metavar="WxH")
    fanout.add_argument("--fps", type=int, default=25)
    fanout.add_argument("--avatar", default="", metavar="NAME", help="default: the first shipped")
    fanout.set_defaults(run=_fanout)

    render = kinds.add_parser("render", help="time the codec and the whole offline road")
    render.add_argument("--avatar", default="", metavar="NAME", help="default: the first shipped")
    render.add_argument("--seconds", type=float, default=20.0, help="of speech for the whole road (default 20)")
    render.add_argument("--frames", type=int, default=150, help="for the codec alone (default 150)")
    render.set_defaults(run=_render)

    joins = kinds.add_parser("joins", help="draw minutes of speech as live clips are, and measure every join")
    joins.add_argument("--minutes", type=float, default=10.0)
    joins.add_argument("--segment", type=float, default=0.24, metavar="S", help="voice in one sub-clip (default 0.24)")
    joins.add_argument("--avatar", default="", metavar="NAME", help="default: the first shipped")
    joins.add_argument("--speech", type=Path, metavar="DIR", help="folder of recordings (default: made-up sound)")
    joins.add_argument("--pictures", type=int, default=150, metavar="N", help="joins of which pictures are drawn (default 150)")
    joins.add_argument("--size", type=int, nargs=2, default=(384, 384), metavar=("W", "H"), help="of them (default 384 384)")
    joins.add_argument("--seed", type=int, default=0)
    joins.set_defaults(run=_joins)

    idle = kinds.add_parser("idle", help="draw minutes of silence, and say whether they look alive")
    idle.add_argument("--minutes", type=float, default=3.0)
    idle.add_argument("--segment", type=float, default=0.24, metavar="S", help="voice in one sub-clip (default 0.24)")
    idle.add_argument("--audio", type=Path, metavar="FILE", help="a voice that comes and goes, to time the lips by")
    idle.add_argument("--onsets", type=int, default=20, metavar="N", help="how often it comes (default 20)")
    idle.add_argument("--seed", type=int, default=0)
    idle.set_defaults(run=_idle)

    director = kinds.add_parser("director", help="plan the shipped prompts, and say how many are understood")
    part = director.add_mutually_exclusive_group()
    part.add_argument("--held-out", action="store_true", help="the third that is kept unread (default: the open part)")
    part.add_argument("--all", action="store_true", help="both parts")
    director.add_argument("--lang", default="", choices=("en", "zh", "ja", "ko"), help="one language only")
    director.add_argument("--misses", action="store_true", help="say what went wrong, of the open part")
    director.set_defaults(run=_director)

    instructions = kinds.add_parser("instructions", help="render each action, feeling and camera move, and see it on the face")
    instructions.add_argument("--avatar", default="", metavar="NAME", help="default: the first shipped")
    instructions.add_argument("--speech", type=Path, metavar="DIR", help="folder of recordings (default: made-up sound)")
    instructions.add_argument("--samples", type=int, default=5, metavar="N", help="recordings an instruction (default 5)")
    instructions.add_argument("--size", default="384x384", metavar="WxH", help="of the rendered pictures (default 384x384)")
    instructions.add_argument("--only", default="", metavar="A,B", help="these alone")
    instructions.add_argument("--workers", type=int, default=2, metavar="N")
    instructions.set_defaults(run=_instructions)

    faults = kinds.add_parser("faults", help="let things go wrong, one after the other, and say what is noticed of each")
    faults.add_argument("--only", default="", metavar="A,B", help="these alone (default: all)")
    faults.add_argument("--seconds", type=float, default=6.0, help="that a bad network lasts (default 6)")
    faults.add_argument("--outage", type=float, default=5.0, metavar="S", help="that something is gone (default 5)")
    faults.add_argument("--messages", type=int, default=50, metavar="N", help="malformed ones of each kind (default 50)")
    faults.add_argument("--viewers", type=int, default=200, metavar="N", help="that leave without a word (default 200)")
    faults.add_argument("--size", default="512x512", metavar="WxH")
    faults.add_argument("--fps", type=int, default=25)
    faults.add_argument("--avatar", default="", metavar="NAME", help="default: the first shipped")
    faults.set_defaults(run=_faults)

    soak = kinds.add_parser("soak", help="on air for long: what grows, and what drifts")
    soak.add_argument("--minutes", type=float, default=10.0, help="in real time, over real WebRTC (default 10)")
    soak.add_argument(
        "--virtual-hours", type=float, metavar="H", help="in virtual time instead, with stand-in workers, no network"
    )
    soak.add_argument("--seed", type=int, default=0, help="of what happens in virtual time")
    soak.add_argument("--size", default="512x512", metavar="WxH")
    soak.add_argument("--fps", type=int, default=25)
    soak.add_argument("--avatar", default="", metavar="NAME", help="default: the first shipped")
    soak.set_defaults(run=_soak)

    recording = kinds.add_parser(
        "recording", help="record a live broadcast: are its pictures even, and in step with its sound?"
    )
    recording.add_argument("--minutes", type=float, default=10.0, help="recorded (default 10)")
    recording.add_argument("--size", default="512x512", metavar="WxH")
    recording.add_argument("--fps", type=int, default=25)
    recording.add_argument("--avatar", default="", metavar="NAME", help="default: the first shipped")
    recording.add_argument("--keep", type=Path, metavar="DIR", help="leave the recording there")
    recording.set_defaults(run=_recording)

    for kind in kinds.choices.values():
        kind.add_argument("--json", action="store_true", help="end with one line of JSON")


def _motion(arguments: argparse.Namespace) -> int:
    from clients.bench import motion

    return motion.run(arguments)


def _faults(arguments: argparse.Namespace) -> int:
    from clients.bench import faults

    return faults.run(arguments)


def _soak(arguments: argparse.Namespace) -> int:
    from clients.bench import soak

    return soak.run(arguments)


def _recording(arguments: argparse.Namespace) -> int:
    from clients.bench import recording

    return recording.run(arguments)


def _live(arguments: argparse.Namespace) -> int:
    from clients.bench import live

    return live.run(arguments)


def _fanout(arguments: argparse.Namespace) -> int:
    from clients.bench import fanout

    return fanout.run(arguments)


def _render(arguments: argparse.Namespace) -> int:
    from clients.bench import render

    return render.run(arguments)


def _joins(arguments: argparse.Namespace) -> int:
    from clients.bench import joins

    return joins.run(arguments)


def _idle(arguments: argparse.Namespace) -> int:
    from clients.bench import idle

    return idle.run(arguments)


def _director(arguments: argparse.Namespace) -> int:
    from clients.bench import director

    return director.run(arguments)


def _instructions(arguments: argparse.Namespace) -> int:
    from clients.bench import instructions

    return instructions.run(arguments)
