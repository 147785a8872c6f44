"""A worse network on purpose: UDP between WebRTC peers and a server goes through a relay that loses, delays, reorders, cuts.

The relay stands in the way by what it does to the descriptions: the server never learns a peer's own addresses, and the peer is
told the relay's in place of the server's. ICE then finds the one path that is left.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

_CANDIDATE = re.compile(r"^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host.*$", re.MULTILINE | re.IGNORECASE)
_MOST_ADDRESSES = 32  # of one peer; what comes from more is dropped
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Impairment:
    """What happens to each datagram, in either direction. Shares from 0 to 1, times in seconds."""

    loss: float = 0.0
    delay_s: tuple[float, float] = (0.0, 0.0)  # evenly between these: jitter, and with it some disorder
    reorder: float = 0.0  # this share is held back by `held_s`, so that later ones overtake it
    held_s: float = 0.03
    cut: bool = False  # nothing passes at all


PERFECT = Impairment()


class ImpairedNetwork:
    """`async with ImpairedNetwork() as network`; set `network.impairment` at any time. Counts what it passes and what it drops.

    seed: the same one drops the same datagrams of the same sequence.
    """

    def __init__(self, impairment: Impairment = PERFECT, seed: int = 0) -> None:
        self.impairment = impairment
        self.passed = self.dropped = 0
        self._random = random.Random(seed)
        self._paths: list[_Path] = []

    async def __aenter__(self) -> ImpairedNetwork:
        return self

    async def __aexit__(self, *_: object) -> None:
        for path in self._paths:
            path.close()

    def offer(self, sdp: str) -> str:
        """A peer's offer without the peer's own addresses, as one who will be heard from."""
        kept = [line for line in sdp.splitlines() if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
        return "\r\n".join(kept) + "\r\n"

    async def answer(self, sdp: str) -> str:
        """The server's answer with the relay in its place. Raises ValueError where it has no IPv4 host candidate."""
        found = _CANDIDATE.search(sdp)
        if not found:
            raise ValueError("the answer has no IPv4 host candidate to relay to")
        path = _Path(self, (found[1], int(found[2])))
        host, port = await path.open()
        self._paths.append(path)
        lines = []
        for line in sdp.splitlines():
            if not line.startswith("a=candidate:"):
                lines.append(line)
            elif not lines[-1].startswith("a=candidate:relay "):
                lines.append(f"a=candidate:relay 1 udp 2130706431 {host} {port} typ host")
        return "\r\n".join(lines) + "\r\n"

    def inject(self, datagram: bytes) -> None:
        """Send the server something that no peer has sent, from every peer's place."""
        for path in self._paths:
            path.inject(datagram)

    def carry(self, datagram: bytes, send: Callable[[bytes], None]) -> None:
        """Send it on now, later, or not at all."""
        now = self.impairment
        if now.cut or self._random.random() < now.loss:
            self.dropped += 1
            return
        self.passed += 1
        delay_s = self._random.uniform(*now.delay_s)
        if self._random.random() < now.reorder:
            delay_s += now.held_s
        if delay_s:
            asyncio.get_running_loop().call_later(delay_s, send, datagram)
        else:
            send(datagram)


class _Path:
    """One WebRTC session's: a socket that stands for the server, and one towards it for each of the peer's addresses."""

    def __init__(self, network: ImpairedNetwork, server: Address) -> None:
        self._network = network
        self._server = server
        self._backs: dict[Address, asyncio.DatagramTransport | None] = {}
        self._opening: set[asyncio.Task[None]] = set()

    async def open(self) -> Address:
        """The address that stands for the server."""
        loop = asyncio.get_running_loop()
        self._front, _ = await loop.create_datagram_endpoint(lambda: _Ear(self._from_peer), local_addr=(self._server[0], 0))
        address: Address = self._front.get_extra_info("sockname")[:2]
        return address

    def _from_peer(self, datagram: bytes, peer: Address) -> None:
        if peer not in self._backs:
            if len(self._backs) < _MOST_ADDRESSES:
                self._backs[peer] = None
                task = asyncio.get_running_loop().create_task(self._open_back(peer), name="relay-open")
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)
            return  # the first check is lost; ICE asks again
        if back := self._backs[peer]:
            self._network.carry(datagram, lambda late: None if back.is_closing() else back.sendto(late, self._server))

    async def _open_back(self, peer: Address) -> None:
        def from_server(datagram: bytes, _: Address) -> None:
            self._network.carry(datagram, lambda late: None if self._front.is_closing() else self._front.sendto(late, peer))

        loop = asyncio.get_running_loop()
        back, _ = await loop.create_datagram_endpoint(lambda: _Ear(from_server), local_addr=(self._server[0], 0))
        self._backs[peer] = back

    def inject(self, datagram: bytes) -> None:
        for back in self._backs.values():
            if back and not back.is_closing():
                back.sendto(datagram, self._server)

    def close(self) -> None:
        for task in self._opening:
            task.cancel()
        for transport in (self._front, *self._backs.values()):
            if transport:
                transport.close()


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, on_datagram: Callable[[bytes, Address], None]) -> None:
        self._on_datagram = on_datagram

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._on_datagram(data, addr)
