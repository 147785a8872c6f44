"""`rostrum plan`: the storyline that the director makes of a prompt, a voice and a portrait, without drawing anything."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from clients.cli.director_flags import add_director_flags, director_settings
from clients.cli.transcript_flags import add_transcript_flags, transcript_settings
from engines.avatar_library import AvatarError, AvatarLibrary
from engines.recognition.whisper import RecogniserError
from streamer import hearing, seeing
from streamer.briefing import Briefing, PortraitCaption, VoiceCaption
from streamer.captions import SpokenWord
from streamer.config import ConfigError
from streamer.director import opening, spoken_at
from streamer.directors.once import plan_once
from streamer.plan import Pts, pts_from_s
from streamer.recording import Recording, RecordingError
from streamer.storyline_schema import StorylineJson
from streamer.transcript import spoken_words


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rostrum plan`."""
    parser = subparsers.add_parser("plan", help="show what the director makes of a prompt", description=__doc__)
    parser.add_argument("--prompt", default="", help='e.g. "at first calm, then very angry, shakes the head at the end"')
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--duration", type=float, metavar="SECONDS", help="length of the show (default 10)")
    length.add_argument("--audio", type=Path, metavar="FILE", help="hear a recording: its mood, its length")
    parser.add_argument("--avatar", metavar="NAME", help="see an avatar of the library")
    add_director_flags(parser)
    add_transcript_flags(parser)
    parser.add_argument("--json", action="store_true", help="the storyline as one line of JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the storyline; 1 and a message on stderr where the recording cannot be read."""
    if not (arguments.prompt or arguments.audio or arguments.avatar):
        print("rostrum plan: give a --prompt to understand, an --audio to hear or an --avatar to see", file=sys.stderr)
        return 2
    end = pts_from_s(10.0 if arguments.duration is None else arguments.duration)
    if end <= 0:
        print("rostrum plan: --duration must be more than 0 seconds", file=sys.stderr)
        return 1
    portrait = PortraitCaption()
    captions: tuple[VoiceCaption, ...] = ()
    words: list[SpokenWord] = []
    voice = picture = None
    try:
        settings, transcript = director_settings(arguments), transcript_settings(arguments)
        if arguments.avatar:
            avatar = AvatarLibrary.default().get(arguments.avatar)
            portrait, picture = seeing.caption(avatar), avatar.folder / "picture.png"
        if arguments.audio:
            recording = Recording.open(arguments.audio)
            voice, end, captions = recording.voice, recording.duration, hearing.captions_of(recording.voice)
            words = spoken_words(voice, transcript) if transcript else []
    except (AvatarError, ConfigError, RecordingError, RecogniserError) as error:
        print(f"rostrum plan: {error}", file=sys.stderr)
        return 1
    briefing = Briefing(opening(), Pts(0), arguments.prompt, end, portrait, captions)
    plan = plan_once(settings, briefing, voice, picture, lambda line: print(f"rostrum plan: {line}", file=sys.stderr))
    line = spoken_at(plan.storyline, [(word.text, word.start) for word in words])
    storyline = StorylineJson.of(line, end)
    if arguments.json:
        report = storyline.model_dump() | {
            "understood": [str(said) for said in plan.understood],
            "unclear": plan.unclear,
            "undrawn": plan.undrawn,
            "director": plan.backend,
        }
        print(json.dumps(report, ensure_ascii=False))
        return 0
    if arguments.prompt and not plan.understood:
        print("Nothing in this prompt names an emotion, an action or a camera move that the director knows.", file=sys.stderr)
    for beat in storyline.beats:
        print(f"{beat.start_s:7.2f} – {beat.end_s:6.2f} s   {beat.text}   ({beat.source})")
    for cue in line.cues:
        print(f"  when “{cue.words}” is heard: {', '.join(map(str, cue.directives))}")
    if plan.undrawn:
        print(f"Only a pixel model draws these: {', '.join(plan.undrawn)}.", file=sys.stderr)
    return 0
