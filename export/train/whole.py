"""Files that are there whole or not at all, so that what was broken off can be gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def save_whole(path: Path, **arrays: Any) -> None:
    """An `.npz`; until it is whole it is called `.part`."""
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez(file, **arrays)
    partial.replace(path)
