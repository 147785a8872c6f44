"""Noise levels, and how to go from one to the next: Euler, UniPC, and re-noising. Arrays may be numpy's or torch's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Latents = TypeVar("Latents", bound=Any)
SolverName = Literal["euler", "unipc", "renoise"]


def shifted(sigma: NDArray[np.float64], shift: float) -> NDArray[np.float64]:
    """Noise levels with more of the way spent near noise, for shift > 1 (Esser et al. 2024)."""
    return shift * sigma / (1 + (shift - 1) * sigma)


def sigmas(num_steps: int, shift: float, last_timestep: float = 0.0) -> NDArray[np.float32]:
    """Noise levels from 1 (noise) to 0 (data), [num_steps + 1], evenly spread before the shift.

    last_timestep: of 1000, where the last step begins, in place of one step above 0.
    """
    if num_steps < 1 or not 0 <= last_timestep < 1000:
        raise ValueError(f"sampling needs at least one step, and a last one below 1000, not {num_steps} and {last_timestep}")
    levels = np.linspace(1.0, 0.0, num_steps + 1)
    if last_timestep:
        levels = np.append(np.linspace(1.0, last_timestep / 1000, num_steps), 0.0)
    return shifted(levels, shift).astype(np.float32)


def sigmas_at(timesteps: Sequence[float], shift: float) -> NDArray[np.float32]:
    """Noise levels of these timesteps (falling, of 1000), shifted, and 0."""
    levels = np.array(timesteps, np.float64) / 1000
    if not len(levels) or levels[0] > 1 or np.any(np.diff(levels) >= 0) or levels[-1] <= 0:
        raise ValueError(f"timesteps must fall, within 1000 and above 0, not {list(timesteps)}")
    return np.append(shifted(levels, shift), 0.0).astype(np.float32)


class Solver(Protocol):
    """Steps along one schedule, one after the other."""

    def step(self, i: int, latents: Latents, velocity: Latents) -> Latents:
        """The latents at noise level i + 1, of those at i and the velocity there."""
        ...


class Euler:
    """Flow matching (Lipman et al. 2022): straight on. The schedule's sigma 1 is noise, 0 is data."""

    def __init__(self, schedule: Sequence[float]) -> None:
        self._sigmas = [float(sigma) for sigma in schedule]

    def step(self, i: int, latents: Latents, velocity: Latents) -> Latents:
        return latents + (self._sigmas[i + 1] - self._sigmas[i]) * velocity


class Renoise:
    """Guess the data, then noise anew (consistency sampling, Luo et al. 2023), as Self-Forcing's students were taught."""

    def __init__(self, schedule: Sequence[float], noise: Callable[[int], Any]) -> None:
        """noise: fresh noise of the latents' shape for step i."""
        self._sigmas = [float(sigma) for sigma in schedule]
        self._noise = noise

    def step(self, i: int, latents: Latents, velocity: Latents) -> Latents:
        data = latents - self._sigmas[i] * velocity
        following = self._sigmas[i + 1]
        return data if following == 0 else (1 - following) * data + following * self._noise(i)


class UniPC:
    """The unified predictor-corrector of order 2, on data predictions, B(h) = expm1(h) (Zhao et al. 2023).

    Time is λ = log((1 − σ) / σ); the first step and the last are of order 1.
    """

    def __init__(self, schedule: Sequence[float]) -> None:
        self._sigmas = np.minimum(np.array(schedule, np.float64), 1 - 1e-6)  # of pure noise λ is −∞
        data, noise = 1 - self._sigmas, np.maximum(self._sigmas, 1e-300)
        self._lambdas = np.log(data / noise)
        self._data: list[Any] = []  # of the last two levels, newest last
        self._latents: Any = None  # before the last step
        self._order = 0  # of the last step

    def step(self, i: int, latents: Latents, velocity: Latents) -> Latents:
        data = latents - float(self._sigmas[i]) * velocity
        if i > 0:
            latents = self._corrected(i, data)
        self._data = [*self._data[-1:], data]
        self._latents = latents
        self._order = min(2, i + 1, len(self._sigmas) - 1 - i)
        return self._predicted(i)

    def _way(self, start: int, end: int) -> tuple[float, float, float, float, float]:
        """From one level to another: step h < 0, and the weights of latents and data, with both of expm1's series."""
        hh = -(self._lambdas[end] - self._lambdas[start])
        phi = np.expm1(hh)
        keep, take = self._sigmas[end] / self._sigmas[start], -(1 - self._sigmas[end]) * phi
        return hh, phi, float(keep), float(take), 1 - float(self._sigmas[end])

    def _predicted(self, i: int) -> Any:
        _, phi, keep, take, alpha = self._way(i, i + 1)
        if self._sigmas[i + 1] == 0:
            return self._data[-1]  # the limit of order 1: nothing is kept
        predicted = keep * self._latents + take * self._data[-1]
        if self._order == 2:
            ratio = (self._lambdas[i - 1] - self._lambdas[i]) / (self._lambdas[i + 1] - self._lambdas[i])
            slope = (self._data[-2] - self._data[-1]) / float(ratio)
            predicted = predicted - float(alpha * phi * 0.5) * slope
        return predicted

    def _corrected(self, i: int, data: Any) -> Any:
        """The latents at level i once more, now that the data seen from there is known."""
        hh, phi, keep, take, alpha = self._way(i - 1, i)
        base = keep * self._latents + take * self._data[-1]
        newest = data - self._data[-1]
        if self._order < 2:
            return base - float(alpha * phi * 0.5) * newest
        ratio = (self._lambdas[i - 2] - self._lambdas[i - 1]) / (self._lambdas[i] - self._lambdas[i - 1])
        first = phi / hh - 1
        second = (first / hh - 0.5) * 2
        weights = np.linalg.solve(np.array([[1.0, 1.0], [ratio, 1.0]]), np.array([first, second]) / phi)
        slope = (self._data[-2] - self._data[-1]) / float(ratio)
        return base - float(alpha * phi) * (float(weights[0]) * slope + float(weights[1]) * newest)


def solver(name: SolverName, schedule: Sequence[float], noise: Callable[[int], Any]) -> Solver:
    """By name; `noise` is asked only by `renoise`."""
    match name:
        case "euler":
            return Euler(schedule)
        case "unipc":
            return UniPC(schedule)
        case "renoise":
            return Renoise(schedule, noise)
