"""Where render workers leave opened avatars for each other: a folder of this server's, gone with it.

Its lock says that the server lives: the system lets go of it however the server ends. What a server that was killed has left
behind, some 20 to 60 MB an avatar, goes as the next one starts.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
from pathlib import Path

log = logging.getLogger(__name__)

_PREFIX = "rostrum-looks-"


class Shelf:
    """An empty `folder`, until it is closed. `root`: where it is made, and where those of dead servers are looked for."""

    def __init__(self, root: Path | None = None) -> None:
        root = root or Path(tempfile.gettempdir())
        _sweep(root)
        while True:
            self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
            self._lock = os.open(self.folder, os.O_RDONLY)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            if self.folder.exists():  # another server that starts may have swept it away, unlocked as it was
                return
            os.close(self._lock)

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


def _sweep(root: Path) -> None:
    """Remove the folders that are this user's and that no server has locked."""
    for folder in root.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # no folder, another user's, or just gone
            continue
        try:
            if os.fstat(lock).st_uid == os.geteuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
                log.info("removed %s, which a server that was killed had left", folder)
        except BlockingIOError:
            pass  # its server lives
        except OSError as error:
            log.warning("%s, which a server that was killed had left, could not be removed: %s", folder, error)
        finally:
            os.close(lock)
