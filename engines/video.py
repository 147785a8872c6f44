"""A pixel video model whole: from words, voice and one or two known frames to pictures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.backends.fitting import fitting_graphs
from engines.backends.graph import Graph
from engines.backends.torch import torch_graphs
from engines.catalog import VIDEO_CONFIGS, VideoDiTConfig
from engines.checkpoint_files import CheckpointError, weight_files
from engines.checkpoints import load_tiny_vae, load_video_dit, load_wan_vae, weights_hash
from engines.codecs.wan import WanCodec
from engines.colour_match import matcher
from engines.conditioners import AudioConditioner, ImageConditioner, TextConditioner, audio_windows, picture_key
from engines.drifted import drifted
from engines.guidance import WITH_AUDIO, WITH_TEXT, Branch
from engines.models.video_dit import VideoDiT
from engines.recent import Recent
from engines.specs import ClipRequest
from engines.video_sampler import Sampling, Told, sample
from engines.video_weights import VideoWeights

log = logging.getLogger(__name__)

Rgb = NDArray[np.uint8]  # [h, w, 3]

#: Of a transformer's files. Beyond it a processor is refused: a frame would take minutes.
_CPU_LIMIT_GB = 2.0
#: Of GPU memory beside the transformer: UMT5 11.4, CLIP 1.3, VAE and speech 0.6, and room to work.
_BESIDE_GB = 16


class Words(Protocol):
    """A `TextConditioner`, or what stands in for one."""

    def encode(self, prompt: str) -> Tensor: ...


class Ears(Protocol):
    """An `AudioConditioner`, or what stands in for one."""

    @property
    def silence(self) -> Tensor: ...
    def encode(self, voice: NDArray[np.float32], num_frames: int) -> Tensor: ...


class VideoCodec(Protocol):
    """A `WanCodec` or a `MiniCodec`. Sides of pictures are multiples of `pixels_a_token`."""

    @property
    def frames_a_latent(self) -> int: ...
    @property
    def pixels_a_latent(self) -> int: ...
    @property
    def pixels_a_token(self) -> int: ...
    def known_frames(self, first: Rgb, last: Rgb | None, num_frames: int) -> Tensor: ...
    def encode(self, pictures: NDArray[np.uint8]) -> Tensor: ...
    def decode(self, latents: Tensor, first: Rgb, last: Rgb | None) -> Iterator[Rgb]: ...


class VideoModel:
    """Transformer, codec and conditioners. Same request, same pictures. For one thread."""

    def __init__(
        self, config: VideoDiTConfig, graphs: Mapping[str, Graph], codec: VideoCodec, words: Words,
        faces: ImageConditioner | None, ears: Ears | None, sampling: Sampling, negative_prompt: str = "",
        device: str = "cpu", area: int | None = None, holds_known: bool = False, num_before: int = 1, lands: bool = True,
        keeps_colours: bool = False,
    ) -> None:  # fmt: skip
        """holds_known: whether the frames that a clip goes on from, `num_before` of them, stay clean at every step. lands:
        whether the model is told a request's last frame. keeps_colours: whether pictures are given the colours of that."""
        self.config = config
        self.area = area
        self.frames_a_latent, self.pixels_a_token = codec.frames_a_latent, codec.pixels_a_token
        self.sampling = sampling
        self.codec, self.words, self.ears = codec, words, ears
        self._graphs, self._faces = graphs, faces
        self._holds_known, self._lands, self._keeps_colours = holds_known, lands, keeps_colours
        self.num_before = num_before
        self._negative_prompt = negative_prompt
        self._device = device
        self._read: Recent[str, dict[str, Tensor]] = Recent(16)
        self._seen: Recent[tuple[str, str], dict[str, Tensor]] = Recent(8)

    def clip(self, request: ClipRequest, heard: Tensor | None = None) -> Iterator[Rgb]:
        """The request's frames, each decoded when it is asked for. Raises ValueError for a request that cannot be drawn.

        heard: features [num_frames, d] of the frames themselves, in place of those of the request's voice.
        """
        sampling = self.sampling.with_steps(request.num_steps)
        before = request.before if self.num_before > 1 and request.before is not None else request.first[None]
        num_frames = request.num_frames + len(before) - 1
        shown = request.first if len(before) == 1 or request.reference is None else request.reference
        last = request.last if self._lands else None
        told = {
            kind: self._told(kind, request, shown, last, len(before) - 1, heard)
            for kind in sampling.branches(hears=self.ears is not None)
        }
        height, width = (side // self.codec.pixels_a_latent for side in request.first.shape[:2])
        latent_frames = 1 + num_frames // self.codec.frames_a_latent
        shape = (1, self.config.latent_channels, latent_frames, height, width)
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(request.seed)).to(self._device)
        held = None
        if self._holds_known and len(before) > 1:
            held = self.codec.encode(before)
        elif self._holds_known:
            held = told[Branch.FULL].frames[:, -self.config.latent_channels :, :1]
        denoise = self._graphs["denoise"]
        try:
            latents = sample(denoise, told, noise, sampling, request.seed, held)
        except torch.OutOfMemoryError:
            if not sampling.one_batch or len(told) == 1:
                raise
            log.warning("memory is too small for %d branches of guidance at once: from now on one after the other", len(told))
            self.sampling = replace(self.sampling, one_batch=False)
            latents = sample(denoise, told, noise, replace(sampling, one_batch=False), request.seed, held)
        pictures = islice(self.codec.decode(latents, request.first, last), len(before) - 1, None)
        return map(matcher(request.last), pictures) if self._keeps_colours and request.last is not None else pictures

    def _told(
        self, kind: Branch, request: ClipRequest, first: Rgb, last: Rgb | None, num_earlier: int, heard: Tensor | None
    ) -> Told:  # fmt: skip
        """What one branch is told, as `engines.guidance.Branch` says, of a clip that begins `num_earlier` frames before."""
        if kind is Branch.DRIFTED:
            first, last = drifted(first), None if last is None else drifted(last)
        num_frames = request.num_frames + num_earlier
        frames = self.codec.known_frames(first, last, num_frames)
        if not self.config.condition_channels:
            frames = frames[:, :0]
        conditions = dict(self._text(request.text if kind in WITH_TEXT else self._negative_prompt))
        if self._faces:
            conditions |= self._images(first, last)
        if self.ears:
            conditions |= self._audio(request, num_earlier, heard, silent=kind not in WITH_AUDIO)
            scale = self.sampling.audio_attention_scale
            conditions["audio_scale"] = torch.full((1,), scale, device=self._device)
        return Told(frames, conditions)

    def _text(self, prompt: str) -> dict[str, Tensor]:
        def read() -> dict[str, Tensor]:
            return _copied(self._graphs["text"]({"text": self.words.encode(prompt).float().to(self._device)}))

        return self._read.get(prompt, read)

    def _images(self, first: Rgb, last: Rgb | None) -> dict[str, Tensor]:
        """Of the first frame, and of the last too where the model has places for both."""
        assert self._faces
        faces = self._faces
        pictures = [first]
        tokens = faces.encode(first)
        if self.config.image_positions > tokens.shape[1]:
            if last is None:
                raise ValueError("this model was trained with first and last frames: give it a last one too")
            pictures.append(last)
        key = picture_key(first), picture_key(pictures[-1])
        return self._seen.get(
            key, lambda: _copied(self._graphs["images"]({"images": torch.cat([faces.encode(p) for p in pictures], 1).float()}))
        )

    def _audio(self, request: ClipRequest, num_earlier: int, heard: Tensor | None, silent: bool) -> dict[str, Tensor]:
        assert self.ears and self.config.audio
        start, sound_frames = request.lead_frames, max(1, round(len(request.voice) / 16_000 * request.fps))
        if heard is not None:
            start, sound_frames = 0, len(heard)
        if silent:
            heard = self.ears.silence.expand(sound_frames, -1)
        elif heard is None:
            heard = self.ears.encode(request.voice, sound_frames).float()
        num_frames = request.num_frames + num_earlier
        windows = audio_windows(heard, start - num_earlier, num_frames, self.config.audio, self.codec.frames_a_latent)
        first, later = (each.to(self._device) for each in windows)
        return _copied(self._graphs["audio"]({"audio_first": first, "audio_later": later}))


def _copied(made: dict[str, Tensor]) -> dict[str, Tensor]:
    """A graph's outputs kept beyond its next call."""
    return {name: tensor.clone() for name, tensor in made.items()}


def load_video_model(
    name: str, folder: Path, rank: int = 0, graphs: Callable[[VideoDiT], Mapping[str, Graph]] | None = None
) -> VideoModel:  # fmt: skip
    """The model of a folder of weights (see `engines.video_weights`), on a GPU where there is one: the rank's of several.

    name: `wan-1.3b`, `wan-14b`, `wan` for whatever size the weights are, or `mini`, as `rostrum train pack` writes it. graphs:
    what runs the transformer, in place of the fastest that was verified here. Raises CheckpointError where weights are missing,
    wrong or too large for this machine.
    """
    if name == "mini":
        from engines.mini import load_mini

        return load_mini(folder, f"cuda:{rank % torch.cuda.device_count()}" if torch.cuda.is_available() else "cpu")
    weights = VideoWeights.of(folder)
    source = weights.part("transformer")
    on_gpu = torch.cuda.is_available()
    device = "cpu"
    if not on_gpu and (gigabytes := sum(file.stat().st_size for file in weight_files(source)) / 1e9) > _CPU_LIMIT_GB:
        raise CheckpointError(
            f"the transformer of {name} is {gigabytes:.1f} GB: it needs an NVIDIA GPU with about "
            f"{gigabytes + _BESIDE_GB:.0f} GB of memory and a CUDA build of torch, and none is usable here (`rostrum doctor` "
            "says why). The portrait model runs anywhere."
        )
    if on_gpu:
        torch.cuda.set_device(rank % torch.cuda.device_count())
        device = "cuda"
    dtype = torch.bfloat16 if on_gpu else torch.float32
    model = load_video_dit(source, weights.parts.get("adapter"), weights.updates, dtype)
    config = model.config
    expected = VIDEO_CONFIGS.get(name)
    if expected and (expected.dim, expected.num_blocks) != (config.dim, config.num_blocks):
        raise CheckpointError(
            f"{folder} is no {name}: its width is {config.dim} and it has {config.num_blocks} blocks, "
            f"not {expected.dim} and {expected.num_blocks}"
        )
    if not config.audio:
        raise CheckpointError(
            f"{folder} holds a Wan that cannot hear: add an audio adapter (InfiniteTalk), or take EchoMimicV3 or FlashTalk"
        )
    ears = AudioConditioner.of(weights.part("audio_encoder", "the model hears by it"), device)
    if ears.dim != config.audio.feature_dim:
        raise CheckpointError(
            f"the transformer hears {config.audio.feature_dim} features a frame, and {weights.part('audio_encoder')} "
            f"gives {ears.dim}"
        )
    faces = None
    if config.image_dim:
        faces = ImageConditioner.of(weights.part("image_encoder", "the model sees by it"), device, dtype)
    at = "cpu" if weights.text_on_cpu else device
    words = TextConditioner(weights.part("text_encoder"), weights.part("tokenizer"), at, dtype)
    tiny = weights.parts.get("tiny_vae")
    codec = WanCodec(load_wan_vae(weights.part("vae")), load_tiny_vae(tiny) if tiny else None, device, dtype)
    if graphs:
        run_by = graphs(model)
    elif "engines" in weights.parts:
        run_by = fitting_graphs(model, weights.part("engines"), weights_hash(model), log.warning)
    else:
        run_by = torch_graphs(model)
    log.info("%s: %d blocks of width %d on %s in %s", name, config.num_blocks, config.dim, device, dtype)
    if config.image_positions and not weights.lands:
        raise CheckpointError(f"{folder}: this model was trained with first and last frames: leave lands out of weights.json")
    holds_known = config.audio.style == "infinitetalk" if weights.holds_known is None else weights.holds_known
    if weights.goes_on_from > 1 and not holds_known:
        raise CheckpointError(f"{folder}: a model that goes on from {weights.goes_on_from} frames holds them: say holds_known")
    return VideoModel(
        config, run_by, codec, words, faces, ears, weights.sampling, weights.negative_prompt, device, holds_known=holds_known,
        num_before=weights.goes_on_from, lands=weights.lands, keeps_colours=weights.keeps_colours,
    )  # fmt: skip
