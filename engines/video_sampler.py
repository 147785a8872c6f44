"""Video latents, sampled: any schedule and solver, guided by words, sound and known frames, one batched call a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import torch
from torch import Tensor

from engines.backends.graph import Graph
from engines.guidance import Branch, branches, combine
from engines.schedules import SolverName, sigmas, sigmas_at, solver


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a checkpoint likes to be sampled. The defaults are those of four-step distillations: no guidance but what it learnt.

    timesteps: in place of `num_steps` even ones. last_timestep: where the last of those begins (MultiTalk: 1).
    audio_attention_scale: how loud the sound is to the picture. one_batch: all
    branches of guidance at once; a `VideoModel` whose memory does not allow it takes them one after the other.
    """

    num_steps: int = 4
    shift: float = 5.0
    solver: SolverName = "euler"
    timesteps: tuple[float, ...] = ()
    last_timestep: float = 0.0
    text_guidance_scale: float = 1.0
    audio_guidance_scale: float = 1.0
    frame_guidance_scale: float = 0.0
    audio_attention_scale: float = 1.0
    one_batch: bool = True

    def __post_init__(self) -> None:
        if self.solver not in get_args(SolverName):
            raise ValueError(f"solver {self.solver!r} is none of {', '.join(get_args(SolverName))}")
        _ = self.schedule  # raises for steps that make none

    def with_steps(self, num_steps: int) -> Sampling:
        """Fewer, when time is short: of given timesteps those that are spread most evenly, the first always."""
        if not self.timesteps:
            return replace(self, num_steps=min(num_steps, self.num_steps))
        count = min(num_steps, len(self.timesteps))
        return replace(self, timesteps=tuple(self.timesteps[i * len(self.timesteps) // count] for i in range(count)))

    @property
    def schedule(self) -> list[float]:
        """Noise levels from 1 to 0."""
        if self.timesteps:
            return [float(level) for level in sigmas_at(self.timesteps, self.shift)]
        return [float(level) for level in sigmas(self.num_steps, self.shift, self.last_timestep)]

    def branches(self, hears: bool) -> tuple[Branch, ...]:
        """The evaluations that a step needs."""
        return branches(self.text_guidance_scale, self.audio_guidance_scale, hears, self.frame_guidance_scale)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What one branch knows: known frames with their mask [1, 20, f, h, w] (or none, [1, 0, …]), keys and values by name."""

    frames: Tensor
    conditions: Mapping[str, Tensor]


@torch.inference_mode()
def sample(
    denoise: Graph, told: Mapping[Branch, Told], noise: Tensor, sampling: Sampling, seed: int = 0, held: Tensor | None = None
) -> Tensor:  # fmt: skip
    """Latents [1, 16, f, h, w] of noise of that shape. `told` has the branches of `sampling.branches`.

    held: latents [1, 16, k, h, w] of the first frames, which stay as they are at every step.

    Nothing is read back from the device on the way, so a GPU never waits for the host.
    """
    kinds = list(told)
    schedule = sampling.schedule
    calls = [kinds] if sampling.one_batch else [[kind] for kind in kinds]
    known = [_stacked([told[kind] for kind in call]) for call in calls]
    times = [torch.full((len(kinds),), sigma * 1000, device=noise.device) for sigma in schedule[:-1]]
    generator = torch.Generator(noise.device).manual_seed(seed + 1)  # not that of the noise it all begins with
    walk = solver(
        sampling.solver,
        schedule,
        lambda _: torch.randn(noise.shape, generator=generator, device=noise.device),
    )
    first = noise[:, :, :0] if held is None else held
    latents = torch.cat([first, noise[:, :, first.shape[2] :]], dim=2).float()
    for i, time in enumerate(times):
        parts = []
        for call, (frames, conditions) in zip(calls, known, strict=True):
            shown = torch.cat([latents.expand(len(call), -1, -1, -1, -1), frames], dim=1)
            parts.append(denoise({"latents": shown, "timestep": time[: len(call)], **conditions})["velocity"].clone())
        velocities = [part[j : j + 1] for part in parts for j in range(len(part))]
        guided = combine(velocities, sampling.text_guidance_scale, sampling.audio_guidance_scale, sampling.frame_guidance_scale)
        latents = torch.cat([first, walk.step(i, latents, guided)[:, :, first.shape[2] :]], dim=2)
    return latents


def _stacked(told: Sequence[Told]) -> tuple[Tensor, dict[str, Tensor]]:
    """Branches side by side: keys and values are [blocks, b, …], all else [b, …]."""
    names = told[0].conditions.keys()
    conditions = {
        name: torch.cat([one.conditions[name] for one in told], dim=1 if name.endswith(("_k", "_v")) else 0) for name in names
    }
    return torch.cat([one.frames for one in told]), conditions
