"""`rostrum serve`: the studio page, WHIP, WHEP and the control websocket."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

from clients.cli.director_flags import add_director_flags, director_settings

WEB_ROOT = Path(__file__).parents[1] / "web"


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("serve", help="serve the studio page, WHIP, WHEP and the control websocket")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="(default: %(default)s)")
    parser.add_argument(
        "--open", action="store_true", help="ask nobody for a key or token: whoever can reach the server may go live and direct"
    )
    parser.add_argument(
        "--public", action="store_true", help="viewer links hold no token: whoever knows a broadcast's name may watch"
    )
    parser.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="URL",
        help="https://NAME by which browsers reach this server; may be repeated",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="a browser on this machine needs the link with the key too; for machines others use",
    )
    parser.add_argument("--avatar", help="the avatar of broadcasts that name none (default: the first one)")
    parser.add_argument(
        "--segment", type=float, default=0.24, metavar="S", help="voice in one sub-clip (default: %(default)s s)"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of a render worker (default: %(default)s)")
    parser.add_argument("--broadcasts", type=int, default=4, metavar="N", help="at once, at most (default: %(default)s)")
    parser.add_argument("--ice-server", action="append", default=[], metavar="URL", help="stun: or turn: URL; may be repeated")
    parser.add_argument(
        "--loopback",
        action=argparse.BooleanOptionalAction,
        help="offer 127.0.0.1 to peers (default: where there is nothing else)",
    )
    parser.add_argument("--lineage", type=Path, metavar="DIR", help="write one JSON line a sub-clip to DIR/<broadcast>.jsonl")
    add_director_flags(parser)
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    import uvicorn

    from engines.avatar_library import AvatarError, AvatarLibrary
    from streamer import listening
    from streamer.access import own_key
    from streamer.config import ConfigError, ServerSettings
    from streamer.server import Server

    logging.basicConfig(level=arguments.log_level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    for noisy in ("aiortc", "aioice"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    library = AvatarLibrary.default()
    try:
        if arguments.avatar:
            library.get(arguments.avatar)
        settings = ServerSettings(
            web_root=WEB_ROOT,
            lineage_root=arguments.lineage,
            default_avatar=arguments.avatar,
            segment_s=arguments.segment,
            worker_threads=arguments.threads,
            max_broadcasts=arguments.broadcasts,
            ice_servers=tuple(arguments.ice_server),
            director=director_settings(arguments),
            offer_loopback=arguments.loopback,
            key=None if arguments.open else own_key(),
            public=arguments.public,
            trust_loopback=not arguments.strict,
            origins=tuple(arguments.origin),
        )
    except (AvatarError, ConfigError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    _say_where(arguments, settings.key)
    app = Server(settings, library).app()
    where = {"host": arguments.host, "port": arguments.port, "loop": "uvloop", "log_level": arguments.log_level}
    uvicorn.Server(listening.config(app, settings.limits, **where)).run()
    return 0


def _say_where(arguments: argparse.Namespace, key: str | None) -> None:
    """Where the studio is, and the link that opens it to a browser that is not trusted unseen."""
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    here = f"http://{host}:{arguments.port}"
    print(f"Rostrum is on {here}", flush=True)
    if key is None:
        print("Whoever can reach it may go live and direct: it was started with --open", flush=True)
    else:
        for base in arguments.origin or [here]:
            print(f"The host's link, for you alone: {base}/?key={key}", flush=True)
