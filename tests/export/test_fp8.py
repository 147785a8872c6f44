"""A video model's linear layers in 8 bits: by the command, of measured ranges, within their tolerance, and into engines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from clients.cli.main import main  # noqa: E402
from engines.backends.choice import read_table  # noqa: E402
from engines.manifest import Manifest  # noqa: E402
from export.fp8 import quantise  # noqa: E402
from export.verify_video import TOLERANCES  # noqa: E402
from tests.fakes.tiny_wan import write_weights  # noqa: E402

SPEECH = Path(__file__).parents[1] / "data" / "speech.ogg"


@pytest.fixture(scope="module")
def in_8_bits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model's folder, its linear layers exported in 8 bits by the command."""
    root = write_weights(tmp_path_factory.mktemp("wan"))
    assert main([
        "export", "onnx", "--model", "wan", "--weights", str(root), "--size", "96x64", "--frames", "9",
        "--precision", "float32", "--fp8", str(SPEECH), "--out", str(root / "engines" / "fp8"),
    ]) == 0  # fmt: skip
    return root


def test_linear_layers_in_8_bits_keep_to_their_tolerance_and_only_they_are_rounded(
    in_8_bits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = in_8_bits / "engines" / "fp8"
    graph = onnx.load(folder / "denoise.onnx").graph
    small = {tensor.name for tensor in graph.initializer if tensor.name.endswith("weight_fp8")}
    assert small == {
        f"blocks.{i}.{layer}.weight_fp8" for i in (0, 1) for layer in (
            "self_attn.q", "self_attn.k", "self_attn.v", "self_attn.o", "cross_attn.q", "cross_attn.o", "ffn.0", "ffn.2",
            "audio_cross_attn.q_linear", "audio_cross_attn.proj",
        )
    }  # fmt: skip
    assert sum(node.op_type == "QuantizeLinear" for node in graph.node) == 2 * 8  # q, k and v share theirs
    assert main(["export", "verify", str(in_8_bits), "--backends", "torch,onnx-cpu"]) == 0
    assert capsys.readouterr().out.startswith("fp8: onnx-cpu, ")
    (row,) = read_table(in_8_bits / "engines")
    assert row.tolerance == TOLERANCES["fp8"] and TOLERANCES["float32"] * 10 < row.error < TOLERANCES["fp8"]


def test_tensorrt_builds_engines_in_8_bits(in_8_bits: Path) -> None:
    pytest.importorskip("tensorrt_rtx")
    out = in_8_bits / "engines" / "rtx"
    where = ["--flavour", "rtx", "--compute-capability", "SM89"]
    assert main(["export", "tensorrt", str(in_8_bits / "engines" / "fp8"), "--out", str(out), *where]) == 0
    assert Manifest.load(out).linear == "fp8" and (out / "denoise.engine").stat().st_size > 10_000


def test_ranges_are_not_guessed_from_silence_or_from_nothing(in_8_bits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["export", "onnx", "--model", "wan", "--weights", str(in_8_bits), "--size", "96x64", "--out", "x", "--fp8"]
    assert main([*words, "nowhere.wav"]) == 1
    assert "There is no file nowhere.wav" in capsys.readouterr().err
    node = onnx.helper.make_node
    nodes = [node("MatMul", ["x", "w"], ["p"]), node("Add", ["p", "model.blocks.0.q.bias"], ["y"])]
    ones = [onnx.numpy_helper.from_array(np.ones((2, 2), np.float32), name) for name in ("w", "model.blocks.0.q.bias")]
    program = onnx.helper.make_model(onnx.helper.make_graph(nodes, "one", [], [], ones))
    with pytest.raises(ValueError, match=r"blocks\.0\.q met nothing but zeros"):
        quantise(program, {"blocks.0.q": 0.0})
