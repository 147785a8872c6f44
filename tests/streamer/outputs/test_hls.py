"""HLS: parts come as they are made, players may ask ahead, and what is fetched plays without a gap."""

import asyncio
import functools
import re
from pathlib import Path

import numpy as np
import pytest

from streamer.encoder import Encoded
from streamer.outputs.hls import Hls, Playlist
from streamer.outputs.output import StreamFormat
from tests.fakes.stream import FPS, HEIGHT, WIDTH, Played, turns

STREAM = StreamFormat(WIDTH, HEIGHT, FPS)


@functools.cache
def _stream(count: int, intra_every: int) -> tuple[Encoded, ...]:
    return tuple(turns(count, intra_every=intra_every))


async def _made(count: int) -> tuple[Playlist, Hls]:
    playlist = Playlist()
    sink = Hls(playlist, STREAM)
    for encoded in _stream(450, 50)[:count]:
        sink.write(encoded)
    await asyncio.sleep(0)
    return playlist, sink


async def test_all_segments_together_play_without_a_gap(tmp_path: Path) -> None:
    playlist, sink = await _made(230)
    sink.close()
    await asyncio.sleep(0)
    index = await playlist.index()
    assert index and index.endswith("#EXT-X-ENDLIST\n")
    names = re.findall(r"^(\d+\.m4s)$", index, re.MULTILINE)
    whole = [await playlist.file(name) or b"" for name in ("init.mp4", *names)]
    (tmp_path / "all.mp4").write_bytes(b"".join(whole))
    played = Played(str(tmp_path / "all.mp4"))
    assert len(played.at_s) == 230 and np.allclose(np.diff(played.at_s), 1 / FPS, atol=1e-6)
    assert max(map(abs, played.skews_s())) <= 0.02


async def test_the_playlist_tells_each_part_by_its_true_length() -> None:
    playlist, _ = await _made(170)
    index = await playlist.index() or ""
    parts = re.findall(r'DURATION=([\d.]+),URI="(\d+)\.(\d+)\.m4s"(,INDEPENDENT=YES)?', index)
    assert all(0.85 * 0.21 <= float(length) <= 0.21 for length, *_ in parts)
    assert all(bool(independent) == (number == "0") for _, _, number, independent in parts)
    assert re.findall(r"#EXTINF:([\d.]+)", index) == ["2.00000"] * 3
    assert re.search(r'PRELOAD-HINT:TYPE=PART,URI="3\.3\.m4s"', index)


async def test_a_segment_begins_with_an_intra_frame_whoever_asked_for_it() -> None:
    playlist, sink = Playlist(), None
    sink = Hls(playlist, STREAM)
    for encoded in _stream(200, 20):  # a viewer asks every 0.8 s
        sink.write(encoded)
    await asyncio.sleep(0)
    lengths = re.findall(r"#EXTINF:([\d.]+)", await playlist.index() or "")
    assert lengths and all(2 <= float(length) <= 4 for length in lengths)


async def test_a_player_that_asks_for_the_next_part_gets_it_as_soon_as_it_is_there() -> None:
    playlist = Playlist()
    sink, stream = Hls(playlist, STREAM), iter(_stream(450, 50))
    for _ in range(12):
        sink.write(next(stream))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(playlist.file("0.2.m4s"))
    asking = asyncio.create_task(playlist.index(0, 2))
    await asyncio.sleep(0)
    assert not waiting.done() and not asking.done()
    for _ in range(6):
        sink.write(next(stream))
    async with asyncio.timeout(60):
        assert await waiting and '"0.2.m4s"' in (await asking or "")


async def test_nothing_is_kept_for_longer_than_players_need() -> None:
    playlist, _ = await _made(450)
    index = await playlist.index() or ""
    assert "#EXT-X-MEDIA-SEQUENCE:3\n" in index
    assert await playlist.file("2.m4s") is None and await playlist.file("3.m4s")


@pytest.mark.parametrize("name", ["99.m4s", "0.99.m4s", "x.m4s", "1.2.3.m4s", "../init.mp4", "-1.m4s", "9" * 40 + ".m4s"])
async def test_what_is_not_there_is_not_waited_for(name: str) -> None:
    playlist, _ = await _made(60)
    assert await asyncio.wait_for(playlist.file(name), 1) is None
    assert await asyncio.wait_for(playlist.index(99, 0), 1) is None
