"""Low-latency HLS (RFC 8216bis) from memory: fMP4 segments of two seconds, in parts of a fifth of a second as they come."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from streamer.encoder import Encoded
from streamer.outputs.muxing import Muxer
from streamer.outputs.output import StreamFormat
from streamer.plan import TIME_BASE_HZ

INTRA_EVERY_S = 2.0
_PART_S = 0.2
_PART_TARGET_S = 0.21  # at 24 and 48 fps a part is a little longer
_TARGET_S = 4  # no segment is longer: an intra frame that somebody else wanted may come just before one is due
_KEPT = 6  # segments that can be fetched
_WITH_PARTS = 3  # of those, how many are listed with their parts
_WAIT_S = 3 * _TARGET_S
_OPTIONS = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": str(round(_PART_S * 1e6)),
    "flush_packets": "1",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One movie fragment. `is_independent`: it begins with an intra frame."""

    data: bytes
    length_s: float
    is_independent: bool


@dataclass(slots=True)
class Segment:
    """Begins with an intra frame."""

    number: int
    parts: list[Part] = field(default_factory=list)
    is_whole: bool = False

    @property
    def length_s(self) -> float:
        return sum(part.length_s for part in self.parts)


class Playlist:
    """What players fetch. Bounded: the newest six segments. Everything but `note` is the event loop's.

    A request for what is next is held until that is there, as low-latency players ask for it.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._init = b""
        self._segments: deque[Segment] = deque(maxlen=_KEPT)
        self._is_over = False
        self._news = asyncio.Event()

    def note(self, init: bytes | None = None, part: Part | None = None, is_over: bool = False) -> None:
        """What the muxer has made, from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody plays
            self._loop.call_soon_threadsafe(self._take, init, part, is_over)

    def _take(self, init: bytes | None, part: Part | None, is_over: bool) -> None:
        if init:
            self._init = init
            self._segments.clear()
        if part:
            last = self._segments[-1] if self._segments else None
            if last is None or (part.is_independent and last.length_s > 0.9 * INTRA_EVERY_S):
                if last:
                    last.is_whole = True
                self._segments.append(last := Segment(last.number + 1 if last else 0))
            last.parts.append(part)
        if is_over and self._segments:
            self._segments[-1].is_whole = self._is_over = True
        self._news.set()
        self._news = asyncio.Event()

    async def index(self, segment: int | None = None, part: int | None = None, query: str = "") -> str | None:
        """The playlist, once it holds that part (or that whole segment); None where that does not come within 12 s.

        `query` ends every address in it.
        """

        def is_there() -> bool:
            if not self._segments or segment is None:
                return bool(self._segments)
            last = self._segments[-1]
            if self._is_over or segment < last.number:
                return True
            return segment == last.number and part is not None and part < len(last.parts)

        if segment is not None and self._segments and segment > self._segments[-1].number + 2:
            return None
        return self._text(query) if await self._wait(is_there) else None

    async def file(self, name: str) -> bytes | None:
        """`init.mp4`, a segment as `12.m4s` or a part as `12.3.m4s`; None for what is unknown, or gone."""
        if name == "init.mp4":
            return self._init or None
        numbers = name.removesuffix(".m4s").split(".")
        if (
            not name.endswith(".m4s")
            or len(numbers) > 2
            or not all(number.isdecimal() and len(number) < 10 for number in numbers)
        ):
            return None
        number = int(numbers[0])
        if len(numbers) == 1:
            found = self._find(number)
            return b"".join(part.data for part in found.parts) if found and found.is_whole else None
        index, newest = int(numbers[1]), self._segments[-1] if self._segments else None
        is_next = newest is not None and (number, index) in ((newest.number, len(newest.parts)), (newest.number + 1, 0))
        if is_next:
            await self._wait(lambda: self._part(number, index) is not None or self._segments[-1].number > number)
        return self._part(number, index)

    def _find(self, number: int) -> Segment | None:
        return next((segment for segment in self._segments if segment.number == number), None)

    def _part(self, number: int, index: int) -> bytes | None:
        segment = self._find(number)
        return segment.parts[index].data if segment and index < len(segment.parts) else None

    async def _wait(self, condition: Callable[[], bool]) -> bool:
        try:
            async with asyncio.timeout(_WAIT_S):
                while not condition():
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    def _text(self, query: str) -> str:
        lines = [
            "#EXTM3U", "#EXT-X-VERSION:9", f"#EXT-X-TARGETDURATION:{_TARGET_S}",
            f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={3 * _PART_TARGET_S:g}",
            f"#EXT-X-PART-INF:PART-TARGET={_PART_TARGET_S:g}",
            f"#EXT-X-MEDIA-SEQUENCE:{self._segments[0].number}",
            f'#EXT-X-MAP:URI="init.mp4{query}"',
        ]  # fmt: skip
        newest = self._segments[-1]
        for segment in self._segments:
            if segment.number > newest.number - _WITH_PARTS:
                lines += self._parts(segment, query)
            if segment.is_whole:
                lines += [f"#EXTINF:{segment.length_s:.5f},", f"{segment.number}.m4s{query}"]
        if self._is_over:
            lines.append("#EXT-X-ENDLIST")
        else:
            lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{newest.number}.{len(newest.parts)}.m4s{query}"')
        return "\n".join(lines) + "\n"

    def _parts(self, segment: Segment, query: str) -> Iterator[str]:
        for i, part in enumerate(segment.parts):
            independent = ",INDEPENDENT=YES" if part.is_independent else ""
            yield f'#EXT-X-PART:DURATION={part.length_s:.5f},URI="{segment.number}.{i}.m4s{query}"{independent}'


class Hls:
    """A sink: FFmpeg's fragments, cut into what a playlist holds."""

    is_on = True

    def __init__(self, playlist: Playlist, stream: StreamFormat) -> None:
        self._playlist = playlist
        self._written = _Boxes()
        self._init = b""
        self._muxer = Muxer(self._written, "mp4", stream, _OPTIONS)  # type: ignore[arg-type]

    def write(self, encoded: Encoded) -> None:
        self._muxer.write(encoded)
        for kind, box in self._written.take():
            self._note(kind, box)

    def _note(self, kind: bytes, box: bytes) -> None:
        if kind in (b"ftyp", b"moov"):
            self._init += box
            if kind == b"moov":
                self._playlist.note(init=self._init)
        elif kind == b"moof":
            self._moof = box
        elif kind == b"mdat":
            length, is_independent = first_track(self._moof)
            self._playlist.note(part=Part(self._moof + box, length / TIME_BASE_HZ, is_independent))

    def close(self) -> None:
        self._muxer.close()
        for kind, box in self._written.take():
            self._note(kind, box)
        self._playlist.note(is_over=True)


class _Boxes:
    """A file that a muxer writes to and that is read box by box (ISO/IEC 14496-12 §4.2)."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def write(self, data: bytes) -> int:
        self._bytes += data
        return len(data)

    def take(self) -> Iterator[tuple[bytes, bytes]]:
        """(kind, all of it) of each box that is whole."""
        while len(self._bytes) >= 8:
            size = int.from_bytes(self._bytes[:4], "big")
            if len(self._bytes) < size:
                return
            box = bytes(self._bytes[:size])
            del self._bytes[:size]
            yield box[4:8], box


def _inside(box: bytes, header: int = 8) -> Iterator[tuple[bytes, bytes]]:
    at = header
    while at + 8 <= len(box):
        size = int.from_bytes(box[at : at + 4], "big")
        yield box[at + 4 : at + 8], box[at : at + size]
        at += size


def first_track(moof: bytes) -> tuple[int, bool]:
    """(length in ticks, begins with an intra frame) of the first track's run (ISO/IEC 14496-12 §8.8.7 and §8.8.8)."""
    traf = dict(_inside(next(box for kind, box in _inside(moof) if kind == b"traf")))
    flags, at = int.from_bytes(traf[b"tfhd"][9:12], "big"), 16
    default_length = default_flags = 0
    for bit, size in ((0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4), (0x20, 4)):
        if flags & bit:
            if bit == 0x8:
                default_length = int.from_bytes(traf[b"tfhd"][at : at + 4], "big")
            if bit == 0x20:
                default_flags = int.from_bytes(traf[b"tfhd"][at : at + 4], "big")
            at += size
    trun = traf[b"trun"]
    flags, (count,) = int.from_bytes(trun[9:12], "big"), struct.unpack_from(">I", trun, 12)
    at = 16 + (4 if flags & 0x1 else 0)
    first_flags = default_flags
    if flags & 0x4:
        (first_flags,) = struct.unpack_from(">I", trun, at)
        at += 4
    length = 0
    for i in range(count):
        if flags & 0x100:
            length += struct.unpack_from(">I", trun, at)[0]
        else:
            length += default_length
        at += sum(4 for bit in (0x100, 0x200) if flags & bit)
        if flags & 0x400:
            if i == 0 and not flags & 0x4:
                (first_flags,) = struct.unpack_from(">I", trun, at)
            at += 4
        at += 4 if flags & 0x800 else 0
    return length, not first_flags & 0x10000  # sample_is_non_sync_sample
