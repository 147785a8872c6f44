"""`rostrum serve`: the studio page, WHIP, WHEP and the control websocket."""

from __future__ import annotations

import argparse
import ipaddress
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
        "--open",
        action="store_true",
        help="anybody who can reach the server may go live and direct; needed to listen on more than this machine",
    )
    parser.add_argument("--avatar", help="the avatar of broadcasts that name none (default: the first one)")
    parser.add_argument(
        "--segment", type=float, default=0.24, metavar="S", help="voice in one sub-clip (default: %(default)s s)"
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="render workers, shared by the broadcasts (default: one a core, at most 4)"
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
    from streamer.config import ConfigError, ServerSettings
    from streamer.server import Server

    if not arguments.open and not _is_loopback(arguments.host):
        print(
            f"{arguments.host} can be reached from other machines, and there anybody could go live: add --open", file=sys.stderr
        )
        return 2
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
            **({"workers": arguments.workers} if arguments.workers else {}),
            worker_threads=arguments.threads,
            max_broadcasts=arguments.broadcasts,
            ice_servers=tuple(arguments.ice_server),
            director=director_settings(arguments),
            offer_loopback=arguments.loopback,
        )
    except (AvatarError, ConfigError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"Rostrum is on http://{arguments.host}:{arguments.port}", flush=True)
    uvicorn.run(
        Server(settings, library).app(),
        host=arguments.host,
        port=arguments.port,
        loop="uvloop",
        ws="websockets-sansio",
        ws_max_size=1024 * 1024,
        log_level=arguments.log_level,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    return 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
