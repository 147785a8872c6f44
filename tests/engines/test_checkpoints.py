"""Open checkpoints, written tiny in each of their naming: what loads is what was saved, and what does not fit is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from engines.catalog import VideoDiTConfig  # noqa: E402
from engines.checkpoint_files import CheckpointError  # noqa: E402
from engines.checkpoint_names import TRANSFORMER, renamed  # noqa: E402
from engines.checkpoints import LowRank, load_video_dit  # noqa: E402
from engines.models.video_dit import VideoDiT  # noqa: E402
from tests.fakes.tiny_wan import ECHOMIMIC, FIRST_AND_LAST, INFINITETALK, TEXT_ONLY, TINY, tiny_inputs, tiny_model  # noqa: E402

State = dict[str, torch.Tensor]


def write(folder: Path, state: State, shards: int = 1, prefix: str = "", num_heads: int = TINY.num_heads) -> Path:
    """A checkpoint folder as the hub has it."""
    folder.mkdir()
    names = sorted(state)
    files = {name: f"diffusion_pytorch_model-{i % shards + 1:05}-of-{shards:05}.safetensors" for i, name in enumerate(names)}
    for file in set(files.values()):
        save_file({prefix + n: state[n].contiguous() for n in names if files[n] == file}, folder / file)
    if shards > 1:
        index = {"weight_map": {prefix + name: file for name, file in files.items()}}
        (folder / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text(json.dumps({"num_heads": num_heads}))
    return folder


def in_diffusers_naming(state: State) -> State:
    """By diffusers' own list of names, so that our table is held against theirs."""
    diffusers = pytest.importorskip("diffusers")
    model = diffusers.WanTransformer3DModel(
        num_attention_heads=TINY.num_heads, attention_head_dim=TINY.dim // TINY.num_heads, in_channels=36,
        text_dim=TINY.text_dim, freq_dim=TINY.frequency_dim, ffn_dim=TINY.ffn_dim, num_layers=TINY.num_blocks,
        image_dim=TINY.image_dim, added_kv_proj_dim=TINY.dim, pos_embed_seq_len=514, out_channels=16,
    )  # fmt: skip
    return {name: state[renamed(name, TRANSFORMER)] for name in model.state_dict()}


def same(model: VideoDiT, other: VideoDiT) -> bool:
    inputs = tiny_inputs(other.config)
    with torch.no_grad():
        return model.config == other.config and torch.equal(model(**inputs), other(**inputs))


@pytest.mark.parametrize(
    "config",
    [TEXT_ONLY, TINY, FIRST_AND_LAST, replace(TINY, audio=INFINITETALK), replace(TINY, audio=ECHOMIMIC)],
    ids=["text", "first frame", "first and last", "infinitetalk", "echomimic"],
)
def test_a_folder_of_shards_in_the_original_naming_loads_at_its_own_size(config: VideoDiTConfig, tmp_path: Path) -> None:
    model = tiny_model(config)
    assert same(load_video_dit(write(tmp_path / "w", model.state_dict(), shards=3)), model)


def test_diffusers_naming_loads_as_the_same_model(tmp_path: Path) -> None:
    model = tiny_model(FIRST_AND_LAST)
    assert same(load_video_dit(write(tmp_path / "w", in_diffusers_naming(model.state_dict()))), model)


def test_one_prefix_before_all_names_is_seen_through(tmp_path: Path) -> None:
    model = tiny_model()
    assert same(load_video_dit(write(tmp_path / "w", model.state_dict(), prefix="model.diffusion_model.")), model)


def test_an_audio_adapter_goes_over_its_base(tmp_path: Path) -> None:
    model = tiny_model(replace(FIRST_AND_LAST, audio=INFINITETALK))
    heard = {name: tensor for name, tensor in model.state_dict().items() if "audio" in name or "norm_x" in name}
    base = {name: tensor for name, tensor in model.state_dict().items() if name not in heard}
    save_file(heard, tmp_path / "infinitetalk.safetensors")
    assert same(load_video_dit(write(tmp_path / "base", base), adapter=tmp_path / "infinitetalk.safetensors"), model)


def test_the_query_that_echomimic_never_uses_may_be_there(tmp_path: Path) -> None:
    model = tiny_model(replace(TINY, audio=ECHOMIMIC))
    unused = {f"blocks.{i}.cross_attn.q_audio.weight": torch.zeros(48, 48) for i in range(2)}
    assert same(load_video_dit(write(tmp_path / "w", model.state_dict() | unused)), model)


@pytest.mark.parametrize("spelling", ["peft", "kohya", "down_up"])
def test_a_low_rank_update_is_merged_whatever_its_spelling(spelling: str, tmp_path: Path) -> None:
    model = tiny_model()
    down, up = torch.randn(3, 48) * 0.1, torch.randn(48, 3) * 0.1
    name, kohya = "blocks.1.self_attn.q", "lora_unet_blocks_1_self_attn_q"
    update, strength = {
        "peft": (
            {"transformer.blocks.1.attn1.to_q.lora_A.weight": down, "transformer.blocks.1.attn1.to_q.lora_B.weight": up}, 1.0,
        ),
        "kohya": (
            {f"{kohya}.lora_down.weight": down, f"{kohya}.lora_up.weight": up, f"{kohya}.alpha": torch.tensor(6.0)}, 2.0,
        ),
        "down_up": (
            {f"diffusion_model.{name}.lora_down.weight": down, f"diffusion_model.{name}.lora_up.weight": up,
             f"diffusion_model.{name}.diff_b": torch.ones(48), "diffusion_model.blocks.1.diff_m": torch.ones(1, 6, 48)}, 1.0,
        ),
    }[spelling]  # fmt: skip
    save_file(update, tmp_path / "lora.safetensors")
    folder = write(tmp_path / "w", model.state_dict())
    loaded = load_video_dit(folder, updates=[LowRank(str(tmp_path / "lora.safetensors"), 0.5)])
    query, before = loaded.blocks[1].self_attn.q, model.blocks[1].self_attn.q
    torch.testing.assert_close(query.weight, before.weight + 0.5 * strength * up @ down)
    torch.testing.assert_close(query.bias, before.bias + (0.5 if spelling == "down_up" else 0.0))
    assert torch.equal(loaded.blocks[0].self_attn.q.weight, model.blocks[0].self_attn.q.weight)
    moved = loaded.blocks[1].modulation - model.blocks[1].modulation
    torch.testing.assert_close(moved, torch.full_like(moved, 0.5 if spelling == "down_up" else 0.0))


def complaint(state: State, folder: Path, **more: object) -> str:
    with pytest.raises(CheckpointError) as raised:
        load_video_dit(write(folder, state), **more)
    return str(raised.value)


def test_missing_extra_and_misshapen_keys_are_named(tmp_path: Path) -> None:
    state = tiny_model().state_dict()
    del state["blocks.1.ffn.2.bias"]
    state["blocks.0.self_attn.k.weight"] = torch.zeros(48, 47)
    state["blocks.0.temperature"] = torch.zeros(1)
    said = complaint(state, tmp_path / "w")
    assert "lacks blocks.1.ffn.2.bias" in said
    assert "has blocks.0.temperature, which nothing here uses" in said
    assert "blocks.0.self_attn.k.weight is [48, 47], not [48, 48]" in said


def test_what_is_no_wan_transformer_says_what_it_lacks(tmp_path: Path) -> None:
    assert "no Wan transformer: it has no patch_embedding.weight" in complaint({"a": torch.zeros(1)}, tmp_path / "w")
    preview = tiny_model().state_dict() | {"audio2token.proj.weight": torch.zeros(1)}
    assert "EchoMimicV3's preview" in complaint(preview, tmp_path / "p")


def test_an_adapter_or_an_update_for_another_size_is_refused(tmp_path: Path) -> None:
    state = tiny_model().state_dict()
    save_file({"blocks.0.norm3.weight": torch.zeros(96)}, tmp_path / "adapter.safetensors")
    assert "does not fit its base" in complaint(state, tmp_path / "a", adapter=tmp_path / "adapter.safetensors")
    save_file({"blocks.0.ffn.0.diff": torch.zeros(64, 47)}, tmp_path / "diff.safetensors")
    update = LowRank(str(tmp_path / "diff.safetensors"))
    assert "blocks.0.ffn.0 changes [64, 47], and the base's is [64, 48]" in complaint(state, tmp_path / "c", updates=[update])
    save_file({"blocks.9.ffn.0.lora_A.weight": torch.zeros(2, 48)}, tmp_path / "lora.safetensors")
    update = LowRank(str(tmp_path / "lora.safetensors"))
    assert "blocks.9.ffn.0" in complaint(state, tmp_path / "b", updates=[update])


def test_a_missing_shard_and_a_name_that_is_nothing_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "w", tiny_model().state_dict(), shards=2)
    (folder / "diffusion_pytorch_model-00002-of-00002.safetensors").unlink()
    with pytest.raises(CheckpointError, match="names diffusion_pytorch_model-00002-of-00002"):
        load_video_dit(folder)
    with pytest.raises(CheckpointError, match="neither a file, nor a folder, nor a hub id"):
        load_video_dit("no such thing")
