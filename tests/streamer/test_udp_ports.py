"""ICE keeps to the ports a firewall is open for."""

import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import aioice
import aioice.ice
import pytest

from streamer import udp_ports
from streamer.config import ConfigError
from streamer.udp_ports import parse_range


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> Iterator[range]:
    """Four ports in a row that nobody has, for this test."""
    monkeypatch.setattr(aioice.ice, "asyncio", aioice.ice.asyncio)
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    for first in range(42_000, 60_000, 97):
        with ExitStack() as stack:
            try:
                for port in range(first, first + 4):
                    stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)).bind(("127.0.0.1", port))
            except OSError:
                continue
        udp_ports.bind_in(range(first, first + 4))
        yield range(first, first + 4)
        return


async def test_every_peer_is_bound_within_the_range_until_it_is_full(ports: range, caplog: pytest.LogCaptureFixture) -> None:
    peers = [aioice.Connection(ice_controlling=True, stun_server=None) for _ in range(5)]
    with caplog.at_level(logging.ERROR):
        for peer in peers:
            await peer.gather_candidates()
    bound = [candidate.port for peer in peers for candidate in peer.local_candidates]
    assert sorted(bound) == list(ports)
    assert not peers[4].local_candidates
    assert "widen --udp-ports" in caplog.text
    await peers[0].close()
    again = aioice.Connection(ice_controlling=True, stun_server=None)
    await again.gather_candidates()
    assert [candidate.port for candidate in again.local_candidates] == [bound[0]]  # a port that is free again is taken again
    for peer in (*peers[1:], again):
        await peer.close()


@pytest.mark.parametrize("text", ["", "40000", "a-b", "40100-40000", "80-90", "40000-70000", "40000-40000"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="udp-ports"):
        parse_range(text)


def test_a_range_holds_both_its_ends() -> None:
    assert list(parse_range("40000-40002")) == [40000, 40001, 40002]
