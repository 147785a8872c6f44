"""What every backend says where it cannot run."""


class BackendError(RuntimeError):
    """A backend that cannot run here, or a file that is not for it; the message says why, and the way out."""
