"""`rostrum gsb`: blind side-by-side comparison of two folders of videos, Good / Same / Bad, by several raters.

rostrum gsb serve ours/ theirs/ --db study.sqlite         # prints the raters' link
rostrum gsb report study.sqlite --csv votes.csv           # (G+S)/(B+S) by category
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rostrum gsb serve|report`."""
    parser = subparsers.add_parser(
        "gsb", help="compare two folders of videos blindly, by several raters", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    serve = kinds.add_parser("serve", help="serve the raters' page")
    serve.add_argument("a", type=Path, metavar="A/", help="videos; G means that these are better")
    serve.add_argument("b", type=Path, metavar="B/", help="videos of the same names")
    serve.add_argument("--names", default="", metavar="A,B", help="what to call them in reports (default: the folders' names)")
    serve.add_argument(
        "--cases", type=Path, metavar="DIR", help="what they were made from, for raters to see; see `rostrum evaluate`"
    )
    serve.add_argument(
        "--db", type=Path, default=Path("gsb.sqlite"), metavar="FILE", help="answers go there (default: %(default)s)"
    )
    serve.add_argument("--seed", type=int, default=0, help="of orders and sides (default 0)")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    serve.add_argument("--port", type=int, default=8090, help="(default: %(default)s; 0: any)")
    serve.set_defaults(run=run_serve)
    report = kinds.add_parser("report", help="what the raters said")
    report.add_argument("db", type=Path, nargs="?", default=Path("gsb.sqlite"), metavar="FILE")
    report.add_argument("--csv", type=Path, metavar="FILE", help="write every answer there")
    report.add_argument("--json", action="store_true", help="one line of JSON in place of the table")
    report.set_defaults(run=run_report)


def run_serve(arguments: argparse.Namespace) -> int:
    """Until it is stopped. 1 and a message where there is nothing to compare, or the port is taken."""
    import socket

    import uvicorn

    from clients.gsb.server import RatingServer
    from clients.gsb.study import Study, StudyError, pairs_of
    from export.evaluate.suite import SuiteError

    try:
        pairs = pairs_of(arguments.a, arguments.b, arguments.cases)
        given = [name.strip() for name in arguments.names.split(",") if name.strip()]
        names = given or [folder.resolve().name for folder in (arguments.a, arguments.b)]
        if len(names) != 2 or names[0] == names[1]:
            raise StudyError("two different names are needed: --names OURS,THEIRS")
        study = Study.create(arguments.db, pairs, (names[0], names[1]), arguments.seed)
        listening = socket.create_server((arguments.host, arguments.port))
    except (StudyError, SuiteError, OSError) as error:
        print(f"rostrum gsb: {error}", file=sys.stderr)
        return 1
    host, port = listening.getsockname()[:2]
    alone = {name for folder in (arguments.a, arguments.b) for name in _stems(folder)} - {pair.name for pair in pairs}
    print(f"{len(pairs)} pairs, {names[0]} (A) against {names[1]} (B), answers in {arguments.db}", flush=True)
    if alone:
        print(f"{len(alone)} videos have nothing to be compared with: {', '.join(sorted(alone)[:5])}…", flush=True)
    print(f"The raters' link: http://{host if host != '0.0.0.0' else socket.gethostname()}:{port}/#{study.key}", flush=True)
    with listening:
        server = uvicorn.Server(uvicorn.Config(RatingServer(study).app(), log_level="warning", timeout_graceful_shutdown=1))
        server.run(sockets=[listening])
    return 0


def run_report(arguments: argparse.Namespace) -> int:
    """1 and a message where there is no study, or nobody has answered."""
    from clients.gsb.study import Study, StudyError, compared, write_csv
    from export.evaluate.preference import CRITERIA

    try:
        study = Study(arguments.db)
        votes = study.votes()
        if arguments.csv:
            write_csv(votes, arguments.csv)
    except (StudyError, OSError) as error:
        print(f"rostrum gsb: {error}", file=sys.stderr)
        return 1
    if not votes:
        print(f"rostrum gsb: nobody has answered in {arguments.db} yet", file=sys.stderr)
        return 1
    raters, found = len({vote[0] for vote in votes}), compared(study)
    if arguments.json:
        by = {name: {c: asdict(p) if p else None for c, p in row.items()} for name, row in found.items()}
        print(json.dumps({"a": study.names[0], "b": study.names[1], "raters": raters, "by": by}))
        return 0
    print(f"(G+S)/(B+S), {study.names[0]} against {study.names[1]}: above 1, {study.names[0]} is preferred.")
    seen = len({vote[1] for vote in votes})
    print(f"{raters} raters, {seen} of {len(study.pairs)} pairs, the raters of a pair by majority.")
    print("In brackets what holds the true ratio 95 times of 100 (Dirichlet, Jeffreys' prior).\n")
    head = ["", "pairs", *(criterion.replace("_", " ") for criterion in CRITERIA)]
    rows = [
        [name, str(max((p.num for p in row.values() if p), default=0)), *(str(p) if p else "–" for p in row.values())]
        for name, row in found.items()
    ]
    widths = [max(len(line[i]) for line in (head, *rows)) for i in range(len(head))]
    for line in (head, *rows):
        print("  ".join(f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)).rstrip())
    whole = found["all"]
    counts = "; ".join(f"{c.replace('_', ' ')} {p.good}/{p.same}/{p.bad}" for c, p in whole.items() if p)
    print(f"\nG/S/B of all: {counts}")
    return 0


def _stems(folder: Path) -> set[str]:
    from clients.gsb.study import FILMS

    return {path.stem for path in folder.iterdir() if path.suffix.lower() in FILMS and not path.name.startswith(".")}
