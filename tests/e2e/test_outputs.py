"""The outputs sheet of the studio page, and players of what it starts: hls.js in Chromium, ffprobe, a downloaded recording."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.test_timeline import on_air
from tests.fakes import receivers
from tests.fakes.avatars import fake_library
from tests.fakes.running_server import RunningServer
from tests.fakes.stream import Played

HLS_JS = Path(__file__).parents[1] / "data" / "hls.light.min.js"

#: Play until the picture has been dark and light; what came of it.
PLAY = """
async (address) => {
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const hls = new Hls({ lowLatencyMode: true });
  const errors = [];
  hls.on(Hls.Events.ERROR, (_, { fatal, details }) => fatal && errors.push(details));
  hls.loadSource(address);
  hls.attachMedia(video);
  await video.play();
  const shades = new Set();
  const pen = Object.assign(document.createElement("canvas"), { width: 32, height: 32 });
  const ink = pen.getContext("2d", { willReadFrequently: true });
  for (let i = 0; i < 200 && (i < 10 || !shades.has(true)); i++) {
    await new Promise((done) => video.requestVideoFrameCallback(done));
    ink.drawImage(video, 0, 0, 32, 32);
    shades.add(ink.getImageData(16, 8, 1, 1).data[0] > 120);
  }
  const found = { width: video.videoWidth, blocks: hls.latestLevelDetails?.canBlockReload, errors };
  hls.destroy();
  video.remove();
  return { ...found, shades: [...shades] };
}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("avatars")
    with RunningServer(fake_library(root, "plain"), recordings_root=root / "recordings") as server:
        yield server.url


def row(page: Page, name: str, state: str) -> None:
    expect(page.locator(f'#outputs-list li[data-state="{state}"]', has_text=name)).to_have_count(1)


def test_the_host_records_plays_hls_and_is_told_what_fails(browser: Browser, url: str, tmp_path: Path) -> None:
    with on_air(browser, url) as page:
        page.get_by_role("button", name="Outputs").click()
        page.get_by_role("button", name="Record", exact=True).click()
        page.get_by_role("button", name="HLS for players").click()
        row(page, "Recording", "on")
        row(page, "HLS", "on")
        expect(page.locator("#outputs-word")).to_have_text("Outputs 2")

        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        for name, wanted in (("Browser source", "/watch/.*overlay$"), ("WHIP server", "/whip/")):
            page.get_by_role("button", name=name).click()
            expect(page.locator(".obs").get_by_text("Copied")).to_have_count(1)
            assert re.search(wanted, page.evaluate("navigator.clipboard.readText()")), name
            expect(page.locator(".obs").get_by_text("Copied")).to_have_count(0)

        expect(page.locator("#copy-whip-token")).to_be_hidden()  # this server asks nobody for one

        page.get_by_label("Address", exact=True).fill("http://somewhere/else")
        page.get_by_role("button", name="Start sending").click()
        expect(page.locator("#outputs-error")).to_contain_text("rtmp://")
        page.get_by_label("Address", exact=True).fill(f"rtmp://127.0.0.1:{receivers.free_port()}/live")
        page.get_by_label("Stream key").fill("very-secret")
        page.get_by_role("button", name="Start sending").click()
        row(page, "Connection refused", "retrying")
        expect(page.get_by_label("Stream key")).to_have_value("")
        assert "very-secret" not in page.content()
        page.get_by_role("button", name="Stop RTMP").click()
        row(page, "RTMP", "ended")

        address = page.get_by_role("button", name="Copy the HLS address").get_attribute("title") or ""
        with browser.new_context(bypass_csp=True) as elsewhere:
            player = elsewhere.new_page()
            player.goto(f"{url}/healthz")
            player.add_script_tag(path=HLS_JS)
            played = player.evaluate(PLAY, address)
        assert played["errors"] == [] and played["width"] == 512
        assert played["blocks"]
        assert True in played["shades"]  # the fake worker's lamp, lit by the voice
        probed = probe(address)
        assert [stream["codec_name"] for stream in probed] == ["h264", "aac"]

        page.get_by_role("button", name="Stop Recording").click()
        row(page, "Recording", "ended")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the recording so far").click()
        download.value.save_as(tmp_path / "got.mp4")
        page.keyboard.press("Escape")
    assert len(Played(str(tmp_path / "got.mp4")).at_s) > 25


def probe(address: str) -> list[dict[str, str]]:
    command = [receivers.program("ffprobe"), "-v", "error", "-show_entries", "stream=codec_name", "-of", "json", address]
    found: list[dict[str, str]] = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)[
        "streams"
    ]
    return found


def test_at_phone_width_the_outputs_are_in_reach(browser: Browser, url: str) -> None:
    with on_air(browser, url, 360, 740) as page:
        page.locator("#open-outputs").click()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        box = page.get_by_role("button", name="Start sending").bounding_box()
        assert box is not None and box["height"] >= 40 and box["x"] + box["width"] <= 360
        page.keyboard.press("Escape")
