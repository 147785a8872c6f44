"""A folder of open weights for a video model: which file is which part, and how its makers sample it.

The layout is diffusers' (`transformer/`, `vae/`, `text_encoder/`, `tokenizer/`, `image_encoder/`) or that of Wan's own
repositories, and beside it `audio_encoder/` (wav2vec2 or Whisper). A `weights.json` may name any part elsewhere, as a path from
the folder or of a repository of the hub, and a `base` that holds those which are neither here nor named::

    {"base": "Wan-AI/Wan2.1-I2V-14B-480P", "audio_encoder": "TencentGameMate/chinese-wav2vec2-base",
     "adapter": "MeiGen-AI/InfiniteTalk:single/infinitetalk.safetensors", "tiny_vae": "taew2_1.safetensors",
     "updates": [{"source": "lightx2v.safetensors", "scale": 1.0}], "sampling": {"num_steps": 4, "shift": 5.0},
     "negative_prompt": "blurred, still", "goes_on_from": 9, "lands": false, "keeps_colours": true, "text_on_cpu": true}

holds_known: whether frames that a clip goes on from stay clean at every step, as MultiTalk, InfiniteTalk and FlashTalk were
trained; where nothing is said, of models that hear as they do. goes_on_from: how many frames those are, where the model is
shown the person of the beginning besides (InfiniteTalk 9, FlashTalk 5); without, one. lands: whether the last frame may be told
too, as models can be that were trained so; where not, nothing brings a clip to its anchor but what it goes on from.
keeps_colours: give each picture the colours of the pose that its clip lands on, as the portrait codec draws it (InfiniteTalk
and FlashTalk give it those of the portrait). text_on_cpu keeps the text encoder, 11 GB of UMT5, out of the GPU's memory: each
new prompt then takes the processor a moment.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.checkpoint_files import LAYOUTS, CheckpointError, located, part_in, part_of
from engines.checkpoints import LowRank
from engines.video_sampler import Sampling

_OPTIONAL = ("adapter", "tiny_vae", "engines")
_OTHER = (
    "base",
    "updates",
    "sampling",
    "negative_prompt",
    "holds_known",
    "goes_on_from",
    "lands",
    "keeps_colours",
    "text_on_cpu",
)


@dataclass(frozen=True, slots=True)
class VideoWeights:
    """parts: where each lies, by the names above, those alone that are there."""

    folder: Path
    parts: dict[str, str]
    updates: tuple[LowRank, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    negative_prompt: str = ""
    holds_known: bool | None = None
    goes_on_from: int = 1
    lands: bool = True
    keeps_colours: bool = False
    text_on_cpu: bool = False

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
        if strange := given.keys() - {*LAYOUTS, *_OPTIONAL, *_OTHER}:
            known = ", ".join((*LAYOUTS, *_OPTIONAL, *_OTHER))
            raise CheckpointError(f"{file}: {', '.join(sorted(strange))} is none of {known}")
        wanted = [name for name in LAYOUTS if name not in given and not part_in(folder, name)]
        bases = [located(_near(folder, given["base"]), wanted)] if "base" in given else []
        found = {name: path for root in (*bases, folder) for name in LAYOUTS if (path := part_in(root, name))}
        here = {name: str(path) for name, path in found.items()}
        here |= {name: _near(folder, given[name]) for name in (*LAYOUTS, *_OPTIONAL) if name in given}
        if "engines" not in here and (folder / "engines").is_dir():
            here["engines"] = str(folder / "engines")
        try:
            updates = tuple(LowRank(_near(folder, one["source"]), one.get("scale", 1.0)) for one in given.get("updates", ()))
            liked: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.get("sampling", {}).items()}
            sampling = Sampling(**liked)
        except (TypeError, KeyError, ValueError) as error:
            raise CheckpointError(f"{file}: {error}") from None
        goes_on_from = given.get("goes_on_from", 1)
        if not isinstance(goes_on_from, int) or goes_on_from < 1 or goes_on_from % 4 != 1:
            raise CheckpointError(f"{file}: goes_on_from {goes_on_from!r} is not 1 + 4k frames, such as 1, 5 or 9")
        return cls(
            folder, here, updates, sampling, given.get("negative_prompt", ""), given.get("holds_known"), goes_on_from,
            bool(given.get("lands", True)), bool(given.get("keeps_colours")), bool(given.get("text_on_cpu")),
        )  # fmt: skip

    def part(self, name: str, why: str = "") -> Path:
        """Where it lies, fetched if it must be. Raises CheckpointError, saying what to add, where it is not there."""
        if name not in self.parts:
            raise CheckpointError(
                f"{self.folder} has no {name}{': ' + why if why else ''}. Put it into {name}/, or name it in weights.json"
            )
        return part_of(self.parts[name], name) if name in LAYOUTS else located(self.parts[name])


def _near(folder: Path, part: str) -> str:
    """A path from the folder, where that is there; else as it is, a path or a hub id."""
    return str(folder / part) if (folder / part).exists() else part
