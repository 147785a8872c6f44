"""Video graphs exported: clean, equal to torch, built by the real TensorRT-RTX, and refused where they do not belong."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from safetensors.torch import save_file  # noqa: E402

from clients.cli.main import main  # noqa: E402
from engines.backends.choice import BACKENDS, Measured, by_speed, graphs_on, machine, note, read_table  # noqa: E402
from engines.backends.doctor import examine  # noqa: E402
from engines.backends.error import BackendError  # noqa: E402
from engines.backends.fitting import fitting_graphs  # noqa: E402
from engines.backends.graph import Graph  # noqa: E402
from engines.backends.onnx_graph import onnx_graph, session  # noqa: E402
from engines.backends.tensorrt import check_engines, library, runtime_name  # noqa: E402
from engines.backends.torch import torch_graphs  # noqa: E402
from engines.checkpoints import weights_hash  # noqa: E402
from engines.manifest import FILE, Manifest  # noqa: E402
from engines.models.video_dit import VideoDiT  # noqa: E402
from export.to_onnx import Method, export_onnx  # noqa: E402
from export.to_tensorrt import build  # noqa: E402
from export.verify_video import TOLERANCES, compare, measure  # noqa: E402
from export.video_onnx import ClipShape  # noqa: E402
from tests.fakes.tiny_wan import FIRST_AND_LAST, INFINITETALK, tiny_model  # noqa: E402

CONFIG = replace(FIRST_AND_LAST, audio=INFINITETALK, num_blocks=1)


@pytest.fixture(scope="module")
def model() -> VideoDiT:
    return tiny_model(CONFIG)


@pytest.fixture(scope="module")
def weights(model: VideoDiT, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights that holds a transformer and nothing else."""
    folder = tmp_path_factory.mktemp("wan")
    (folder / "transformer").mkdir()
    save_file(model.state_dict(), folder / "transformer" / "model.safetensors")
    (folder / "transformer" / "config.json").write_text(json.dumps({"num_heads": CONFIG.num_heads}))
    return folder


@pytest.fixture(scope="module")
def folder(weights: Path) -> Path:
    """Exported once, by the command, for frames and sizes up to a largest."""
    folder = weights / "engines" / "onnx"
    assert main([
        "export", "onnx", "--model", "wan", "--weights", str(weights), "--size", "96x64", "--frames", "9",
        "--up-to", "96x96x17", "--branches", "2", "--precision", "float32", "--out", str(folder),
    ]) == 0  # fmt: skip
    return folder


def test_graphs_hold_nothing_that_engines_refuse(folder: Path) -> None:
    for name in ("text", "images", "audio", "denoise"):
        graph = onnx.load(folder / f"{name}.onnx").graph
        assert not {node.op_type for node in graph.node} & {"ScatterND", "GridSample", "If", "Loop"}
        assert {t.data_type for t in graph.initializer} <= {onnx.TensorProto.FLOAT, onnx.TensorProto.INT64}


def test_onnx_runtime_agrees_with_torch_at_its_best_shapes(model: VideoDiT, folder: Path) -> None:
    errors = compare(torch_graphs(model), graphs_on("onnx-cpu", model, folder), Manifest.load(folder), "cpu")
    assert errors.keys() == {"text", "images", "audio", "denoise"}
    assert max(errors.values()) < 1e-5 < TOLERANCES["float32"]


def test_a_manifest_tells_the_model_its_shapes_and_its_weights(model: VideoDiT, folder: Path) -> None:
    manifest = Manifest.load(folder)
    assert manifest.config == json.loads(json.dumps(asdict(CONFIG)))
    assert manifest.weights == weights_hash(model) != weights_hash(tiny_model(CONFIG, seed=9))
    assert manifest.shapes["denoise"]["latents"] == [[2, 36, 2, 8, 8], [2, 36, 3, 8, 12], [2, 36, 5, 12, 12]]


def test_shapes_beyond_those_exported_and_other_weights_are_refused(folder: Path) -> None:
    graph = onnx_graph(folder, "text")
    with pytest.raises(BackendError, match=r"built for text of \[1, 512, 20\], not \[1, 512, 21\]"):
        graph({"text": torch.zeros(1, 512, 21)})
    with pytest.raises(BackendError, match=r"was made for weights .*here it is other"):
        onnx_graph(folder, "text", weights="other")


def test_a_gpu_that_is_not_there_is_refused_and_never_replaced_by_the_processor(folder: Path) -> None:
    with pytest.raises(BackendError, match=r"has no CUDAExecutionProvider.*Install Rostrum with"):
        session(folder / "text.onnx", "onnx-cuda")


def test_scattered_writes_are_caught_at_export(tmp_path: Path) -> None:
    class Scatters(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.zeros_like(x)
            y[..., ::2] = x[..., ::2]
            return y

    with pytest.raises(ValueError, match=r"bad.onnx has ScatterND"):
        export_onnx(Method(Scatters(), "forward"), {"x": torch.randn(2, 4)}, ["y"], tmp_path / "bad.onnx", {})


@pytest.mark.parametrize(("size", "frames", "said"), [((500, 512), 33, "multiples of 16"), ((512, 512), 32, "1 \\+ 4k")])
def test_a_clip_that_no_latents_hold_is_refused(size: tuple[int, int], frames: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ClipShape(*size, frames)


@pytest.fixture(scope="module")
def engines(folder: Path) -> Path:
    """Built for real, with no GPU, by TensorRT-RTX."""
    pytest.importorskip("tensorrt_rtx")
    out = folder.with_name("tensorrt")
    where = ["--flavour", "rtx", "--compute-capability", "SM89"]
    assert main(["export", "tensorrt", str(folder), "--out", str(out), *where]) == 0
    assert (out / "timing.cache").stat().st_size
    return out


def test_tensorrt_builds_an_engine_of_every_graph_with_a_profile(engines: Path) -> None:
    manifest = Manifest.load(engines)
    assert all((engines / f"{name}.engine").stat().st_size > 10_000 for name in manifest.shapes)
    assert manifest.kind == "tensorrt" and manifest.gpu == "SM89"
    assert manifest.runtime == runtime_name(library("rtx"))


def test_engines_are_refused_on_another_gpu_another_tensorrt_and_with_other_weights(engines: Path) -> None:
    trt = library("rtx")
    check_engines(engines, trt=trt, gpu="NVIDIA L40S SM89")
    for wrong, said in (
        ({"gpu": "NVIDIA H200 SM90"}, "made for GPU SM89, here it is NVIDIA H200 SM90"),
        ({"gpu": ""}, "need an NVIDIA GPU, and none is usable here"),
        ({"gpu": "NVIDIA L40S SM89", "weights": "other"}, "made for weights .*here it is other"),
    ):
        with pytest.raises(BackendError, match=said):
            check_engines(engines, trt=trt, **wrong)
    older = replace(Manifest.load(engines), runtime="tensorrt_rtx 1.0")
    older.save(engines)
    with pytest.raises(BackendError, match=r"made for TensorRT tensorrt_rtx 1\.0.*rostrum export tensorrt"):
        check_engines(engines, trt=trt, gpu="NVIDIA L40S SM89")
    replace(older, runtime=runtime_name(trt)).save(engines)


def test_what_tensorrt_cannot_parse_or_aim_at_is_said(folder: Path, tmp_path: Path) -> None:
    trt = pytest.importorskip("tensorrt_rtx")
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(BackendError, match=r"cannot parse .*junk\.onnx"):
        build(trt, tmp_path / "junk.onnx", {})
    shapes = Manifest.load(folder).shapes["text"]
    with pytest.raises(BackendError, match=r"take CURRENT or one of .*SM89"):
        build(trt, folder / "text.onnx", shapes, "SM1")
    with pytest.raises(BackendError, match="its manifest says"):
        build(trt, folder / "text.onnx", {"text": [[1, 7, 20]]}, "SM89")


def test_opset_23s_whole_attention_builds_in_float32_too(tmp_path: Path) -> None:
    trt = pytest.importorskip("tensorrt_rtx")
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 2, 16, 24]) for name in "qkvy"]
    node = onnx.helper.make_node("Attention", ["q", "k", "v"], ["y"])
    graph = onnx.helper.make_graph([node], "attention", values[:3], values[3:])
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 23)], ir_version=10)
    onnx.save(made, tmp_path / "attention.onnx")
    assert len(build(trt, tmp_path / "attention.onnx", {name: [[1, 2, 16, 24]] for name in "qkv"}, "SM89")) > 10_000


def test_one_query_of_two_whole_attentions_builds(tmp_path: Path) -> None:
    """As words and pictures are asked in every block. TensorRT-RTX 1.7 by itself would end the process."""
    trt = pytest.importorskip("tensorrt_rtx")
    shapes = {name: [[1, 2, 16, 24]] for name in ("q", "k", "v", "k2", "v2")}
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.BFLOAT16, at[0]) for name, at in shapes.items()]
    made = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.BFLOAT16, [1, 2, 16, 24])
    nodes = [
        onnx.helper.make_node("Attention", ["q", "k", "v"], ["words"]),
        onnx.helper.make_node("Attention", ["q", "k2", "v2"], ["pictures"]),
        onnx.helper.make_node("Add", ["words", "pictures"], ["y"]),
    ]
    graph = onnx.helper.make_graph(nodes, "attentions", values, [made])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 23)], ir_version=10)
    onnx.save(model, tmp_path / "attentions.onnx")
    assert len(build(trt, tmp_path / "attentions.onnx", shapes, "SM89")) > 10_000


def test_a_folder_without_its_manifest_or_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"has no manifest.json"):
        Manifest.load(tmp_path)
    (tmp_path / FILE).write_text(json.dumps({"format": 99}))
    with pytest.raises(BackendError, match="of format 99, not 1"):
        Manifest.load(tmp_path)


def test_the_fastest_backend_that_is_right_on_this_machine_is_chosen(model: VideoDiT, folder: Path) -> None:
    root, said = folder.parent, []
    rows = measure(model, {"torch": None, "onnx-cpu": folder, "onnx-cuda": folder}, root, Manifest.load(folder), said.append)
    assert [row.backend for row in rows] == ["torch", "onnx-cpu"] and all(row.is_right for row in rows)
    assert any("onnx-cuda" in line and "has no CUDAExecutionProvider" in line for line in said)
    note(root, rows)
    assert by_speed(read_table(root), rows[0].machine, rows[0].weights) == sorted(rows, key=lambda row: row.step_ms)
    graphs = fitting_graphs(model, root, rows[0].weights, said.append)
    errors = compare(torch_graphs(model), graphs, Manifest.load(folder), "cpu")
    assert errors.keys() == {"text", "images", "audio", "denoise"} and max(errors.values()) < 1e-5


def test_each_size_of_clip_runs_on_the_fastest_that_was_made_for_it(
    model: VideoDiT, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """9 frames and 17 exported apart, one of those backends gone since; wrong ones, and those of other machines, never."""
    ran: list[str] = []
    for name, num_frames in (("short", 3), ("long", 5)):
        whole = Manifest.load(folder)
        best = {given: list(at[1]) for given, at in whole.shapes["denoise"].items()}
        for given, axis in (("latents", 2), ("audio_k", 2), ("audio_v", 2)):
            best[given][axis] = num_frames
        (tmp_path / name).mkdir()
        replace(whole, shapes={"denoise": {given: [shape] for given, shape in best.items()}}).save(tmp_path / name)

    def on(backend: str, name: str, _model: VideoDiT, folder: Path | None, _weights: str | None = None) -> Graph:
        if backend == "onnx-cuda":
            raise BackendError("the driver is gone")
        return lambda inputs: ran.append(f"{backend} {folder.name if folder else ''}".strip()) or {}

    monkeypatch.setattr("engines.backends.fitting.graph_on", on)
    monkeypatch.setattr("engines.backends.choice.graph_on", on)
    weights, short, long = weights_hash(model), [2, 36, 3, 8, 12], [2, 36, 5, 8, 12]
    note(tmp_path, [
        Measured("tensorrt", machine(), weights, short, 2.0, 0.0, 1e-4, "short"),
        Measured("tensorrt-rtx", machine(), weights, short, 1.0, 0.9, 1e-4, "short"),
        Measured("onnx-cuda", machine(), weights, long, 2.0, 0.0, 1e-4, "long"),
        Measured("tensorrt-rtx", machine(), weights, long, 3.0, 0.0, 1e-4, "long"),
        Measured("onnx-tensorrt", "NVIDIA H200 SM90", weights, long, 1.0, 0.0, 1e-4, "long"),
        Measured("torch-compiled", machine(), weights, [2, 36, 4, 8, 12], 4.0, 0.0, 1e-4),
    ])  # fmt: skip
    said: list[str] = []
    denoise = fitting_graphs(model, tmp_path, weights, said.append)["denoise"]
    example = {given: torch.zeros(at[1]) for given, at in Manifest.load(folder).shapes["denoise"].items()}
    for num_frames in (3, 5, 4, 6, 6):
        audio = {name: example[name][:, :, :1].expand(-1, -1, num_frames, -1, -1, -1) for name in ("audio_k", "audio_v")}
        denoise(example | audio | {"latents": torch.zeros(2, 36, num_frames, 8, 12)})
    assert ran == ["tensorrt short", "tensorrt-rtx long", "torch-compiled", "torch", "torch"]
    assert [line[:44] for line in said] == [
        "onnx-cuda was fastest here and does not run ",
        "no verified backend takes denoise with laten",
    ]


def test_where_nothing_was_measured_torch_runs_it_and_that_is_said(model: VideoDiT, tmp_path: Path) -> None:
    said: list[str] = []
    graphs = fitting_graphs(model, tmp_path, "any", said.append)
    assert graphs["text"]({"text": torch.zeros(1, 512, CONFIG.text_dim)}).keys() == {"text_k", "text_v"}
    assert len(said) == 1 and "nothing was measured on" in said[0] and "torch runs them, eager" in said[0]


def test_the_command_verifies_and_says_which_backend_is_chosen(
    weights: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "verify", str(weights), "--backends", "torch,onnx-cpu,onnx-cuda"]) == 0
    told = capsys.readouterr()
    assert "onnx-cpu: " in told.err and "denoise " in told.err and "has no CUDAExecutionProvider" in told.err
    assert told.out.startswith("onnx: ") and "ms a step" in told.out
    model = tiny_model(CONFIG, seed=9)
    save_file(model.state_dict(), weights / "transformer" / "model.safetensors")  # other weights than those exported
    assert main(["export", "verify", str(weights), "--backends", "onnx-cpu"]) == 0
    assert "was made for weights" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "said"), [
    (["onnx", "--model", "wan", "--out", "x"], "name the folder of its weights with --weights"),
    (["onnx", "--model", "wan", "--weights", "nowhere", "--out", "x"], "there is no such folder"),
    (["onnx", "--model", "wan", "--weights", ".", "--size", "50x50", "--out", "x"], "multiples of 16"),
    (["onnx", "--precision", "bfloat16", "--out", "x"], "the portrait takes float32, half-weights or int8"),
    (["tensorrt", ".", "--out", "x"], "holds no graphs that `rostrum export onnx` wrote"),
    (["verify", "."], "holds no exported graphs"),
])  # fmt: skip
def test_what_cannot_be_exported_is_said_in_one_line(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", *words]) == 1
    assert said in capsys.readouterr().err


def test_there_is_a_reason_for_every_backend_that_cannot_run() -> None:
    findings = {finding.backend: finding for finding in examine()}
    assert tuple(findings) == BACKENDS
    assert findings["torch"].is_usable and findings["onnx-cpu"].is_usable
    for backend in ("onnx-cuda", "tensorrt"):
        assert findings[backend].is_usable == torch.cuda.is_available()
        assert "install Rostrum with" in findings[backend].reason or findings[backend].is_usable
