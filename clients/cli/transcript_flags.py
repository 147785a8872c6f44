"""The options that say what writes down the words of a voice, the same for every subcommand that hears one."""

from __future__ import annotations

import argparse

from streamer.config import TranscriptSettings


def add_transcript_flags(parser: argparse.ArgumentParser) -> None:
    """Add `--transcript` and what belongs to it."""
    group = parser.add_argument_group("transcript", "what writes down the words, for captions and for “when I say …”")
    group.add_argument(
        "--transcript",
        metavar="MODEL",
        help="a Whisper model in CTranslate2's format: a folder, or a name to download, such as base (extra: transcript)",
    )
    group.add_argument("--transcript-language", metavar="CODE", help="such as en or zh (default: it tells itself)")


def transcript_settings(arguments: argparse.Namespace, threads: int = 1) -> TranscriptSettings | None:
    """What the options ask for; None: no transcript. Raises ConfigError for what cannot work."""
    if arguments.transcript is None:
        return None
    return TranscriptSettings(arguments.transcript, arguments.transcript_language, threads)
