"""The options that say who directs, the same for every subcommand that plans."""

from __future__ import annotations

import argparse
from pathlib import Path

from streamer.config import DirectorSettings


def add_director_flags(parser: argparse.ArgumentParser) -> None:
    """Add `--director` and what belongs to it."""
    group = parser.add_argument_group("director", "who makes the storyline of prompts, voice and portrait")
    group.add_argument(
        "--director",
        choices=("embedded", "openai", "transformers"),
        default="embedded",
        help="the planner that comes with Rostrum; a model behind an OpenAI-compatible server; a local checkpoint",
    )
    group.add_argument("--director-url", default="", metavar="URL", help="the server, such as http://127.0.0.1:8000/v1")
    group.add_argument("--director-model", default="", metavar="NAME", help="such as Qwen/Qwen2.5-Omni-7B")
    group.add_argument("--director-hearing-model", metavar="NAME", help="another one of the server's for the voice")
    group.add_argument("--director-seeing-model", metavar="NAME", help="another one of the server's for the portrait")
    group.add_argument("--director-key-env", metavar="VARIABLE", help="the environment variable that holds the server's key")
    group.add_argument("--director-path", type=Path, metavar="DIR", help="a Qwen2.5-Omni or Qwen2.5-VL checkpoint")
    group.add_argument("--director-seeing-path", type=Path, metavar="DIR", help="another checkpoint for the portrait")
    group.add_argument(
        "--director-device", metavar="NAME", help="of the checkpoint, as torch names it (default: a GPU, if any)"
    )


def director_settings(arguments: argparse.Namespace) -> DirectorSettings:
    """What the options ask for. Raises ConfigError for what cannot work."""
    return DirectorSettings(
        backend=arguments.director,
        url=arguments.director_url,
        model=arguments.director_model,
        hearing_model=arguments.director_hearing_model,
        seeing_model=arguments.director_seeing_model,
        key_env=arguments.director_key_env,
        path=arguments.director_path,
        seeing_path=arguments.director_seeing_path,
        device=arguments.director_device,
    )
