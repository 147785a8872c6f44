"""`rostrum avatar`: make an avatar from a picture, list avatars, remove one."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from clients.cli.native_logs import without_native_logs
from engines.avatar_library import AvatarError, AvatarLibrary, user_root


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("avatar", help="make an avatar from a picture; list or remove avatars")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    create = actions.add_parser("create", help="make an avatar from a picture of one face")
    create.add_argument("picture", type=Path, help="JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF")
    create.add_argument("--name", required=True, help="a-z, 0-9, - and _")
    create.add_argument("--title", help="what the page shows; the name, if not given")
    create.add_argument(
        "--kind", default="picture", help='a word for lists, such as "photo" or "painting" (default: %(default)s)'
    )
    create.add_argument("--source", default="", help="where the picture comes from")
    create.add_argument("--licence", default="", help="on what terms it may be shown")
    create.add_argument(
        "--points", type=Path, metavar="FILE", help='hand-placed points, JSON: {"nose_tip": [x, y], ...}; for faces not found'
    )
    create.add_argument("--force", action="store_true", help="replace an avatar of that name")
    create.add_argument("--json", action="store_true", help="print one line of JSON")
    create.set_defaults(run=_create)

    show = actions.add_parser("list", help="show the avatars there are")
    show.add_argument("--json", action="store_true", help="print one line of JSON")
    show.set_defaults(run=_list)

    remove = actions.add_parser("remove", help="delete one of your avatars")
    remove.add_argument("name")
    remove.add_argument("--json", action="store_true", help="print one line of JSON")
    remove.set_defaults(run=_remove)


def _create(arguments: argparse.Namespace) -> int:
    from engines.codecs.portrait.create import create_avatar  # brings in MediaPipe: seconds
    from engines.codecs.portrait.points import read_points

    try:
        points = read_points(arguments.points) if arguments.points else None
        with without_native_logs():
            avatar = create_avatar(
                arguments.picture,
                arguments.name,
                points=points,
                title=arguments.title,
                kind=arguments.kind,
                source=arguments.source,
                licence=arguments.licence,
                force=arguments.force,
            )
    except AvatarError as error:
        return _refuse(error, arguments.json)
    if arguments.json:
        print(json.dumps({**avatar.facts(), "folder": str(avatar.folder)}, ensure_ascii=False))
    else:
        print(f"{avatar.title} is ready: {avatar.width} x {avatar.height}, in {avatar.folder}")
        print(f"Speak through it: rostrum serve, or rostrum render --avatar {avatar.name} --audio speech.wav -o out.mp4")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    avatars = AvatarLibrary.default().list()
    if arguments.json:
        print(json.dumps([avatar.facts() for avatar in avatars], ensure_ascii=False))
        return 0
    for avatar in avatars:
        whose = "shipped" if avatar.facts()["shipped"] else "yours"
        print(f"{avatar.name:20} {avatar.title:24} {avatar.kind:12} {avatar.width:>4} x {avatar.height:<4}  {whose}")
    if not avatars:
        print(f"There are no avatars yet; yours will be in {user_root()}.")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    try:
        AvatarLibrary.default().remove(arguments.name)
    except AvatarError as error:
        return _refuse(error, arguments.json)
    print(json.dumps({"removed": arguments.name}) if arguments.json else f"Removed {arguments.name}.")
    return 0


def _refuse(error: AvatarError, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": error.code, "message": str(error)}, ensure_ascii=False))
    else:
        print(error, file=sys.stderr)
    return 1
