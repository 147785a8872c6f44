"""Can a browser's voice reach the server, and its picture come back? ICE is where WebRTC fails, so each step of it is tried.

Every check uses the program's own parts: aioice gathers, binds, relays and connects here as it will on air.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aioice
import aioice.stun
from aioice.candidate import Candidate
from aioice.ice import TransportPolicy

from clients.doctor.finding import Finding
from streamer.config import ServerSettings
from streamer.ice_server import IceServer

_PATIENCE_S = 8.0


async def page(host: str, port: int, tls: bool, origins: tuple[str, ...]) -> AsyncIterator[Finding]:
    """Whether browsers may use a microphone at the addresses the server is reached by: a secure context, or this machine."""
    for url in origins or (f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}",):
        parts = urlsplit(url)
        name = parts.hostname or ""
        if parts.scheme == "https":
            yield Finding("page", "good", f"{url} is secure: browsers give it a microphone")
        elif _is_loopback(name):
            yield Finding("page", "good", f"{url} gets a microphone from a browser on this machine, and from no other")
        elif name in ("0.0.0.0", "::"):
            out = "give --tls-cert and --tls-key, or put a proxy with https in front and name it: --origin https://NAME"
            yield Finding("page", "note", "other machines can watch, but their browsers keep the microphone shut: http", out)
        else:
            out = "serve it by https: --tls-cert and --tls-key, or a proxy in front; or open it on this machine as localhost"
            yield Finding("page", "bad", f"{url} is not secure: browsers keep the microphone shut", out)


async def port(host: str, port_: int) -> AsyncIterator[Finding]:
    """Whether the server could listen."""
    try:
        with socket.create_server((host, port_), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            yield Finding("port", "good", f"{host}:{port_} is free")
    except OSError as error:
        out = "choose another with --port, or end what listens there; if it is Rostrum itself, test it with --url"
        yield Finding("port", "note", f"{host}:{port_} cannot be listened on: {error.strerror}", out)


async def candidates(settings: ServerSettings) -> AsyncIterator[Finding]:
    """The addresses that peers are offered."""
    own = aioice.Connection(ice_controlling=True)
    try:
        await own.gather_candidates()
        found = [f"{each.host}:{each.port}" for each in own.local_candidates]
    finally:
        await own.close()
    if not found:
        out = "connect the machine to a network, add --loopback for peers on this machine, or widen --udp-ports"
        yield Finding("candidates", "bad", "there is no address to offer to peers", out)
        return
    public = [each for each in found if ipaddress.ip_address(each.rpartition(":")[0]).is_global]
    text = f"peers are offered {', '.join(found)}"
    if public or settings.ice_servers:
        yield Finding("candidates", "good", text)
    else:
        out = "on one network that is enough; for peers on the internet add --ice-server stun:… and turn:…, or forward UDP"
        yield Finding("candidates", "note", f"{text}: private addresses only", out)


async def udp(settings: ServerSettings) -> AsyncIterator[Finding]:
    """Whether the range of ports is free, and two ends on this machine connect through it."""
    if ports := settings.udp_ports:
        taken = [port for port in ports if not _can_bind(port)]
        text = f"{len(ports) - len(taken)} of {len(ports)} UDP ports from {ports[0]} to {ports[-1]} are free"
        if len(taken) == len(ports):
            yield Finding("udp", "bad", text, "end what holds them, or choose other --udp-ports")
            return
        yield Finding("udp", "good", f"{text}; open them in the firewall")
    took_ms = await _connects(aioice.Connection(ice_controlling=True), aioice.Connection(ice_controlling=False))
    if took_ms is None:
        out = "a local firewall drops UDP between this machine's own addresses: allow it, and see that an address is offered"
        yield Finding("udp", "bad", "two ends on this machine do not connect over UDP", out)
    else:
        yield Finding("udp", "good", f"two ends on this machine connect over UDP in {took_ms:.0f} ms")


async def ice_servers(settings: ServerSettings) -> AsyncIterator[Finding]:
    """Whether each STUN server answers, and each TURN server relays."""
    for text in settings.ice_servers:
        server = IceServer.parse(text)
        scheme, host, port, transport = _parts(server)
        try:
            address = (await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM))[0][4]
        except OSError as error:
            yield Finding("ice-server", "bad", f"{server.url}: {host} has no address ({error.strerror})", "correct its name")
            continue
        where = (str(address[0]), int(address[1]))
        if scheme.startswith("stun"):
            yield await _stun(server, where)
        else:
            yield await _turn(server, where, transport, is_tls=scheme == "turns")
    if not settings.ice_servers:
        out = "not needed on one network; on the internet some viewers reach nothing but TURN: see deploy/compose.yaml"
        yield Finding("ice-server", "note", "no STUN or TURN server is set", out)


async def _stun(server: IceServer, where: tuple[str, int]) -> Finding:
    asking = aioice.Connection(ice_controlling=True, stun_server=where)
    try:
        await asking.gather_candidates()
        seen = [each.host for each in asking.local_candidates if each.type == "srflx"]
    finally:
        await asking.close()
    if seen:
        return Finding("ice-server", "good", f"{server.url} answers: this machine is seen as {', '.join(seen)}")
    return Finding(
        "ice-server", "bad", f"{server.url} does not answer", "start it, or allow UDP to it in the firewalls between"
    )


async def _turn(server: IceServer, where: tuple[str, int], transport: str, is_tls: bool) -> Finding:
    relayed = aioice.Connection(
        ice_controlling=True,
        turn_server=where,
        turn_username=server.username,
        turn_password=server.credential,
        turn_transport=transport,
        turn_ssl=is_tls,
        transport_policy=TransportPolicy.RELAY,
    )
    try:
        await relayed.gather_candidates()
        if not relayed.local_candidates:
            why = await _why_no_relay(server, where, transport)
            return Finding("ice-server", "bad", f"{server.url} gives no relay: {why[0]}", why[1])
        address = relayed.local_candidates[0].host
        took_ms = await _connects(relayed, aioice.Connection(ice_controlling=False), gathered=True)
    finally:
        await relayed.close()
    if took_ms is None:
        out = "open its relay ports (--min-port to --max-port) in the firewall; coturn behind NAT needs --external-ip"
        return Finding("ice-server", "bad", f"{server.url} gives the relay {address}, and nothing comes through it", out)
    return Finding("ice-server", "good", f"{server.url} relays by {address}; connected through it in {took_ms:.0f} ms")


async def _why_no_relay(server: IceServer, where: tuple[str, int], transport: str) -> tuple[str, str]:
    """What it says when it is asked for a relay, and the way out."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            relay, _ = await aioice.turn.create_turn_endpoint(
                asyncio.DatagramProtocol, where, server.username, server.credential, transport=transport
            )
            relay.close()
    except aioice.stun.TransactionFailed as error:
        return f"it refuses ({error.response.attributes['ERROR-CODE'][1]})", "correct its user and password in --ice-server"
    except (aioice.stun.TransactionTimeout, TimeoutError):
        return "it does not answer", "start it, or allow UDP to it in the firewalls between"
    except OSError as error:
        return f"it cannot be reached ({error})", "start it, or correct its address"
    return "it came too late", "try again; if that lasts, it is too far away or too busy"


async def _connects(one: aioice.Connection, other: aioice.Connection, gathered: bool = False) -> float | None:
    """Milliseconds until the two have connected and a datagram has come through; None where they do not. Both are closed."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            for end in (other,) if gathered else (one, other):
                await end.gather_candidates()
            for here, there in ((one, other), (other, one)):
                here.remote_username, here.remote_password = there.local_username, there.local_password
                for candidate in there.local_candidates:
                    await here.add_remote_candidate(Candidate.from_sdp(candidate.to_sdp()))
                await here.add_remote_candidate(None)
            await asyncio.gather(one.connect(), other.connect())
            await one.send(b"rostrum")
            if await other.recv() == b"rostrum":
                return 1e3 * (time.monotonic() - began)
    except (TimeoutError, ConnectionError, OSError):
        pass
    finally:
        await asyncio.gather(one.close(), other.close())
    return None


def _parts(server: IceServer) -> tuple[str, str, int, str]:
    """(scheme, host, port, transport) of a STUN or TURN URL."""
    scheme, _, rest = server.url.partition(":")
    where, _, query = rest.partition("?transport=")
    found = re.fullmatch(r"(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?", where)
    assert found
    return scheme, found[1] or found[2], int(found[3] or (5349 if scheme.endswith("s") else 3478)), query or "udp"


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
