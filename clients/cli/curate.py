"""`rostrum curate`: a folder of videos to a training set that filters and a person have gone through.

rostrum curate VIDEOS -o SET             cut, caption and score every video; go on where a run was stopped
rostrum curate review SET                accept or reject clips by keyboard, in a browser
rostrum curate calibrate [CLIPS]         measure each filter's ROC, and draw its threshold, on clean clips spoilt on purpose
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from clients.cli.native_logs import without_native_logs


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rostrum curate`."""
    parser = subparsers.add_parser(
        "curate", help="make a training set of a folder of videos", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("what", metavar="VIDEOS|review|calibrate", help="a folder of videos (./review for one of that name)")
    parser.add_argument(
        "folder", nargs="?", type=Path, metavar="SET|CLIPS", help="the set to review, or clean clips of your own"
    )
    parser.add_argument(
        "-o", "--out", type=Path, metavar="SET", help="folder of the set; with calibrate: the JSON file to write"
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default 1)")
    parser.add_argument("--json", action="store_true", help="end with one line of figures as JSON")
    cut = parser.add_argument_group("cutting")
    cut.add_argument("--shortest", type=float, default=2.0, metavar="S", help="clips at least so long (default %(default)s s)")
    cut.add_argument("--longest", type=float, default=12.0, metavar="S", help="clips at most so long (default %(default)s s)")
    judge = parser.add_argument_group("filters")
    judge.add_argument("--thresholds", type=Path, metavar="FILE", help="what `rostrum curate calibrate` wrote (default: ours)")
    judge.add_argument("--limit", action="append", default=[], metavar="FILTER=VALUE", help="a threshold of your own")
    judge.add_argument("--without", action="append", default=[], metavar="FILTER", help="score by it, but reject nothing")
    models = parser.add_argument_group("models of your own")
    models.add_argument("--whisper", default="", metavar="MODEL", help="for language and transcript: a folder in CTranslate2's "
                        "format, or a name to download, such as base (extra: transcript)")  # fmt: skip
    models.add_argument("--aesthetic-head", default="", metavar="FILE", help="LAION's sac+logos+ava1-l14-linearMSE.pth")
    models.add_argument("--clip", default="", metavar="DIR", help="the CLIP ViT-L/14 that the aesthetic head looks through")
    models.add_argument("--syncnet", default="", metavar="FILE", help="SyncNet's syncnet_v2.model, beside our own sync score")
    review = parser.add_argument_group("review")
    review.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="default %(default)s")
    review.add_argument("--port", type=int, default=8081, help="default %(default)s")
    calibrate = parser.add_argument_group("calibrate")
    calibrate.add_argument("--n", type=int, default=24, metavar="N", help="clips to draw where none are given (default 24)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """1 and a message on stderr where something about the input is wrong."""
    works: dict[str, Callable[[argparse.Namespace], int]] = {"review": _review, "calibrate": _calibrate}
    try:
        return works.get(arguments.what, _curate)(arguments)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        print(f"rostrum curate: {error}", file=sys.stderr)
        return 1


def _curate(arguments: argparse.Namespace) -> int:
    import json

    from export.curate import report
    from export.curate.filters import THRESHOLDS
    from export.curate.manifest import counts
    from export.curate.run import curate
    from export.curate.scoring import Recipe

    videos = Path(arguments.what)
    if arguments.out is None:
        raise ValueError("name the folder of the set with -o SET")
    if not videos.is_dir():
        raise ValueError(f"there is no folder {videos}")
    if arguments.workers < 1 or not 0 < arguments.shortest <= arguments.longest:
        raise ValueError("--workers must be 1 or more, and 0 < --shortest <= --longest")
    if bool(arguments.aesthetic_head) != bool(arguments.clip):
        raise ValueError("--aesthetic-head and --clip belong together: give both")
    limits = _limits(arguments)
    recipe = Recipe(
        arguments.shortest, arguments.longest, limits, arguments.whisper, arguments.aesthetic_head, arguments.clip,
        arguments.syncnet,
    )  # fmt: skip
    with tqdm(total=0, unit="video", file=sys.stderr) as bar:

        def tell(done: int, total: int, name: str) -> None:
            bar.total = total
            bar.set_postfix_str(name[-40:], refresh=False)
            bar.update(done - bar.n)

        rows = curate(videos, arguments.out, recipe, arguments.workers, tell)
    page = report.write(arguments.out, rows, limits, arguments.thresholds or THRESHOLDS)
    found = counts(rows)
    for row in rows:
        if row["status"] == "failed":
            print(f"rostrum curate: {row['clip']}: {row['reason']}", file=sys.stderr)
    print(f"{found['kept']} clips kept, {found['rejected']} rejected, {found['failed']} failed: {page}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(found))
    return 0


def _limits(arguments: argparse.Namespace) -> dict[str, float]:
    from export.curate.filters import AESTHETIC, BY_NAME, THRESHOLDS, thresholds

    limits = thresholds(arguments.thresholds or THRESHOLDS)
    if arguments.aesthetic_head and AESTHETIC.fixed is not None:
        limits[AESTHETIC.name] = AESTHETIC.fixed
    known = [*BY_NAME, AESTHETIC.name]
    for text in arguments.limit:
        name, equals, value = text.partition("=")
        if name not in known or not equals:
            raise ValueError(f"--limit {text}: write it as FILTER=VALUE with one of {', '.join(known)}")
        try:
            limits[name] = float(value)
        except ValueError:
            raise ValueError(f"--limit {text}: {value} is not a number") from None
    for name in arguments.without:
        if name not in known:
            raise ValueError(f"--without {name}: take one of {', '.join(known)}")
        limits.pop(name, None)
    return limits


def _review(arguments: argparse.Namespace) -> int:
    import uvicorn

    from export.curate.review import review_app

    if arguments.folder is None:
        raise ValueError("name the set to review: rostrum curate review SET")
    app = review_app(arguments.folder, ("127.0.0.1", "localhost", arguments.host))
    print(f"http://{arguments.host}:{arguments.port}", file=sys.stderr)
    uvicorn.run(app, host=arguments.host, port=arguments.port, log_level="warning")
    return 0


def _calibrate(arguments: argparse.Namespace) -> int:
    from export.curate.calibrate import filmed, measure, save, table
    from export.curate.filters import THRESHOLDS
    from export.curate.rehearsal import HELD_OUT, rehearse
    from export.train.data.voices import EngineMissing

    clips = filmed(arguments.folder) if arguments.folder else rehearse(arguments.n)
    with (
        os.fdopen(os.dup(2), "w") as screen,
        tqdm(total=None if arguments.folder else arguments.n, unit="clip", file=screen) as bar,
        without_native_logs(),
    ):

        def tell(name: str) -> None:
            bar.set_postfix_str(name[-40:], refresh=False)
            bar.update()

        try:
            found = measure(clips, tell)
        except EngineMissing as error:
            raise RuntimeError(f"{error}; or give clean clips of your own: rostrum curate calibrate CLIPS") from None
    said = (
        f"{bar.n} clips of {arguments.folder.name}" if arguments.folder else f"{bar.n} clips drawn of {' and '.join(HELD_OUT)}"
    )
    out = arguments.out or THRESHOLDS
    save(out, found, said)
    print(table(found))
    print(f"{out}: thresholds for `rostrum curate --thresholds`" if arguments.out else f"{out} is what every run reads now")
    return 0
