"""What torchrun runs in `test_video_trainer`: a small transformer, trained, stopped and trained further by all processes.

torchrun --nproc-per-node 2 -m tests.export.train.shared_run OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from export.train.run import Pace, joined, sharded, train
from export.train.video.transformer import RECIPES, flow_loss, learns
from tests.fakes.tiny_wan import SPEAKING, tiny_inputs, tiny_model

STEPS = (2, 4)


def drawn(number: int) -> dict[str, Tensor]:
    """The batch of that number, with what `flow_loss` wants to know of it."""
    inputs = tiny_inputs(SPEAKING, seed=number)
    latents = inputs.pop("latents")
    inputs.pop("timestep")
    noise_channels = SPEAKING.latent_channels
    weight = torch.ones(len(latents), *latents.shape[2:])
    return {**inputs, "latents": latents[:, :noise_channels], "known": latents[:, noise_channels:], "weight": weight}


def run(out: Path, together: int) -> None:
    """Four steps in two goes; `together` batches make a step, by as many processes or one after the other."""
    rank, processes = joined()
    for steps in STEPS:
        model = tiny_model(SPEAKING)
        learns(model, "audio", RECIPES["audio"])
        number = 0

        def loss_of(trained: nn.Module) -> dict[str, Tensor]:
            nonlocal number
            torch.manual_seed(100 + number + rank)
            batch = drawn(number + rank)
            number += processes
            return flow_loss(trained, batch, RECIPES["audio"])

        train(sharded(model), loss_of, out, Pace(steps=steps, lr=1e-3, accumulate=together // processes, save_every=1))


if __name__ == "__main__":
    run(Path(sys.argv[1]), 2)
