"""Sampling video latents with a transformer that knows where to go."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from engines.drifted import drifted  # noqa: E402
from engines.guidance import Branch  # noqa: E402
from engines.video_sampler import Sampling, Told, sample  # noqa: E402

NOISE = torch.randn(1, 2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
TARGETS = {Branch.FULL: 1.0, Branch.NO_TEXT: 0.5, Branch.NEITHER: 0.25, Branch.DRIFTED: -1.0}


class Straight:
    """Velocity straight to what a branch is told in its words."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        latents, target = inputs["latents"][:, :2], inputs["text_k"][0]
        self.batches.append(len(latents))
        sigma = inputs["timestep"][:, None, None, None, None] / 1000
        return {"velocity": (latents - target[:, :, None, None, None]) / sigma}


def told(*kinds: Branch) -> dict[Branch, Told]:
    return {kind: Told(torch.zeros(1, 20, 3, 4, 4), {"text_k": torch.full((1, 1, 1), TARGETS[kind])}) for kind in kinds}


@pytest.mark.parametrize("sampling", [
    Sampling(), Sampling(solver="unipc", num_steps=6), Sampling(solver="renoise", timesteps=(1000, 750, 500, 250)),
], ids=lambda sampling: sampling.solver)  # fmt: skip
def test_sampling_arrives_at_any_frame_count(sampling: Sampling) -> None:
    transformer = Straight()
    latents = sample(transformer, told(Branch.FULL), NOISE, sampling)
    torch.testing.assert_close(latents, torch.full_like(NOISE, 1.0), rtol=1e-4, atol=1e-4)
    assert len(transformer.batches) == len(sampling.schedule) - 1


@pytest.mark.parametrize("one_batch", [True, False])
def test_guidance_leads_away_from_what_each_branch_lacks(one_batch: bool) -> None:
    sampling = Sampling(
        num_steps=1, text_guidance_scale=5.0, audio_guidance_scale=4.0, frame_guidance_scale=0.5, one_batch=one_batch
    )
    kinds = sampling.branches(hears=True)
    assert kinds == (Branch.FULL, Branch.NO_TEXT, Branch.NEITHER, Branch.DRIFTED)
    transformer = Straight()
    latents = sample(transformer, told(*kinds), NOISE, sampling)
    # Straight lines: guided velocities end where the targets are guided to.
    expected = 0.25 + 5.0 * (1.0 - 0.5) + 4.0 * (0.5 - 0.25) + 0.5 * (1.0 - -1.0)
    torch.testing.assert_close(latents, torch.full_like(NOISE, expected), rtol=1e-4, atol=1e-4)
    assert transformer.batches == ([4] if one_batch else [1, 1, 1, 1])


def test_latents_that_are_held_are_clean_at_every_step_and_stay_as_they_are() -> None:
    seen: list[torch.Tensor] = []

    def denoise(inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        seen.append(inputs["latents"][:, :2])
        return {"velocity": torch.ones_like(NOISE)}

    held = torch.full((1, 2, 2, 4, 4), 7.0)
    latents = sample(denoise, told(Branch.FULL), NOISE, Sampling(), held=held)
    assert all(torch.equal(each[:, :, :2], held) for each in (*seen, latents)) and len(seen) == 4
    torch.testing.assert_close(latents[:, :, 2:], NOISE[:, :, 2:] - 1.0)


def test_even_steps_may_end_before_nothing() -> None:
    assert Sampling(num_steps=3, shift=1.0, last_timestep=1.0).schedule == pytest.approx([1.0, 0.5005, 0.001, 0.0])
    with pytest.raises(ValueError, match="a last one below 1000"):
        Sampling(last_timestep=1000.0)


def test_fewer_steps_are_spread_over_the_schedule() -> None:
    four = Sampling(timesteps=(1000, 750, 500, 250))
    assert four.with_steps(2).timesteps == (1000, 500)
    assert four.with_steps(9).timesteps == four.timesteps
    assert Sampling(num_steps=8).with_steps(2).num_steps == 2


def test_a_drifted_frame_is_blurred_bent_and_overdone() -> None:
    np = pytest.importorskip("numpy")
    picture = np.kron(np.random.default_rng(0).integers(60, 190, (8, 8, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    worse = drifted(picture)
    assert worse.shape == picture.shape and np.array_equal(worse, drifted(picture))
    detail = [np.abs(np.diff(p.astype(float), axis=0)).max() for p in (picture, worse)]
    spread = [np.ptp(p.astype(float), axis=2).mean() for p in (picture, worse)]
    assert detail[1] < detail[0] and spread[1] > 1.2 * spread[0]
    assert (worse[..., 0].mean() - worse[..., 2].mean()) > (picture[..., 0].mean() - picture[..., 2].mean())
