"""Folders and repositories of open weights, as they are published: what is found in them, fetched of them, and refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from huggingface_hub.utils import filter_repo_objects

from engines.catalog import WEIGHTS
from engines.checkpoint_files import CheckpointError, located
from engines.specs import ClipRequest
from engines.video import load_video_model
from engines.video_weights import VideoWeights
from tests.fakes.tiny_wan import SPEAKING, write_original, write_weights


@pytest.fixture(scope="module")
def diffusers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("wan") / "diffusers", replace(SPEAKING, image_dim=16))


@pytest.fixture(scope="module")
def original(diffusers: Path) -> Path:
    return write_original(diffusers, diffusers.with_name("original"))


@pytest.fixture
def hub(diffusers: Path, original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A hub that holds these as `wan/diffusers`, `wan/original` and `ears/wav2vec2`; what was fetched of it."""
    repositories = {"wan/diffusers": diffusers, "wan/original": original, "ears/wav2vec2": diffusers / "audio_encoder"}
    fetched: list[str] = []

    def snapshot_download(name: str, revision: str | None = None, allow_patterns: list[str] | None = None) -> str:
        source = repositories[name]
        files = [str(file.relative_to(source)) for file in source.rglob("*") if file.is_file()]
        for file in filter_repo_objects(files, allow_patterns=allow_patterns):
            fetched.append(f"{name}{'@' + revision if revision else ''}/{file}")
            (tmp_path / "hub" / name / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / file, tmp_path / "hub" / name / file)
        return str(tmp_path / "hub" / name)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return fetched


def drawn(folder: Path) -> np.ndarray:
    picture = np.full((64, 64, 3), 90, np.uint8)
    voice = np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    model = load_video_model("wan", folder)
    return np.stack(list(model.clip(ClipRequest(picture, picture, 5, "very joyful", voice, 5, 25, seed=1, num_steps=2))))


def settings(folder: Path, **given: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "weights.json").write_text(json.dumps(given))
    return folder


def test_wans_own_layout_draws_what_diffusers_layout_does(diffusers: Path, original: Path, tmp_path: Path) -> None:
    """Transformer, VAE, UMT5 and CLIP of other files and names; the ears, which it does not have, are named."""
    ears = str(diffusers / "audio_encoder")
    theirs = drawn(settings(tmp_path / "mine", base=str(original), audio_encoder=ears))
    assert np.array_equal(theirs, drawn(diffusers))
    assert np.array_equal(theirs, drawn(settings(tmp_path / "mine", base=str(original), audio_encoder=ears, text_on_cpu=True)))
    assert theirs.std() > 1


def test_of_a_repository_only_the_parts_are_fetched_in_either_layout(hub: list[str], tmp_path: Path) -> None:
    here = VideoWeights.of(settings(tmp_path / "a", base="wan/original", audio_encoder="ears/wav2vec2"))
    assert here.part("transformer") == tmp_path / "hub" / "wan" / "original"
    assert here.part("tokenizer").name == "umt5-xxl" and here.part("vae").name == "Wan2.1_VAE.pth"
    assert (here.part("audio_encoder") / "model.safetensors").is_file()
    assert len([name for name in hub if "models_" in name]) == 2 and "wan/original/config.json" in hub
    hub.clear()
    VideoWeights.of(settings(tmp_path / "c", base="wan/original", transformer="wan/diffusers", image_encoder="wan/diffusers"))
    assert not [name for name in hub if "diffusion_pytorch_model" in name or "models_clip" in name]  # what is named elsewhere
    hub.clear()
    one = VideoWeights.of(settings(tmp_path / "b", transformer="wan/diffusers"))
    assert one.part("transformer").name == "transformer" and {name.split("/")[2] for name in hub} == {"transformer"}


def test_a_file_or_folder_of_a_repository_may_be_named_and_a_revision(hub: list[str]) -> None:
    assert (located("wan/diffusers@v2:text_encoder") / "config.json").is_file()
    assert set(hub) == {"wan/diffusers@v2/text_encoder/config.json", "wan/diffusers@v2/text_encoder/model.safetensors"}
    with pytest.raises(CheckpointError, match="the repository wan/diffusers has no text_encodre"):
        located("wan/diffusers:text_encodre")


def test_encoders_that_are_not_what_they_should_be_are_refused_by_name(original: Path, diffusers: Path, tmp_path: Path) -> None:
    whole = torch.load(original / "models_t5_umt5-xxl-enc-bf16.pth")
    del whole["blocks.0.ffn.fc1.weight"]
    torch.save(whole, tmp_path / "models_t5.pth")
    ears = str(diffusers / "audio_encoder")
    for slip, said in (
        ({"text_encoder": str(tmp_path / "models_t5.pth")}, "is not what its first tensors say: .*wi_1.weight"),
        ({"text_encoder": str(original / "Wan2.1_VAE.pth")}, "is no UMT5: it has no encoder.block.0"),
        ({"image_encoder": str(original / "Wan2.1_VAE.pth")}, "is no CLIP of Wan's: it has no visual"),
        ({"tokenizer": ears}, "cannot be read as a tokenizer"),
        ({"audio_encoder": str(tmp_path)}, "cannot be read as a"),
        ({"sampling": {"solver": "heun"}}, "solver 'heun' is none of euler, unipc, renoise"),
    ):
        with pytest.raises(CheckpointError, match=said):
            load_video_model("wan", settings(tmp_path / "w", **{"base": str(original), "audio_encoder": ears} | slip))


@pytest.mark.parametrize("file", sorted((WEIGHTS / "open").glob("*.json")), ids=lambda file: file.stem)
def test_the_settings_that_are_shipped_for_open_weights_can_be_read(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **_: asked.append(name) or str(tmp_path / "hub"))
    (tmp_path / "hub").mkdir()
    shutil.copy(file, tmp_path / "weights.json")
    weights = VideoWeights.of(tmp_path)
    assert asked == [json.loads(file.read_text())["base"]]
    assert "audio_encoder" in weights.parts and len(weights.sampling.schedule) > 4
    assert weights.lands == (weights.goes_on_from == 1)  # what was not trained to land is held by the frames before
