"""What the expert filters say of one clip as it is, and spoilt."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.features import SpeechEncoder
from export.curate import sound
from export.curate.coherence import coherence_of
from export.curate.faces import FaceTrack, NoFaceFound
from export.curate.filters import FILTERS, Experts, failed, thresholds
from export.curate.lip_clarity import clarity_of
from export.curate.perturb import MOUTH_FAULTS, blurred
from export.curate.quality import exposure, noise, sharpness
from export.curate.reading import Reading, read
from export.curate.rehearsal import CleanClip
from export.curate.sync import SyncScorer
from export.train.augment import coloured_noise, music, with_background

#: What python_speech_features 0.6 gives for a second of 440 Hz at half scale, 0.1 s in.
TONE_MFCC = (20.452, 19.509, 2.646, -13.193, -26.166, -32.528, -28.677, -17.672, -2.372, 10.792, 18.889, 18.689, 12.378)


@pytest.fixture(scope="module")
def scorer() -> SyncScorer:
    return SyncScorer(SpeechEncoder())


def test_lips_go_with_their_own_sound_and_not_with_another(scorer: SyncScorer, reading: Reading) -> None:
    own = scorer.score(reading.track.landmarks, reading.audio, 25, reading.track.found)
    backwards = scorer.score(reading.track.landmarks, reading.audio[::-1].copy(), 25, reading.track.found)
    assert abs(own.offset_frames) <= 1
    assert own.in_step > 0.15 > backwards.in_step


@pytest.mark.parametrize("frames", [-7, 5])
def test_sound_that_is_off_is_told_by_how_much(scorer: SyncScorer, reading: Reading, frames: int) -> None:
    samples = frames * 640
    late = np.concatenate([np.zeros(max(0, samples), np.int16), reading.audio[max(0, -samples) :]])
    score = scorer.score(reading.track.landmarks, late, 25, reading.track.found)
    assert abs(score.offset_frames + frames) <= 1  # lips come before a sound that is late
    assert score.confidence > 0.15 > score.in_step


def test_the_frame_rate_of_landmarks_does_not_matter(scorer: SyncScorer, reading: Reading) -> None:
    twice = np.repeat(reading.track.landmarks, 2, axis=0)
    assert scorer.score(twice, reading.audio, 50).in_step == pytest.approx(
        scorer.score(reading.track.landmarks, reading.audio, 25).in_step, abs=0.02
    )


def test_clips_that_sync_cannot_judge_are_refused(scorer: SyncScorer, reading: Reading) -> None:
    with pytest.raises(ValueError, match="lip sync needs 1 s"):
        scorer.score(reading.track.landmarks[:10], reading.audio, 25)
    with pytest.raises(ValueError, match="neither RGB pictures"):
        scorer.score(np.zeros((40, 48, 48), np.float32), reading.audio, 25)
    with pytest.raises(NoFaceFound, match="0 of 30 frames"):
        scorer.score(np.zeros((30, 64, 64, 3), np.uint8), reading.audio, 25)


@pytest.mark.parametrize("fault", MOUTH_FAULTS)
def test_spoilt_mouths_are_less_clear_than_they_were(reading: Reading, fault: str, rng: np.random.Generator) -> None:
    unit = reading.mouths.shape[1] / 1.3
    spoilt = np.stack([MOUTH_FAULTS[fault](mouth, unit, rng) for mouth in reading.mouths])
    assert clarity_of(reading.mouths).clarity > 2 * clarity_of(spoilt).clarity


def test_a_piece_cut_out_is_found_where_it_was(reading: Reading) -> None:
    whole = coherence_of(reading.smalls, reading.track, reading.size)
    keep = np.r_[:50, 80 : reading.num_frames]
    track = reading.track
    cut = FaceTrack(track.landmarks[keep], track.found[keep], track.num_faces[keep], track.pose[keep], track.blendshapes[keep])
    spliced = coherence_of(reading.smalls[keep], cut, reading.size)
    assert spliced.coherence < whole.coherence
    assert spliced.at_frame == 50


def test_blur_noise_and_darkness_show_in_the_quality(clip: CleanClip, rng: np.random.Generator) -> None:
    grey = clip.frames[0].mean(axis=2).astype(np.uint8)
    assert sharpness(blurred(grey, 1, 3)) < sharpness(grey) - 0.1
    assert noise(np.clip(grey + rng.normal(0, 15, grey.shape), 0, 255).astype(np.uint8)) > noise(grey) + 5
    assert exposure((grey * 0.1).astype(np.uint8)) < 0.2 < exposure(grey)


def test_music_and_noise_are_heard_under_a_voice(clip: CleanClip, rng: np.random.Generator) -> None:
    voice = clip.audio / np.float32(32768)

    def heard(samples: np.ndarray) -> sound.Sound:
        return sound.measure((np.clip(samples, -1, 1) * 32767).astype(np.int16))

    alone = heard(voice)
    assert alone.speech > 0.5
    assert heard(with_background(voice, music(len(voice), rng), 3)).music > alone.music + 0.3
    assert heard(with_background(voice, coloured_noise(len(voice), 0, rng), 3)).snr_db < alone.snr_db - 10
    assert heard(0.05 * coloured_noise(len(voice), 0, rng)).speech < 0.1
    assert sound.measure(np.zeros(0, np.int16)) == sound.SILENCE


def test_a_clean_clip_passes_and_says_what_it_lacks_when_it_is_silent_or_empty(reading: Reading) -> None:
    limits = thresholds()
    assert set(limits) == {each.name for each in FILTERS}
    experts = Experts()
    assert failed(experts.score(reading), limits) == []
    silent = failed(experts.score(replace(reading, audio=np.zeros(0, np.int16))), limits)
    assert silent == ["sync", "speech", "music", "snr_db"]
    empty = read([np.full((64, 64, 3), 90, np.uint8)] * 30, np.zeros(0, np.int16))
    assert {"lip_clarity", "face_px", "face_share"} <= set(failed(experts.score(empty), limits))


def test_weights_of_syncnet_and_of_the_aesthetic_head_are_read_by_path(tmp_path: Path, rng: np.random.Generator) -> None:
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    from export.curate.aesthetic import AestheticPredictor
    from export.curate.syncnet import SyncNet, mfcc

    torch.save(SyncNet().state_dict(), tmp_path / "syncnet_v2.model")
    net = SyncNet.load(tmp_path / "syncnet_v2.model")
    with torch.inference_mode():
        assert net.sound(torch.zeros(1, 1, 13, 20)).shape == (1, 1024)
    (tmp_path / "other.model").write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"other\.model does not hold SyncNet's weights"):
        SyncNet.load(tmp_path / "other.model")
    tone = (16000 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype(np.int16)
    assert mfcc(tone).shape == (99, 13)
    assert mfcc(tone)[10] == pytest.approx(TONE_MFCC, abs=0.02)

    config = CLIPVisionConfig(
        hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=16,
        projection_dim=24,
    )  # fmt: skip
    CLIPVisionModelWithProjection(config).save_pretrained(tmp_path / "clip")
    size = {"height": 32, "width": 32}
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size).save_pretrained(tmp_path / "clip")
    widths = (24, 1024, 128, 64, 16, 1)
    head = {}
    for place, (a, b) in zip((0, 2, 4, 6, 7), pairwise(widths), strict=True):
        head |= {f"layers.{place}.weight": torch.zeros(b, a), f"layers.{place}.bias": torch.full((b,), 5.5)}
    torch.save(head, tmp_path / "head.pth")
    picture = rng.integers(0, 255, (48, 40, 3), dtype=np.uint8)
    assert AestheticPredictor(tmp_path / "head.pth", tmp_path / "clip").rate([picture]) == pytest.approx(5.5)
    torch.save({"weight": torch.zeros(1)}, tmp_path / "wrong.pth")
    with pytest.raises(ValueError, match=r"wrong\.pth is not LAION's improved aesthetic predictor"):
        AestheticPredictor(tmp_path / "wrong.pth", tmp_path / "clip")
