"""`rostrum train`: a pixel video model from clips, stage by stage. Each stage goes on where it stopped.

python -m export.train.cache DATA --out CACHE ; python -m export.train.video.clips CACHE --out CLIPS
rostrum train vae     CLIPS   --out RUN/vae
rostrum train encode  CLIPS   --out RUN/encoded --vae RUN/vae
rostrum train base    RUN/encoded --vae RUN/vae --out RUN/base
rostrum train audio   RUN/encoded --vae RUN/vae --out RUN/audio --from RUN/base
rostrum train distil  RUN/encoded --vae RUN/vae --out RUN/few   --from RUN/audio
rostrum train pack    RUN/few --vae RUN/vae --out WEIGHTS        # then: rostrum render --model mini --weights WEIGHTS …
rostrum train ablate  RUN/encoded --clips CLIPS --vae RUN/vae --from RUN/audio --out RUN/ablation

Open weights are fine-tuned by the same stages: `--model wan --weights DIR` at encode and at a stage, `--rank 32` for low-rank
updates, and torchrun for many GPUs: `torchrun --nproc-per-node 8 -m clients.cli.main train audio …`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engines.models.video_dit import VideoDiT
    from engines.video import VideoModel
    from export.train.run import Pace


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rostrum train vae|encode|base|audio|distil|pack|ablate`."""
    parser = subparsers.add_parser(
        "train", help="train a pixel video model", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    vae = kinds.add_parser("vae", help="the small causal video VAE")
    _common(vae, "clips", "what `python -m export.train.video.clips` wrote")
    _paced(vae, batch=4)
    vae.set_defaults(work=_vae)
    encode = kinds.add_parser("encode", help="clips as latents, with what is heard and read")
    _common(encode, "clips", "what `python -m export.train.video.clips` wrote")
    _weighted(encode)
    encode.add_argument("--count", type=int, default=4000, metavar="N", help="windows (default: %(default)s)")
    encode.set_defaults(work=_encode)
    for name, line in (
        ("base", "the model that reads, and lands on its frames"),
        ("audio", "its ears, as Kling-Avatar trains them"),
        ("distil", "a student that needs a few steps"),
    ):
        stage = kinds.add_parser(name, help=line)
        _common(stage, "encoded", "what `rostrum train encode` wrote")
        _weighted(stage)
        _paced(stage, batch=16)
        stage.add_argument("--from", dest="start_from", type=Path, metavar="RUN", help="the stage before")
        stage.add_argument(
            "--rank", type=int, default=0, help="train low-rank updates of this rank, not the weights themselves"
        )
        stage.set_defaults(work=_stage)
    pack = kinds.add_parser("pack", help="weights for --model mini")
    _common(pack, "run_folder", "the last stage's folder", metavar="RUN")
    _weighted(pack)
    pack.add_argument("--steps", type=int, default=4, help="of sampling (default: %(default)s)")
    pack.add_argument("--audio-guidance", type=float, default=1.0)
    pack.set_defaults(work=_pack)
    ablate = kinds.add_parser("ablate", help="each strategy off in turn, the same seeds: a table")
    _common(ablate, "encoded", "what `rostrum train encode` wrote")
    _weighted(ablate)
    ablate.add_argument("--clips", type=Path, required=True, metavar="DIR", help="to draw from: those of portraits kept apart")
    ablate.add_argument("--from", dest="start_from", type=Path, required=True, metavar="RUN", help="the audio stage")
    ablate.add_argument("--base", type=Path, metavar="RUN", help="where trained variants begin (default: from nothing)")
    ablate.add_argument("--steps", type=int, default=200, help="of training each variant (default: %(default)s)")
    ablate.add_argument(
        "--seconds",
        type=float,
        default=60.0,
        help="of chained clips for drift; keyframes against none, five times as long (default: %(default)s)",
    )
    ablate.set_defaults(work=_ablate)
    for each in kinds.choices.values():
        each.set_defaults(run=run)


def _common(parser: argparse.ArgumentParser, source: str, line: str, metavar: str = "DIR") -> None:
    parser.add_argument(source, type=Path, metavar=metavar, help=line)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", help="default: cuda where there is one, else cpu")


def _weighted(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="mini", help="mini, wan-1.3b, wan-14b or wan (default: %(default)s)")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="of a model that is fine-tuned")
    parser.add_argument("--vae", type=Path, metavar="RUN", help="of mini: the VAE's run")


def _paced(parser: argparse.ArgumentParser, batch: int) -> None:
    parser.add_argument("--steps", type=int, help="default: the stage's own")
    parser.add_argument("--minutes", type=float, default=0.0, help="end, schedule and all, after so long")
    parser.add_argument("--lr", type=float, help="default: the stage's own for mini, 1e-5 for open weights")
    parser.add_argument("--batch", type=int, default=batch, help="for each process (default: %(default)s)")
    parser.add_argument("--accumulate", type=int, default=1, metavar="N", help="batches a step")


def run(arguments: argparse.Namespace) -> int:
    """1 and a message where something about the input is wrong."""
    try:
        import torch

        arguments.device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
        arguments.work(arguments)
    except (ImportError, ValueError, OSError) as error:
        print(f"rostrum train: {error}", file=sys.stderr)
        if isinstance(error, ImportError):
            print("Install what training needs: pip install -e .[train,video]", file=sys.stderr)
        return 1
    return 0


def _pace(arguments: argparse.Namespace, own: Pace) -> Pace:
    fine = getattr(arguments, "model", "mini") != "mini"
    return replace(
        own, steps=arguments.steps or own.steps, minutes=arguments.minutes, accumulate=arguments.accumulate,
        lr=arguments.lr or (1e-5 if fine else own.lr),
    )  # fmt: skip


def _vae(arguments: argparse.Namespace) -> None:
    from export.train.video.vae import VAE_PACE, psnr, train_vae

    model = train_vae(
        arguments.clips, arguments.out, _pace(arguments, VAE_PACE), arguments.batch, arguments.seed, arguments.device
    )
    print("dB on portraits kept apart:", psnr(model, arguments.clips, device=arguments.device))


def _encode(arguments: argparse.Namespace) -> None:
    from export.train.video.encoded import encode
    from export.train.video.vae import split

    encode(_model(arguments), split(arguments.clips)[0], arguments.out, arguments.count, seed=arguments.seed)


def _stage(arguments: argparse.Namespace) -> None:
    from export.train.video.transformer import PACES, Encoded, train_stage

    known = _model(arguments)
    encoded = Encoded(arguments.encoded, known)
    pace = _pace(arguments, PACES[arguments.kind])
    train_stage(
        arguments.kind, _transformer(arguments, known), encoded, arguments.out, pace, arguments.batch, rank=arguments.rank,
        device=arguments.device, seed=arguments.seed,
    )  # fmt: skip


def _pack(arguments: argparse.Namespace) -> None:
    from engines.mini import MiniNotes, save_mini

    known = _model(arguments)
    arguments.start_from = arguments.run_folder
    model = _transformer(arguments, known)
    codec: Any = known.codec
    sampling = {"num_steps": arguments.steps, "shift": 3.0, "audio_guidance_scale": arguments.audio_guidance}
    notes = MiniNotes([round(v, 5) for v in codec.mean.tolist()], [round(v, 5) for v in codec.std.tolist()], sampling, {})
    save_mini(arguments.out, model, codec.vae, notes)


def _ablate(arguments: argparse.Namespace) -> None:
    from export.train.video.ablate import ablate

    known = _model(arguments)
    base = None
    if arguments.base:
        arguments.start_from, trained = arguments.base, arguments.start_from
        base, arguments.start_from = _transformer(arguments, known), trained
    table = ablate(
        known, _transformer(arguments, known), base, arguments.encoded, arguments.clips, arguments.out, arguments.steps,
        arguments.seconds, arguments.seed,
    )  # fmt: skip
    print(table)


def _model(arguments: argparse.Namespace) -> VideoModel:
    """Codec, words and ears; of mini with the VAE of a run."""
    from engines.video import load_video_model

    if arguments.vae is None:
        if arguments.weights is None:
            raise ValueError("say which codec: --vae RUN of a mini, or --weights DIR of a model that is fine-tuned")
        return load_video_model(arguments.model, arguments.weights)
    from export.train.video.vae import mini_with

    return mini_with(arguments.vae, arguments.device)


def _transformer(arguments: argparse.Namespace, known: VideoModel) -> VideoDiT:
    """The stage before; or open weights; or one that knows nothing."""
    from export.train.video.transformer import fresh, of_run

    if arguments.start_from:
        return of_run(arguments.start_from, known.config, arguments.device)
    if arguments.weights:
        from engines.checkpoints import load_video_dit
        from engines.video_weights import VideoWeights

        weights = VideoWeights.of(arguments.weights)
        model = load_video_dit(weights.part("transformer"), weights.parts.get("adapter"), weights.updates)
        return model.to(arguments.device)
    return fresh(known.config, arguments.device, arguments.seed)
