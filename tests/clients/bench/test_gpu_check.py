"""The GPU check: its parts, its budget and its random models; what it measures is tested where it lives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from clients.bench import gpu  # noqa: E402
from engines.video_sampler import Sampling  # noqa: E402


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which parts were carried out."""
    done: list[str] = []
    monkeypatch.setattr(gpu, "about", lambda: done.append("machine") or {"machine": "toy"})
    monkeypatch.setattr(gpu, "verify", lambda folder: done.append("verify") or {"torch": 0.0})
    monkeypatch.setattr(gpu, "measure", lambda case, folder: done.append(case.name) or {"steps_ms": {}})
    return done


def test_a_second_run_goes_on_with_what_the_first_had_no_time_for(tmp_path: Path, ran: list[str]) -> None:
    every = ["machine", "verify", *(case.name for case in gpu.dry_cases())]
    assert gpu.main(["--dry", "--parts", str(tmp_path), "--budget", "100"]) == 3
    assert ran == ["machine", "dry 64x48 9"]  # the others take longer than 100 s
    assert json.loads((tmp_path / "results.json").read_text())["left"] == ["verify", "dry 64x48 9 engines", "dry 64x48 9 fp8"]
    ran.clear()
    assert gpu.main(["--dry", "--parts", str(tmp_path), "--out", str(tmp_path / "all.json")]) == 0
    results = json.loads((tmp_path / "all.json").read_text())
    assert (
        ran == ["verify", "dry 64x48 9 engines", "dry 64x48 9 fp8"]
        and results["left"] == []
        and list(results["parts"]) == every
    )


def test_without_a_gpu_true_sizes_are_refused(tmp_path: Path, ran: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert gpu.main(["--parts", str(tmp_path)]) == 1
    assert "no GPU is usable here" in capsys.readouterr().err and not ran


def test_true_cases_are_those_that_were_asked_for() -> None:
    cases = {case.name: case for case in gpu.true_cases()}
    assert {(c.config.dim, c.shape.width, c.shape.height, c.shape.num_frames) for c in cases.values()} >= {
        (1536, 512, 512, 17), (1536, 512, 512, 33), (1536, 832, 480, 17), (1536, 832, 480, 33), (5120, 832, 480, 33),
    }  # fmt: skip
    assert Sampling().num_steps == gpu.NUM_STEPS == 4


def test_random_models_are_of_the_precision_asked_for_and_give_finite_numbers() -> None:
    case = gpu.dry_cases()[0]
    model = gpu.random_model(case.config, "cpu", torch.bfloat16)
    assert model.blocks[0].ffn[0].weight.dtype == torch.bfloat16 and model.head.modulation.dtype == torch.float32
    graphs, manifest = gpu.exported(model, "torch", case.shape, Path("unused"))
    inputs = dict(gpu.random_inputs(manifest, "cpu"))["denoise"]
    assert bool(torch.isfinite(graphs["denoise"](inputs)["velocity"]).all())
