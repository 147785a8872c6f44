"""Train a video transformer by flow matching: the base that reads and lands on its frames, the ears, the few-step student.

    rostrum train base    ENCODED --out RUN/base
    rostrum train audio   ENCODED --out RUN/audio --from RUN/base
    rostrum train distil  ENCODED --out RUN/few   --from RUN/audio

The audio stage is Kling-Avatar's: each latent frame attends to the sound around it, mouths weigh more in the loss, the words'
cross-attention is frozen. Any `VideoDiTConfig` will do, Wan's too (`--model wan --weights DIR`), wholly or by low-rank updates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engines.catalog import VideoDiTConfig
from engines.models.video_dit import VideoDiT
from engines.schedules import sigmas
from engines.video import VideoModel
from export.train.run import Pace, begun, joined, sharded, train, whole
from export.train.video.low_rank import adapted, as_files_name_them

#: What a stage learnt; and the whole model, where it was not by low-rank updates.
LEARNT, WHOLE = "weights.safetensors", "model.safetensors"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a stage does; the ablation table turns each off. Shares are chances.

    shift: of the noise levels, as the sampler will have it. mouth: whether mouths weigh more.
    """

    hears: bool = True
    mouth: bool = True
    freezes_text: bool = True
    drops_text: float = 0.1
    drops_audio: float = 0.1
    shift: float = 3.0


RECIPES = {
    "base": Recipe(hears=False, mouth=False, freezes_text=False),
    "audio": Recipe(),
    "distil": Recipe(drops_text=0, drops_audio=0),
}
#: For full-size models fine-tuned from open weights; small ones from nothing want a hundred times the rate.
PACES = {
    "base": Pace(steps=2000, lr=1e-3), "audio": Pace(steps=6000, lr=1e-3), "distil": Pace(steps=1000, lr=2e-4, warm_steps=20),
}  # fmt: skip

_HELD_LEVELS = (0.3, 0.5, 0.7, 0.9)  # of noise, at which a model is held against what it never saw


class Encoded:
    """Windows of equal size as batches."""

    def __init__(self, folder: Path, model: VideoModel) -> None:
        """model: whose words and ears these are. Raises ValueError for an empty folder."""
        paths = sorted(folder.glob("*.npz"))
        if not paths:
            raise ValueError(f"{folder} holds no encoded clips: write some with `rostrum train encode`")
        self._by_size: dict[torch.Size, list[dict[str, Tensor | str]]] = {}
        for path in paths:
            with np.load(path) as stored:
                sample: dict[str, Tensor | str] = {
                    name: str(stored[name]) if name == "text" else torch.from_numpy(stored[name]) for name in stored.files
                }
            latents = sample["latents"]
            assert isinstance(latents, Tensor)
            self._by_size.setdefault(latents.shape, []).append(sample)
        self._shares = np.array([len(samples) for samples in self._by_size.values()], float)
        assert model.ears
        self._words, self._silence = model.words.encode, model.ears.silence.float().cpu()
        self.shuffle(0)

    def shuffle(self, seed: int) -> None:
        """Other batches from now on."""
        self.rng = np.random.default_rng((seed, joined()[0]))

    def batch(self, size: int, recipe: Recipe) -> dict[str, Tensor]:
        """latents, known, weight, text, audio_first, audio_later, audio_scale; what is dropped is silence, or no words."""
        alike = list(self._by_size.values())[self.rng.choice(len(self._shares), p=self._shares / self._shares.sum())]
        chosen = [alike[i] for i in self.rng.integers(0, len(alike), size)]
        batch = _stacked(chosen)
        silent = torch.from_numpy(self.rng.random(size) < (recipe.drops_audio if recipe.hears else 1.0))[:, None, None]
        batch["audio_first"] = torch.where(silent, self._silence, batch["audio_first"])
        batch["audio_later"] = torch.where(silent[..., None], self._silence, batch["audio_later"])
        untold = self.rng.random(size) < recipe.drops_text
        batch["text"] = self._read("" if blank else str(sample["text"]) for sample, blank in zip(chosen, untold, strict=True))
        return batch

    def everything(self, hears: bool = True) -> Iterator[dict[str, Tensor]]:
        """Every window once, those of one size together, as `batch` gives them; nothing dropped, or all sound."""
        for alike in self._by_size.values():
            batch = _stacked(alike)
            if not hears:
                for name in ("audio_first", "audio_later"):
                    batch[name] = self._silence.expand_as(batch[name]).clone()
            yield {**batch, "text": self._read(str(sample["text"]) for sample in alike)}

    def _read(self, texts: Iterable[str]) -> Tensor:
        return torch.cat([self._words(text) for text in texts]).float()


def _stacked(samples: Sequence[Mapping[str, Tensor | str]]) -> dict[str, Tensor]:
    """All that is no text, float32 [b, …], with `audio_scale` of 1."""
    names = ("latents", "known", "weight", "audio_first", "audio_later")
    batch = {name: torch.stack([torch.as_tensor(sample[name]) for sample in samples]).float() for name in names}
    return {**batch, "audio_scale": torch.ones(len(samples))}


def told(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of a batch what `VideoDiT` is told besides the latents."""
    return {name: batch[name] for name in ("text", "images", "audio_first", "audio_later", "audio_scale") if name in batch}


def draw_sigmas(size: int, shift: float) -> Tensor:
    """Noise levels [b]: logit-normal (Esser et al. 2024), or uniform for a third, then shifted as the sampler's are."""
    level = torch.where(torch.rand(size) < 0.67, torch.sigmoid(torch.randn(size)), torch.rand(size))
    return shift * level / (1 + (shift - 1) * level)


def velocity(model: nn.Module, noisy: Tensor, sigma: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    return model(torch.cat([noisy, batch["known"]], 1), sigma * 1000, **told(batch))


def flow_loss(model: nn.Module, batch: Mapping[str, Tensor], recipe: Recipe) -> dict[str, Tensor]:
    """Squared error of the velocity, mouths weighted; the first latent is known and counts nothing."""
    x0 = batch["latents"]
    noise = torch.randn_like(x0)
    sigma = draw_sigmas(len(x0), recipe.shift).to(x0.device)
    s = sigma[:, None, None, None, None]
    error = (velocity(model, (1 - s) * x0 + s * noise, sigma, batch) - (noise - x0)).square()[:, :, 1:]
    weight = batch["weight"][:, None, 1:]
    mouths = (error * weight).mean()
    return {"total": mouths if recipe.mouth else error.mean(), "flow": error.mean(), "mouths": mouths}


def consistency_loss(
    student: nn.Module, averaged: nn.Module, teacher: nn.Module, batch: Mapping[str, Tensor], recipe: Recipe, levels: int = 24
) -> dict[str, Tensor]:
    """Consistency distillation (Song et al. 2023): at neighbouring noise levels of the teacher's way, one and the same data.

    The teacher takes an Euler step; `averaged` says what the student thought of the nearer level.
    """
    x0 = batch["latents"]
    ladder = torch.from_numpy(sigmas(levels, recipe.shift)).to(x0)
    i = torch.randint(0, levels, (len(x0),))
    sigma, nearer = ladder[i], ladder[i + 1]
    s, t = (each[:, None, None, None, None] for each in (sigma, nearer))
    noisy = (1 - s) * x0 + s * torch.randn_like(x0)
    with torch.no_grad():
        stepped = noisy + (t - s) * velocity(teacher, noisy, sigma, batch)
        wanted = torch.where(t > 0, stepped - t * velocity(averaged, stepped, nearer, batch), stepped)
    error = (noisy - s * velocity(student, noisy, sigma, batch) - wanted).square()[:, :, 1:]
    mouths = (error * batch["weight"][:, None, 1:]).mean()
    return {"total": mouths if recipe.mouth else error.mean(), "consistency": error.mean()}


@torch.no_grad()
def heard(model: nn.Module, apart: Encoded, recipe: Recipe) -> tuple[float, float]:
    """Squared error at the mouths of windows it never learnt from, and how much larger it is with another window's sound.

    The second is a share of the first. The same noise for both and for every model, so small differences tell.
    """
    levels, noise = torch.tensor(_HELD_LEVELS), torch.Generator().manual_seed(0)
    own: list[Tensor] = []
    others: list[Tensor] = []
    for batch in apart.everything(recipe.hears):
        x0, weight = batch["latents"], batch["weight"][:, None, 1:]
        swapped = {**batch, **{name: batch[name].roll(1, 0) for name in ("audio_first", "audio_later")}}
        for level in levels:
            noisy = torch.randn(x0.shape, generator=noise)
            wanted, sigma = noisy - x0, level.expand(len(x0))
            for told_this, errors in ((batch, own), (swapped, others)):
                missed = velocity(model, (1 - level) * x0 + level * noisy, sigma, told_this) - wanted
                errors.append((missed.square()[:, :, 1:] * weight).mean((1, 2, 3, 4)))
    error, other = float(torch.cat(own).mean()), float(torch.cat(others).mean())
    return error, other / error - 1


def learns(model: VideoDiT, stage: str, recipe: Recipe) -> None:
    """Which parameters a stage trains: the base leaves ears alone, the audio stage the words' cross-attention."""
    for name, p in model.named_parameters():
        ear = "audio" in name or ".norm_x." in name
        read = ".cross_attn." in name or name.startswith("text_embedding") or ".norm3." in name
        p.requires_grad_(not (stage == "base" and ear) and not (stage == "audio" and recipe.freezes_text and read))


def start_quietly(model: VideoDiT) -> None:
    """From nothing, with ears that begin as a whisper."""
    model.initialise()
    for name, p in model.named_parameters():
        if name.endswith("audio_cross_attn.proj.weight"):
            nn.init.normal_(p, std=0.02)


def train_stage(
    stage: str, model: VideoDiT, encoded: Encoded, out: Path, pace: Pace, batch: int, recipe: Recipe | None = None,
    rank: int = 0, device: str = "cpu", seed: int = 0,
) -> VideoDiT:  # fmt: skip
    """Writes what it learnt, averaged, as `out/weights.safetensors` and, without a rank, the whole model.

    The first is an `adapter` over what the stage began from or, with a rank, an entry of `updates` (`engines.video_weights`).
    The model is given with averaged weights where one process trained it.
    """
    recipe = recipe or RECIPES[stage]
    seed += begun(out)[0]  # gone on with, it sees other batches than before
    torch.manual_seed(seed + joined()[0])
    encoded.shuffle(seed)
    learns(model, stage, recipe)
    if rank:
        adapted(model, rank)
    teacher, averaged = (sharded(_frozen_copy(model, device)) for _ in range(2)) if stage == "distil" else (None, None)

    def loss_of(trained: nn.Module) -> dict[str, Tensor]:
        drawn = {name: value.to(device) for name, value in encoded.batch(batch, recipe).items()}
        if teacher is None or averaged is None:
            return flow_loss(trained, drawn, recipe)
        with torch.no_grad():
            for slow, fast in zip(averaged.parameters(), trained.parameters(), strict=True):
                slow.lerp_(fast, 0.05)
        return consistency_loss(trained, averaged, teacher, drawn, recipe)

    learnt = train(sharded(model), loss_of, out, pace, {"stage": stage, "rank": rank}, device)
    everything = {} if rank else {**whole(model.state_dict()), **learnt}
    if joined()[0] == 0:
        save_file({as_files_name_them(name): value.contiguous() for name, value in learnt.items()}, out / LEARNT)
        if everything:
            save_file({name: value.contiguous() for name, value in everything.items()}, out / WHOLE)
    if joined()[1] == 1:
        model.load_state_dict(learnt, strict=False)
    return model


def fresh(config: VideoDiTConfig, device: str = "cpu", seed: int = 0) -> VideoDiT:
    """One that knows nothing yet."""
    torch.manual_seed(seed)
    model = VideoDiT(config)
    start_quietly(model)
    return model.to(device)


def of_run(out: Path, config: VideoDiTConfig, device: str = "cpu") -> VideoDiT:
    """The averaged model of a run that trained every weight or, of later stages, all but those that the earlier had learnt.

    Raises ValueError for a folder without one.
    """
    model = fresh(config, device)
    if not (out / WHOLE).is_file():
        raise ValueError(f"{out} holds no {WHOLE}: is it the folder of a stage that has ended?")
    model.load_state_dict(load_file(out / WHOLE, device=device))
    return model


def _frozen_copy(model: VideoDiT, device: str) -> VideoDiT:
    copy = VideoDiT(model.config).to(device)
    copy.load_state_dict(model.state_dict())
    return copy.requires_grad_(False).eval()
