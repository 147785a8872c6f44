"""What aiortc does otherwise than a broadcast needs: each trap once, so that an upgrade that moves one is seen."""

import asyncio
import fractions
import re
import threading
from collections.abc import Callable
from pathlib import Path

import aioice.ice
import av
import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.rtp import (
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
)

from streamer import webrtc
from streamer.encoder import Encoded
from streamer.host import Host
from streamer.ingest import VoiceTimeline
from streamer.media import AudioPacket, Rendition, VideoPacket
from streamer.outputs.feed import Packetised
from streamer.outputs.whep import Viewer
from tests.fakes.peers import FakeHost, FakeViewer, running_server

IDR = b"\x00\x00\x00\x01\x65" + bytes(200)


async def _offer(*kinds: str, direction: str = "recvonly") -> tuple[RTCPeerConnection, str]:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for kind in kinds:
        pc.addTransceiver(kind, direction=direction)
    await pc.setLocalDescription()
    return pc, pc.localDescription.sdp


def _viewer(want_intra: Callable[[Rendition], None] = lambda _: None) -> Viewer:
    return Viewer(webrtc.WallTicks(), want_intra, lambda: None)


def _turn(video: list[VideoPacket], audio: list[AudioPacket] | None = None, low: list[VideoPacket] | None = None) -> Packetised:
    return Packetised(Encoded(video, audio or [], low=low or []), {})


def _num_sent(sender: RTCRtpSender) -> int:
    count: int = vars(sender)["_RTCRtpSender__packet_count"]
    return count


async def _connected() -> tuple[Viewer, FakeViewer, list[str]]:
    wanted: list[str] = []
    asked = asyncio.Event()

    def want_intra(rendition: Rendition) -> None:
        wanted.append(rendition)
        asked.set()

    viewer, watching = _viewer(want_intra), FakeViewer()
    await watching.pc.setLocalDescription()
    answer = await viewer.answer(watching.pc.localDescription.sdp)
    await watching.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.wait_for(asked.wait(), 60)  # asked for as the peer is connected
    return viewer, watching, wanted


# -- 1. one encode for everybody; keyframe requests reach it ------------------------------------------------------------


async def test_a_joining_viewer_asks_for_an_intra_frame_and_sees_nothing_before_it() -> None:
    viewer, watching, wanted = await _connected()
    assert wanted == ["h264"]
    viewer.put(_turn([VideoPacket(0, b"\x00\x00\x00\x01\x41" + bytes(50), False)], [AudioPacket(0, bytes(10))]))
    assert [_num_sent(sender) for sender in viewer.peer.pc.getSenders()] == [0, 0]
    viewer.put(_turn([VideoPacket(1920, IDR, True)], [AudioPacket(1920, bytes(10))]))
    assert [_num_sent(sender) for sender in viewer.peer.pc.getSenders()] == [1, 1]
    await viewer.close()
    await watching.close()


async def test_a_viewers_picture_loss_reaches_the_encoder() -> None:
    viewer, watching, wanted = await _connected()
    sender = next(each for each in viewer.peer.pc.getSenders() if each.kind == "video")
    await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=sender._ssrc))
    assert wanted == ["h264", "h264"]
    await viewer.close()
    await watching.close()


async def test_no_viewer_has_an_encoder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = []
    monkeypatch.setattr("aiortc.codecs.h264.H264Encoder.encode", lambda *args: encoded.append(args))
    viewer, watching, _ = await _connected()
    for i in range(3):
        viewer.put(_turn([VideoPacket(i * 1920, IDR, True)]))
        await asyncio.sleep(0.02)
    assert not encoded
    await viewer.close()
    await watching.close()


# -- 2. nothing queues without bound ------------------------------------------------------------------------------------


async def test_nothing_is_kept_for_a_viewer_that_is_not_connected() -> None:
    viewer = _viewer()
    pc, offer = await _offer("video", "audio")
    await viewer.answer(offer)
    for i in range(200):
        viewer.put(_turn([VideoPacket(i * 1920, IDR, i % 50 == 0)], [AudioPacket(i * 1920, b"a")]))
    assert [_num_sent(sender) for sender in viewer.peer.pc.getSenders()] == [0, 0]
    await viewer.close()
    await pc.close()


async def test_a_packet_the_viewer_has_lost_is_sent_again() -> None:
    viewer, watching, _ = await _connected()
    sender = next(each for each in viewer.peer.pc.getSenders() if each.kind == "video")
    receiver = next(each for each in watching.pc.getReceivers() if each.track.kind == "video")
    came: list[RtpPacket] = []
    news = asyncio.Event()

    async def note(packet: RtpPacket, arrival_time_ms: int) -> None:
        came.append(packet)
        news.set()

    receiver._handle_rtp_packet = note  # type: ignore[method-assign]
    viewer.put(_turn([VideoPacket(0, IDR, True)]))
    await asyncio.wait_for(news.wait(), 60)
    news.clear()
    lost = came[0].sequence_number
    await sender._handle_rtcp_packet(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=sender._ssrc, lost=[lost]))
    await asyncio.wait_for(news.wait(), 60)
    assert came[1].ssrc == sender._rtx_ssrc and came[1].payload == lost.to_bytes(2, "big") + came[0].payload
    await viewer.close()
    await watching.close()


async def test_a_viewer_that_falls_silent_is_sent_nothing_until_it_is_heard_again(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer, watching, wanted = await _connected()
    viewer.put(_turn([VideoPacket(0, IDR, True)]))
    sender = next(each for each in viewer.peer.pc.getSenders() if each.kind == "video")
    monkeypatch.setattr("streamer.outputs.feed.SILENT_S", -1.0)
    viewer.put(_turn([VideoPacket(1920, IDR, True)]))
    assert viewer.is_silent and _num_sent(sender) == 1 and wanted == ["h264"]
    monkeypatch.setattr("streamer.outputs.feed.SILENT_S", 60.0)
    viewer.put(_turn([VideoPacket(3840, IDR, False)]))
    assert not viewer.is_silent and _num_sent(sender) == 1 and wanted == ["h264", "h264"]  # it has lost what came before
    viewer.put(_turn([VideoPacket(5760, IDR, True)]))
    assert _num_sent(sender) == 2
    await viewer.close()
    await watching.close()


async def test_whatever_a_viewer_sends_is_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer, watching, _ = await _connected()
    monkeypatch.setattr("streamer.outputs.feed.SILENT_S", 0.1)
    async with asyncio.timeout(60):
        for is_silent in (True, False):  # in between two of its reports, and as one comes
            while viewer.is_silent != is_silent:  # noqa: ASYNC110, nothing tells
                await asyncio.sleep(0.005)
    await viewer.close()
    await watching.close()


# -- several renditions -------------------------------------------------------------------------------------------------


async def _report(viewer: Viewer, lost: float, tick: int) -> None:
    sender = next(each for each in viewer.peer.pc.getSenders() if each.kind == "video")
    viewer.put(_turn([VideoPacket(tick, IDR, True)], low=[VideoPacket(tick, IDR, True)]))
    report = RtcpReceiverInfo(
        ssrc=sender._ssrc, fraction_lost=round(lost * 256), packets_lost=0, highest_sequence=0, jitter=0, lsr=0, dlsr=0
    )
    await sender._handle_rtcp_packet(RtcpRrPacket(ssrc=1, reports=[report]))


async def test_a_viewer_whose_link_loses_too_much_is_sent_the_low_rendition_until_it_recovers() -> None:
    viewer, watching, wanted = await _connected()
    assert viewer.feed
    for second in range(2):
        await _report(viewer, 0.3, second * 48_000)
    assert viewer.feed.renditions == {"h264", "h264_low"} and wanted[-1] == "h264_low"
    await _report(viewer, 0.3, 2 * 48_000)
    assert viewer.feed.renditions == {"h264_low"}
    for second in range(3, 40):
        await _report(viewer, 0.0, second * 48_000)
    assert viewer.feed.renditions == {"h264"}
    await viewer.close()
    await watching.close()


async def test_a_viewer_without_h264_is_answered_in_vp8() -> None:
    pc, offer = await _offer("video", "audio")
    without = re.sub(r"a=(?:rtpmap|fmtp|rtcp-fb):(?:99|100|101|102)[^\r\n]*\r\n", "", offer)
    without = re.sub(r"(m=video \d+ \S+ )[\d ]+", r"\g<1>97 98", without)
    assert "H264" not in without and "VP8" in without
    viewer = _viewer()
    answer = await viewer.answer(without)
    assert "VP8/90000" in answer and "H264" not in answer
    assert viewer.feed and viewer.feed.renditions == {"vp8"}
    await viewer.close()
    await pc.close()


# -- 3. the audio jitter buffer -----------------------------------------------------------------------------------------


def _packets(*sequence_numbers: int) -> list[RtpPacket]:
    packets = []
    for number in sequence_numbers:
        packet = RtpPacket(sequence_number=number & 0xFFFF, timestamp=(number * 960) & 0xFFFFFFFF)
        packet._data = b"x"  # type: ignore[attr-defined]
        packets.append(packet)
    return packets


def test_audio_packets_are_handed_on_as_they_come() -> None:
    buffer = webrtc.PassThroughJitterBuffer()
    frames = [buffer.add(packet)[1] for packet in _packets(65_534, 65_535, 65_536, 65_538)]
    assert all(frame is not None for frame in frames)


def test_an_audio_packet_that_comes_after_a_newer_one_is_dropped() -> None:
    buffer = webrtc.PassThroughJitterBuffer()
    frames = [buffer.add(packet)[1] for packet in _packets(10, 12, 11, 12, 13)]
    assert [frame is not None for frame in frames] == [True, True, False, False, True]


async def test_lost_audio_packets_cost_no_delay() -> None:
    """With aiortc's own buffer one loss delays everything after it for good."""
    arrived: list[int] = []
    host_track = asyncio.get_running_loop().create_future()
    host = Host(lambda track: host_track.set_result(track), lambda: None)

    class Counting(MediaStreamTrack):
        kind = "audio"
        sent = 0

        async def recv(self) -> av.AudioFrame:
            await asyncio.sleep(0.02)
            frame = av.AudioFrame.from_ndarray(np.full((1, 960), 100, np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, self.sent * 960, fractions.Fraction(1, 48_000)
            self.sent += 1
            return frame

    track = Counting()
    client = FakeHost(track)
    await client.pc.setLocalDescription()
    answer = await host.answer(client.pc.localDescription.sdp)
    receiver = host.peer.pc.getReceivers()[0]
    taken = receiver._handle_rtp_packet

    async def lossy(packet: RtpPacket, arrival_time_ms: int) -> None:
        if track.sent % 10:
            await taken(packet, arrival_time_ms)

    receiver._handle_rtp_packet = lossy  # type: ignore[method-assign]
    await client.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    timeline = VoiceTimeline()
    async with asyncio.timeout(60):
        remote = await host_track
        lags = []
        while len(lags) < 60:
            frame = await remote.recv()
            arrived.append(frame.pts)
            timeline.place(frame.pts, np.zeros(960, np.int16))
            lags.append(track.sent - timeline.end // 960)
    assert max(lags[30:]) - min(lags[:10]) <= 3  # packets of 20 ms; aiortc's own ends 14 behind
    assert timeline.counts.concealed > 0
    await client.close()
    await host.close()


# -- 4. sender reports carry the media clock ----------------------------------------------------------------------------


async def test_both_sender_reports_put_the_same_media_time_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer, watching, _ = await _connected()
    reports: dict[str, RtcpSrPacket] = {}
    for sender in viewer.peer.pc.getSenders():

        async def note(packets: list[RtcpPacket], kind: str = sender.kind) -> None:
            reports.update((kind, packet) for packet in packets if isinstance(packet, RtcpSrPacket))

        sender._send_rtcp = note  # type: ignore[method-assign, assignment]
    origins: dict[str, int] = {}
    async with asyncio.timeout(60):
        tick = 0
        while len(reports) < 2:
            viewer.put(_turn([VideoPacket(tick, IDR, True)]))
            await asyncio.sleep(0.06)  # the sound of each picture leaves late
            viewer.put(_turn([], [AudioPacket(tick, b"a")]))
            await asyncio.sleep(0)
            tick += 4800
            for sender in viewer.peer.pc.getSenders():
                last = sender._last_timestamp  # type: ignore[attr-defined]
                if last is not None:
                    origins[sender.kind] = (sender._RTCRtpSender__rtp_timestamp - last) & 0xFFFFFFFF  # type: ignore[attr-defined]
    shown_s = {}
    for kind, rate_hz in (("video", 90_000), ("audio", 48_000)):
        info = reports[kind].sender_info
        media_s = ((info.rtp_timestamp - origins[kind]) & 0xFFFFFFFF) / rate_hz
        shown_s[kind] = info.ntp_timestamp / (1 << 32) - media_s
    assert abs(shown_s["video"] - shown_s["audio"]) < 0.001
    await viewer.close()
    await watching.close()


# -- 5. fingerprints ----------------------------------------------------------------------------------------------------


async def test_answers_carry_sha_256_fingerprints_only() -> None:
    pc, offer = await _offer("video", "audio")
    viewer = _viewer()
    answer = await viewer.answer(offer)
    assert "a=fingerprint:sha-256 " in answer
    assert "sha-384" not in answer and "sha-512" not in answer
    await viewer.close()
    await pc.close()


# -- 6. transceivers and codecs before the offer ------------------------------------------------------------------------


async def test_an_answer_sends_h264_and_opus_whatever_the_viewer_likes_best() -> None:
    pc, offer = await _offer("video", "audio")
    assert offer.index("VP8/90000") < offer.index("H264/90000")
    viewer = _viewer()
    answer = await viewer.answer(offer)
    assert "H264/90000" in answer and "VP8" not in answer
    assert "opus/48000/2" in answer and "PCMU" not in answer
    assert answer.count("a=sendonly") == 2
    await viewer.close()
    await pc.close()


async def test_a_hosts_camera_is_refused_not_left_unread() -> None:
    pc, offer = await _offer("audio", "video", direction="sendonly")
    host = Host(lambda track: None, lambda: None)
    answer = await host.answer(offer)
    video = answer[answer.index("m=video") :]
    assert "a=inactive" in video
    await host.close()
    await pc.close()


# -- 7. .local candidates -----------------------------------------------------------------------------------------------


def test_local_names_are_stripped_from_an_offer_and_addresses_kept() -> None:
    named = "a=candidate:1 1 udp 2122260223 3f2e-11.local 51234 typ host"
    plain = "a=candidate:2 1 udp 2122260222 192.0.2.9 51235 typ host"
    both = webrtc.strip_mdns("\r\n".join(["v=0", named, plain, "a=end-of-candidates"]))
    assert named not in both and plain in both and "a=end-of-candidates" in both
    assert "end-of-candidates" not in webrtc.strip_mdns("\r\n".join(["v=0", named, "a=end-of-candidates"]))


async def test_a_browser_that_hides_its_address_is_answered_at_once_and_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(self: object, hostname: str) -> None:
        raise AssertionError(f"{hostname} was looked up")

    monkeypatch.setattr("aioice.mdns.MDnsProtocol.resolve", never)
    async with running_server(tmp_path) as running:
        made = (await running.http.post("/api/broadcasts", json={})).json()
        viewer = FakeViewer()
        await viewer.pc.setLocalDescription()
        lines = viewer.pc.localDescription.sdp.splitlines()
        hidden = [line if "typ host" not in line else line.replace(line.split()[4], "abcd.local") for line in lines]
        headers = {"Content-Type": "application/sdp"}
        response = await running.http.post(made["whep_url"], content="\r\n".join(hidden) + "\r\n", headers=headers)
        await viewer.pc.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
        await viewer.until(lambda: bool(viewer.frames))
        await viewer.close()


def test_127_0_0_1_is_offered_where_there_is_no_other_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", aioice.ice.get_host_addresses)  # put back afterwards
    monkeypatch.setattr("ifaddr.get_adapters", list)
    webrtc.offer_loopback(None)
    assert aioice.ice.get_host_addresses(True, True) == ["127.0.0.1"]
    webrtc.offer_loopback(False)
    assert aioice.ice.get_host_addresses(True, True) == []


# -- 8. the default executor --------------------------------------------------------------------------------------------


async def test_no_work_of_ours_takes_a_thread_of_the_default_executor(tmp_path: Path) -> None:
    async with running_server(tmp_path) as running:
        made = (await running.http.post("/api/broadcasts", json={})).json()
        viewer, host = FakeViewer(), FakeHost()
        before = set(threading.enumerate())
        await viewer.watch(running.http, made["whep_url"])
        await viewer.until(lambda: len(viewer.frames) > 10)
        names = {thread.name for thread in set(threading.enumerate()) - before}
        assert any(name.startswith("encoder") for name in names)
        assert not any(name.startswith("asyncio_") for name in names)
        await viewer.close()
        await host.close()
