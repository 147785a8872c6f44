"""Names of transformers: which config each has, and where its weights lie."""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engines.motion import NUM_CHANNELS
from engines.specs import FEATURE_DIM, TEXT_DIM

if TYPE_CHECKING:
    from engines.sampler import SampledMotion

WEIGHTS = Path(__file__).parent / "weights"
STATISTICS = "statistics.json"  # beside the graphs of a motion model


@dataclass(frozen=True, slots=True, kw_only=True)
class DiTConfig:
    """The size of a diffusion transformer: what `engines.models.dit` needs to know."""

    dim: int
    ffn_dim: int
    num_heads: int
    num_blocks: int
    latent_channels: int
    patch_size: tuple[int, int, int] = (1, 1, 1)
    text_dim: int = 4096
    frequency_dim: int = 256  # of the sinusoids of timestep and frame interval
    rope_split: tuple[int, int, int] = (44, 42, 42)  # channels of a head for time, height, width
    rope_theta: float = 10_000.0
    eps: float = 1e-6

    def __post_init__(self) -> None:
        if sum(self.rope_split) != self.dim // self.num_heads:
            raise ValueError(f"rope_split {self.rope_split} must add up to the head size {self.dim // self.num_heads}")

    @property
    def in_channels(self) -> int:
        """Of noisy latents and what is concatenated to them."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class AvatarDiTConfig(DiTConfig):
    """The size of an `AvatarDiT`, which writes motion latents [64, f, 1, 1]."""

    mask_channels: int  # channel concat: noise + mask + condition (+ frame scalars)
    frame_scalars: int = 0
    text_context: int = 0  # width in tokens of the convolution that binds static word vectors; 0: the text encoder did so
    audio_dim: int = 768
    audio_hidden_dim: int = 512

    @property
    def in_channels(self) -> int:
        return 2 * self.latent_channels + self.mask_channels + self.frame_scalars


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameAudio:
    """How a video model hears: `windows` of features around the first latent frame and around each later one, as tokens.

    feature_dim: layers × channels of the audio encoder (12 × 768 of wav2vec2, 5 × 1280 of Whisper large). style: where the
    attention lies, in a layer of its own (MultiTalk, InfiniteTalk, FlashTalk) or within the text's (EchoMimicV3).
    """

    style: Literal["infinitetalk", "echomimic"] = "infinitetalk"
    feature_dim: int = 12 * 768
    windows: tuple[int, int] = (5, 8)
    hidden_dim: int = 512
    num_tokens: int = 32
    token_dim: int = 768
    has_norm: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoDiTConfig(DiTConfig):
    """The size of a `VideoDiT`, which writes video latents [16, f, h / 8, w / 8]. The defaults are Wan 2.1's."""

    latent_channels: int = 16
    condition_channels: int = 20  # the mask's 4 and 16 of known frames, concatenated to the noise; 0: text to video
    patch_size: tuple[int, int, int] = (1, 2, 2)
    image_dim: int = 1280  # of CLIP's tokens; 0: it sees none
    image_positions: int = 0  # learned places of CLIP's tokens: 514 for first and last frame
    audio: FrameAudio | None = None

    @property
    def in_channels(self) -> int:
        return self.latent_channels + self.condition_channels


def wan_rope_split(head_dim: int) -> tuple[int, int, int]:
    """Channels of a head that turn with time, height and width: 44, 42, 42 of 128."""
    side = 2 * (head_dim // 6)
    return head_dim - 2 * side, side, side


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniVaeConfig:
    """The size of a `MiniVae`. flow_channels: of the latents', how many say how pixels move; dims: widths where a cell is 8, 16
    and 32 pixels; fine_dim: where it is 4."""

    latent_channels: int = 48
    flow_channels: int = 32
    dims: tuple[int, int, int] = (32, 64, 128)
    fine_dim: int = 32


WAN_1_3B = VideoDiTConfig(dim=1536, ffn_dim=8960, num_heads=12, num_blocks=30)
WAN_14B = VideoDiTConfig(dim=5120, ffn_dim=13824, num_heads=40, num_blocks=40)
VIDEO_CONFIGS = {"wan-1.3b": WAN_1_3B, "wan-14b": WAN_14B}

#: Ours, on `MiniVae` latents [48, f, h / 32, w / 32] of eight frames each; it is shown 128 features of the first frame, and
#: reads and hears as the portrait model does.
MINI = VideoDiTConfig(
    dim=192, ffn_dim=640, num_heads=3, num_blocks=4, latent_channels=48, condition_channels=8 + 48 + 128, patch_size=(1, 1, 1),
    text_dim=TEXT_DIM, rope_split=wan_rope_split(64), rope_theta=1_000.0, image_dim=0,
    audio=FrameAudio(feature_dim=2 * FEATURE_DIM, windows=(5, 12), hidden_dim=192, num_tokens=8, token_dim=128),
)  # fmt: skip

#: Since start and until end of the frame's beat, each as seconds / 4 (at most 1) and as exp(−seconds / 0.4).
NUM_FRAME_SCALARS = 4

PORTRAIT = AvatarDiTConfig(
    dim=192, ffn_dim=640, num_heads=6, num_blocks=4, latent_channels=NUM_CHANNELS, mask_channels=NUM_CHANNELS,
    frame_scalars=NUM_FRAME_SCALARS, text_dim=TEXT_DIM, text_context=5, audio_dim=FEATURE_DIM, audio_hidden_dim=192,
    rope_split=(32, 0, 0), rope_theta=1_000.0,
)  # fmt: skip

CONFIGS = {"portrait": PORTRAIT}


@dataclass(frozen=True, slots=True)
class MotionStatistics:
    """What belongs to weights besides the weights: latents are (motion − mean) / std; and how they like to be sampled.

    Guidance by words and sound, where it is not 1, takes three evaluations a step; weights that were distilled need none.
    """

    mean: list[float]
    std: list[float]
    shift: float = 1.0  # of the sampling schedule
    text_guidance_scale: float = 1.0
    audio_guidance_scale: float = 1.0
    notes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.mean) != NUM_CHANNELS or len(self.std) != NUM_CHANNELS:
            raise ValueError(f"statistics need {NUM_CHANNELS} channels, not {len(self.mean)} and {len(self.std)}")

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> MotionStatistics:
        return cls(**json.loads(path.read_text()))


def load_motion_model(name: str = "portrait", threads: int = 1) -> SampledMotion:
    """The transformer `name`, or of one's own folder as `rostrum export` writes it: ONNX graphs, or TensorRT engines.

    Raises ValueError for an unknown name, FileNotFoundError for a folder without weights, and BackendError for engines that do
    not run here.
    """
    from engines.sampler import SampledMotion, Transformer

    folder = WEIGHTS / name if name in CONFIGS else Path(name)
    if not folder.is_dir():
        raise ValueError(f"no motion model {name!r}: take one of {', '.join(CONFIGS)}, or a folder holding model.onnx")
    if not (folder / STATISTICS).is_file():
        raise FileNotFoundError(f"{folder / STATISTICS} is missing: write it with `rostrum export onnx --model portrait`")
    transformer: Transformer
    if (folder / "model.engine").is_file():
        # By name: nothing that serves imports torch, but where it has engines to run.
        transformer = importlib.import_module("engines.backends.motion_graphs").tensorrt_transformer(folder)
    else:
        from engines.backends.onnx import OnnxTransformer

        transformer = OnnxTransformer(folder, threads)
    return SampledMotion(transformer, MotionStatistics.load(folder / STATISTICS))
