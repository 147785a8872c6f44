"""The studio page's timeline and the rest of what can be changed on air, in real Chromium against a stand-in worker."""

import contextlib
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.test_studio import studio
from tests.fakes.avatars import fake_library
from tests.fakes.running_server import RunningServer


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with RunningServer(fake_library(tmp_path_factory.mktemp("avatars"), "plain", "other", "slow-400")) as server:
        yield server.url


@contextlib.contextmanager
def on_air(browser: Browser, url: str, width: int = 1440, height: int = 900) -> Iterator[Page]:
    """A page that is live; nothing may have gone wrong on its console when it ends."""
    console: list[str] = []
    with browser.new_context(viewport={"width": width, "height": height}) as context:
        page = studio(context, url, console)
        page.get_by_role("button", name="Go live").click()
        expect(page.locator("body")).to_have_attribute("data-state", "live")
        expect(page.locator("#timeline")).to_be_visible()
        yield page
        page.get_by_role("button", name="End", exact=True).click()
        expect(page.locator("#tally-word")).to_have_text("Off air")
    assert console == []


def say(page: Page, text: str) -> None:
    page.get_by_label("Prompt", exact=True).fill(text)
    page.get_by_label("Prompt", exact=True).press("Enter")
    expect(page.locator("#accepted li").first).to_have_attribute("data-word", re.compile("accepted|aired"))


def beat(page: Page, text: str) -> Locator:
    return page.locator(".beat", has_text=text)


def test_the_timeline_shows_each_beat_with_its_reason_and_one_can_be_deleted(browser: Browser, url: str) -> None:
    with on_air(browser, url) as page:
        expect(beat(page, "Calm")).to_have_attribute("aria-label", re.compile("Calm, on air now. By default"))
        say(page, "after 20 seconds very sad and zoom in")
        sad = beat(page, "Very sad")
        expect(sad).to_have_attribute("aria-label", re.compile(r"Very sad, in .* s. You asked: “after 20 seconds very sad"))
        expect(beat(page, "Zoom in")).to_have_count(1)
        sad.press("Delete")
        expect(sad).to_have_count(0)
        expect(beat(page, "Zoom in")).to_have_count(1)  # the other lane's stays
        page.get_by_role("button", name="Undo").click()
        expect(sad).to_have_count(1)


def test_a_beat_is_edited_in_the_panel_above_it(browser: Browser, url: str) -> None:
    with on_air(browser, url) as page:
        say(page, "after 20 seconds angry")
        angry = page.locator('.beat[data-lane="emotion"]', has_text="angry")
        angry.press("Enter")
        panel = page.get_by_role("dialog")
        expect(panel).to_contain_text("You asked: “after 20 seconds angry”")
        panel.get_by_role("button", name="Joy", exact=True).click()
        expect(panel).to_be_hidden()
        expect(angry).to_have_count(0)
        joyful = page.locator('.beat[data-lane="emotion"]', has_text="joyful")
        joyful.press("Enter")
        panel.get_by_label("Strength of this emotion").fill("0.15")
        expect(joyful).to_contain_text("Slightly joyful")
        joyful.press("Enter")
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        expect(joyful).to_be_focused()


def test_keyframes_to_come_are_shown(browser: Browser, url: str) -> None:
    with on_air(browser, url) as page:
        expect(page.locator('.thumb[data-phase="ahead"]').first).to_be_visible(timeout=20_000)


def test_a_prompt_kept_as_a_preset_is_one_tap_away_after_a_reload(browser: Browser, url: str) -> None:
    with browser.new_context() as context:
        page = studio(context, url, [])
        page.get_by_label("Prompt", exact=True).fill("proud and slow, nods twice")
        page.get_by_role("button", name="Keep as a preset").click()
        page.reload()
        preset = page.get_by_role("button", name="proud and slow, nods twice", exact=True)
        expect(preset).to_be_disabled()
        page.get_by_role("button", name="Go live").click()
        expect(page.locator("body")).to_have_attribute("data-state", "live")
        preset.click()
        expect(page.locator("#accepted .said").first).to_have_text("proud and slow, nods twice")
        page.get_by_role("button", name="Forget the preset “proud and slow, nods twice”").click()
        expect(preset).to_have_count(0)
        page.get_by_role("button", name="End", exact=True).click()


def test_another_avatar_is_put_on_air_by_a_tap(browser: Browser, url: str) -> None:
    with on_air(browser, url) as page:
        other = page.get_by_role("radio", name="Other")
        other.click()
        expect(other).to_be_checked(timeout=20_000)
        expect(page.locator("#slate")).to_have_text("Other")
        expect(page.locator("body")).to_have_attribute("data-state", "live")


def test_what_hands_would_do_is_not_offered_and_answered_honestly(browser: Browser, url: str) -> None:
    with on_air(browser, url) as page:
        expect(page.get_by_role("button", name="Wave", exact=True)).to_have_count(0)
        say(page, "smile and wave")
        expect(page.locator("#accepted li").first).to_contain_text("Not drawn, no hands in view: wave")


def test_rest_mute_and_interrupt_work_by_keyboard_and_are_seen_by_other_controllers(browser: Browser, url: str) -> None:
    with on_air(browser, url) as page:
        page.locator("body").press("i")
        expect(page.locator("#idle")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#transport-word")).to_contain_text("off the air")
        page.locator("body").press("i")
        expect(page.locator("#idle")).to_have_attribute("aria-pressed", "false")
        say(page, "after 20 seconds very sad")
        page.locator("#prompt").press("Escape")
        page.locator("body").press("x")
        expect(beat(page, "Very sad")).to_have_count(0)
        page.locator("body").press("z")
        expect(beat(page, "Very sad")).to_have_count(1)


@pytest.mark.parametrize("width", [360, 1024])
def test_on_air_nothing_is_wider_than_the_page(browser: Browser, url: str, width: int) -> None:
    with on_air(browser, url, width, 760) as page:
        say(page, "very happy, nods, then slow zoom in")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.locator(".beat").first.press("Enter")
        box = page.get_by_role("dialog").bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
        page.keyboard.press("Escape")


def test_what_is_left_out_while_the_server_is_busy_is_said_and_what_helps(browser: Browser, url: str) -> None:
    with on_air(browser, url) as page:
        page.get_by_role("radio", name=re.compile("slow", re.IGNORECASE)).click()
        health = page.locator("#health")
        expect(health).to_contain_text("rate ·")
        expect(health).to_have_attribute("title", re.compile("busy: every (second|third) picture is drawn.*smaller picture"))
