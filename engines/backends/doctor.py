"""Which backends can run here, and why the others cannot."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

from engines.backends.error import BackendError


@dataclass(frozen=True, slots=True)
class Finding:
    """reason: why it cannot be used; or, where it can, what would run it."""

    backend: str
    is_usable: bool
    reason: str


def examine() -> list[Finding]:
    """Every backend of `engines.backends.choice`, in its order."""
    checks: dict[str, Callable[[], str]] = {
        "torch": _torch,
        "torch-compiled": _compiled,
        "onnx-cpu": lambda: _onnx("onnx-cpu"),
        "onnx-cuda": lambda: _onnx("onnx-cuda"),
        "onnx-tensorrt": lambda: _onnx("onnx-tensorrt"),
        "tensorrt": lambda: _tensorrt("tensorrt"),
        "tensorrt-rtx": lambda: _tensorrt("rtx"),
    }
    findings = []
    for backend, check in checks.items():
        try:
            findings.append(Finding(backend, True, check()))
        except BackendError as error:
            findings.append(Finding(backend, False, str(error)))
    return findings


def _torch() -> str:
    if importlib.util.find_spec("torch") is None:
        raise BackendError("torch is not installed: install Rostrum with [video]")
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        where = f"{torch.cuda.get_device_name()}, {free / 1e9:.0f} of {total / 1e9:.0f} GB free"
    elif torch.version.cuda is None:
        where = "CPU only: this build of torch has no CUDA"
    else:
        where = f"CPU only: torch was built for CUDA {torch.version.cuda}, and no GPU answers (driver missing or too old)"
    return f"torch {torch.__version__}, {where}"


def _compiled() -> str:
    found = _torch()
    import shutil

    import torch

    if not torch.cuda.is_available() and not (shutil.which("g++") or shutil.which("clang++")):
        raise BackendError("torch.compile needs a C++ compiler, and neither g++ nor clang++ is on the path")
    if torch.cuda.is_available() and importlib.util.find_spec("triton") is None:
        raise BackendError("torch.compile needs triton on a GPU, and it is not installed")
    return found


def _onnx(backend: str) -> str:
    import onnxruntime as ort

    providers = {
        "onnx-cpu": "CPUExecutionProvider", "onnx-cuda": "CUDAExecutionProvider", "onnx-tensorrt": "TensorrtExecutionProvider",
    }  # fmt: skip
    wanted = providers[backend]
    if wanted not in ort.get_available_providers():
        raise BackendError(f"onnxruntime {ort.__version__} has no {wanted}: install Rostrum with [gpu] in place of onnxruntime")
    if backend != "onnx-cpu":
        _need_gpu()
    return f"onnxruntime {ort.__version__}, {wanted}"


def _tensorrt(flavour: str) -> str:
    module = {"tensorrt": "tensorrt", "rtx": "tensorrt_rtx"}[flavour]
    try:
        found = importlib.import_module(module)
    except (ImportError, OSError) as error:
        extra = {"tensorrt": "gpu", "rtx": "rtx"}[flavour]
        raise BackendError(f"{error}: install Rostrum with [{extra}]") from None
    _need_gpu(f"{module} {found.__version__} is installed and can build engines, but to run them")
    return f"{module} {found.__version__}"


def _need_gpu(what: str = "it") -> None:
    if importlib.util.find_spec("torch") is None:
        raise BackendError(f"{what} needs torch beside it: install Rostrum with [video]")
    import torch

    if not torch.cuda.is_available():
        raise BackendError(f"{what} needs an NVIDIA GPU with a CUDA build of torch; {_torch()}")
