"""The motion transformer itself; torch and ONNX agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from clients.cli.export import MOTION_SIZES  # noqa: E402
from engines.backends.graph import BackendError  # noqa: E402
from engines.backends.onnx import OnnxMotionModel  # noqa: E402
from engines.catalog import PORTRAIT, WEIGHTS, MotionStatistics  # noqa: E402
from engines.conditions import CONDITION_INPUTS  # noqa: E402
from engines.models.avatar_dit import AvatarDiT  # noqa: E402
from engines.models.rope import angles, rotate, turn_by  # noqa: E402
from export.motion_onnx import example_inputs, export_motion_model, quantised, read_weights  # noqa: E402
from export.to_onnx import OPSET, WHOLE_ATTENTION_OPSET  # noqa: E402
from export.to_tensorrt import build, motion_inputs  # noqa: E402
from export.verify import INT8_TOLERANCE, difference, is_quantised  # noqa: E402
from tests.fakes.small_transformer import SMALL  # noqa: E402


def small_model() -> AvatarDiT:
    torch.manual_seed(0)
    model = AvatarDiT(SMALL).eval()
    torch.nn.init.normal_(model.head.head.weight, std=0.1)
    return model


@pytest.fixture(scope="module")
def trained() -> AvatarDiT:
    """With parameters no two of which are equal, as training leaves them."""
    model = small_model()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += torch.randn_like(parameter) * 0.05
        # Both are added to one sum from the same start, so training keeps them equal.
        model.interval_embedding[2].bias.copy_(model.time_embedding[2].bias)
    return model


@pytest.fixture(scope="module", params=[OPSET, WHOLE_ATTENTION_OPSET], ids=lambda opset: f"opset {opset}")
def exported(request: pytest.FixtureRequest, trained: AvatarDiT, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    export_motion_model(trained, MotionStatistics([0.0] * 64, [1.0] * 64), folder, opset=request.param)
    return folder


def test_onnx_agrees_with_torch_at_sizes_it_was_not_traced_with(trained: AvatarDiT, exported: Path) -> None:
    onnx = OnnxMotionModel(exported)
    for sizes in ({}, {"b": 1, "f": 30, "k": 1, "n": 90, "words": 3}, {"b": 5, "f": 4, "k": 4, "n": 17, "words": 24}):
        inputs = example_inputs(SMALL, **sizes)
        with torch.no_grad():
            expected = trained(**inputs).numpy()
        arrays = {name: value.numpy() for name, value in inputs.items()}
        arrays.update(onnx.condition({name: arrays.pop(name) for name in CONDITION_INPUTS}))
        # Weights are stored as float16.
        np.testing.assert_allclose(onnx.denoise(arrays), expected, atol=2e-3 * np.abs(expected).max())


def test_int8_weights_stay_near_and_are_seen_for_what_they_are(trained: AvatarDiT, exported: Path, tmp_path: Path) -> None:
    quantised(exported, tmp_path)
    assert is_quantised(tmp_path) and not is_quantised(exported)
    apart = difference(trained, OnnxMotionModel(tmp_path), b=2, f=9, k=2, n=40)
    assert 1e-6 < apart < INT8_TOLERANCE


def test_tensorrt_builds_the_shipped_motion_model_for_a_range_of_sizes() -> None:
    trt = pytest.importorskip("tensorrt_rtx")
    conditions, model = (WEIGHTS / "portrait" / name for name in ("conditions.onnx", "model.onnx"))
    assert motion_inputs(model, MOTION_SIZES)["text_k"] == [[4, 1, 2, 6, 32], [4, 3, 13, 6, 32], [4, 24, 97, 6, 32]]
    assert len(build(trt, conditions, motion_inputs(conditions, MOTION_SIZES), "SM89")) > 1_000_000
    with pytest.raises(BackendError, match=r"latents has axes f, whose sizes nobody gave"):
        motion_inputs(model, {"b": (1, 1, 1)})


def test_training_goes_on_from_exported_weights(trained: AvatarDiT, exported: Path) -> None:
    again = AvatarDiT(SMALL).eval()
    again.load_state_dict(read_weights(exported))
    for (name, ours), (_, theirs) in zip(trained.named_parameters(), again.named_parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=2e-3), name


def test_parameters_carry_the_published_names() -> None:
    names = set(small_model().state_dict())
    published = (
        "patch_embedding.weight", "text_embedding.0.weight", "text_embedding.2.bias", "time_embedding.2.weight",
        "time_projection.1.weight", "blocks.0.modulation", "blocks.0.norm3.weight", "blocks.0.self_attn.norm_q.weight",
        "blocks.0.cross_attn.o.bias", "blocks.0.ffn.2.weight", "blocks.0.norm_x.bias",
        "blocks.0.audio_cross_attn.q_linear.weight", "blocks.0.audio_cross_attn.kv_linear.weight",
        "blocks.0.audio_cross_attn.proj.bias", "head.head.weight", "head.modulation",
    )  # fmt: skip
    assert not set(published) - names
    assert not [name for name in names if ".norm1." in name or ".norm2." in name]


def test_words_a_frame_may_not_read_do_not_move_it() -> None:
    model, inputs = small_model(), example_inputs(SMALL)
    inputs["text_mask"][:] = 0
    changed = {**inputs, "text": torch.randn_like(inputs["text"])}
    with torch.no_grad():
        assert torch.equal(model(**inputs), model(**changed))


def test_sound_that_is_unknown_does_not_move_anything() -> None:
    model, inputs = small_model(), example_inputs(SMALL)
    inputs["audio_known"][:] = 0
    changed = {**inputs, "audio": torch.randn_like(inputs["audio"])}
    with torch.no_grad():
        assert torch.equal(model(**inputs), model(**changed))


def test_rotary_attention_depends_on_time_apart_not_on_time() -> None:
    q, k = torch.randn(1, 1, 1, 16), torch.randn(1, 1, 1, 16)

    def score(at: float, apart: float) -> float:
        turn = [turn_by(angles(torch.tensor([[time]]), 16, 1000.0)) for time in (at, at + apart)]
        return float((rotate(q, turn[0]) * rotate(k, turn[1])).sum())

    assert score(3.0, 0.5) == pytest.approx(score(77.3, 0.5), abs=1e-3)


def test_a_head_that_rope_does_not_fill_is_refused() -> None:
    with pytest.raises(ValueError, match="must add up to the head size"):
        replace(PORTRAIT, rope_split=(16, 0, 0))
