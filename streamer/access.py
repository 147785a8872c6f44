"""Who may do what: one key for the server, and out of it a token for each role in each broadcast.

=============  =========================================================================================================
studio         the key itself: makes avatars and broadcasts, and is everything below in each of them
host           speaks and directs in one broadcast, and ends it
controller     directs in one broadcast
viewer         watches one broadcast
=============  =========================================================================================================

A token is a keyed hash (HMAC-SHA256) of its role and broadcast. So nothing is stored, a table cannot grow, and links outlive
a restart with the same key. Who may do one row may do those below it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import ipaddress
import os
import re
import secrets
from pathlib import Path
from typing import Literal

from engines.avatar_library import user_root
from streamer.config import ConfigError

Role = Literal["studio", "host", "controller", "viewer"]
ROLES: tuple[Role, ...] = ("studio", "host", "controller", "viewer")
_TOKEN_BYTES = 16


class Access:
    """key: None: nobody is asked for anything (`--open`). public: watching needs no token."""

    def __init__(self, key: str | None, public: bool = False) -> None:
        self.key = key
        self.public = public or key is None

    @property
    def is_open(self) -> bool:
        return self.key is None

    def token(self, role: Role, broadcast: str) -> str | None:
        """What opens `broadcast` to whoever has this role; None where nobody asks for it."""
        if self.key is None or (role == "viewer" and self.public):
            return None
        digest = hmac.digest(self.key.encode(), f"{role}:{broadcast}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:_TOKEN_BYTES]).decode().rstrip("=")

    def role(self, shown: str | None, broadcast: str = "") -> Role | None:
        """The highest role that what somebody shows gives in `broadcast`; None: none. It takes as long for any wrong one."""
        if self.key is None:
            return "studio"
        given = (shown or "").encode()
        found: Role | None = "viewer" if self.public and broadcast else None
        for role in reversed(ROLES if broadcast else ROLES[:1]):
            wanted = self.key if role == "studio" else self.token(role, broadcast)
            if wanted and hmac.compare_digest(given, wanted.encode()):
                found = role
        return found


def may(role: Role | None, wanted: Role) -> bool:
    """Whether who has `role` may do what `wanted` may."""
    return role is not None and ROLES.index(role) <= ROLES.index(wanted)


def bearer(authorization: str | None) -> str | None:
    """The token of an ``Authorization: Bearer`` header (RFC 6750)."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def is_loopback(host: str) -> bool:
    """Whether an address or `localhost` is this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


# -- the key on disk ----------------------------------------------------------------------------------------------------


def key_file() -> Path:
    """Beside the user's avatars; readable by its owner alone."""
    return user_root().parent / "key"


def own_key() -> str:
    """$ROSTRUM_KEY, or the key kept in `key_file()`, made when there is none. Raises ConfigError, OSError."""
    if key := os.environ.get("ROSTRUM_KEY", "").strip():
        return _checked(key, "ROSTRUM_KEY")
    path = key_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        half_done = path.with_name(f".key-{os.getpid()}")
        with os.fdopen(os.open(half_done, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(half_done, path)  # whole or not at all, and the first one stays
        half_done.unlink()
    return _checked(path.read_text().strip(), str(path))


def _checked(key: str, name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._~-]{16,256}", key):
        raise ConfigError(f"{name}: a key has 16 to 256 of A-Z, a-z, 0-9 and ._~-; `openssl rand -hex 16` makes one")
    return key


def kept_key(host: str) -> str | None:
    """The key for a server on this machine, as a client of the same user finds it. Never for another machine's."""
    if not is_loopback(host):
        return None
    if key := os.environ.get("ROSTRUM_KEY", "").strip():
        return key
    try:
        return key_file().read_text().strip() or None
    except OSError:
        return None
