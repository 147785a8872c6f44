"""The motion transformer itself; torch and ONNX agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from clients.cli.main import main  # noqa: E402
from engines.backends.error import BackendError  # noqa: E402
from engines.backends.motion_graphs import GraphTransformer  # noqa: E402
from engines.backends.onnx import OnnxTransformer  # noqa: E402
from engines.catalog import PORTRAIT, WEIGHTS, MotionStatistics, load_motion_model  # noqa: E402
from engines.checkpoints import weights_hash  # noqa: E402
from engines.conditions import CONDITION_INPUTS, CONDITION_OUTPUTS  # noqa: E402
from engines.manifest import Manifest  # noqa: E402
from engines.models.avatar_dit import AvatarDiT  # noqa: E402
from engines.models.rope import angles, rotate, turn_by  # noqa: E402
from export.motion_onnx import example_inputs, export_motion_model, quantised, read_weights  # noqa: E402
from export.to_onnx import OPSET, WHOLE_ATTENTION_OPSET  # noqa: E402
from export.to_tensorrt import build_folder  # noqa: E402
from export.verify import INT8_TOLERANCE, difference  # noqa: E402
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
    onnx = OnnxTransformer(exported)
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
    assert [Manifest.load(folder).linear for folder in (exported, tmp_path)] == ["", "int8"]
    apart = difference(trained, OnnxTransformer(tmp_path), b=2, f=9, k=2, n=40)
    assert 1e-6 < apart < INT8_TOLERANCE


def test_graphs_of_torchs_tensors_draw_the_same_motion(trained: AvatarDiT) -> None:
    """As TensorRT's engines are run."""

    def conditions(inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return dict(zip(CONDITION_OUTPUTS, trained.condition(**inputs), strict=True))

    with torch.no_grad():
        transformer = GraphTransformer(conditions, lambda inputs: {"velocity": trained.denoise(**inputs)}, "cpu")
        assert difference(trained, transformer, b=2, f=9, k=2, n=40) < 1e-6


def test_the_shipped_folder_says_what_it_is() -> None:
    manifest = Manifest.load(WEIGHTS / "portrait")
    model = AvatarDiT(PORTRAIT)
    model.load_state_dict(read_weights(WEIGHTS / "portrait"))
    assert manifest.weights == weights_hash(model)
    assert manifest.shapes["model"]["text_k"] == [[4, 1, 2, 6, 32], [4, 3, 13, 6, 32], [4, 24, 97, 6, 32]]


def test_the_portrait_model_takes_the_road_to_engines_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Built for a range of sizes; here there is no GPU to run them, which is said; int8 graphs are refused."""
    pytest.importorskip("tensorrt_rtx")
    out = tmp_path / "engines"
    words = ["--flavour", "rtx", "--compute-capability", "SM89"]
    assert main(["export", "tensorrt", str(WEIGHTS / "portrait"), "--out", str(out), *words]) == 0
    assert (out / "conditions.engine").stat().st_size > 1_000_000
    if not torch.cuda.is_available():
        with pytest.raises(BackendError, match="need an NVIDIA GPU, and none is usable here"):
            load_motion_model(str(out))
        assert (
            main(["render", "--avatar", "anna", "--text", "hello", "--weights", str(out), "-o", str(tmp_path / "o.mp4")]) == 1
        )
        assert "need an NVIDIA GPU, and none is usable here" in capsys.readouterr().err
    quantised(WEIGHTS / "portrait", tmp_path / "int8")
    with pytest.raises(BackendError, match="int8 weights, which are for processors"):
        build_folder(tmp_path / "int8", out, flavour="rtx")


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
