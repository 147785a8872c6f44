"""Video VAEs: Wan's against diffusers', both piece by piece against the whole."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from engines.checkpoint_files import CheckpointError  # noqa: E402
from engines.checkpoint_names import vae_name  # noqa: E402
from engines.checkpoints import fill, load_tiny_vae, load_wan_vae  # noqa: E402
from engines.models.tiny_vae import TinyVae  # noqa: E402
from engines.models.wan_vae import LATENT_MEAN, LATENT_STD, WanVae, normalised, raw  # noqa: E402
from tests.fakes.tiny_wan import TINY_VAE, randomised  # noqa: E402


@pytest.fixture(scope="module")
def reference() -> torch.nn.Module:
    model = diffusers.AutoencoderKLWan(base_dim=TINY_VAE.dim, z_dim=TINY_VAE.latent_channels)
    return randomised(model).eval()


@pytest.fixture(scope="module")
def vae(reference: torch.nn.Module) -> WanVae:
    model = WanVae(TINY_VAE).eval()
    fill(model, {vae_name(name): tensor for name, tensor in reference.state_dict().items()}, "diffusers")
    return model


def in_pieces(step: object, x: torch.Tensor, *lengths: int) -> torch.Tensor:
    """x cut along time, one piece after the other."""
    past: tuple[torch.Tensor, ...] = ()
    done = []
    for piece in x.split(lengths, dim=2):
        out, past = step(piece, past)
        done.append(out)
    return torch.cat(done, dim=2)


def apart(ours: torch.Tensor, expected: torch.Tensor) -> float:
    assert ours.shape == expected.shape
    return float((ours - expected).norm() / expected.norm())


@torch.no_grad()
def test_decoding_is_that_of_diffusers_however_it_is_cut(reference: torch.nn.Module, vae: WanVae) -> None:
    latents = torch.randn(1, 16, 4, 3, 5, generator=torch.Generator().manual_seed(0))
    expected = reference.decode(latents, return_dict=False)[0]
    assert expected.shape == (1, 3, 13, 24, 40)
    for lengths in ((1, 3), (1, 1, 1, 1), (1, 2, 1)):
        assert apart(in_pieces(vae.decode, latents, *lengths).clamp(-1, 1), expected) < 1e-5


@torch.no_grad()
def test_encoding_is_that_of_diffusers_however_it_is_cut(reference: torch.nn.Module, vae: WanVae) -> None:
    frames = torch.rand(1, 3, 13, 16, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1
    expected = reference.encode(frames).latent_dist.mode()
    for lengths in ((1, 12), (1, 4, 4, 4), (1, 8, 4)):
        assert apart(in_pieces(vae.encode, frames, *lengths), expected) < 1e-5


def test_latent_statistics_are_the_published_ones(reference: torch.nn.Module) -> None:
    assert list(LATENT_MEAN) == reference.config.latents_mean and list(LATENT_STD) == reference.config.latents_std
    latents = torch.randn(1, 16, 2, 3, 3)
    torch.testing.assert_close(raw(normalised(latents)), latents)


def test_a_video_that_begins_with_more_than_one_frame_is_refused(vae: WanVae) -> None:
    with pytest.raises(ValueError, match="begins with one alone"):
        vae.encode(torch.zeros(1, 3, 5, 16, 16))
    with pytest.raises(ValueError, match="2 latents"):
        vae.decode(torch.zeros(1, 16, 2, 2, 2))


@torch.no_grad()
def test_the_tiny_vae_streams_and_its_first_latent_is_one_frame() -> None:
    torch.manual_seed(5)
    vae = randomised(TinyVae(dim=4, decoder_dims=(8, 6, 4, 4))).eval()
    latents = torch.randn(1, 16, 3, 2, 3)
    whole, _ = vae.decode(latents)
    assert whole.shape == (1, 3, 9, 16, 24) and float(whole.abs().max()) <= 1
    torch.testing.assert_close(in_pieces(vae.decode, latents, 1, 1, 1), whole)
    later = latents.clone()
    later[:, :, 2] += 1
    changed, _ = vae.decode(later)
    torch.testing.assert_close(changed[:, :, :5], whole[:, :, :5])
    assert not torch.allclose(changed[:, :, 5:], whole[:, :, 5:])
    assert vae.encode(whole).shape == (1, 16, 3, 2, 3)


def test_the_tiny_vae_has_the_published_names() -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in TinyVae().state_dict().items()}
    assert shapes["decoder.1.weight"] == (256, 16, 3, 3)
    assert shapes["decoder.3.conv.0.weight"] == (256, 512, 3, 3)
    assert shapes["decoder.13.conv.weight"] == (256, 128, 1, 1)
    assert shapes["decoder.22.weight"] == (3, 64, 3, 3)
    assert shapes["encoder.2.conv.weight"] == (64, 128, 1, 1)
    assert shapes["encoder.17.weight"] == (16, 64, 3, 3)


def test_vae_files_are_read_in_either_naming_and_a_wrong_one_is_refused(tmp_path, reference, vae) -> None:
    from safetensors.torch import save_file

    reference.save_pretrained(tmp_path / "theirs")
    torch.save(vae.state_dict(), tmp_path / "Wan2.1_VAE.pth")
    for source in (tmp_path / "theirs", tmp_path / "Wan2.1_VAE.pth"):
        again = load_wan_vae(source)
        assert again.config == TINY_VAE
        assert torch.equal(again.decoder.conv1.weight, vae.decoder.conv1.weight)
    tiny = randomised(TinyVae())
    save_file(tiny.state_dict(), tmp_path / "taew2_1.safetensors")
    assert torch.equal(load_tiny_vae(tmp_path / "taew2_1.safetensors").decoder[1].weight, tiny.decoder[1].weight)
    with pytest.raises(CheckpointError, match=r"Wan2.1_VAE.pth lacks .*decoder\.1\.bias"):
        load_tiny_vae(tmp_path / "Wan2.1_VAE.pth")
