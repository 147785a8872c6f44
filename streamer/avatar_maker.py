"""Pictures from outside become avatars in a process of their own, with limits on its time and memory.

Run as a module it is that process: the picture on stdin, a JSON request as its argument, a JSON answer on stdout.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path
from typing import Any

from engines.avatar_library import AvatarError

MAX_PICTURE_BYTES = 20 * 1024 * 1024
_TIMEOUT_S = 60.0
_MEMORY_BYTES = 6 * 1024**3


class AvatarRefused(Exception):
    """The picture cannot become an avatar; `code` is the AvatarError's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


async def make_avatar(
    picture: bytes, name: str, root: Path, title: str | None = None, points: dict[str, tuple[float, float]] | None = None
) -> dict[str, Any]:
    """The new avatar's facts. Raises AvatarRefused."""
    request = json.dumps({"name": name, "root": str(root), "title": title, "points": points})
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "streamer.avatar_maker",
        request,
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
    """The process."""
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
