"""`rostrum doctor`: try everything that a broadcast with these settings needs, and say of what fails which way out there is."""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from clients.cli.serve import add_settings, prepare, server_settings
from clients.doctor.finding import Check, Finding

_MARKS = {"good": "✓", "note": "·", "bad": "✗"}


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("doctor", help="find out what is in the way of a broadcast", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object a line instead of text")
    parser.add_argument("--url", metavar="URL", help="a server that runs: make a broadcast on it, and watch it from here")
    add_settings(parser)
    parser.set_defaults(run=run, prepare=functools.partial(prepare, parser))


def run(arguments: argparse.Namespace) -> int:
    """0: nothing is in the way. 1: something is."""
    logging.disable(logging.ERROR)  # what a check provokes is told as its finding
    try:
        verdicts = asyncio.run(_examine(arguments, _print_json if arguments.json else _print_text))
    finally:
        logging.disable(logging.NOTSET)
    num_bad = verdicts.count("bad")
    if not arguments.json:
        print(f"\n{num_bad} in the way." if num_bad else "\nNothing is in the way.")
    return 1 if num_bad else 0


async def _examine(arguments: argparse.Namespace, tell: Callable[[Finding], None]) -> list[str]:
    """Check after check; what each finds is told at once."""
    verdicts: list[str] = []
    for check in checks(arguments):
        try:
            async for finding in check():
                tell(finding)
                verdicts.append(finding.verdict)
        except Exception as error:  # a check that breaks must not hide the others
            about = getattr(check, "func", check).__name__
            way_out = "this should not happen: report it, with the settings that were used"
            tell(Finding(about, "bad", f"the check itself failed: {type(error).__name__}: {error}", way_out))
            verdicts.append("bad")
    return verdicts


def checks(arguments: argparse.Namespace) -> list[Check]:
    """In the order in which they are made; each tells apart what it needs of the settings."""
    from clients.doctor import connection, machine, running, weights
    from engines.avatar_library import AvatarError
    from streamer import udp_ports, webrtc
    from streamer.config import ConfigError

    if arguments.url:
        return [functools.partial(running.server, arguments.url)]
    try:
        settings = server_settings(arguments)
    except (AvatarError, ConfigError, OSError) as error:
        finding = Finding("settings", "bad", str(error), "correct it; `rostrum serve --help` says how")
        return [functools.partial(_cannot, finding)]
    webrtc.offer_loopback(settings.offer_loopback)
    if settings.udp_ports:
        udp_ports.bind_in(settings.udp_ports)
    return [
        functools.partial(connection.page, arguments.host, arguments.port, bool(arguments.tls_cert), settings.origins),
        functools.partial(connection.port, arguments.host, arguments.port),
        functools.partial(connection.candidates, settings),
        functools.partial(connection.udp, settings),
        functools.partial(connection.ice_servers, settings),
        machine.avatars,
        functools.partial(machine.models, settings),
        machine.backends,
        *([functools.partial(weights.weights, settings.drawing)] if settings.drawing.model.startswith("wan") else []),
        machine.media,
        functools.partial(machine.voice, settings),
        machine.disk,
    ]


async def _cannot(finding: Finding) -> Any:
    yield finding


def _print_text(finding: Finding) -> None:
    print(f"{_MARKS[finding.verdict]} {finding.about:<11} {finding.found}", flush=True)
    if finding.way_out:
        print(f"  {'':<11} → {finding.way_out}", flush=True)


def _print_json(finding: Finding) -> None:
    print(json.dumps(asdict(finding), ensure_ascii=False), flush=True)
