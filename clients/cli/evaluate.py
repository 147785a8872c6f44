"""`rostrum evaluate`: the benchmark of 375 picture–voice–prompt cases, rendered, measured, and reported.

rostrum evaluate --n 20                                   # a sample that is like the whole, short and small, on any machine
rostrum evaluate -o full                                  # all of it: hours; it goes on where it was stopped
rostrum evaluate --fill mine/ -o full                     # with your own pictures and recordings: see --fill-help
rostrum evaluate --n 20 --export-cases cases/             # picture, voice and prompt of each case, for other systems
rostrum evaluate --cases cases/ --videos theirs=dir/ --videos ours=evaluation/videos/ -o compared   # dir/ID.mp4 of those cases
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from clients.cli.model_flags import add_model_flags, drawing_settings
from clients.cli.native_logs import without_native_logs

SAMPLE_SECONDS, SAMPLE_SIDE = 8, 480


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rostrum evaluate`."""
    parser = subparsers.add_parser(
        "evaluate", help="the benchmark: 375 cases rendered, measured and reported", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("-o", "--out", type=Path, default=Path("evaluation"), metavar="DIR", help="default: %(default)s")
    which = parser.add_argument_group("which cases")
    which.add_argument("--n", type=int, metavar="N", help="so many, in every respect like the whole suite")
    which.add_argument("--seed", type=int, default=0, help="of that choice, and of what is drawn (default 0)")
    which.add_argument(
        "--max-seconds", type=int, metavar="S", help=f"of each case (default: {SAMPLE_SECONDS} with --n, else all)"
    )
    which.add_argument(
        "--max-side", type=int, metavar="PX", help=f"of the shorter side (default: {SAMPLE_SIDE} with --n, else all)"
    )
    which.add_argument("--fill", type=Path, metavar="DIR", help="your own pictures and recordings, where you have some")
    which.add_argument("--fill-help", action="store_true", help="how that folder is laid out")
    which.add_argument(
        "--voices", default="kokoro,hibari,espeak", metavar="A,B", help="speech engines, best first (default: %(default)s)"
    )
    which.add_argument(
        "--cases", type=Path, metavar="DIR", help="a folder of cases that --export-cases wrote, in place of all these"
    )
    which.add_argument(
        "--export-cases", type=Path, metavar="DIR", help="write picture, voice and prompt of each case there, and stop"
    )
    who = parser.add_argument_group("who is judged")
    add_model_flags(parser)
    who.add_argument("--workers", type=int, default=2, metavar="N", help="that render (default %(default)s)")
    who.add_argument("--fps", type=int, default=25, help="of what is rendered (default %(default)s)")
    who.add_argument(
        "--videos",
        action="append",
        default=[],
        metavar="[NAME=]DIR",
        help="judge DIR/ID.mp4 in place of rendering; may be repeated",
    )
    how = parser.add_argument_group("how")
    how.add_argument(
        "--identity-model", type=Path, metavar="FILE", help="SFace or ArcFace as ONNX, for a true identity distance"
    )
    how.add_argument("--talking", type=Path, metavar="DIR", help="real people talking, to fit a better lip predictor on")
    how.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """1 and a message where something about the input is wrong, or no case could be judged."""
    from export.evaluate import filling
    from export.evaluate.suite import SuiteError, limited, read_cases, sample
    from export.train.data.voices import EngineMissing
    from streamer.recording import RecordingError

    if arguments.fill_help:
        print(filling.__doc__)
        return 0
    try:
        from clients.evaluation import Evaluation

        if arguments.cases:
            chosen, notes = read_cases(arguments.cases / filling.CASES), [f"The cases of {arguments.cases}."]
            if arguments.n:
                chosen = sample(chosen, arguments.n, arguments.seed)
            if not chosen:
                raise SuiteError(f"{arguments.cases} holds no cases")
        else:
            suite = read_cases()
            chosen = sample(suite, arguments.n, arguments.seed) if arguments.n else suite
            seconds = arguments.max_seconds or (SAMPLE_SECONDS if arguments.n else None)
            side = arguments.max_side or (SAMPLE_SIDE if arguments.n else None)
            notes = [_choice(len(chosen), len(suite), seconds, side)]
            chosen = [limited(case, seconds, side) for case in chosen]
        folder = arguments.export_cases or arguments.cases or arguments.out / "cases"
        terminal = os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1)  # native libraries are kept off the other one
        evaluation = Evaluation(chosen, arguments.out, folder, arguments.seed, notes, terminal)
        with without_native_logs():
            evaluation.fill(arguments.fill, arguments.voices.split(","))
            if arguments.export_cases:
                judged = f"rostrum evaluate --cases {folder} --videos DIR"
                print(f"{folder}: {len(chosen)} cases. Judge videos of them with `{judged}`.")
                return 0
            evaluation.measure_by(arguments.identity_model, arguments.talking)
            if arguments.videos:
                for name, videos in map(_named, arguments.videos):
                    evaluation.judge(name, videos)
            else:
                evaluation.render(drawing_settings(arguments), arguments.workers, arguments.fps)
            results = evaluation.report()
    except (EngineMissing, RecordingError, SuiteError, ValueError, OSError) as error:
        print(f"rostrum evaluate: {error}", file=sys.stderr)
        return 1
    print(evaluation.text())
    print(f"\n{arguments.out / 'report.html'}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(results))
    return 0 if evaluation.num_judged else 1


def _choice(num: int, of: int, seconds: int | None, side: int | None) -> str:
    """What was chosen, for people."""
    limits = [f"{seconds} s (of 8–120 s; --max-seconds)"] if seconds else []
    limits += [f"{side}p (of 480p–1080p; --max-side)"] if side else []
    return f"{num} of {of} cases, " + ("whole." if not limits else f"none longer or larger than {' and '.join(limits)}.")


def _named(words: str) -> tuple[str, Path]:
    name, equals, folder = words.rpartition("=")
    path = Path(folder)
    if not path.is_dir():
        raise ValueError(f"--videos {words}: there is no folder {path}")
    return (name if equals else path.name or "videos"), path
