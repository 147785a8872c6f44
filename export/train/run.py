"""One training run, whatever is trained: resumable, averaged weights, accumulated gradients, one process or many."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from tqdm import tqdm

CHECKPOINT = "last.pt"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long and how fast. minutes: 0 for as many as the steps take; of both, what ends first. Losses are means over
    `accumulate` batches a step and over all processes. in_half: in bfloat16 where the device is a GPU."""

    steps: int
    minutes: float = 0.0
    lr: float = 1e-5
    warm_steps: int = 100
    accumulate: int = 1
    weight_decay: float = 0.01
    ema: float = 0.999
    save_every: int = 200
    in_half: bool = True


def learning_rate(step: int, progress: float, pace: Pace) -> float:
    """Linear warm-up, then a cosine down to a twentieth. progress: 0–1 of the run."""
    warm = min(1.0, (step + 1) / pace.warm_steps)
    return pace.lr * warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def joined() -> tuple[int, int]:
    """(rank, number of processes); torchrun's are joined when first asked."""
    if "WORLD_SIZE" not in os.environ:
        return 0, 1
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return distributed.get_rank(), distributed.get_world_size()


def sharded(model: nn.Module) -> nn.Module:
    """Parameters, gradients and the optimizer's state spread over the processes (FSDP2); a video model's, block by block."""
    if joined()[1] > 1:
        from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

        for block in getattr(model, "blocks", []):
            if not hasattr(block, "of_text"):  # a small model, which asks its blocks' own parts: whole at once
                break
            fully_shard(block)
            for method in ("of_text", "of_images", "of_audio"):  # what else is asked of a block with its weights whole
                register_fsdp_forward_method(block, method)
        fully_shard(model, reshard_after_forward=True)  # a teacher has no backward pass to do it after
    return model


def whole(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Gathered from all processes; all must ask."""
    return {name: (p.full_tensor() if hasattr(p, "full_tensor") else p).detach().cpu() for name, p in parameters.items()}


def begun(out: Path) -> tuple[int, dict[str, Any]]:
    """Steps that a run has behind it, and what it noted; 0 and nothing where there is none."""
    checkpoint = out / CHECKPOINT
    if not checkpoint.exists():
        return 0, {}
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    return saved["step"], saved["notes"]


def train(
    model: nn.Module, loss_of: Callable[[nn.Module], dict[str, Tensor]], out: Path, pace: Pace,
    notes: Mapping[str, Any] | None = None, device: str = "cpu",
) -> dict[str, Tensor]:  # fmt: skip
    """Trains what `requires_grad` in the model, in place, and gives the averaged weights of it.

    loss_of draws a batch of its own and gives losses, `total` being minimised. `out/last.pt` is written every so often and
    taken up again; `out/log.jsonl` and, where tensorboard is installed, its event files tell how it goes.
    """
    rank, _ = joined()
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / CHECKPOINT
    learning = {name: p for name, p in model.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(learning.values(), lr=pace.lr, betas=(0.9, 0.98), weight_decay=pace.weight_decay)
    step, spent_s = 0, 0.0
    ema = {name: deepcopy(p.detach()) for name, p in learning.items()}
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        step, spent_s = saved["step"], saved["spent_s"]
        _put(learning, saved["model"])
        _put(ema, saved["ema"])
        _restore(optimizer, saved["optimizer"], learning)
    board = _board(out) if rank == 0 else None
    began = time.monotonic() - spent_s
    smooth: dict[str, float] = {}
    half = torch.autocast("cuda", torch.bfloat16) if pace.in_half and device.startswith("cuda") else nullcontext()
    bar = tqdm(total=pace.steps, initial=step, unit="step", mininterval=10, disable=rank > 0)
    while step < pace.steps:
        progress = max(step / pace.steps, _furthest(time.monotonic() - began) / 60 / pace.minutes if pace.minutes else 0.0)
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, progress, pace)
        optimizer.zero_grad(set_to_none=True)
        for _ in range(pace.accumulate):
            with half:
                losses = loss_of(model)
            (losses["total"] / pace.accumulate).backward()
            for name, value in losses.items():
                smooth[name] = 0.97 * smooth.get(name, value.item()) + 0.03 * value.item()
        torch.nn.utils.clip_grad_norm_(learning.values(), 1.0)
        optimizer.step()
        step += 1
        keep = min(pace.ema, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, p in learning.items():
                ema[name].lerp_(p, 1 - keep)
        bar.update()
        if step % pace.save_every == 0 or step == pace.steps:
            spent_s = time.monotonic() - began
            _save(checkpoint, learning, ema, optimizer, step, spent_s, dict(notes or {}))
            record = {"step": step, "minutes": round(spent_s / 60, 1), **{k: round(v, 5) for k, v in smooth.items()}}
            if rank == 0:
                bar.write(json.dumps(record))
                with (out / "log.jsonl").open("a") as log:
                    log.write(json.dumps(record) + "\n")
            if board:
                for name, mean in smooth.items():
                    board.add_scalar(name, mean, step)
    if pace.minutes:
        _save(checkpoint, learning, ema, optimizer, step, time.monotonic() - began, dict(notes or {}))
    return whole(ema)


def _furthest(seconds: float) -> float:
    """Of all processes, so that they stop together."""
    if joined()[1] == 1:
        return seconds
    furthest = torch.tensor([seconds], device="cuda" if torch.cuda.is_available() else "cpu")
    distributed.all_reduce(furthest, distributed.ReduceOp.MAX)
    return float(furthest)


def _board(out: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(out))


def _put(parameters: Mapping[str, Tensor], saved: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, p in parameters.items():
            p.copy_(_as(p, saved[name]))


def _as(p: Tensor, value: Tensor) -> Tensor:
    """A whole tensor, spread as p is."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    return distribute_tensor(value.to(p.device), p.device_mesh, p.placements) if isinstance(p, DTensor) else value


def _restore(
    optimizer: torch.optim.Optimizer, saved: Mapping[str, Mapping[str, Tensor]], learning: Mapping[str, Tensor]
) -> None:
    for name, p in learning.items():
        state = saved[name]
        optimizer.state[p] = {key: value if key == "step" else _as(p, value) for key, value in state.items()}


def _save(
    checkpoint: Path, learning: Mapping[str, Tensor], ema: Mapping[str, Tensor], optimizer: torch.optim.Optimizer,
    step: int, spent_s: float, notes: dict[str, Any],
) -> None:  # fmt: skip
    state = {
        "model": whole(learning), "ema": whole(ema), "step": step, "spent_s": spent_s, "notes": notes,
        "optimizer": {name: whole(optimizer.state[p]) for name, p in learning.items()},
    }  # fmt: skip
    if joined()[0] == 0:
        torch.save(state, checkpoint.with_suffix(".partial"))
        checkpoint.with_suffix(".partial").rename(checkpoint)
