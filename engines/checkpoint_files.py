"""Where checkpoints lie and how they are read: files, folders of shards, repositories of the hub, in either layout."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from engines.checkpoint_names import without_prefix

State = dict[str, Tensor]

_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
_SHOWN = 6  # names in one complaint
_HUB_ID = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?(:(?P<inside>[\w./-]+))?")

#: What repositories call each part: a folder in diffusers' layout, files in the original one.
LAYOUTS: dict[str, tuple[str, ...]] = {
    "transformer": ("transformer", "diffusion_pytorch_model*"),
    "vae": ("vae", "Wan2.1_VAE*"),
    "text_encoder": ("text_encoder", "models_t5*"),
    "tokenizer": ("tokenizer", "google/umt5-xxl"),
    "image_encoder": ("image_encoder", "models_clip*"),
    "audio_encoder": ("audio_encoder",),
}


class CheckpointError(ValueError):
    """A checkpoint that is not what it should be; the message names the file, the keys, and the way out."""


#: What lies at the top of a repository that holds one part alone.
_ALONE = {
    "transformer": ("config.json",),
    "tokenizer": ("tokenizer*", "spiece.model", "special_tokens_map.json"),
    "audio_encoder": ("config.json", "preprocessor_config.json", "model.safetensors", "pytorch_model.bin"),
}


def located(source: str | Path, parts: Sequence[str] = ()) -> Path:
    """A path as it is, or a repository of the hub, fetched: `owner/name`, `owner/name@revision`, `owner/name:file-or-folder`.

    parts: of `LAYOUTS`; of a whole repository nothing else is fetched. Raises CheckpointError.
    """
    path = Path(source)
    if path.exists():
        return path
    found = _HUB_ID.fullmatch(str(source))
    if not found:
        raise CheckpointError(f"{source} is neither a file, nor a folder, nor a hub id such as Wan-AI/Wan2.1-FLF2V-14B-720P")
    from huggingface_hub import snapshot_download

    inside = found["inside"] or ""
    wanted = [inside, f"{inside}/*"]
    if not inside:
        wanted = [pattern for name in parts for at in LAYOUTS[name] for pattern in (at, f"{at}/*")]
        wanted += [pattern for name in parts for pattern in _ALONE.get(name, ())]
    try:
        path = Path(snapshot_download(found["id"], revision=found["revision"], allow_patterns=wanted)) / inside
    except Exception as error:  # of many kinds, all about the network or the name
        raise CheckpointError(f"{source} is not here and could not be fetched from the hub: {error}") from None
    if not path.exists():
        raise CheckpointError(f"{source}: the repository {found['id']} has no {inside}")
    return path


def part_in(folder: Path, name: str) -> Path | None:
    """Where a part lies in a folder of either layout; None where it does not."""
    for at in LAYOUTS[name]:
        for path in sorted(folder.glob(at)):
            return folder if at.startswith("diffusion_pytorch_model") else path
    return None


def part_of(source: str | Path, name: str) -> Path:
    """A part of `LAYOUTS`: itself, or where it lies in a folder or repository that holds more. Raises CheckpointError."""
    path = located(source, [name])
    return part_in(path, name) or path if path.is_dir() else path


def read_state(
    source: str | Path, rename: Callable[[str], str] = str, cast: Callable[[str, Tensor], Tensor] = lambda _, tensor: tensor,
    device: str = "cpu",
) -> State:  # fmt: skip
    """Name and tensor of everything in a file, or in a folder of shards. Raises CheckpointError.

    rename, cast: what is done to each name, then to each tensor by its new name, a file at a time: no more than one file lies
    in memory as it was stored. device: `meta` for names and shapes alone.
    """
    state: State = {}
    for file in weight_files(located(source)):
        try:
            part = _read_file(file, device)
        except Exception as error:  # each format has its own
            raise CheckpointError(f"{file} cannot be read as a checkpoint: {error}") from None
        prefix = without_prefix(part)
        names = {name: rename(name.removeprefix(prefix)) for name in part}
        if twice := set(names.values()) & state.keys():
            raise CheckpointError(f"{file} holds {listed(twice)} a second time")
        for name in list(part):
            state[names[name]] = cast(names[name], part.pop(name))
    return state


def listed(names: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    ordered = sorted(names)
    more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return ", ".join(ordered[:_SHOWN]) + more


def weight_files(folder: Path) -> list[Path]:
    """The files that an index names; else those of diffusers' name, or all weights of the folder; a file is its own."""
    if folder.is_file():
        return [folder]
    for index in sorted(folder.glob("*.safetensors.index.json")):
        names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        if gone := [name for name in names if not (folder / name).is_file()]:
            raise CheckpointError(f"{folder} is incomplete: {index.name} names {listed(gone)}")
        return [folder / name for name in names]
    files = sorted(file for file in folder.iterdir() if file.suffix in _SUFFIXES)
    if not files:
        raise CheckpointError(f"{folder} holds no weights (*.safetensors, *.pth)")
    return [file for file in files if file.name.startswith("diffusion_pytorch_model")] or files


def _read_file(file: Path, device: str) -> State:
    if file.suffix == ".safetensors":
        from safetensors import safe_open

        with safe_open(file, framework="pt") as opened:
            names = list(opened.keys())
            if device == "meta":
                return {name: torch.empty(opened.get_slice(name).get_shape(), device="meta") for name in names}
            return {name: opened.get_tensor(name) for name in names}
    read = torch.load(file, map_location=device, weights_only=True, mmap=True)
    return dict(read.get("state_dict", read))
