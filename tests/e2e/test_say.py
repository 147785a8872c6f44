"""A host without a microphone: what is typed in the page is spoken, seen and heard."""

import shutil

import pytest
from playwright.sync_api import Playwright, expect

from tests.e2e.conftest import ARGUMENTS
from tests.e2e.on_air import SILENT_DB, record

WORDS = "Good evening, ladies and gentlemen, and welcome to the show."


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
def test_a_broadcast_without_a_microphone_says_what_is_typed(
    playwright: Playwright, chromium_path: str, server_url: str
) -> None:
    browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)  # which asks, and nobody answers
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(server_url)
    page.get_by_text("Go live without it, and type").click()
    page.locator("#golive:not([disabled])").click()
    expect(page.locator("body")).to_have_attribute("data-state", "live")
    page.get_by_role("textbox", name="Say").fill(WORDS)
    page.get_by_role("textbox", name="Say").press("Enter")
    expect(page.locator("#say-now")).to_have_text(WORDS)
    expect(page.get_by_role("textbox", name="Say")).to_have_value("")
    assert record(page, 1.5).db.max() > SILENT_DB + 20
    expect(page.locator("#say-now")).to_have_text("")
    assert record(page, 1.0).db[-1] < SILENT_DB
    expect(page.locator(".notice")).to_have_count(0)
    page.get_by_role("button", name="End", exact=True).click()
    browser.close()
