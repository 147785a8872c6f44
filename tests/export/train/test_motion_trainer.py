"""The trainer: from clips to servable weights, and on again after a stop."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engines.conditions import batched, sound, words  # noqa: E402
from engines.models.avatar_dit import AvatarDiT  # noqa: E402
from engines.motion import ANCHOR_MASK, INDEX, NUM_CHANNELS  # noqa: E402
from engines.prompts import beat_prompt  # noqa: E402
from engines.specs import FEATURE_DIM  # noqa: E402
from engines.text import TextEncoder  # noqa: E402
from export.train import cache, motion  # noqa: E402
from export.train.augment import harmed, resampled, through_opus  # noqa: E402
from export.train.windows import Windows, load_clips, statistics_of  # noqa: E402
from tests.fakes.small_transformer import SMALL  # noqa: E402


def write_clips(folder: Path, num: int = 3, seconds: int = 4) -> None:
    """Clips whose jaw opens with the loudness of noise."""
    rng = np.random.default_rng(0)
    index = []
    for i in range(num):
        frames = 50 * seconds
        jaw = 0.3 * np.clip(np.sin(np.arange(frames) / 6 + i), 0, 1)
        moves = np.zeros((frames, NUM_CHANNELS), np.float16)
        moves[:, INDEX["jawOpen"]] = jaw
        sound = (rng.standard_normal(frames * 320) * 9000 * np.repeat(jaw, 320)).astype(np.int16)
        beat = {"start_s": 0.0, "end_s": float(seconds), "action": "nod", "text": beat_prompt("joy", 0.9, "nod")}
        entry = {"file": f"{i}.npz", "voice": f"v{i}", "language": "en", "kind": "tts", "split": "val" if i == 0 else "train"}
        np.savez(
            folder / f"{i}.npz", motion=moves, audio=sound, beats=json.dumps([beat]), weight=np.ones(NUM_CHANNELS, np.float32),
            **{name: entry[name] for name in ("voice", "language", "kind", "split")},
        )  # fmt: skip
        index.append({**entry, "num_frames": frames})
    (folder / "index.json").write_text(json.dumps(index))


@pytest.fixture(scope="module")
def cached(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data, out = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("cache")
    write_clips(data)
    paths = sorted(data.glob("*.npz"))
    for path in paths:
        for copy in range(2):
            cache.make_copy(path, out / f"{path.stem}.{copy}.npz", copy, paths)
    return out


@pytest.fixture(autouse=True)
def denormals() -> Iterator[None]:
    """As other tests want them: the trainer rounds them to zero in its whole process."""
    yield
    torch.set_flush_denormal(False)


def test_a_hurried_copy_keeps_sound_and_motion_together(cached: Path) -> None:
    clips = load_clips(cached, "train")
    assert len(clips) == 4
    for clip in clips:
        assert abs(len(clip.features) - len(clip.motion)) <= 1
        assert clip.beats[0].end_s == pytest.approx(len(clip.motion) / 50, abs=0.03)


def test_windows_hide_what_a_sub_clip_must_find_and_show_what_it_is_given(cached: Path) -> None:
    clips = load_clips(cached, "train")
    windows = Windows(clips, statistics_of(clips, 1.0), seed=0)
    for _ in range(6):
        batch = windows.batch(4)
        assert torch.isfinite(batch["x0"]).all()
        assert ((batch["mask"] == 0) | (batch["weight"] == 0)).all()
        free_mouth = batch["mask"][:, ~torch.from_numpy(ANCHOR_MASK)]
        assert (free_mouth == 0).any()


def test_trainers_of_one_run_see_other_windows_of_the_same_size(cached: Path) -> None:
    clips = load_clips(cached, "train")
    first, second = (Windows(clips, statistics_of(clips, 1.0), seed=5, rank=rank).batch(3)["x0"] for rank in (0, 1))
    assert first.shape == second.shape
    assert not torch.equal(first, second)


def test_training_goes_on_where_it_stopped(cached: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(steps: int) -> dict[str, object]:
        options = ["--cache", cached, "--out", tmp_path, "--steps", steps, "--batch", 2, "--save-every", 1, "--device", "cpu"]
        monkeypatch.setattr(sys, "argv", ["motion", *map(str, options)])
        monkeypatch.setattr(motion, "validate", lambda *_, **__: {})
        motion.main()
        return torch.load(tmp_path / "last.pt", weights_only=True)  # type: ignore[no-any-return]

    assert train(2)["step"] == 2
    assert train(3)["step"] == 3
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3]


def test_a_teachers_branches_are_told_what_training_leaves_out(cached: Path) -> None:
    torch.manual_seed(0)
    model = AvatarDiT(SMALL).eval()
    torch.nn.init.normal_(model.head.head.weight, std=0.1)
    clips = load_clips(cached, "train")
    batch = Windows(clips, statistics_of(clips, 1.0), seed=0, drop=False).batch(2)
    noisy, sigma = torch.randn_like(batch["x0"]), torch.tensor([0.9, 0.4])
    times = batch["time"].numpy()
    nothing = sound(np.zeros((0, FEATURE_DIM), np.float32), 0.0, times[0])
    untold = batched([words((), t, TextEncoder()) for t in times], [nothing] * len(times))
    with torch.no_grad():
        wanted = motion.velocity_of(model, noisy, sigma, batch)
        neither = motion.velocity_of(model, noisy, sigma, batch | {name: torch.from_numpy(v) for name, v in untold.items()})
    plain, nowhere = (motion.Teacher(model, s, s, 2.0).velocity(noisy, sigma, batch) for s in (1.0, 0.0))
    assert (wanted - neither).abs().max() > 1e-3
    torch.testing.assert_close(plain, wanted, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(nowhere, neither, atol=1e-5, rtol=1e-4)


def test_a_student_comes_to_draw_what_its_guided_teacher_draws(cached: Path) -> None:
    torch.manual_seed(0)
    clips = load_clips(cached, "train")
    statistics = statistics_of(clips, 2.2)
    student, guided = AvatarDiT(SMALL), AvatarDiT(SMALL)
    torch.nn.init.normal_(guided.head.head.weight, std=0.1)
    student.load_state_dict(guided.state_dict())
    teacher, lips = motion.Teacher(guided, 2.0, 4.0, statistics.shift), motion.Lips.of(statistics)
    windows, generator = Windows(clips, statistics, seed=0, drop=False), torch.Generator().manual_seed(0)

    def apart() -> float:
        with torch.no_grad():
            asked = [Windows(clips, statistics, seed=seed, drop=False).batch(4) for seed in range(100, 104)]
            same = torch.Generator().manual_seed(1)
            return sum(float(motion.flow_loss(student, batch, lips, same, teacher)["flow"]) for batch in asked)

    before, optimizer = apart(), torch.optim.AdamW(student.parameters(), lr=1e-3)
    for _ in range(80):
        optimizer.zero_grad()
        motion.flow_loss(student, windows.batch(4), lips, generator, teacher)["total"].backward()
        optimizer.step()
    assert apart() < 0.75 * before


def test_what_is_to_be_distilled_has_to_be_named(cached: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--cache", cached, "--out", tmp_path, "--distil"]
    monkeypatch.setattr(sys, "argv", ["motion", *map(str, options)])
    with pytest.raises(SystemExit):
        motion.main()


def test_a_cache_without_clips_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no cached train clips"):
        load_clips(tmp_path, "train")


def test_harm_keeps_length_and_opus_keeps_time() -> None:
    rng = np.random.default_rng(0)
    sound = np.zeros(16_000, np.float32)
    sound[4_000:12_000] = 0.3 * np.sin(np.arange(8_000) / 8).astype(np.float32)
    for seed in range(12):
        assert harmed(sound, [sound], np.random.default_rng(seed)).shape == sound.shape
    coded = through_opus(sound + 1e-3 * rng.standard_normal(16_000).astype(np.float32), 24_000)
    lag = int(np.argmax(np.correlate(np.abs(coded), np.abs(sound), "same"))) - 8_000
    assert abs(lag) < 80  # 5 ms
    assert len(resampled(sound, 1.25)) == 12_800
