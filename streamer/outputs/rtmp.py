"""RTMP and RTMPS push, as YouTube, Twitch and every RTMP server take it: H.264 and AAC in FLV, by FFmpeg."""

from __future__ import annotations

from urllib.parse import urlsplit

from streamer.outputs.muxing import Muxer
from streamer.outputs.output import StreamFormat

_OPTIONS = {"flvflags": "no_duration_filesize"}


def address(url: str, key: str) -> tuple[str, str]:
    """(where to push, what may be shown of it). Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("rtmp", "rtmps") or not parts.hostname:
        raise ValueError("an RTMP address looks like rtmp://live.example.org/app, with the stream key beside it")
    whole = f"{url.rstrip('/')}/{key}" if key else url
    if len(urlsplit(whole).path.strip("/").split("/")) < 2:
        raise ValueError("the stream key is missing: give it beside the address, or at its end")
    app = parts.path.strip("/").split("/")[0]
    return whole, f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{app}"


def sink(url: str, stream: StreamFormat) -> Muxer:
    """Connects at the first packet. Raises OSError."""
    return Muxer(url, "flv", stream, _OPTIONS)
