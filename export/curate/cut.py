"""Where a film is cut: PySceneDetect's shots, and those cut to lengths that can be trained on."""

from __future__ import annotations

import logging
import math
from pathlib import Path

from export.curate.video import UnreadableVideo

SHORTEST_S, LONGEST_S = 2.0, 12.0
_MARGIN_S = 0.08  # taken off a shot at a cut: blended frames belong to neither side
INSTALL = "pip install 'rostrum[curate]'"


def shots(path: Path) -> list[tuple[float, float]]:
    """Start and end in seconds of each shot (PySceneDetect's adaptive detector: a frame that differs from the one before far
    more than its neighbours do). Raises UnreadableVideo, and ImportError that names the extra."""
    try:
        from scenedetect import AdaptiveDetector, detect
    except ImportError as error:
        raise ImportError(f"PySceneDetect is not installed ({error}): {INSTALL}") from error
    logging.getLogger("pyscenedetect").setLevel(logging.ERROR)
    try:
        found = detect(str(path), AdaptiveDetector(), backend="pyav", start_in_scene=True)
    except Exception as error:  # whatever its backends raise
        raise UnreadableVideo(f"{path.name}: its cuts cannot be found ({error})") from error
    return [(start.seconds, end.seconds) for start, end in found]


def pieces(
    found: list[tuple[float, float]], shortest_s: float = SHORTEST_S, longest_s: float = LONGEST_S
) -> list[tuple[float, float]]:
    """Shots to clips: margins off at cuts, long ones cut evenly, short ones left out."""
    clips = []
    for number, (start_s, end_s) in enumerate(found):
        start_s += _MARGIN_S if number else 0.0
        end_s -= _MARGIN_S if number < len(found) - 1 else 0.0
        num = max(1, math.ceil((end_s - start_s) / longest_s))
        length_s = (end_s - start_s) / num
        if length_s >= shortest_s:
            clips += [(start_s + i * length_s, start_s + (i + 1) * length_s) for i in range(num)]
    return clips
