"""The one encode: H.264 that starts where it is asked to, Opus on the wall's ticks."""

import gc
import threading
import weakref

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from streamer import encoder as encoders
from streamer.config import bitrate_for
from streamer.encoder import AudioEncoder, Encoder, IntraRequests, VideoEncoder, half_size, level_for
from streamer.media import Picture
from streamer.plan import ticks_per_frame

WIDTH, HEIGHT, FPS = 256, 192, 25
FRAME = ticks_per_frame(FPS)


def _picture(number: int) -> Picture:
    picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    picture[:HEIGHT] = 60
    picture[:HEIGHT, number % 8 * 32 : number % 8 * 32 + 32] = 200
    return picture


def _decoded(data: list[bytes]) -> list[np.ndarray]:
    codec = av.CodecContext.create("h264", "r")
    frames = [frame for packet in data for frame in codec.decode(av.Packet(packet))] + list(codec.decode(None))
    return [frame.to_ndarray()[:HEIGHT] for frame in frames]


def test_every_picture_comes_out_at_once_and_looks_as_it_went_in() -> None:
    encoder = VideoEncoder(WIDTH, HEIGHT, FPS)
    packets = [packet for i in range(12) for packet in encoder.encode(_picture(i), i * FRAME, i == 0)]
    assert [packet.tick for packet in packets] == [i * FRAME for i in range(12)]
    decoded = _decoded([packet.data for packet in packets])
    errors = [np.abs(out.astype(int) - _picture(i)[:HEIGHT].astype(int)).mean() for i, out in enumerate(decoded)]
    assert len(decoded) == 12 and max(errors) < 6


def test_a_viewer_can_begin_at_any_intra_frame_that_was_asked_for() -> None:
    encoder = VideoEncoder(WIDTH, HEIGHT, FPS)
    packets = [packet for i in range(30) for packet in encoder.encode(_picture(i), i * FRAME, i in (0, 17))]
    assert [i for i, packet in enumerate(packets) if packet.is_intra] == [0, 17]
    decoded = _decoded([packet.data for packet in packets[17:]])
    assert len(decoded) == 13
    assert np.abs(decoded[0].astype(int) - _picture(17)[:HEIGHT].astype(int)).mean() < 6


def test_the_stream_is_what_every_browser_decodes() -> None:
    data = VideoEncoder(WIDTH, HEIGHT, FPS).encode(_picture(0), 0, True)[0].data
    sps = data[data.index(b"\x00\x00\x00\x01\x67") + 5 :]
    assert sps[0] == 66 and sps[1] & 0x40  # baseline, constrained


def test_the_stream_says_what_its_colours_mean() -> None:
    codec = av.CodecContext.create("h264", "r")
    packet = av.Packet(VideoEncoder(WIDTH, HEIGHT, FPS).encode(_picture(0), 0, True)[0].data)
    (frame,) = [*codec.decode(packet), *codec.decode(None)]
    assert (frame.colorspace, frame.color_range) == (Colorspace.ITU601, ColorRange.MPEG)


@pytest.mark.parametrize(
    ("size", "fps", "level"), [((512, 512), 25, "3.0"), ((1280, 720), 30, "3.1"), ((1920, 1080), 48, "4.2")]
)
def test_the_level_is_the_lowest_that_allows_the_picture(size: tuple[int, int], fps: int, level: str) -> None:
    assert level_for(*size, fps) == level


def test_larger_and_faster_pictures_may_take_more_bits() -> None:
    assert bitrate_for(512, 512, 25) < bitrate_for(1280, 720, 25) < bitrate_for(1280, 720, 50)


def test_the_stream_takes_the_bitrate_that_was_chosen() -> None:
    """Noise would take any number of bits; of a second's pictures after the first second they are counted."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (HEIGHT * 3 // 2, WIDTH), np.uint8) for _ in range(10)]
    taken_kbps = {}
    for kbps in (400, 1600):
        encoder = VideoEncoder(WIDTH, HEIGHT, FPS, 1000 * kbps)
        sizes = [sum(len(packet.data) for packet in encoder.encode(noise[i % 10], i * FRAME, i == 0)) for i in range(75)]
        taken_kbps[kbps] = 8 * sum(sizes[25:]) / 2000
    assert all(0.7 * kbps < taken < 1.3 * kbps for kbps, taken in taken_kbps.items()), taken_kbps


async def test_the_low_rendition_never_takes_more_than_half_of_what_was_chosen() -> None:
    rng, sizes = np.random.default_rng(0), []
    encoder = Encoder(WIDTH, HEIGHT, FPS, 300_000)
    for i in range(50):
        noise = rng.integers(0, 255, (HEIGHT * 3 // 2, WIDTH), np.uint8)
        encoded = await encoder.encode(noise, np.zeros(FRAME, np.int16), i * FRAME, renditions=("h264", "h264_low"))
        sizes.append(sum(len(packet.data) for packet in encoded.low))
    encoder.close()
    assert 8 * sum(sizes[25:]) < 1.3 * 150_000


def test_intra_frames_on_demand_are_at_least_300_ms_apart() -> None:
    requests = IntraRequests()
    taken = []
    for tick in range(50):  # everybody asks all the time
        requests.want()
        if requests.take(tick * 0.04):
            taken.append(tick * 0.04)
    assert taken[0] == 0
    assert min(np.diff(taken)) >= 0.3 - 1e-9
    assert len(taken) > 5


def test_without_demand_there_is_no_intra_frame_but_the_first() -> None:
    requests = IntraRequests()
    assert [requests.take(i * 0.04) for i in range(100)].count(True) == 1


@pytest.mark.parametrize("fps", [24, 25, 30, 48])
def test_sound_leaves_in_20_ms_packets_whatever_the_frame_rate(fps: int) -> None:
    encoder, block = AudioEncoder(), ticks_per_frame(fps)
    packets = [packet for i in range(fps) for packet in encoder.encode(np.zeros(block, np.int16), i * block)]
    assert [packet.tick for packet in packets] == [i * 960 for i in range(50)]


def test_sound_that_was_not_wanted_for_a_while_starts_again_on_the_right_tick() -> None:
    encoder = AudioEncoder()
    list(encoder.encode(np.zeros(1000, np.int16), 0))
    packets = list(encoder.encode(np.zeros(2000, np.int16), 96_000))
    assert [packet.tick for packet in packets] == [96_000, 96_960]


async def test_a_skipped_picture_still_sends_its_sound() -> None:
    encoder = Encoder(WIDTH, HEIGHT, FPS)
    encoded = await encoder.encode(None, np.zeros(FRAME, np.int16), 0)
    encoder.close()
    assert not encoded.video and len(encoded.audio) == 2


def test_aac_says_of_itself_when_it_is_heard() -> None:
    encoder = AudioEncoder("aac")
    packets = [packet for i in range(25) for packet in encoder.encode(np.zeros(FRAME, np.int16), 96_000 + i * FRAME)]
    assert [packet.tick for packet in packets[:3]] == [96_000 - 1024, 96_000, 96_000 + 1024]


def test_half_the_size_is_the_same_picture() -> None:
    picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    picture[:HEIGHT, WIDTH // 2 :] = 200
    picture[HEIGHT : HEIGHT * 5 // 4] = 90  # blue
    small = half_size(picture)
    assert small.shape == (HEIGHT // 2 * 3 // 2, WIDTH // 2)
    assert (small[: HEIGHT // 2, WIDTH // 4 :] == 200).all() and (small[HEIGHT // 2 : HEIGHT * 5 // 8] == 90).all()


async def test_other_renditions_are_encoded_only_while_somebody_wants_them() -> None:
    encoder = Encoder(WIDTH, HEIGHT, FPS)
    sound = np.zeros(FRAME, np.int16)
    plain = await encoder.encode(_picture(0), sound, 0)
    assert plain.video and not (plain.low or plain.vp8 or plain.aac)
    encoder.want_intra("h264_low")
    all_of_it = await encoder.encode(_picture(1), sound, FRAME, renditions=("h264", "h264_low", "vp8"))
    assert not all_of_it.video[0].is_intra and all_of_it.low[0].is_intra and all_of_it.vp8[0].is_intra
    low = av.CodecContext.create("h264", "r")
    frames = [*low.decode(av.Packet(all_of_it.low[0].data)), *low.decode(None)]
    assert (frames[0].width, frames[0].height) == (WIDTH // 2, HEIGHT // 2)
    vp8 = av.CodecContext.create("libvpx", "r")
    shown = vp8.decode(av.Packet(all_of_it.vp8[0].data))[0].to_ndarray()[:HEIGHT]
    assert np.abs(shown.astype(int) - _picture(1)[:HEIGHT].astype(int)).mean() < 8
    assert not (await encoder.encode(_picture(2), sound, 2 * FRAME)).low
    encoder.close()


def test_nobody_asks_and_there_is_no_intra_frame_even_where_the_picture_changes_at_once() -> None:
    encoder = VideoEncoder(WIDTH, HEIGHT, FPS)
    dark, light = np.full((HEIGHT * 3 // 2, WIDTH), 40, np.uint8), np.full((HEIGHT * 3 // 2, WIDTH), 210, np.uint8)
    packets = [packet for i in range(90) for packet in encoder.encode(light if i // 30 % 2 else dark, i * FRAME, i == 0)]
    assert [packet.is_intra for packet in packets].count(True) == 1


async def test_a_closed_encoder_lets_its_codecs_go_though_it_is_referred_to_still(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[VideoEncoder]] = []

    class Watched(VideoEncoder):
        def __init__(self, width: int, height: int, fps: int, bitrate_bps: int | None = None) -> None:
            super().__init__(width, height, fps, bitrate_bps)
            made.append(weakref.ref(self))

    monkeypatch.setattr(encoders, "VideoEncoder", Watched)
    encoder, others = Encoder(WIDTH, HEIGHT, FPS), set(threading.enumerate())
    await encoder.encode(_picture(0), np.zeros(FRAME, np.int16), 0)
    (thread,) = set(threading.enumerate()) - others
    gc.disable()
    try:
        encoder.close()
        thread.join(10)
        assert [each() for each in made] == [None]
    finally:
        gc.enable()
