"""A host without a microphone: what is typed in the page is spoken, seen and heard."""

import shutil

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.e2e.conftest import ARGUMENTS

#: The loudest that the broadcast sounds within `seconds`, of 1.
LOUDEST = """
(seconds) => new Promise((done) => {
  const context = new AudioContext();
  const meter = context.createAnalyser();
  context.createMediaStreamSource(document.getElementById("onair").srcObject).connect(meter);
  const samples = new Float32Array(meter.fftSize);
  let loudest = 0;
  const until = performance.now() + 1000 * seconds;
  const look = () => {
    meter.getFloatTimeDomainData(samples);
    loudest = Math.max(loudest, ...samples.map(Math.abs));
    if (performance.now() > until) done(loudest);
    else setTimeout(look, 20);
  };
  look();
})
"""


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
def test_a_broadcast_without_a_microphone_says_what_is_typed(
    playwright: Playwright, chromium_path: str, server_url: str, browser: Browser
) -> None:
    without_microphone = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
    page = without_microphone.new_page(viewport={"width": 1440, "height": 900})
    page.goto(server_url)
    page.get_by_text("Go live without it, and type").click()
    page.locator("#golive:not([disabled])").click()
    expect(page.locator("body")).to_have_attribute("data-state", "live", timeout=30_000)
    page.locator("#say").fill("Good evening, ladies and gentlemen, and welcome to the show.")
    page.locator("#say").press("Enter")
    expect(page.locator("#say-now")).to_have_text("Good evening, ladies and gentlemen, and welcome to the show.", timeout=15_000)
    expect(page.locator("#say")).to_have_value("")
    assert page.evaluate(LOUDEST, 1.5) > 0.1
    expect(page.locator("#say-now")).to_have_text("", timeout=15_000)
    assert page.evaluate(LOUDEST, 0.5) < 0.02
    expect(page.locator(".notice")).to_have_count(0)
    page.locator("#end").click()
    without_microphone.close()
