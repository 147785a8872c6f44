"""The `rostrum` command. Each subcommand is a module of this package, imported only when it is the one asked for.

A subcommand module offers `add_parser(subparsers)`, which adds its parser and calls `set_defaults(run=...)` with a
function from the parsed arguments to an exit status.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version

#: Subcommand → the line `rostrum --help` shows. The module is `clients.cli.<name>`.
COMMANDS: dict[str, str] = {
    "avatar": "make an avatar from a picture; list or remove avatars",
    "serve": "serve the studio page, WHIP, WHEP and the control websocket",
    "render": "render a speech file to a video",
    "plan": "show what the director makes of a prompt",
    "replay": "show what a live broadcast did, second by second, and draw any of it again",
    "doctor": "find out what is in the way: connection, models, voice, disk",
    "curate": "make a training set of a folder of videos",
    "export": "make ONNX graphs and TensorRT engines of a model, and verify them",
    "evaluate": "the benchmark: 375 cases rendered, measured and reported",
    "gsb": "compare two folders of videos blindly, by several raters",
    "bench": "measure motion, live delay or rendering speed",
}


def parser(chosen: str | None) -> argparse.ArgumentParser:
    """The whole command's parser; only the chosen subcommand's module is imported."""
    root = argparse.ArgumentParser(prog="rostrum", description="A portrait speaks your words, live on air or into a file.")
    root.add_argument("--version", action="version", version=f"rostrum {version('rostrum')}")
    subparsers = root.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, line in COMMANDS.items():
        if name == chosen:
            importlib.import_module(f"clients.cli.{name}").add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=line, add_help=False)
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status: 0 done, 1 it said why not, 2 wrong usage, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = next((word for word in words if not word.startswith("-")), None)
    root = parser(chosen)
    arguments = root.parse_args(words)
    if prepare := getattr(arguments, "prepare", None):  # it has more to go by than its flags
        prepare(arguments)
        arguments = root.parse_args(words)
    try:
        status: int = arguments.run(arguments)
    except KeyboardInterrupt:
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
