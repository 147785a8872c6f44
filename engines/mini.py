"""`mini`: a small pixel video model of our own, trained by `rostrum train`. It reads and hears as the portrait model does."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from engines.backends.torch import torch_graphs
from engines.catalog import MINI, MiniVaeConfig
from engines.checkpoint_files import CheckpointError
from engines.codecs.mini import MiniCodec
from engines.features import SpeechEncoder
from engines.models.mini_vae import MiniVae
from engines.models.video_dit import VideoDiT
from engines.specs import FEATURE_RATE_HZ, SAMPLE_RATE_HZ
from engines.text import TextEncoder
from engines.video import VideoModel
from engines.video_sampler import Sampling

AREA = 256 * 256
TRANSFORMER, VAE, NOTES = "transformer.safetensors", "vae.safetensors", "mini.json"


class Reader:
    """Prompts to the portrait model's words, zeros after the last."""

    def __init__(self) -> None:
        self._encoder = TextEncoder()

    def encode(self, prompt: str) -> Tensor:
        """[1, 24, 256]."""
        return torch.from_numpy(np.array(self._encoder.encode(prompt)[0]))[None]


class Listener:
    """Voice to the portrait model's speech features, two for each frame."""

    dim = MINI.audio.feature_dim if MINI.audio else 0

    def __init__(self) -> None:
        self._encoder = SpeechEncoder()
        self._silence = self.encode(np.zeros(SAMPLE_RATE_HZ, np.float32), 25)[12]

    @property
    def silence(self) -> Tensor:
        """What it hears when there is nothing, [768]."""
        return self._silence

    def encode(self, voice: NDArray[np.float32], num_frames: int) -> Tensor:
        """Voice [n], 16 kHz, to [num_frames, 768]."""
        seconds = len(voice) / SAMPLE_RATE_HZ
        steps = self._encoder.encode(voice, 0.0, seconds, final=True)
        return torch.from_numpy(by_frame(steps, num_frames / seconds, num_frames))


def by_frame(steps: NDArray[np.float32], fps: float, num_frames: int) -> NDArray[np.float32]:
    """Features [n, 384] at 50 Hz to those at each frame and a step later, [num_frames, 768]."""
    at = np.round(np.arange(num_frames) * (FEATURE_RATE_HZ / fps)).astype(int)
    pairs = [steps[np.clip(at + later, 0, len(steps) - 1)] for later in (0, 1)]
    return np.concatenate(pairs, axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class MiniNotes:
    """What belongs to the weights besides them: spread of the latents, how to sample, what they are."""

    mean: list[float]
    std: list[float]
    sampling: dict[str, Any]
    notes: dict[str, Any]


def save_mini(folder: Path, transformer: VideoDiT, vae: MiniVae, notes: MiniNotes) -> None:
    """As float16."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, model in ((TRANSFORMER, transformer), (VAE, vae)):
        save_file({key: value.half().contiguous() for key, value in model.state_dict().items()}, folder / name)
    (folder / NOTES).write_text(json.dumps(asdict(notes), indent=1) + "\n")


def load_mini(folder: Path, device: str = "cpu") -> VideoModel:
    """Raises CheckpointError for a folder that is not `save_mini`'s."""
    if missing := [name for name in (TRANSFORMER, VAE, NOTES) if not (folder / name).is_file()]:
        raise CheckpointError(f"{folder} is no mini model: {', '.join(missing)} missing. `rostrum train pack` writes one")
    notes = MiniNotes(**json.loads((folder / NOTES).read_text()))
    transformer, vae = VideoDiT(MINI), MiniVae(MiniVaeConfig())
    for name, model in ((TRANSFORMER, transformer), (VAE, vae)):
        try:
            model.load_state_dict({key: value.float() for key, value in load_file(folder / name).items()})
        except RuntimeError as error:
            raise CheckpointError(f"{folder / name} does not fit: {error}") from None
        model.eval()
    codec = MiniCodec(vae, torch.tensor(notes.mean), torch.tensor(notes.std), device)
    return VideoModel(
        MINI,
        torch_graphs(transformer),
        codec,
        Reader(),
        None,
        Listener(),
        Sampling(**notes.sampling),
        device=device,
        area=AREA,
    )
