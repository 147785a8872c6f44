"""Flags that say which model draws, for `rostrum serve` and `rostrum render`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamer.config import DrawingSettings


def add_model_flags(parser: argparse.ArgumentParser) -> None:
    """Add --model and --weights."""
    parser.add_argument("--model", default="portrait", help="portrait, mini, wan-1.3b, wan-14b or wan (default: %(default)s)")
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="DIR",
        help="a video model's folder of weights, or other graphs or engines of the portrait model (it and mini have their own)",
    )


def drawing_settings(arguments: argparse.Namespace) -> DrawingSettings:
    """Raises ConfigError."""
    from streamer.config import DrawingSettings

    return DrawingSettings(arguments.model, arguments.weights)
