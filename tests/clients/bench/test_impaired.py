"""The relay that makes a network worse: datagrams through it to an echo, and what becomes of them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from clients.bench.impaired import ImpairedNetwork, Impairment

OFFER = "v=0\r\nm=audio 9 RTP 0\r\na=candidate:1 1 udp 1 192.0.2.9 5 typ host\r\na=end-of-candidates\r\na=mid:0\r\n"


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data, addr)  # type: ignore[attr-defined]


class Peer(asyncio.DatagramProtocol):
    """Sends numbers, and notes which come back and when."""

    def __init__(self) -> None:
        self.came: list[tuple[float, int]] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.came.append((asyncio.get_running_loop().time(), int(data)))


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    yield transport.get_extra_info("sockname")[1]
    transport.close()


async def through(network: ImpairedNetwork, port: int, number: int, then: Impairment | None = None) -> Peer:
    """What of `number` datagrams comes back; `then`: the network's state once the way is open."""
    answer = await network.answer(f"v=0\r\na=candidate:1 1 udp 1 127.0.0.1 {port} typ host\r\n")
    relay = int(answer.split(" 127.0.0.1 ")[1].split()[0])
    assert relay != port
    loop, peer = asyncio.get_running_loop(), Peer()
    transport, _ = await loop.create_datagram_endpoint(lambda: peer, remote_addr=("127.0.0.1", relay))
    while not peer.came:  # the first one opens the way, as ICE's does
        transport.sendto(b"-1")
        await asyncio.sleep(0.005)
    network.impairment = then or network.impairment
    began = loop.time()
    for i in range(number):
        transport.sendto(str(i).encode())
        await asyncio.sleep(0)
    quiet_since, seen = loop.time(), -1
    while loop.time() - quiet_since < 0.2:
        await asyncio.sleep(0.02)
        if len(peer.came) != seen:
            quiet_since, seen = loop.time(), len(peer.came)
    transport.close()
    peer.came = [(at - began, i) for at, i in peer.came if i >= 0]
    return peer


async def test_a_perfect_network_passes_everything_in_order(echo: int) -> None:
    async with ImpairedNetwork() as network:
        peer = await through(network, echo, 100)
        assert [i for _, i in peer.came] == list(range(100))
        assert network.dropped == 0


async def test_loss_takes_its_share_in_both_directions(echo: int) -> None:
    async with ImpairedNetwork() as network:
        peer = await through(network, echo, 500, Impairment(loss=0.1))
        assert 0.7 < len(peer.came) / 500 < 0.9  # 0.81 come through both ways


async def test_jitter_delays_by_what_it_says_and_reorders(echo: int) -> None:
    async with ImpairedNetwork(Impairment(delay_s=(0.02, 0.06))) as network:
        peer = await through(network, echo, 50)
        assert len(peer.came) == 50
        assert min(at for at, _ in peer.came) >= 0.04 - 0.002
        assert [i for _, i in peer.came] != sorted(i for _, i in peer.came)


async def test_reordering_holds_a_share_back_and_loses_none(echo: int) -> None:
    async with ImpairedNetwork(Impairment(reorder=0.2, held_s=0.05)) as network:
        peer = await through(network, echo, 50)
        numbers = [i for _, i in peer.came]
        assert sorted(numbers) == list(range(50)) != numbers


async def test_a_cut_passes_nothing(echo: int) -> None:
    async with ImpairedNetwork() as network:
        assert not (await through(network, echo, 20, Impairment(cut=True))).came
        assert network.dropped >= 20


async def test_the_server_never_learns_where_the_peer_is() -> None:
    async with ImpairedNetwork() as network:
        assert network.offer(OFFER) == "v=0\r\nm=audio 9 RTP 0\r\na=mid:0\r\n"
        with pytest.raises(ValueError, match="no IPv4 host candidate"):
            await network.answer("v=0\r\n")
