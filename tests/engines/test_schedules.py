"""Schedules and solvers against diffusers' own, on a velocity that bends."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from engines.schedules import Euler, Renoise, UniPC, sigmas, sigmas_at  # noqa: E402

NOISE = torch.randn(1, 4, 3, 2, 2, generator=torch.Generator().manual_seed(0))


def velocity(latents: torch.Tensor, sigma: float) -> torch.Tensor:
    return torch.sin(latents * (1.5 + sigma)) - 0.3 * latents + sigma


def ours(solver: object, schedule: np.ndarray) -> torch.Tensor:
    latents = NOISE
    for i, sigma in enumerate(schedule[:-1]):
        latents = solver.step(i, latents, velocity(latents, float(sigma)))
    return latents


def theirs(scheduler: object) -> torch.Tensor:
    latents = NOISE
    for sigma, timestep in zip(scheduler.sigmas, scheduler.timesteps, strict=False):
        latents = scheduler.step(velocity(latents, float(sigma)), timestep, latents, return_dict=False)[0]
    return latents


@pytest.mark.parametrize(("num_steps", "shift"), [(4, 5.0), (1, 3.0), (9, 1.0)])
def test_euler_is_diffusers(num_steps: int, shift: float) -> None:
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(sigmas=np.linspace(1, 0, num_steps + 1)[:-1])
    schedule = sigmas(num_steps, shift)
    np.testing.assert_allclose(schedule, scheduler.sigmas.numpy(), rtol=1e-6)
    torch.testing.assert_close(ours(Euler(schedule), schedule), theirs(scheduler), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("num_steps", "shift"), [(1, 5.0), (2, 5.0), (4, 5.0), (12, 3.0)])
def test_unipc_is_diffusers(num_steps: int, shift: float) -> None:
    scheduler = diffusers.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=shift
    )
    scheduler.set_timesteps(num_steps)
    schedule = scheduler.sigmas.numpy()
    torch.testing.assert_close(ours(UniPC(schedule), schedule), theirs(scheduler), rtol=1e-5, atol=1e-5)


def test_the_few_step_schedule_is_that_of_four_even_steps() -> None:
    np.testing.assert_allclose(sigmas_at([1000, 750, 500, 250], 5.0), sigmas(4, 5.0), rtol=1e-6)
    np.testing.assert_allclose(sigmas_at([1000, 750, 500, 250], 5.0), [1, 0.9375, 0.833333, 0.625, 0], rtol=1e-5)


@pytest.mark.parametrize("timesteps", [(), (250, 500), (1200, 500), (500, 0)])
def test_timesteps_that_do_not_fall_to_data_are_refused(timesteps: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="must fall"):
        sigmas_at(timesteps, 5.0)


def test_renoising_ends_on_the_last_guess_and_asks_for_noise_between() -> None:
    asked: list[int] = []

    def noise(i: int) -> torch.Tensor:
        asked.append(i)
        return torch.full_like(NOISE, 2.0)

    solver = Renoise([1.0, 0.5, 0.0], noise)
    middle = solver.step(0, NOISE, NOISE - 3.0)
    torch.testing.assert_close(middle, torch.full_like(NOISE, 0.5 * 3.0 + 0.5 * 2.0))
    torch.testing.assert_close(solver.step(1, middle, (middle - 7.0) / 0.5), torch.full_like(NOISE, 7.0))
    assert asked == [0]


def test_solvers_take_numpy_arrays_too() -> None:
    schedule = sigmas(3, 2.0)
    for solver in (Euler(schedule), UniPC(schedule)):
        latents = NOISE.numpy()
        for i in range(3):
            latents = solver.step(i, latents, latents * 0.5)
        assert isinstance(latents, np.ndarray) and latents.dtype == np.float32
