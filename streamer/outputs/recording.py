"""MP4 recording of what is on air, in fragments of a second: whatever happens, all but the last second can be played."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from streamer.encoder import Encoded
from streamer.outputs.muxing import Muxer
from streamer.outputs.output import OutputOver, StreamFormat

_LEAST_FREE_BYTES = 64 * 1024 * 1024
_LOOK_EVERY = 250  # turns
_OPTIONS = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "1000000",
    "flush_packets": "1",
}


class Recording:
    """A sink. Where the disk fills up it ends, with what has been written kept; trying again would write over it."""

    is_on = True

    def __init__(self, path: Path, stream: StreamFormat, least_free_bytes: int = _LEAST_FREE_BYTES) -> None:
        self._path = path
        self._least_free_bytes = least_free_bytes
        self._turns = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._look_for_room()
            self._muxer = Muxer(str(path), "mp4", stream, _OPTIONS)
        except OSError as error:
            raise self._over(error) from None

    def write(self, encoded: Encoded) -> None:
        self._turns += 1
        if self._turns % _LOOK_EVERY == 0:
            self._look_for_room()
        try:
            self._muxer.write(encoded)
        except OSError as error:
            raise self._over(error) from None

    def close(self) -> None:
        try:
            self._muxer.close()
        except OSError as error:
            raise self._over(error) from None

    def _look_for_room(self) -> None:
        free = shutil.disk_usage(self._path.parent).free
        if free < self._least_free_bytes:
            raise OutputOver(f"the disk is full: {free // 2**20} MB are left in {self._path.parent}; what was recorded is kept")

    def _over(self, error: OSError) -> OutputOver:
        if error.errno == errno.ENOSPC:
            return OutputOver(f"the disk is full ({self._path.parent}); what was recorded is kept")
        return OutputOver(f"{self._path.name} cannot be written in {self._path.parent}: {error.strerror or error}")
