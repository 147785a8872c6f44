"""What aiortc does otherwise than a live broadcast needs, set right in one place.

Measured on aiortc 1.16. The numbers are those the tests use:

1. A track may hand over packets, but then a viewer's request for a keyframe goes nowhere: `outputs.sender` passes it on.
3. The audio jitter buffer waits 80 ms, and 320 ms for a lost packet: `PassThroughJitterBuffer`; ingest fills gaps by PTS.
4. Sender reports carry the time of sending: `outputs.sender` reports the media clock, the same one for sound and picture.
5. Answers list sha-384 and sha-512 fingerprints, on which libdatachannel (OBS) fails: `answer_sdp` keeps sha-256.
6. Transceivers and codec preferences come before `setRemoteDescription`: `answer`.
7. Resolving `.local` candidates takes a second, and the peer reaches us without: `strip_mdns`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import socket
from collections.abc import Callable
from typing import Any

import aioice.ice
import ifaddr
from aiortc import (
    RTCConfiguration,
    RTCDtlsTransport,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc import clock as rtc_clock
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket
from aiortc.sdp import SessionDescription, candidate_from_sdp
from aiortc.utils import uint16_gt

from streamer.ice_server import IceServer

log = logging.getLogger(__name__)

MAX_SDP_BYTES = 64 * 1024
MAX_CANDIDATES = 64  # of one peer: each is an address that packets are sent to
_SOCKET_BUFFER_BYTES = 2 * 1024 * 1024
_MAX_SEQUENCE_JUMP_BACK = 100


class OfferError(ValueError):
    """An offer that cannot be taken. `status` is the HTTP status that says so."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


# -- descriptions -------------------------------------------------------------------------------------------------------


def strip_mdns(sdp: str) -> str:
    """The offer without `.local` candidates, and without the end of candidates where none is left.

    The peer's own checks reach us all the same, and its address is learnt from them.
    """
    lines = sdp.splitlines()
    kept = [line for line in lines if not (line.startswith("a=candidate:") and _is_mdns(line))]
    if len(kept) < len(lines) and not any(line.startswith("a=candidate:") for line in kept):
        kept = [line for line in kept if line != "a=end-of-candidates"]
    return "\r\n".join(kept) + "\r\n"


def _is_mdns(candidate: str) -> bool:
    fields = candidate.split()
    return len(fields) > 4 and fields[4].lower().endswith(".local")


def answer_sdp(sdp: str) -> str:
    """The answer with sha-256 fingerprints only."""
    return re.sub(r"a=fingerprint:(?!sha-256 )[^\r\n]*\r?\n", "", sdp)


def parse_offer(sdp: str) -> SessionDescription:
    """Raises OfferError for what is no offer of WebRTC media, or one that aiortc would trip over half-way."""
    if sdp.count("a=candidate:") > MAX_CANDIDATES:
        raise OfferError(f"the offer has more than {MAX_CANDIDATES} candidates")
    try:
        offer = SessionDescription.parse(sdp)
    except Exception as error:  # aiortc's parser raises nearly anything
        raise OfferError(f"the body is not SDP that can be read ({type(error).__name__}: {error})") from None
    if not offer.media:
        raise OfferError("the offer has no media section; offer audio or video")
    kinds, mids = [media.kind for media in offer.media], [media.rtp.muxId for media in offer.media]
    if set(kinds) - {"audio", "video"} or len(set(kinds)) < len(kinds):
        raise OfferError(f"the offer has {', '.join(kinds)}; one section for audio and one for video is all that is taken", 406)
    if len(set(mids)) < len(mids) or any(set(group.items) - set(mids) for group in offer.group if group.semantic == "BUNDLE"):
        raise OfferError("the sections' a=mid lines and the bundle do not name each section once")
    for media in offer.media:
        if media.dtls is None or not media.dtls.fingerprints:
            raise OfferError(f"the {media.kind} section has no DTLS fingerprint")
        if not (media.ice and media.ice.usernameFragment and media.ice.password):
            raise OfferError(f"the {media.kind} section has no ICE username fragment and password")
    return offer


def kinds_and_codecs(offer: SessionDescription) -> dict[str, set[str]]:
    """The codecs offered for each kind, such as ``{"video": {"video/h264", "video/rtx"}}``."""
    found: dict[str, set[str]] = {}
    for media in offer.media:
        found.setdefault(media.kind, set()).update(codec.mimeType.lower() for codec in media.rtp.codecs)
    return found


def candidates_in(fragment: str) -> list[Any]:
    """The candidates of a trickle-ice-sdpfrag (RFC 8840), without `.local` ones. Raises OfferError for a malformed one."""
    mid, found = None, []
    if fragment.count("a=candidate:") > MAX_CANDIDATES:
        raise OfferError(f"the fragment has more than {MAX_CANDIDATES} candidates")
    for line in fragment.splitlines():
        if line.startswith("a=mid:"):
            mid = line[6:].strip()
        elif line.startswith("a=candidate:") and not _is_mdns(line):
            try:
                candidate = candidate_from_sdp(line[len("a=candidate:") :])
                ipaddress.ip_address(candidate.ip)
            except Exception as error:
                raise OfferError(f"cannot read the candidate {line!r}: {error}") from None
            candidate.sdpMid = mid if mid is not None else "0"
            found.append(candidate)
    return found


def ice_ufrag(sdp: str) -> str | None:
    """The first ice-ufrag of a description or fragment."""
    match = re.search(r"^a=ice-ufrag:(\S+)", sdp, re.MULTILINE)
    return match[1] if match else None


# -- connections --------------------------------------------------------------------------------------------------------


def connection(ice_servers: tuple[str, ...]) -> RTCPeerConnection:
    """A peer connection that asks nobody outside for its address, unless told to."""
    servers = [IceServer.parse(each) for each in ice_servers]
    known = [RTCIceServer(each.url, each.username, each.credential) for each in servers]
    return RTCPeerConnection(RTCConfiguration(iceServers=known))


async def answer(pc: RTCPeerConnection, offer: str) -> str:
    """The answer to an offer; transceivers and their codecs have been set before. Raises OfferError."""
    try:
        await pc.setRemoteDescription(RTCSessionDescription(strip_mdns(offer), "offer"))
        await pc.setLocalDescription()
    except Exception as error:  # again nearly anything, according to what is wrong
        raise OfferError(f"the offer cannot be answered ({type(error).__name__}: {error})") from None
    raise_socket_buffers(pc)
    return answer_sdp(pc.localDescription.sdp)


def prefer(transceiver: RTCRtpTransceiver, kind: str, mime_types: tuple[str, ...]) -> None:
    """Only these codecs, and retransmission."""
    codecs = RTCRtpSender.getCapabilities(kind).codecs
    transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType.lower() in (*mime_types, f"{kind}/rtx")])


def raise_socket_buffers(pc: RTCPeerConnection) -> None:
    """An intra frame is a burst of packets; the usual 208 KiB lose some of it at 1080p."""
    for transceiver in pc.getTransceivers():
        for protocol in transceiver.receiver.transport.transport._connection._protocols:
            sock = getattr(protocol, "transport", None) and protocol.transport.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BUFFER_BYTES)


def note_arrivals(transport: RTCDtlsTransport, note: Callable[[], None]) -> None:
    """Call `note` for each datagram of a peer that is connected. One that lives answers a check of consent every second."""
    for protocol in transport.transport._connection._protocols:

        def received(data: bytes, address: Any, hand_on: Callable[[bytes, Any], None] = protocol.datagram_received) -> None:
            note()
            hand_on(data, address)

        vars(protocol)["datagram_received"] = received


def offer_loopback(wanted: bool | None) -> None:
    """Let ICE offer 127.0.0.1: always, never, or (None) when the machine has no other address. Process-wide."""

    def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        found = _host_addresses(use_ipv4, use_ipv6)
        return [*found, "127.0.0.1"] if wanted or (wanted is None and not found) else found

    aioice.ice.get_host_addresses = addresses


def notice_losses_soon() -> None:
    """Take a peer that answers nothing for about 12 s for gone, not for 30 s (RFC 7675 §5.1's longest). Process-wide.

    A cut of 5 s is survived, and at 10 % loss a live peer is given up less than once in ten hours.
    """
    aioice.ice.CONSENT_INTERVAL, aioice.ice.CONSENT_FAILURES = 1, 8  # each failure takes another 0.5 s


def _host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    ips = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    found = [ip for ip in ips if isinstance(ip, str) and use_ipv4 and not ipaddress.ip_address(ip).is_loopback]
    found += [ip[0] for ip in ips if isinstance(ip, tuple) and use_ipv6 and ip[0] != "::1" and ip[2] == 0]
    return found


# -- sending ------------------------------------------------------------------------------------------------------------


class WallTicks:
    """NTP time of ticks counted from a shared start, for sender reports."""

    def __init__(self) -> None:
        self._origin_ntp = rtc_clock.current_ntp_time()

    def ntp(self, ticks: int, rate_hz: int) -> int:
        """64-bit NTP timestamp of `ticks` at `rate_hz` after the start."""
        return self._origin_ntp + (ticks << 32) // rate_hz


# -- receiving ----------------------------------------------------------------------------------------------------------


class PassThroughJitterBuffer:
    """Every audio packet as soon as it comes. One that comes after a newer one is dropped; ingest fills what is missing."""

    def __init__(self) -> None:
        self._newest: int | None = None

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """As aiortc's: (send a PLI, the frame that is now complete)."""
        sequence, newest = packet.sequence_number, self._newest
        if newest is not None and not uint16_gt(sequence, newest) and (newest - sequence) & 0xFFFF < _MAX_SEQUENCE_JUMP_BACK:
            return False, None
        self._newest = sequence
        return False, JitterFrame(
            data=packet._data,  # type: ignore[attr-defined]
            timestamp=packet.timestamp,
        )


def pass_audio_through(receiver: RTCRtpReceiver) -> None:
    """Take the waiting out of an audio receiver; before it starts."""
    vars(receiver)["_RTCRtpReceiver__jitter_buffer"] = PassThroughJitterBuffer()


async def close(pc: RTCPeerConnection, timeout_s: float = 5.0) -> None:
    """Close, and do not hang on a peer that has gone."""
    try:
        await asyncio.wait_for(pc.close(), timeout_s)
    except TimeoutError:
        log.warning("a peer connection did not close within %s s", timeout_s)
    except Exception:  # one that was never set up whole
        log.warning("a peer connection could not be closed", exc_info=True)
