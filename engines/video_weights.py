"""A folder of open weights for a video model: which file is which part, and how its makers sample it.

The layout is diffusers' (`transformer/`, `vae/`, `text_encoder/`, `tokenizer/`, `image_encoder/`), and beside these
`audio_encoder/` (wav2vec2 or Whisper). A `weights.json` may name any part elsewhere, as a path from the folder or a hub id::

    {"transformer": "Wan-AI/Wan2.1-I2V-14B-480P", "adapter": "infinitetalk.safetensors",
     "updates": [{"source": "lightx2v.safetensors", "scale": 1.0}], "vae": "Wan2.1_VAE.pth", "tiny_vae": "taew2_1.safetensors",
     "sampling": {"num_steps": 4, "shift": 5.0}, "negative_prompt": "blurred, still"}
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.checkpoints import CheckpointError, LowRank
from engines.video_sampler import Sampling

_PARTS = ("transformer", "vae", "text_encoder", "tokenizer", "image_encoder", "audio_encoder")
_OPTIONAL = ("adapter", "tiny_vae", "engines")
_OTHER = ("updates", "sampling", "negative_prompt")


@dataclass(frozen=True, slots=True)
class VideoWeights:
    """parts: where each lies, by the names above, those alone that are there."""

    folder: Path
    parts: dict[str, str]
    updates: tuple[LowRank, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    negative_prompt: str = ""

    @classmethod
    def of(cls, folder: Path) -> VideoWeights:
        """Raises CheckpointError for a folder or a weights.json that cannot be used."""
        if not folder.is_dir():
            raise CheckpointError(f"--weights {folder}: there is no such folder")
        file = folder / "weights.json"
        try:
            given: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
        except json.JSONDecodeError as error:
            raise CheckpointError(f"{file} is not JSON: {error}") from None
        if strange := given.keys() - {*_PARTS, *_OPTIONAL, *_OTHER}:
            known = ", ".join((*_PARTS, *_OPTIONAL, *_OTHER))
            raise CheckpointError(f"{file}: {', '.join(sorted(strange))} is none of {known}")
        parts = {name: name for name in (*_PARTS, "engines") if (folder / name).is_dir()}
        parts |= {name: given[name] for name in (*_PARTS, *_OPTIONAL) if name in given}
        here = {name: _near(folder, part) for name, part in parts.items()}
        try:
            updates = tuple(LowRank(_near(folder, one["source"]), one.get("scale", 1.0)) for one in given.get("updates", ()))
            liked: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.get("sampling", {}).items()}
            sampling = Sampling(**liked)
        except (TypeError, KeyError, ValueError) as error:
            raise CheckpointError(f"{file}: {error}") from None
        return cls(folder, here, updates, sampling, given.get("negative_prompt", ""))

    def part(self, name: str, why: str = "") -> str:
        """Where it lies. Raises CheckpointError, saying what to add, where it is not there."""
        if name not in self.parts:
            raise CheckpointError(
                f"{self.folder} has no {name}{': ' + why if why else ''}. Put it into {name}/, or name it in weights.json"
            )
        return self.parts[name]


def _near(folder: Path, part: str) -> str:
    """A path from the folder, where that is there; else as it is, a path or a hub id."""
    return str(folder / part) if (folder / part).exists() else part
