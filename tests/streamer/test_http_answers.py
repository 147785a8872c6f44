"""Files that grow while they are sent."""

from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streamer.http_answers import so_far


async def test_a_recording_is_sent_as_long_as_it_was_when_it_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "show.mp4"
    file.write_bytes(bytes(range(250)) * 1000)

    async def recording(request: Request) -> Response:
        answer = so_far(file, request)
        with file.open("ab") as growing:  # as the muxer does, between the length's being told and the last block
            growing.write(b"more")
        return answer

    app = Starlette(routes=[Route("/show.mp4", recording)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as http:
        whole = await http.get("/show.mp4")
        assert whole.headers["content-length"] == "250000" and whole.content == bytes(range(250)) * 1000
        assert whole.headers["content-type"] == "video/mp4" and "show.mp4" in whole.headers["content-disposition"]
        part = await http.get("/show.mp4", headers={"Range": "bytes=10-19"})
        assert part.status_code == 206 and part.content == bytes(range(10, 20))
        assert (await http.head("/show.mp4")).content == b""
