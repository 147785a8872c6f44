"""Conditioners on tiny checkpoints of the published layouts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from engines.catalog import FrameAudio  # noqa: E402
from engines.conditioners import (  # noqa: E402
    AudioConditioner,
    ImageConditioner,
    TextConditioner,
    audio_windows,
)  # fmt: skip
from engines.recent import Recent  # noqa: E402
from tests.fakes.tiny_conditioners import write_clip, write_tokenizer, write_umt5, write_wav2vec2, write_whisper  # noqa: E402

VOICE = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) * 0.1


def test_a_prompt_is_encoded_once_and_ends_in_zeros(tmp_path: Path) -> None:
    words = TextConditioner(write_umt5(tmp_path / "umt5"), write_tokenizer(tmp_path / "tokenizer"))
    encoded = words.encode("very joyful; nods")
    assert encoded.shape == (1, 512, words.dim) == (1, 512, 20)
    length = int((encoded[0].abs().sum(dim=1) > 0).sum())
    assert 10 <= length <= 20 and not encoded[0, length:].any()
    assert words.encode("very joyful; nods") is encoded
    assert not torch.equal(words.encode("very sad"), encoded)
    assert words.encode("").shape == encoded.shape


def test_a_picture_is_encoded_once_to_the_tokens_before_clips_last_layer(tmp_path: Path) -> None:
    faces = ImageConditioner.of(write_clip(tmp_path / "clip"))
    picture = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
    encoded = faces.encode(picture)
    assert encoded.shape == (1, 257, faces.dim) == (1, 257, 12)
    assert faces.encode(picture.copy()) is encoded
    assert not torch.equal(faces.encode(255 - picture), encoded)


@pytest.mark.parametrize(("write", "dim"), [(write_wav2vec2, 3 * 8), (write_whisper, 5 * 8)])
def test_speech_comes_at_the_videos_rate_all_layers_side_by_side(write: object, dim: int, tmp_path: Path) -> None:
    ears = AudioConditioner.of(write(tmp_path / "ears"))
    for num_frames in (25, 16):
        features = ears.encode(VOICE, num_frames)
        assert features.shape == (num_frames, ears.dim) == (num_frames, dim)
    later = VOICE.copy()
    later[12_000:] = 0
    if ears.kind == "wav2vec2":  # Whisper's layers see all of the sound at once
        moved = (ears.encode(later, 25) - ears.encode(VOICE, 25)).abs().sum(dim=1)
        assert moved[20:].mean() > 3 * moved[:12].mean()


def test_the_last_layer_of_a_large_wav2vec2_is_normalised_as_that_of_a_base_one(tmp_path: Path) -> None:
    """Whose own `hidden_states` leave that out."""
    ears = AudioConditioner.of(write_wav2vec2(tmp_path / "large", stable=True))
    last = ears.encode(VOICE, 25)[:, -8:]
    torch.testing.assert_close(last.mean(1), torch.zeros(25), atol=1e-5, rtol=0)
    torch.testing.assert_close(last.std(1, unbiased=False), torch.ones(25), atol=0.02, rtol=0)


def test_an_encoder_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="clip_vision_model is no encoder of speech"):
        AudioConditioner.of(write_clip(tmp_path / "clip"))


@pytest.mark.parametrize("num_frames", [1, 5, 33])
def test_latent_0_hears_five_frames_and_each_later_one_eight(num_frames: int) -> None:
    config = FrameAudio(feature_dim=1)
    features = torch.arange(100.0)[:, None]
    first, later = audio_windows(features, 40, num_frames, config)
    assert first[0, :, 0].tolist() == [38, 39, 40, 41, 42]
    assert later.shape == (1, num_frames // 4, 8, 1)
    for i, heard in enumerate(later[0, :, :, 0]):
        frames = [40 + 4 * i + k for k in (1, 2, 3, 4)]
        # MultiTalk: of the first of its four frames the window's left half, of the last its right, of those between themselves.
        assert heard.tolist() == [
            frames[0] - 2,
            frames[0] - 1,
            frames[0],
            frames[1],
            frames[2],
            *range(frames[3], frames[3] + 3),
        ]


def test_beyond_both_ends_the_nearest_features_stand_in() -> None:
    first, later = audio_windows(torch.arange(6.0)[:, None], 0, 9, replace(FrameAudio(), feature_dim=1))
    assert first[0, :, 0].tolist() == [0, 0, 0, 1, 2]
    assert later[0, 1, :, 0].tolist() == [3, 4, 5, 5, 5, 5, 5, 5]


def test_what_is_kept_is_bounded() -> None:
    made: list[int] = []
    kept: Recent[int, int] = Recent(2)
    for key in (1, 2, 1, 3, 1, 2):
        kept.get(key, lambda key=key: made.append(key) or key)
    assert made == [1, 2, 3, 2]
