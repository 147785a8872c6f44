"""`rostrum serve`: the studio page, WHIP, WHEP and the control websocket."""

from __future__ import annotations

import argparse
import functools
import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clients.cli.director_flags import add_director_flags, director_settings
from clients.cli.model_flags import add_model_flags, drawing_settings
from clients.cli.settings_file import SettingsError, example, read_settings
from clients.cli.speech_flags import add_speech_flags, speech_settings
from clients.cli.transcript_flags import add_transcript_flags, transcript_settings

if TYPE_CHECKING:
    from streamer.config import ServerSettings

WEB_ROOT = Path(__file__).parents[1] / "web"


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("serve", help="serve the studio page, WHIP, WHEP and the control websocket")
    add_settings(parser)
    parser.set_defaults(run=run, prepare=functools.partial(prepare, parser))


def add_settings(parser: argparse.ArgumentParser) -> None:
    """All that can be set of a server, by flags, a file and the environment."""
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
        "--segment",
        type=float,
        metavar="S",
        help="voice in one sub-clip, 0.2 to 1 (default: 0.24 s; of video models 0.96, of mini 0.32)",
    )
    parser.add_argument(
        "--bitrate",
        default="auto",
        metavar="RATE",
        help="of the video where a host chooses none, such as 2500k or 2.5M (default: %(default)s, by size and rate)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="render workers, shared by the broadcasts (default: one a core, at most 4; of video models 1: take one a GPU)",
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of a render worker (default: %(default)s)")
    parser.add_argument("--worker-class", metavar="MODULE:CLASS", help="what draws, in place of the built-in render worker")
    parser.add_argument("--broadcasts", type=int, default=4, metavar="N", help="at once, at most (default: %(default)s)")
    parser.add_argument(
        "--ice-server", action="append", default=[], metavar="URL", help="stun:HOST:3478, or turn:USER:PASSWORD@HOST:3478"
    )
    parser.add_argument("--udp-ports", metavar="FIRST-LAST", help="for WebRTC, such as 40000-40199: one a peer and address")
    parser.add_argument(
        "--loopback",
        action=argparse.BooleanOptionalAction,
        help="offer 127.0.0.1 to peers (default: where there is nothing else)",
    )
    parser.add_argument("--lineage", type=Path, metavar="DIR", help="write one JSON line a sub-clip to DIR/<broadcast>.jsonl")
    parser.add_argument(
        "--recordings", type=Path, metavar="DIR", help="where recordings go (default: beside the avatars, in recordings/)"
    )
    add_director_flags(parser)
    add_transcript_flags(parser)
    add_speech_flags(parser)
    add_model_flags(parser)
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"), help="and what is worse")
    parser.add_argument("--log-format", default="text", choices=("text", "json"), help="json: one object a line")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="serve https: the certificate chain (PEM)")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="and its private key (PEM)")
    parser.add_argument(
        "--proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="of a reverse proxy that speaks https for this server; its X-Forwarded headers are believed; may be repeated",
    )
    parser.add_argument(
        "--drain",
        type=float,
        default=30.0,
        metavar="S",
        help="after SIGTERM, broadcasts may go on for so long; a second one ends them (default: %(default)s s)",
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE.toml", help="settings by the names of these flags, which win over it"
    )
    parser.add_argument("--print-config", action="store_true", help="print a file with every setting and its default")


def prepare(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """The file and the environment say what the flags do not."""
    if arguments.print_config:
        print(example(parser), end="")
        parser.exit()
    try:
        parser.set_defaults(**read_settings(parser, arguments.config))
    except SettingsError as error:
        parser.error(str(error))


def server_settings(arguments: argparse.Namespace) -> ServerSettings:
    """What was set. Raises AvatarError, ConfigError, OSError for what cannot work."""
    from engines.avatar_library import AvatarLibrary, user_root
    from streamer.access import own_key
    from streamer.config import ServerSettings, parse_bitrate
    from streamer.udp_ports import parse_range

    if arguments.avatar:
        AvatarLibrary.default().get(arguments.avatar)
    _check_tls(arguments.tls_cert, arguments.tls_key)
    drawing = drawing_settings(arguments)
    num_workers: Any = arguments.workers or (1 if drawing.is_video else None)
    return ServerSettings(
        web_root=WEB_ROOT,
        lineage_root=arguments.lineage,
        recordings_root=arguments.recordings or user_root().parent / "recordings",
        default_avatar=arguments.avatar,
        segment_s=arguments.segment or drawing.segment_s,
        kbps=parse_bitrate(arguments.bitrate),
        **({"workers": num_workers} if num_workers else {}),
        worker_threads=arguments.threads,
        max_broadcasts=arguments.broadcasts,
        ice_servers=tuple(arguments.ice_server),
        director=director_settings(arguments),
        speech=speech_settings(arguments),
        transcript=transcript_settings(arguments),
        drawing=drawing,
        udp_ports=parse_range(arguments.udp_ports) if arguments.udp_ports else None,
        offer_loopback=arguments.loopback,
        key=None if arguments.open else own_key(),
        public=arguments.public,
        trust_loopback=not arguments.strict,
        origins=tuple(arguments.origin),
    )


def run(arguments: argparse.Namespace) -> int:
    from clients.cli.draining_server import DrainingServer
    from engines.avatar_library import AvatarError, AvatarLibrary
    from streamer import listening, logs
    from streamer.config import ConfigError
    from streamer.server import Server

    logs.set_up(arguments.log_level, arguments.log_format)
    try:
        settings = server_settings(arguments)
    except (AvatarError, ConfigError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    _say_where(arguments, settings.key)
    server = Server(settings, AvatarLibrary.default(), worker_class=arguments.worker_class)
    where = {"host": arguments.host, "port": arguments.port, "loop": "uvloop"}
    logging = {"log_config": None, "log_level": arguments.log_level}
    tls = {"ssl_certfile": arguments.tls_cert, "ssl_keyfile": arguments.tls_key, "forwarded_allow_ips": arguments.proxy or None}
    gc.freeze()  # what has been imported stays: to look through it again would stop the show for 50 ms
    gc.collect()  # and Python looks for cycles the sooner, the less it looked through the last time
    DrainingServer(listening.config(server.app(), settings.limits, **where, **logging, **tls), server, arguments.drain).run()
    return 0


def _say_where(arguments: argparse.Namespace, key: str | None) -> None:
    """Where the studio is, and the link that opens it to a browser that is not trusted unseen."""
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    here = f"{'https' if arguments.tls_cert else 'http'}://{host}:{arguments.port}"
    print(f"Rostrum is on {here}", flush=True)
    if key is None:
        print("Whoever can reach it may go live and direct: it was started with --open", flush=True)
    else:
        for base in arguments.origin or [here]:
            print(f"The host's link, for you alone: {base}/?key={key}", flush=True)


def _check_tls(cert: Path | None, key: Path | None) -> None:
    """Raises ConfigError where https could not be spoken with these."""
    import ssl

    from streamer.config import ConfigError

    if (cert is None) != (key is None):
        raise ConfigError("tls-cert and tls-key belong together: give both, or neither")
    for name, file in (("tls-cert", cert), ("tls-key", key)):
        if file and not file.is_file():
            raise ConfigError(f"{name}: there is no file {file}")
    if cert and key:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
        except (ssl.SSLError, OSError) as error:
            raise ConfigError(
                f"tls-cert: {cert} and {key} cannot be used ({error}); both must be PEM, and belong together"
            ) from None
