"""A video model whole, tiny and random: what it does where memory is short."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from engines.backends.graph import Graph  # noqa: E402
from engines.backends.torch import torch_graphs  # noqa: E402
from engines.models.video_dit import VideoDiT  # noqa: E402
from engines.specs import ClipRequest  # noqa: E402
from engines.video import load_video_model  # noqa: E402
from engines.video_sampler import Sampling  # noqa: E402
from tests.fakes.tiny_wan import write_weights  # noqa: E402


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
    voice = np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    request = ClipRequest(picture, picture, 5, "talks", voice, 5, 25, seed=1)
    drawn = [np.stack(list(model.clip(request)))]
    assert batches == [3, 3]
    roomy = None
    drawn += [np.stack(list(model.clip(request))) for _ in range(2)]
    assert batches[2:] == [3, *[1] * 6, *[1] * 6]
    assert sum("memory is too small for 3 branches of guidance at once" in line for line in caplog.messages) == 1
    np.testing.assert_allclose(drawn[1].astype(int), drawn[0].astype(int), atol=2)
    assert np.array_equal(drawn[1], drawn[2])
