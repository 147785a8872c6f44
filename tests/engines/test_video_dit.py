"""The video transformer against diffusers' own, and its ears against their definition."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from engines.catalog import VIDEO_CONFIGS, FrameAudio, VideoDiTConfig, wan_rope_split  # noqa: E402
from engines.checkpoints import fill, wan_name  # noqa: E402
from engines.models.video_dit import VideoDiT  # noqa: E402
from tests.fakes.tiny_wan import ECHOMIMIC, FIRST_AND_LAST, INFINITETALK, TEXT_ONLY, TINY, tiny_inputs, tiny_model  # noqa: E402


def theirs(config: VideoDiTConfig) -> torch.nn.Module:
    """diffusers' model of this size, every parameter random."""
    model = diffusers.WanTransformer3DModel(
        num_attention_heads=config.num_heads, attention_head_dim=config.dim // config.num_heads,
        in_channels=config.in_channels, out_channels=config.latent_channels, text_dim=config.text_dim,
        freq_dim=config.frequency_dim, ffn_dim=config.ffn_dim, num_layers=config.num_blocks,
        image_dim=config.image_dim or None, added_kv_proj_dim=config.dim if config.image_dim else None,
        pos_embed_seq_len=config.image_positions or None,
    ).eval()  # fmt: skip
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter + torch.randn_like(parameter) * 0.2)
    return model


@pytest.mark.parametrize("config", [TEXT_ONLY, TINY, FIRST_AND_LAST], ids=["text", "first", "first-and-last"])
def test_velocity_is_that_of_diffusers(config: VideoDiTConfig) -> None:
    reference, model = theirs(config), VideoDiT(config).eval()
    fill(model, {wan_name(name): tensor for name, tensor in reference.state_dict().items()}, "diffusers")
    inputs = tiny_inputs(config)
    images = inputs.get("images")
    if config.image_positions:
        images = images.reshape(-1, config.image_positions // 2, config.image_dim)
    with torch.no_grad():
        ours = model(**inputs)
        expected = reference(inputs["latents"], inputs["timestep"], inputs["text"], images, return_dict=False)[0]
    assert ours.shape == (2, 16, 3, 4, 6)
    assert float((ours - expected).abs().max() / expected.abs().max()) < 1e-5


@pytest.mark.parametrize("audio", [INFINITETALK, ECHOMIMIC], ids=lambda audio: audio.style)
def test_each_latent_frame_hears_its_own_window_and_no_other(audio: FrameAudio) -> None:
    config = replace(TINY, audio=audio, num_blocks=1)
    model, inputs = tiny_model(config), tiny_inputs(config)
    seen: list[torch.Tensor] = []
    block = model.blocks[0]
    attention = block.audio_cross_attn if audio.style == "infinitetalk" else block.cross_attn
    attention.register_forward_hook(lambda _module, _args, out: seen.append(out.unflatten(1, (3, -1))))
    louder = {**inputs, "audio_later": inputs["audio_later"].clone()}
    louder["audio_later"][:, 1] += 1.0
    with torch.no_grad():
        model(**inputs), model(**louder)
    moved = (seen[0] - seen[1]).abs().amax(dim=(0, 2, 3))
    assert moved[0] == 0 and moved[1] == 0 and moved[2] > 1e-3


def softmax_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, heads: int) -> torch.Tensor:
    """q [n, d], k and v [m, d], one head after the other."""
    parts = [t.chunk(heads, dim=-1) for t in (q, k, v)]
    return torch.cat([(q @ k.T / k.shape[-1] ** 0.5).softmax(-1) @ v for q, k, v in zip(*parts, strict=True)], dim=-1)


@torch.no_grad()
def test_infinitetalks_ears_are_what_multitalk_defines() -> None:
    """Tokens and attention once more, frame by frame, from the published parameters."""
    config = replace(TINY, audio=INFINITETALK)
    model, inputs = tiny_model(config), tiny_inputs(config)
    p, ears = model.audio_proj, model.blocks[1].audio_cross_attn
    x = torch.randn(2, 3 * 6, TINY.dim, generator=torch.Generator().manual_seed(3))
    keys, values = model.condition_audio(inputs["audio_first"], inputs["audio_later"])
    ours = ears(x, (keys[1], values[1]))
    for b in range(2):
        for frame in range(3):
            window = inputs["audio_first"][b] if frame == 0 else inputs["audio_later"][b, frame - 1]
            first = p.proj1 if frame == 0 else p.proj1_vf
            hidden = torch.relu(p.proj2(torch.relu(first(window.flatten()))))
            tokens = p.norm(p.proj3(hidden).reshape(INFINITETALK.num_tokens, INFINITETALK.token_dim))
            k, v = ears.kv_linear(tokens).chunk(2, dim=-1)
            mine = x[b, frame * 6 : (frame + 1) * 6]
            expected = ears.proj(softmax_attention(ears.q_linear(mine), k, v, TINY.num_heads))
            torch.testing.assert_close(ours[b, frame * 6 : (frame + 1) * 6], expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_echomimics_ears_share_the_texts_query() -> None:
    config = replace(TINY, audio=ECHOMIMIC, image_dim=0)
    model, inputs = tiny_model(config), tiny_inputs(config)
    attention = model.blocks[0].cross_attn
    x = torch.randn(2, 3 * 6, TINY.dim, generator=torch.Generator().manual_seed(3))
    known = model.condition(inputs)
    text, audio = (known["text_k"][0], known["text_v"][0]), (known["audio_k"][0], known["audio_v"][0])
    ours = attention(x, text, None, audio, torch.ones(2, 1, 1))
    words, tokens = model.text_embedding(inputs["text"]), model.audio_injection(inputs["audio_first"], inputs["audio_later"])
    for b in range(2):
        q = attention.norm_q(attention.q(x[b]))
        read = softmax_attention(q, attention.norm_k(attention.k(words[b])), attention.v(words[b]), TINY.num_heads)
        heard = [
            softmax_attention(
                q[f * 6 : (f + 1) * 6], attention.norm_k_audio(attention.k_audio(tokens[b, f])),
                attention.v_audio(tokens[b, f]), TINY.num_heads,
            ) for f in range(3)
        ]  # fmt: skip
        torch.testing.assert_close(ours[b], attention.o(read + torch.cat(heard)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("audio", [INFINITETALK, ECHOMIMIC], ids=lambda audio: audio.style)
def test_an_audio_scale_of_zero_is_deafness(audio: FrameAudio) -> None:
    config = replace(TINY, audio=audio)
    model, inputs = tiny_model(config), tiny_inputs(config)
    inputs["audio_scale"] = torch.zeros(2)
    other = {**inputs, "audio_first": inputs["audio_first"] + 1}
    with torch.no_grad():
        assert torch.equal(model(**inputs), model(**other))
        assert not torch.equal(model(**inputs), model(**{**inputs, "audio_scale": torch.ones(2)}))


def test_true_sizes_have_the_published_number_of_parameters() -> None:
    for name, billions in (("wan-1.3b", 1.6), ("wan-14b", 16.4)):
        with torch.device("meta"):
            model = VideoDiT(VIDEO_CONFIGS[name])
        assert sum(p.numel() for p in model.parameters()) / 1e9 == pytest.approx(billions, abs=0.1)
    assert wan_rope_split(128) == (44, 42, 42)


def test_bfloat16_weights_leave_norms_and_time_in_float32_and_stay_near() -> None:
    config = replace(TINY, audio=INFINITETALK)
    model, inputs = tiny_model(config), tiny_inputs(config)
    with torch.no_grad():
        expected = model(**inputs)
        model.to_precision(torch.bfloat16)
        ours = model(**inputs)
    assert ours.dtype == torch.float32 and model.blocks[0].ffn[0].weight.dtype == torch.bfloat16
    assert model.time_embedding[0].weight.dtype == model.head.modulation.dtype == torch.float32
    assert float((ours - expected).norm() / expected.norm()) < 0.05
