"""Keep what native libraries print to themselves off the user's terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_native_logs() -> Iterator[None]:
    """Send file descriptor 2 to nowhere: MediaPipe's and TensorFlow Lite's notices heed no setting.

    It holds for the whole process, so wrap native calls only, and nothing that reports by itself. Exceptions come through.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
