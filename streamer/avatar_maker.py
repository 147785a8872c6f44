"""Pictures from outside become avatars, or backgrounds, in a process of their own, with limits on its time and memory.

Run as a module it is that process: the picture on stdin, a JSON request as its argument, a JSON answer on stdout.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from engines.avatar_library import AvatarError, AvatarLibrary
from engines.background_library import BackgroundLibrary

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

    def __init__(self, library: AvatarLibrary, backgrounds: BackgroundLibrary, at_once: int) -> None:
        self._library = library
        self._backgrounds = backgrounds
        self._at_once = at_once
        self._making: set[str] = set()

    async def make(
        self, picture: bytes, name: str, title: str | None = None, points: dict[str, tuple[float, float]] | None = None
    ) -> dict[str, Any]:
        """The new avatar's facts. Raises AvatarRefused, and AvatarError for a name that cannot be before any work is done."""
        self._library.new_folder(name, force=False)
        if name in self._making:
            raise AvatarRefused("name_taken", f"An avatar called {name!r} is being made just now; choose another name.")
        request = {"name": name, "root": str(self._library.user), "title": title, "points": points}
        facts: dict[str, Any] = await self._work_on(picture, name, request)
        return facts

    async def make_background(self, picture: bytes, title: str) -> str:
        """The name of the new background, or of the same picture that was there. Raises AvatarRefused, TooManyBackgrounds."""
        self._backgrounds.check_room()
        work = f"background {hashlib.sha256(picture).hexdigest()}"  # no avatar can be called so
        name: str = await self._work_on(picture, work, {"background": title, "root": str(self._backgrounds.root)})
        return name

    async def _work_on(self, picture: bytes, work: str, request: dict[str, Any]) -> Any:
        if not _begins_like_a_picture(picture):
            raise AvatarRefused("not_a_picture", "This file is not a picture: send a JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF.")
        if len(self._making) >= self._at_once:
            raise AvatarRefused("busy", "Other pictures are being worked on just now; try again in a few seconds.")
        self._making.add(work)
        try:
            return await _in_a_process(picture, request)
        finally:
            self._making.discard(work)


def _begins_like_a_picture(data: bytes) -> bool:
    """By its first bytes; what it is called counts for nothing. A real look costs a process of its own."""
    starts = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*")
    return data.startswith(starts) or data[8:12] == b"WEBP" or data[4:8] == b"ftyp"


async def _in_a_process(picture: bytes, request: dict[str, Any]) -> Any:
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
    return answer["made"]


def main() -> int:
    """The process. What is on air comes first."""
    os.nice(10)
    request = json.loads(sys.argv[1])
    try:
        made = _background(request) if "background" in request else _avatar(request)
    except AvatarError as error:
        print(json.dumps({"code": error.code, "message": str(error)}))
        return 1
    print(json.dumps({"made": made}))
    return 0


def _avatar(request: dict[str, Any]) -> dict[str, Any]:
    from engines.codecs.portrait.create import create_avatar  # brings in MediaPipe: seconds

    _bound_memory()
    points = request["points"] and {name: (float(x), float(y)) for name, (x, y) in request["points"].items()}
    root = Path(request["root"])
    picture = sys.stdin.buffer.read()
    return create_avatar(picture, request["name"], points=points, root=root, title=request["title"]).facts()


def _background(request: dict[str, Any]) -> str:
    from engines.codecs.portrait.open_picture import open_picture

    _bound_memory()
    return BackgroundLibrary(Path(request["root"])).add(open_picture(sys.stdin.buffer.read()).rgb, request["background"])


def _bound_memory() -> None:
    """From here on; what libraries take at their start is theirs."""
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))


if __name__ == "__main__":
    sys.exit(main())
