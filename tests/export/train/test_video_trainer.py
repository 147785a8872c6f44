"""A pixel model made from clips, stage by stage, at sizes that take a moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from clients.cli.main import main  # noqa: E402
from engines.backends.torch import torch_graphs  # noqa: E402
from engines.catalog import MINI, FrameAudio, MiniVaeConfig, wan_rope_split  # noqa: E402
from engines.checkpoint_files import CheckpointError  # noqa: E402
from engines.checkpoints import merged  # noqa: E402
from engines.codecs.mini import MiniCodec, flows  # noqa: E402
from engines.mini import Listener, Reader  # noqa: E402
from engines.models.mini_vae import MiniVae, moved  # noqa: E402
from engines.models.video_dit import VideoDiT  # noqa: E402
from engines.specs import ClipRequest  # noqa: E402
from engines.video import VideoModel, load_video_model  # noqa: E402
from engines.video_sampler import Sampling  # noqa: E402
from export.train.run import Pace, train  # noqa: E402
from export.train.video.ablate import AUDIO_SCALES, FRAME_SCALES, ablate, continued, variants  # noqa: E402
from export.train.video.clips import load  # noqa: E402
from export.train.video.encoded import encode  # noqa: E402
from export.train.video.transformer import LEARNT, RECIPES, WHOLE, Encoded, fresh, of_run, train_stage  # noqa: E402
from export.train.video.vae import split, vae_loss  # noqa: E402
from export.train.video.windows import Harm, Pieces, changed, importance, levels  # noqa: E402
from tests.export.train import shared_run  # noqa: E402

SIDE = 64
VAE = MiniVaeConfig(latent_channels=6, flow_channels=4, dims=(8, 8, 12), fine_dim=8)
DIT = replace(
    MINI, dim=24, ffn_dim=32, num_heads=2, num_blocks=2, latent_channels=6, condition_channels=8 + 6 + 12,
    rope_split=wan_rope_split(12),
    audio=FrameAudio(feature_dim=2 * 384, windows=(5, 12), hidden_dim=16, num_tokens=2, token_dim=8),
)  # fmt: skip
QUICK = Pace(steps=3, lr=1e-3, warm_steps=1, save_every=1)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six clips of a square that goes to and fro; the last is of a portrait that is kept apart."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    for i in range(6):
        coded = []
        for t in range(33):
            picture = np.full((SIDE, SIDE, 3), 90 + 10 * i, np.uint8)
            left = 20 + round(8 * np.sin(t / 4))
            picture[20:40, left : left + 20] = (200, 40, 40)
            coded.append(cv2.imencode(".jpg", picture)[1].ravel())
        np.savez(
            folder / f"{i:05d}.npz", pictures=np.concatenate(coded), sizes=[len(one) for one in coded],
            features=rng.standard_normal((90, 384)).astype(np.float16), lead=12, motion=np.zeros((33, 64), np.float16),
            mouth=np.tile(np.array((30, 30, 12, 10), np.float32), (33, 1)), text="calm", avatar="anna" if i == 5 else "leo",
            split="val" if i == 5 else "train",
        )  # fmt: skip
    return folder


def tiny(seed: int = 0) -> VideoModel:
    torch.manual_seed(seed)
    codec = MiniCodec(MiniVae(VAE), torch.zeros(6), torch.ones(6))
    return VideoModel(DIT, torch_graphs(fresh(DIT)), codec, Reader(), None, Listener(), Sampling(num_steps=2))


@pytest.fixture(scope="module")
def encoded(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoded")
    encode(tiny(), split(clips)[0], folder, 12)
    return folder


def test_clips_of_portraits_kept_apart_are_not_trained_on(clips: Path, tmp_path: Path) -> None:
    ours, apart = split(clips)
    assert len(ours) == 5 and [load(path).avatar for path in apart] == ["anna"]
    with pytest.raises(ValueError, match="holds no clips"):
        split(tmp_path)


def test_the_vae_streams_and_a_video_that_stands_still_comes_back_as_it_was() -> None:
    vae = MiniVae(VAE).eval()
    video = torch.rand(1, 3, 17, SIDE, SIDE) * 2 - 1
    with torch.no_grad():
        flow = torch.randn(1, 17, 2, SIDE // 4, SIDE // 4)
        whole = vae.encode(video, video[:, :, 0], flow)
        begun = vae.encode(video[:, :, :9], video[:, :, 0], flow[:, :9])
        rest = vae.encode(video[:, :, 9:], video[:, :, 0], flow[:, 9:], starts=False)
        assert torch.allclose(torch.cat([begun, rest], 2), whole, atol=1e-5)
        seen, _ = vae.decode(whole, video[:, :, 0])
        first, past = vae.decode(whole[:, :, :2], video[:, :, 0])
        later, _ = vae.decode(whole[:, :, 2:], video[:, :, 0], past)
        assert torch.allclose(torch.cat([first, later], 2), seen, atol=1e-5)
    assert seen.shape == video.shape
    assert torch.allclose(seen, video[:, :, :1].expand_as(video), atol=1e-5)  # untrained: nothing moves, nothing is drawn


def test_the_vae_learns_to_move_what_moves(clips: Path) -> None:
    torch.manual_seed(0)
    vae = MiniVae(VAE)
    videos = Pieces(split(clips)[0], 0).video(2, Harm(0, 0, 0))
    before = vae_loss(vae, videos)["total"].item()
    optimizer = torch.optim.Adam(vae.parameters(), lr=3e-3)
    for _ in range(10):
        loss = vae_loss(vae, videos)["total"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert vae_loss(vae, videos)["total"].item() < 0.95 * before


def test_the_teacher_of_the_vae_knows_whence_pixels_come() -> None:
    """What has gone five pixels to the right is looked up five further left."""
    noise = np.random.default_rng(0).normal(0, 60, (SIDE, SIDE, 3)).astype(np.float32)
    first = np.clip(cv2.GaussianBlur(noise, (0, 0), 3) / 20, -1, 1)
    flow = flows(levels(np.stack([first, np.roll(first, 5, axis=1)])))[1:]
    assert np.median(flow[0, 0]) == pytest.approx(-5, abs=0.5) and np.median(flow[0, 1]) == pytest.approx(0, abs=0.5)
    known = torch.from_numpy(first).permute(2, 0, 1)[None]
    looked_up = moved(known, torch.from_numpy(flow), (SIDE, SIDE))[..., 8:]
    assert (looked_up - known.roll(5, 3)[..., 8:]).abs().mean() < 0.1 * (known - known.roll(5, 3)).abs().mean()


def test_a_crop_holds_the_mouth(clips: Path) -> None:
    clip = load(split(clips)[0][0])
    for seed in range(8):
        x, mouth = changed(clip.pictures[:9], clip.mouth[:9], Harm(), np.random.default_rng(seed), 32)
        assert x.shape == (9, 32, 32, 3)
        assert np.all(mouth[:, :2] >= 0) and np.all(mouth[:, :2] < 32)


def test_what_changes_a_picture_moves_its_mouth_alike() -> None:
    pictures = np.zeros((2, SIDE, SIDE, 3), np.uint8)
    pictures[:, 40:48, 8:24] = 255
    mouth = np.tile(np.array((15.5, 43.5, 8, 4), np.float32), (2, 1))
    x, moved = changed(pictures, mouth, Harm(padded=1, mirrored=1, coloured=0), np.random.default_rng(3))
    weight = importance(moved, SIDE, SIDE)
    grey = x.mean(-1)
    assert (weight > 9)[grey > 0.9].mean() > 0.8


def test_a_stage_goes_on_where_it_stopped(tmp_path: Path) -> None:
    model = torch.nn.Linear(2, 1)
    seen: list[int] = []

    def loss_of(trained: torch.nn.Module) -> dict[str, torch.Tensor]:
        seen.append(1)
        return {"total": trained(torch.ones(1, 2)).square().mean()}

    train(model, loss_of, tmp_path, QUICK)
    train(torch.nn.Linear(2, 1), loss_of, tmp_path, replace(QUICK, steps=5, accumulate=2))
    assert len(seen) == 3 + 2 * 2
    assert [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [1, 2, 3, 4, 5]


def test_processes_that_share_a_run_learn_what_one_does_and_go_on_where_they_stopped(tmp_path: Path) -> None:
    """Each holds a part of every block (FSDP). Losses of both are one step's mean."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "tests.export.train.shared_run"]
    subprocess.run([*command, str(tmp_path / "two")], check=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"})
    shared_run.run(tmp_path / "one", 2)
    one, two = (torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("one", "two"))
    assert one["step"] == two["step"] == shared_run.STEPS[-1]
    for kind in ("model", "ema"):
        for name, value in one[kind].items():
            torch.testing.assert_close(two[kind][name], value, rtol=1e-4, atol=1e-5, msg=f"{kind} {name}")


def test_stages_follow_each_other_and_draw(clips: Path, encoded: Path, tmp_path: Path) -> None:
    model = tiny()
    base = train_stage("base", fresh(DIT), Encoded(encoded, model), tmp_path / "base", QUICK, 2)
    ears_before = base.audio_proj.proj1.weight.clone()
    words_before = base.blocks[0].cross_attn.q.weight.clone()
    hearing = train_stage("audio", of_run(tmp_path / "base", DIT), Encoded(encoded, model), tmp_path / "audio", QUICK, 2)
    assert not torch.equal(hearing.audio_proj.proj1.weight, ears_before)
    assert torch.equal(hearing.blocks[0].cross_attn.q.weight, words_before)  # the words' attention is frozen
    few = train_stage("distil", of_run(tmp_path / "audio", DIT), Encoded(encoded, model), tmp_path / "few", QUICK, 2)
    drawn = VideoModel(DIT, torch_graphs(few), model.codec, model.words, None, model.ears, Sampling(num_steps=2))
    clip = load(split(clips)[1][0])
    request = ClipRequest(
        first=clip.pictures[0], last=clip.pictures[8], num_frames=9, text="calm", voice=np.zeros(16_000, np.float32),
        lead_frames=4, fps=25, seed=1,
    )  # fmt: skip
    pictures = np.stack(list(drawn.clip(request)))
    assert pictures.shape == (9, SIDE, SIDE, 3)
    assert np.array_equal(pictures[0], clip.pictures[0]) and np.array_equal(pictures[8], clip.pictures[8])
    assert continued(drawn, clip, 20).shape == (21, SIDE, SIDE, 3)


def test_without_an_end_of_a_stage_the_next_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a stage that has ended"):
        of_run(tmp_path, DIT)


def test_low_rank_updates_are_small_and_merge_into_the_base(encoded: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    base = fresh(DIT)
    state = {name: value.clone() for name, value in base.state_dict().items()}
    adapted = train_stage("audio", base, Encoded(encoded, tiny()), tmp_path, QUICK, 2, rank=2)
    update = load_file(tmp_path / LEARNT)
    assert not (tmp_path / WHOLE).exists() and all(".lora_" in name for name in update)
    plain = VideoDiT(DIT)
    plain.load_state_dict(merged(state, update, 1.0))
    x, told = torch.randn(1, DIT.in_channels, 2, 2, 2), {"text": torch.randn(1, 3, 256), "audio_scale": torch.ones(1)}
    told |= {"audio_first": torch.randn(1, 5, 768), "audio_later": torch.randn(1, 1, 12, 768)}
    with torch.no_grad():
        assert torch.allclose(plain(x, torch.full((1,), 500.0), **told), adapted(x, torch.full((1,), 500.0), **told), atol=1e-4)


def test_each_strategy_can_be_turned_off_alone() -> None:
    whole, *others = (recipe for _, recipe in variants(RECIPES["audio"]))
    assert whole == RECIPES["audio"] and len({*others, whole}) == len(others) + 1


def test_the_table_has_every_strategy_and_a_run_that_goes_on_trains_none_of_them_again(
    clips: Path, encoded: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def made() -> str:
        return ablate(tiny(), fresh(DIT), None, encoded, clips, tmp_path, steps=1, seconds=0.4, num_clips=1)

    told = made()
    rows = {row["name"]: row for row in json.loads((tmp_path / "table.json").read_text())}
    assert [name for name, _ in variants(RECIPES["audio"])] == list(rows)[:5]
    assert len(rows) == 5 + len(AUDIO_SCALES) + len(FRAME_SCALES) + 2 and all(f"| {name} |" in told for name in rows)
    # Untrained, nothing moves of itself: only keyframes bring what is new.
    assert rows["plain continuation, 2 s"]["identity_distance"] == 0 < rows["keyframes, 2 s"]["identity_distance"]
    assert rows["deaf"]["hearing"] == 0 != rows["audio stage"]["hearing"] and rows["audio stage"]["mouth_error"] > 0
    assert rows["audio stage"]["lip_r"] is None and "not measured" in caplog.text  # noise has no face
    with cv2.VideoCapture(str(tmp_path / "plain-continuation-2-s.mp4")) as film:
        assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 51
    trained = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("last.pt")}
    assert len(trained) == 5
    assert made() == told
    assert trained == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("last.pt")}


def test_the_command_makes_a_model_that_goes_on_air(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At mini's true size; a step of each stage."""
    vae, encoded = tmp_path / "vae", tmp_path / "encoded"
    quick = ["--steps", "1", "--batch", "1"]
    assert main(["train", "vae", str(clips), "--out", str(vae), *quick]) == 0
    known = ["--vae", str(vae)]
    assert main(["train", "encode", str(clips), "--out", str(encoded), "--count", "2", *known]) == 0
    stages = (
        ("base", [encoded]),
        ("audio", [encoded, "--from", tmp_path / "base"]),
        ("distil", [encoded, "--from", tmp_path / "audio"]),
    )
    for stage, source in stages:
        assert main(["train", stage, *map(str, source), "--out", str(tmp_path / stage), *quick, *known]) == 0
    assert main(["train", "pack", str(tmp_path / "distil"), "--out", str(tmp_path / "mini"), *known]) == 0
    clip = load(split(clips)[1][0])
    request = ClipRequest(
        first=clip.pictures[0], last=clip.pictures[8], num_frames=9, text="calm", voice=np.zeros(16_000, np.float32),
        lead_frames=4, fps=25, seed=1,
    )  # fmt: skip
    drawn = list(load_video_model("mini", tmp_path / "mini").clip(request))
    assert len(drawn) == 9 and np.array_equal(drawn[0], clip.pictures[0])
    with pytest.raises(CheckpointError, match=r"transformer\.safetensors, vae\.safetensors, mini\.json missing"):
        load_video_model("mini", tmp_path)
    assert main(["train", "base", str(encoded), "--out", str(tmp_path / "x"), "--vae", str(tmp_path)]) == 1
    assert "holds no vae.pt" in capsys.readouterr().err
