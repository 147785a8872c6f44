"""Captions and cue words on the studio page, in real Chromium: a recorded voice, a stand-in recogniser that hears "goodbye"."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from streamer.config import TranscriptSettings
from tests.e2e.test_timeline import beat, on_air, say
from tests.fakes.avatars import fake_library
from tests.fakes.running_server import RunningServer


def test_what_is_said_is_read_on_the_picture_and_a_cue_word_rings(browser: Browser, tmp_path: Path) -> None:
    library = fake_library(tmp_path, "plain")
    with RunningServer(library, transcript=TranscriptSettings("any")) as server, on_air(browser, server.url) as page:
        caption = page.locator("#caption")
        expect(caption).to_contain_text("Goodbye, everybody!")
        page.locator("body").press("c")
        expect(caption).to_be_hidden()
        page.locator("body").press("c")
        say_cue(page, "each time I say goodbye, very sad")
        expect(page.locator("#cues li")).to_have_text("“goodbye” → sad")
        expect(beat(page, "Very sad")).to_have_count(1)
        expect(page.locator("#accepted li").first).to_have_attribute("data-word", "aired")


def test_without_a_recogniser_a_cue_is_answered_with_the_way_out(browser: Browser, tmp_path: Path) -> None:
    with RunningServer(fake_library(tmp_path, "plain")) as server, on_air(browser, server.url) as page:
        say_cue(page, "when I say goodbye, very sad")
        row = page.locator("#accepted li").first
        expect(row).to_contain_text("waits for “goodbye”")
        expect(row).to_contain_text("pip install 'rostrum[transcript]'")
        say(page, "nod")  # and the show goes on


def say_cue(page: Page, text: str) -> None:
    page.get_by_label("Prompt", exact=True).fill(text)
    page.get_by_label("Prompt", exact=True).press("Enter")
    expect(page.locator("#accepted li").first).to_have_attribute("data-word", re.compile("waiting|accepted|aired"))
