"""A video model whole, tiny and random: what it is told, and what it does where memory is short."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from engines.backends.graph import Graph  # noqa: E402
from engines.backends.torch import torch_graphs  # noqa: E402
from engines.checkpoint_files import CheckpointError  # noqa: E402
from engines.models.video_dit import VideoDiT  # noqa: E402
from engines.specs import ClipRequest  # noqa: E402
from engines.video import load_video_model  # noqa: E402
from engines.video_sampler import Sampling  # noqa: E402
from tests.fakes.tiny_wan import SPEAKING, write_weights  # noqa: E402

VOICE = np.random.default_rng(0).standard_normal(32_000).astype(np.float32)


def test_where_memory_is_too_small_for_all_branches_at_once_they_are_taken_one_by_one_from_then_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    batches: list[int] = []

    def tight(model: VideoDiT) -> Mapping[str, Graph]:
        graphs = torch_graphs(model)

        def denoise(inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            batches.append(len(inputs["latents"]))
            if batches[-1] > 1 and roomy is None:
                raise torch.OutOfMemoryError
            return graphs["denoise"](inputs)

        return graphs | {"denoise": denoise}

    roomy: bool | None = True
    model = load_video_model("wan", write_weights(tmp_path / "wan"), graphs=tight)
    model.sampling = Sampling(num_steps=2, text_guidance_scale=3.0, audio_guidance_scale=2.0)
    picture = np.full((64, 64, 3), 90, np.uint8)
    request = ClipRequest(picture, picture, 5, "talks", VOICE, 5, 25, seed=1)
    drawn = [np.stack(list(model.clip(request)))]
    assert batches == [3, 3]
    roomy = None
    drawn += [np.stack(list(model.clip(request))) for _ in range(2)]
    assert batches[2:] == [3, *[1] * 6, *[1] * 6]
    assert sum("memory is too small for 3 branches of guidance at once" in line for line in caplog.messages) == 1
    np.testing.assert_allclose(drawn[1].astype(int), drawn[0].astype(int), atol=2)
    assert np.array_equal(drawn[1], drawn[2])


def test_a_model_that_was_not_trained_to_land_is_not_told_where_and_says_so_by_its_weights(tmp_path: Path) -> None:
    folder = write_weights(tmp_path / "wan", replace(SPEAKING, image_positions=0))
    first, last = np.full((64, 64, 3), 90, np.uint8), np.full((64, 64, 3), 200, np.uint8)
    request, masks = ClipRequest(first, last, 9, "talks", VOICE, 5, 25, seed=1), {}
    for lands in (True, False):
        (folder / "weights.json").write_text(json.dumps({"lands": lands}))

        def watched(model: VideoDiT, lands: bool = lands) -> Mapping[str, Graph]:
            graphs = torch_graphs(model)

            def denoise(inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
                masks[lands] = inputs["latents"][0, 16:20, :, 0, 0]
                return graphs["denoise"](inputs)

            return graphs | {"denoise": denoise}

        assert len(list(load_video_model("wan", folder, graphs=watched).clip(request))) == 9
    assert masks[True][:, 0].tolist() == masks[False][:, 0].tolist() == [1, 1, 1, 1]
    assert masks[True][:, -1].tolist() == [0, 0, 0, 1] and not masks[False][:, 1:].any()


def test_a_model_that_goes_on_from_nine_frames_sees_them_clean_and_draws_what_comes_after(tmp_path: Path) -> None:
    """As InfiniteTalk and FlashTalk were trained: the condition stays the person as they were when all began."""
    folder = write_weights(tmp_path / "wan", replace(SPEAKING, image_positions=0))
    (folder / "weights.json").write_text(json.dumps({"goes_on_from": 9, "lands": False, "sampling": {"num_steps": 2}}))
    seen: list[torch.Tensor] = []

    def watched(model: VideoDiT) -> Mapping[str, Graph]:
        graphs = torch_graphs(model)

        def denoise(inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            seen.append(inputs["latents"])
            return graphs["denoise"](inputs)

        return graphs | {"denoise": denoise}

    model = load_video_model("wan", folder, graphs=watched)
    before = np.random.default_rng(1).integers(0, 256, (9, 64, 64, 3), np.uint8)
    reference = np.full((64, 64, 3), 120, np.uint8)
    asked = ClipRequest(before[-1], before[-1], 5, "talks", VOICE, 20, 25, seed=1, before=before, reference=reference)
    drawn = list(model.clip(asked))
    assert len(drawn) == 5 and len(seen) == 2 and model.num_before == 9
    for latents in seen:
        torch.testing.assert_close(latents[:, :16, :3], model.codec.encode(before))
        torch.testing.assert_close(latents[:, 16:], model.codec.known_frames(reference, None, 13))
    begun = replace(asked, before=None)
    assert len(list(model.clip(begun))) == 5
    torch.testing.assert_close(seen[-1][:, 16:], model.codec.known_frames(before[-1], None, 5))


@pytest.mark.parametrize(("given", "said"), [
    ({"goes_on_from": 8}, "goes_on_from 8 is not 1 \\+ 4k frames"),
    ({"goes_on_from": 5, "holds_known": False}, "say holds_known"),
    ({"lands": False}, "trained with first and last frames"),
])  # fmt: skip
def test_settings_that_contradict_the_weights_are_refused(given: dict[str, object], said: str, tmp_path: Path) -> None:
    folder = write_weights(tmp_path / "wan")
    (folder / "weights.json").write_text(json.dumps(given))
    with pytest.raises(CheckpointError, match=said):
        load_video_model("wan", folder)


def test_colours_are_brought_back_to_those_of_the_pose_that_a_clip_lands_on(tmp_path: Path) -> None:
    folder = write_weights(tmp_path / "wan", replace(SPEAKING, image_positions=0))
    rng = np.random.default_rng(2)
    first, last = (rng.normal(mean, 20, (64, 64, 3)).clip(0, 255).astype(np.uint8) for mean in ((90, 60, 140), (150, 120, 90)))
    found: dict[bool, np.ndarray] = {}
    for keeps in (False, True):
        (folder / "weights.json").write_text(json.dumps({"lands": False, "keeps_colours": keeps}))
        model = load_video_model("wan", folder)
        pictures = list(model.clip(ClipRequest(first, last, 5, "talks", VOICE, 5, 25, seed=1, num_steps=1)))
        found[keeps] = np.abs(np.stack(pictures).mean((1, 2)) - last.mean((0, 1))).max()
    assert found[True] < 12 < found[False]
