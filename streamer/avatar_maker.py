"""Pictures from outside become avatars in a process of their own, with limits on its time and memory.

Run as a module it is that process: the picture on stdin, a JSON request as its argument, a JSON answer on stdout.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from engines.avatar_library import AvatarError, AvatarLibrary

MAX_PICTURE_BYTES = 20 * 1024 * 1024
_TIMEOUT_S = 60.0
_MEMORY_BYTES = 6 * 1024**3


class AvatarRefused(Exception):
    """The picture cannot become an avatar; `code` is the AvatarError's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class AvatarMaker:
    """Bounded: more than `at_once` pictures are refused, not queued, since each takes seconds and up to 6 GiB."""

    def __init__(self, library: AvatarLibrary, at_once: int) -> None:
        self._library = library
        self._at_once = at_once
        self._making: set[str] = set()

    async def make(
        self, picture: bytes, name: str, title: str | None = None, points: dict[str, tuple[float, float]] | None = None
    ) -> dict[str, Any]:
        """The new avatar's facts. Raises AvatarRefused, and AvatarError for a name that cannot be before any work is done."""
        self._library.new_folder(name, force=False)
        if not _begins_like_a_picture(picture):
            raise AvatarRefused("not_a_picture", "This file is not a picture: send a JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF.")
        if name in self._making:
            raise AvatarRefused("name_taken", f"An avatar called {name!r} is being made just now; choose another name.")
        if len(self._making) >= self._at_once:
            raise AvatarRefused("busy", "Other pictures are being worked on just now; try again in a few seconds.")
        self._making.add(name)
        try:
            return await _in_a_process(
                picture, {"name": name, "root": str(self._library.user), "title": title, "points": points}
            )
        finally:
            self._making.discard(name)


def _begins_like_a_picture(data: bytes) -> bool:
    """By its first bytes; what it is called counts for nothing. A real look costs a process of its own."""
    starts = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*")
    return data.startswith(starts) or data[8:12] == b"WEBP" or data[4:8] == b"ftyp"


async def _in_a_process(picture: bytes, request: dict[str, Any]) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "streamer.avatar_maker",
        json.dumps(request),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(picture), _TIMEOUT_S)
    except TimeoutError:
        raise AvatarRefused("too_slow", f"This picture took longer than {_TIMEOUT_S:.0f} s; try a smaller one.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        answer = json.loads(out.splitlines()[-1])
    except (ValueError, IndexError):
        raise AvatarRefused("failed", "This picture could not be worked on; try another, or a smaller one.") from None
    if "code" in answer:
        raise AvatarRefused(answer["code"], answer["message"])
    facts: dict[str, Any] = answer["avatar"]
    return facts


def main() -> int:
    """The process. What is on air comes first."""
    os.nice(10)
    from engines.codecs.portrait.create import create_avatar  # brings in MediaPipe: seconds

    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
    request = json.loads(sys.argv[1])
    points = request["points"] and {name: (float(x), float(y)) for name, (x, y) in request["points"].items()}
    try:
        avatar = create_avatar(
            sys.stdin.buffer.read(), request["name"], points=points, root=Path(request["root"]), title=request["title"]
        )
    except AvatarError as error:
        print(json.dumps({"code": error.code, "message": str(error)}))
        return 1
    print(json.dumps({"avatar": avatar.facts()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
