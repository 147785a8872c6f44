"""STUN and TURN servers as settings name them: `stun:host:3478`, `turn:USER:PASSWORD@host:3478?transport=udp`.

The user and password of a TURN server are told to every peer, as WebRTC needs: give it a user of its own, and quotas.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(
    r"(?P<scheme>stuns?|turns?):(?:(?P<user>[^:@\s\"]+):(?P<password>[^@\s\"]+)@)?"
    r"(?P<where>(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?(?:\?transport=(?:udp|tcp))?)"
)


@dataclass(frozen=True, slots=True)
class IceServer:
    """`url` without credentials."""

    url: str
    username: str | None = None
    credential: str | None = None

    @classmethod
    def parse(cls, text: str) -> IceServer:
        """Raises ValueError, which names what is wrong and never the password."""
        match = _FORM.fullmatch(text.strip())
        if not match:
            raise ValueError("a server is of the form stun:host:3478 or turn:USER:PASSWORD@host:3478?transport=udp")
        if match["scheme"].startswith("turn") and not match["user"]:
            raise ValueError(f"turn:{match['where']} needs a user: turn:USER:PASSWORD@{match['where']}")
        return cls(f"{match['scheme']}:{match['where']}", match["user"], match["password"])

    @property
    def link(self) -> str:
        """As a Link header tells it (RFC 9725, section 4.6)."""
        link = f'<{self.url}>; rel="ice-server"'
        if self.username:
            link += f'; username="{self.username}"; credential="{self.credential}"; credential-type="password"'
        return link
