"""Do these weights make a video model, and will it fit? Told by the files' headers, before anything is loaded or paid for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from clients.doctor.finding import Finding
from streamer.config import DrawingSettings

_WORK_GB = 4.0  # beside the weights, for a clip at 512 x 512


async def weights(drawing: DrawingSettings) -> AsyncIterator[Finding]:
    """Every part: there, read, and fit for the others."""
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        yield Finding("weights", "bad", f"{drawing.model} cannot run: {error}", "pip install -e .[video]")
        return
    from engines.catalog import VIDEO_CONFIGS
    from engines.checkpoint_files import CheckpointError, read_state
    from engines.checkpoints import load_tiny_vae, load_video_dit, load_wan_vae
    from engines.video_weights import VideoWeights

    assert drawing.folder
    out = "see README, Drawn by a video transformer"
    try:
        found = VideoWeights.of(drawing.folder)
        model = load_video_dit(found.part("transformer"), found.parts.get("adapter"), found.updates, device="meta")
        load_wan_vae(found.part("vae"), "meta")
        if tiny := found.parts.get("tiny_vae"):
            load_tiny_vae(tiny, "meta")
        parts = {name: found.part(name) for name in ("text_encoder", "tokenizer", "audio_encoder")}
        if model.config.image_dim:
            parts["image_encoder"] = found.part("image_encoder", "the model sees by it")
    except CheckpointError as error:
        yield Finding("weights", "bad", str(error), out)
        return
    config = model.config
    parameters = sum(parameter.numel() for parameter in model.parameters())
    expected = VIDEO_CONFIGS.get(drawing.model)
    size = f"{config.num_blocks} blocks of width {config.dim}, {parameters / 1e9:.1f} billion parameters"
    if expected and (expected.dim, expected.num_blocks) != (config.dim, config.num_blocks):
        yield Finding("weights", "bad", f"{drawing.folder} is no {drawing.model}: {size}", "--model wan takes any size")
    elif not config.audio:
        way_out = "name an adapter in weights.json (InfiniteTalk's), or take EchoMimicV3 or FlashTalk"
        yield Finding("weights", "bad", f"{size}, and it cannot hear", way_out)
    else:
        yield Finding("weights", "good", f"{size}; hears as {config.audio.style} does; {_ends(config.image_positions)}")
    for name, wanted, dim in (
        ("text_encoder", config.text_dim, "d_model"), ("image_encoder", config.image_dim, "hidden_size"),
        ("audio_encoder", config.audio.feature_dim if config.audio else 0, ""),
    ):  # fmt: skip
        given = _dim(parts[name], dim) if name in parts else None
        if given and wanted and given != wanted:
            yield Finding("weights", "bad", f"{parts[name]} gives {given} features, and the transformer takes {wanted}", out)
    encoders = ("image_encoder",) if found.text_on_cpu else ("text_encoder", "image_encoder")
    beside = [read_state(parts[name], device="meta") for name in encoders if name in parts]
    parameters += sum(tensor.numel() for state in beside for tensor in state.values())
    saving = "" if found.text_on_cpu else '; "text_on_cpu": true in weights.json spares 11'
    yield _room(2 * parameters / 1e9 + _WORK_GB, saving)


def _ends(image_positions: int) -> str:
    return "trained on first and last frames" if image_positions else "trained on first frames, or on both without places"


def _dim(path: Path, name: str) -> int | None:
    """Of an encoder's folder, as its config.json has it; None for files that do not say."""
    from transformers import AutoConfig

    from engines.conditioners import audio_dim

    if not (path / "config.json").is_file():
        return None
    config = AutoConfig.from_pretrained(path)
    return getattr(config, name, None) if name else audio_dim(config)


def _room(needed_gb: float, saving: str) -> Finding:
    import torch

    text = f"about {needed_gb:.0f} GB of GPU memory are wanted"
    if not torch.cuda.is_available():
        return Finding("weights", "bad", f"{text}, and no GPU is usable here", "the portrait model (the default) runs anywhere")
    free = torch.cuda.mem_get_info()[0] / 1e9
    if free < needed_gb:
        return Finding("weights", "bad", f"{text}, and {free:.0f} are free", f"a larger GPU, or smaller weights{saving}")
    return Finding("weights", "good", f"{text}, and {free:.0f} are free")
