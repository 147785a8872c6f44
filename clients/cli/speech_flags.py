"""The options that say who speaks text, the same for every subcommand that speaks."""

from __future__ import annotations

import argparse

from streamer.config import SpeechSettings


def add_speech_flags(parser: argparse.ArgumentParser) -> None:
    """Add `--speech-url` and what belongs to it."""
    group = parser.add_argument_group("voice", "who speaks text: espeak-ng, or a server that speaks OpenAI's speech protocol")
    group.add_argument("--speech-url", default="", metavar="URL", help="such as http://127.0.0.1:8880/v1 (default: espeak-ng)")
    group.add_argument("--speech-model", default="", metavar="NAME", help="the server's, such as tts-1")
    group.add_argument("--voice", metavar="NAME", help="one of `espeak-ng --voices`, or the server's")
    group.add_argument(
        "--language", default="en", metavar="CODE", help="of text whose letters tell none (default: %(default)s)"
    )
    group.add_argument("--speech-key-env", metavar="VARIABLE", help="the environment variable that holds the server's key")


def speech_settings(arguments: argparse.Namespace) -> SpeechSettings:
    """What the options ask for. Raises ConfigError for what cannot work."""
    return SpeechSettings(
        backend="openai" if arguments.speech_url else "espeak",
        url=arguments.speech_url,
        model=arguments.speech_model,
        voice=arguments.voice,
        language=arguments.language,
        key_env=arguments.speech_key_env,
    )
