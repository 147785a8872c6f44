"""What a Wan transformer is shown of known frames, against diffusers' own pipeline; and pictures back."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from engines.checkpoint_names import vae_name  # noqa: E402
from engines.checkpoints import fill  # noqa: E402
from engines.codecs.wan import WanCodec  # noqa: E402
from engines.models.tiny_vae import TinyVae  # noqa: E402
from engines.models.wan_vae import WanVae  # noqa: E402
from tests.fakes.tiny_wan import TINY_VAE, randomised  # noqa: E402

FIRST, LAST = np.random.default_rng(0).integers(0, 256, (2, 32, 48, 3), np.uint8)


@pytest.fixture(scope="module")
def reference() -> torch.nn.Module:
    return randomised(diffusers.AutoencoderKLWan(base_dim=TINY_VAE.dim)).eval()


@pytest.fixture
def codec(reference: torch.nn.Module) -> WanCodec:
    vae = WanVae(TINY_VAE).eval()
    fill(vae, {vae_name(name): tensor for name, tensor in reference.state_dict().items()}, "diffusers")
    return WanCodec(vae)


@pytest.mark.parametrize("num_frames", [5, 13])
@pytest.mark.parametrize("last", [None, LAST], ids=["first", "first and last"])
def test_known_frames_and_their_mask_are_those_of_diffusers(
    reference: torch.nn.Module, codec: WanCodec, last: np.ndarray | None, num_frames: int
) -> None:
    pipeline = diffusers.WanImageToVideoPipeline(
        tokenizer=None, text_encoder=None, vae=reference, scheduler=diffusers.UniPCMultistepScheduler(),
        image_processor=None, image_encoder=None, transformer=None,
    )  # fmt: skip
    pixels = [torch.from_numpy(p).permute(2, 0, 1)[None] / 127.5 - 1 for p in (FIRST, last) if p is not None]
    with torch.no_grad():
        _, expected = pipeline.prepare_latents(
            pixels[0], 1, 16, 32, 48, num_frames, torch.float32, torch.device("cpu"), torch.Generator().manual_seed(0),
            last_image=pixels[1] if last is not None else None,
        )  # fmt: skip
    ours = codec.known_frames(FIRST, last, num_frames)
    assert ours.shape == expected.shape == (1, 20, 1 + num_frames // 4, 4, 6)
    assert torch.equal(ours[:, :4], expected[:, :4])
    assert float((ours - expected).norm() / expected.norm()) < 1e-5


def test_an_anchor_is_encoded_once(codec: WanCodec) -> None:
    encoded: list[int] = []
    encode = codec._vae.encode
    codec._vae.encode = lambda frames, past=(): encoded.append(frames.shape[2]) or encode(frames, past)
    codec.known_frames(FIRST, LAST, 9)
    assert encoded == [1, 8]
    codec.known_frames(FIRST.copy(), LAST.copy(), 9)  # each branch of guidance asks again
    assert encoded == [1, 8]
    codec.known_frames(FIRST, FIRST, 21)  # the same beginning, another end; in pieces that memory holds
    assert encoded == [1, 8, 16, 4]


@pytest.mark.parametrize("tiny", [False, True], ids=["wan", "tiny"])
def test_latents_become_pictures_four_at_a_time_after_the_first(codec: WanCodec, tiny: bool) -> None:
    if tiny:
        codec = WanCodec(codec._vae, randomised(TinyVae(dim=4, decoder_dims=(8, 6, 4, 4))))
    latents = torch.randn(1, 16, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    pictures = list(codec.decode(latents))
    assert [p.shape for p in pictures] == [(32, 48, 3)] * 9 and pictures[0].dtype == np.uint8
    first_only = list(codec.decode(latents[:, :, :1]))
    assert np.array_equal(first_only[0], pictures[0])


def test_pictures_and_counts_that_no_latents_hold_are_refused(codec: WanCodec) -> None:
    with pytest.raises(ValueError, match="50x40: both sides must be multiples of 16"):
        codec.known_frames(np.zeros((40, 50, 3), np.uint8), None, 9)
    with pytest.raises(ValueError, match=r"8 frames: a clip has 1 \+ 4k"):
        codec.known_frames(FIRST, LAST, 8)
    with pytest.raises(ValueError, match="the last"):
        codec.known_frames(FIRST, np.zeros((16, 16, 3), np.uint8), 9)
