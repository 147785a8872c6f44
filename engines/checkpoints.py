"""Open checkpoints into our modules: original Wan naming or diffusers', an adapter over a base, low-rank updates merged.

Every key is accounted for: what is missing, unknown or of another shape is an error that names it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from engines.catalog import FrameAudio, VideoDiTConfig, wan_rope_split
from engines.checkpoint_files import CheckpointError, State, listed, part_of, read_state
from engines.checkpoint_names import TRANSFORMER, UNUSED, renamed, vae_name
from engines.models.tiny_vae import TinyVae
from engines.models.video_dit import VideoDiT, keeps_float32
from engines.models.wan_vae import WanVae, WanVaeConfig

log = logging.getLogger(__name__)

_HEAD_DIM = 128  # of every Wan 2.1

Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class LowRank:
    """A low-rank update to merge, and how much of it: 1 as it was trained."""

    source: str
    scale: float = 1.0


def wan_name(name: str) -> str:
    """A transformer's tensor in the original naming, whichever of the two it comes in."""
    return renamed(name, TRANSFORMER)


def video_config(state: Mapping[str, Tensor], num_heads: int | None = None) -> VideoDiTConfig:
    """The size that these tensors (in the original naming) are of; heads of 128 unless said otherwise.

    Raises CheckpointError for tensors that are of no Wan transformer.
    """

    def shape(name: str) -> torch.Size:
        if name not in state:
            raise CheckpointError(f"this is no Wan transformer: it has no {name}")
        return state[name].shape

    dim, in_channels, *patch_size = shape("patch_embedding.weight")
    out_features = shape("head.head.weight")[0]
    latent_channels = out_features // (patch_size[0] * patch_size[1] * patch_size[2])
    blocks = {int(found[1]) for name in state if (found := re.match(r"blocks\.(\d+)\.", name))}
    heads = num_heads or max(1, dim // _HEAD_DIM)
    return VideoDiTConfig(
        dim=dim,
        ffn_dim=shape("blocks.0.ffn.0.weight")[0],
        num_heads=heads,
        num_blocks=max(blocks, default=-1) + 1,
        latent_channels=latent_channels,
        condition_channels=in_channels - latent_channels,
        patch_size=(patch_size[0], patch_size[1], patch_size[2]),
        text_dim=shape("text_embedding.0.weight")[1],
        frequency_dim=shape("time_embedding.0.weight")[1],
        rope_split=wan_rope_split(dim // heads),
        image_dim=state["img_emb.proj.1.weight"].shape[0] if "img_emb.proj.1.weight" in state else 0,
        image_positions=state["img_emb.emb_pos"].shape[1] if "img_emb.emb_pos" in state else 0,
        audio=_audio_config(state, dim),
    )


def _audio_config(state: Mapping[str, Tensor], dim: int) -> FrameAudio | None:
    if "audio2token.proj.weight" in state:
        raise CheckpointError(
            "this is EchoMimicV3's preview, which hears in a way of its own: take BadToBest/EchoMimicV3:echomimicv3-flash-pro"
        )
    for name, style in (("audio_proj", "infinitetalk"), ("audio_injection", "echomimic")):
        if f"{name}.proj1.weight" not in state:
            continue
        first, later = state[f"{name}.proj1.weight"], state[f"{name}.proj1_vf.weight"]
        windows = FrameAudio().windows
        own_layer = state.get("blocks.0.audio_cross_attn.kv_linear.weight")
        token_dim = dim if style == "echomimic" or own_layer is None else own_layer.shape[1]
        feature_dim = first.shape[1] // windows[0]
        if (first.shape[1], later.shape[1]) != tuple(window * feature_dim for window in windows):
            raise CheckpointError(
                f"{name}.proj1 and proj1_vf take {first.shape[1]} and {later.shape[1]} features, "
                f"not {windows[0]} and {windows[1]} windows of the same"
            )
        return FrameAudio(
            style="echomimic" if style == "echomimic" else "infinitetalk",
            feature_dim=feature_dim,
            hidden_dim=first.shape[0],
            num_tokens=state[f"{name}.proj3.weight"].shape[0] // token_dim,
            token_dim=token_dim,
            has_norm=f"{name}.norm.weight" in state,
        )
    return None


def load_video_dit(
    source: str | Path, adapter: str | Path | None = None, updates: Sequence[LowRank] = (), dtype: torch.dtype | None = None,
    device: str = "cpu",
) -> VideoDiT:  # fmt: skip
    """A Wan transformer of files (a base, an audio adapter over it, low-rank updates merged), ready to run on the CPU.

    dtype: of the weights, but for those that Wan keeps in float32; None: as they are. device: `meta` reads names and shapes
    alone, which costs nothing and raises the same errors. Raises CheckpointError.
    """

    def cast(name: str, tensor: Tensor) -> Tensor:
        return tensor if dtype is None else tensor.to(torch.float32 if keeps_float32(name) else dtype)

    source = part_of(source, "transformer")
    base = read_state(source, wan_name, cast, device)
    if adapter:
        base = overlaid(base, read_state(adapter, wan_name, cast, device), adapter)
    for update in updates:
        base = merged(base, read_state(update.source, device=device), update.scale, update.source)
    model = _empty(lambda: VideoDiT(video_config(base, _heads_in(source))))
    fill(model, base, source)
    return model.eval()


def overlaid(base: State, adapter: State, source: str | Path) -> State:
    """The base with what the adapter adds, or has instead. Raises CheckpointError where one replaces another shape."""
    wrong = [name for name in adapter.keys() & base.keys() if adapter[name].shape != base[name].shape]
    if wrong:
        example = wrong[0]
        raise CheckpointError(
            f"{source} does not fit its base: {listed(wrong)}; {example} is {list(adapter[example].shape)} here and "
            f"{list(base[example].shape)} there. An adapter for 14B fits no 1.3B."
        )
    if replaced := adapter.keys() & base.keys():
        log.info("%s has its own %s, in place of the base's", source, listed(replaced))
    return base | adapter


def merged(base: State, update: State, scale: float, source: str | Path = "the update") -> State:
    """The base with W + scale · (alpha / rank) · up · down for each weight of a low-rank update (Hu et al. 2021).

    Takes the spellings lora_A/lora_B and lora_down/lora_up, and plain differences: `diff`, `diff_b`, `diff_m` (of modulation).
    Raises CheckpointError for a part of the update that has no place in the base.
    """
    flat = {name.removesuffix(".weight").replace(".", "_"): name.removesuffix(".weight") for name in base}
    parts: dict[str, dict[str, Tensor]] = {}
    strange: list[str] = []
    for name, tensor in update.items():
        module, _, part = name.replace(".default.", ".").rpartition(".lora_")
        if not module:
            module, _, part = name.rpartition(".")
        module = module.removeprefix("lora_unet_")
        module = flat.get(module) or renamed(module + ".", TRANSFORMER).removesuffix(".")
        parts.setdefault(module, {})[part.removesuffix(".weight")] = tensor
    done = dict(base)
    for module, given in parts.items():
        weight, bias = (name if name in base else None for name in (f"{module}.weight", f"{module}.bias"))
        down, up = given.pop("A", given.pop("down", None)), given.pop("B", given.pop("up", None))
        alpha, diff, diff_b = given.pop("alpha", None), given.pop("diff", None), given.pop("diff_b", None)
        target = weight or (module if module in base else None)
        if target is None and "diff_m" in given:
            target, diff = f"{module}.modulation" if f"{module}.modulation" in base else None, given.pop("diff_m")
        if given or (down is None) != (up is None) or (diff_b is not None and bias is None) or target is None:
            strange.append(module)
            continue
        change = torch.zeros_like(base[target], dtype=torch.float32)
        if down is not None and up is not None:
            strength = float(alpha) / down.shape[0] if alpha is not None and not alpha.is_meta else 1.0
            product = strength * up.float().flatten(1) @ down.float().flatten(1)
            if product.numel() != change.numel():
                raise CheckpointError(f"{source}: {module} is {list(product.shape)}, not {list(change.shape)} as in the base")
            change += product.reshape(change.shape)
        if diff is not None:
            if diff.shape != change.shape:
                raise CheckpointError(f"{source}: {module} changes {list(diff.shape)}, and the base's is {list(change.shape)}")
            change += diff.float()
        done[target] = (base[target].float() + scale * change).to(base[target].dtype)
        if diff_b is not None and bias is not None:
            done[bias] = (base[bias].float() + scale * diff_b.float()).to(base[bias].dtype)
    if strange:
        raise CheckpointError(f"{source} changes what the base does not have, or is incomplete there: {listed(strange)}")
    return done


def fill(model: nn.Module, state: Mapping[str, Tensor], source: str | Path) -> None:
    """Put the tensors into the module's parameters, by name. Raises CheckpointError naming what does not fit."""
    wanted = model.state_dict()
    given = {name: tensor for name, tensor in state.items() if not UNUSED.search(name)}
    missing, extra = wanted.keys() - given.keys(), given.keys() - wanted.keys()
    misshapen = [name for name in wanted.keys() & given.keys() if wanted[name].shape != given[name].shape]
    complaints = []
    if missing:
        complaints.append(f"lacks {listed(missing)}")
    if extra:
        complaints.append(f"has {listed(extra)}, which nothing here uses")
    if misshapen:
        name = sorted(misshapen)[0]
        shapes = f"{name} is {list(given[name].shape)}, not {list(wanted[name].shape)}"
        complaints.append(f"has other shapes at {listed(misshapen)} ({shapes})")
    if complaints:
        raise CheckpointError(f"{source} " + "; it ".join(complaints))
    model.load_state_dict(given, assign=True)


def load_wan_vae(source: str | Path, device: str = "cpu") -> WanVae:
    """Wan 2.1's VAE of a file or folder in either naming; device as in `load_video_dit`. Raises CheckpointError."""
    state = read_state(part_of(source, "vae"), vae_name, device=device)
    for name in ("encoder.conv1.weight", "conv2.weight"):
        if name not in state:
            raise CheckpointError(f"{source} is no Wan 2.1 VAE: it has no {name}")
    config = WanVaeConfig(dim=state["encoder.conv1.weight"].shape[0], latent_channels=state["conv2.weight"].shape[0])
    model = _empty(lambda: WanVae(config))
    fill(model, state, source)
    return model.eval()


def load_tiny_vae(source: str | Path, device: str = "cpu") -> TinyVae:
    """A TAEHV-architecture VAE for Wan 2.1 (taew2_1), of a file or folder; device as in `load_video_dit`.

    Raises CheckpointError.
    """
    model = _empty(TinyVae)
    fill(model, read_state(source, device=device), source)
    return model.eval()


def weights_hash(model: nn.Module) -> str:
    """Equal tensors under equal names, equal hash."""
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _empty(make: Callable[[], Module]) -> Module:
    """Without memory for its parameters: they are assigned."""
    with torch.device("meta"):
        return make()


def _heads_in(path: Path) -> int | None:
    """As a config.json beside the weights has it, in either naming."""
    file = (path if path.is_dir() else path.parent) / "config.json"
    if not file.is_file():
        return None
    config = json.loads(file.read_text())
    heads = config.get("num_heads", config.get("num_attention_heads"))
    return int(heads) if heads else None
