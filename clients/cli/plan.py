"""`rostrum plan`: the storyline that the director makes of a prompt, without drawing anything."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from streamer.briefing import Briefing
from streamer.director import EmbeddedDirector, opening
from streamer.plan import Pts, pts_from_s
from streamer.storyline_schema import StorylineJson


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rostrum plan`."""
    parser = subparsers.add_parser("plan", help="show what the director makes of a prompt", description=__doc__)
    parser.add_argument("--prompt", required=True, help='e.g. "at first calm, then very angry, shakes the head at the end"')
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--duration", type=float, metavar="SECONDS", help="length of the show (default 10)")
    length.add_argument("--audio", type=Path, metavar="FILE", help="take its length from a recording")
    parser.add_argument("--json", action="store_true", help="the storyline as one line of JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the storyline; 1 and a message on stderr where the recording cannot be read."""
    if arguments.audio:
        from streamer.recording import Recording, RecordingError

        try:
            end = Recording.open(arguments.audio).duration
        except RecordingError as error:
            print(f"rostrum plan: {error}", file=sys.stderr)
            return 1
    else:
        end = pts_from_s(10.0 if arguments.duration is None else arguments.duration)
    if end <= 0:
        print("rostrum plan: --duration must be more than 0 seconds", file=sys.stderr)
        return 1
    plan = EmbeddedDirector().plan(Briefing(opening(), Pts(0), arguments.prompt, end))
    storyline = StorylineJson.of(plan.storyline, end)
    if arguments.json:
        report = storyline.model_dump() | {
            "understood": [str(said) for said in plan.understood],
            "unclear": plan.unclear,
            "undrawn": plan.undrawn,
            "director": plan.backend,
        }
        print(json.dumps(report, ensure_ascii=False))
        return 0
    if not plan.understood:
        print("Nothing in this prompt names an emotion, an action or a camera move that the director knows.", file=sys.stderr)
    for beat in storyline.beats:
        print(f"{beat.start_s:7.2f} – {beat.end_s:6.2f} s   {beat.text}   ({beat.source})")
    for cue in plan.storyline.cues:
        print(f"  when “{cue.words}” is heard: {', '.join(map(str, cue.directives))}")
    if plan.undrawn:
        print(f"Only a pixel model draws these: {', '.join(plan.undrawn)}.", file=sys.stderr)
    return 0
