"""The studio and the viewer page in real Chromium, a recorded voice as the microphone, judged by the pixels they show."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect

from engines.prompts import degree_word
from tests.e2e.conftest import ARGUMENTS
from tests.e2e.on_air import Take, record, record_moving, speaking

LONGEST_PAUSE_S = 2.8  # of the recorded voice
#: Until two pictures of the broadcast differ.
MOVES = """
() => new Promise((done) => {
  const video = document.getElementById("onair");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 64;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  let before = null;
  const look = () => {
    pen.drawImage(video, 0, 0, 64, 64);
    const now = pen.getImageData(0, 0, 64, 64).data;
    if (before && now.some((value, i) => Math.abs(value - before[i]) > 12)) done();
    else video.requestVideoFrameCallback(look);
    before = now;
  };
  video.requestVideoFrameCallback(look);
})
"""


@dataclass
class Show:
    """One broadcast from Go live to End, as it looked."""

    calm: Take
    joyful: Take
    accepted: str
    viewer: Take
    delay: str
    viewers: str
    link: str
    viewer_after_end: str = ""
    console: list[str] = field(default_factory=list)


def studio(context: BrowserContext, url: str, console: list[str]) -> Page:
    page = context.new_page()

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            console.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    page.on("console", note)
    page.on("pageerror", lambda error: console.append(f"exception: {error}"))
    page.goto(url)
    page.locator(".avatar[data-name]").first.wait_for()
    return page


@pytest.fixture(scope="module")
def show(browser: Browser, server_url: str) -> Iterator[Show]:
    console: list[str] = []
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context, browser.new_context() as elsewhere:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = studio(context, server_url, console)
        page.get_by_role("button", name="Go live").click()
        page.evaluate(MOVES)
        expect(page.locator("body")).to_have_attribute("data-state", "live")
        page.get_by_role("button", name="Viewer link").click()
        link = page.evaluate("navigator.clipboard.readText()")
        page.wait_for_timeout(3000)  # to open a page takes the processor from all else
        calm = record_moving(page, 11)  # all of the voice

        page.get_by_label("Strength of emotion").fill("0.95")
        page.get_by_role("button", name="Joy", exact=True).click()
        row = page.locator("#accepted li").first
        expect(row).to_have_attribute("data-word", re.compile("accepted|aired"))
        accepted = row.inner_text()
        expect(row).to_have_attribute("data-word", "aired")
        page.wait_for_timeout(1500)  # a face takes as long to change
        joyful = record_moving(page, 3)
        delay = page.locator("#delay-value").inner_text()

        viewer_page = elsewhere.new_page()
        viewer_page.on("pageerror", lambda error: console.append(f"viewer exception: {error}"))
        viewer_page.goto(link)
        expect(viewer_page.locator("body")).to_have_attribute("data-state", "playing")
        viewer = record(viewer_page, LONGEST_PAUSE_S + 1)
        expect(page.locator("#viewers")).to_have_text("1")
        viewers = page.locator("#viewers").inner_text()

        seen = Show(calm, joyful, accepted, viewer, delay, viewers, link, console=console)
        page.get_by_role("button", name="End", exact=True).click()
        expect(page.get_by_role("button", name="Go live")).to_be_enabled()
        expect(page.locator("#tally-word")).to_have_text("Off air")
        expect(viewer_page.locator("#tally-word")).to_have_text("Off air")
        seen.viewer_after_end = viewer_page.locator("#curtain").inner_text()
        yield seen


def test_every_picture_lies_on_the_broadcasts_own_clock(show: Show) -> None:
    """However many a busy browser drops, each is a whole number of frames after the one before: 1/25 s of RTP's 90 kHz."""
    apart = np.diff(show.calm.ticks) % 2**32
    assert len(apart) > 0 and (apart % 3600 == 0).all()


def test_the_mouth_follows_the_voice(show: Show) -> None:
    """In speech the lips open and close, with the sound; in the silence between, they hardly stir."""
    lips = speaking(show.calm.moving())
    assert lips.likeness > 0.4  # less than is seen by eye: a browser on the same cores drops half the pictures
    assert abs(lips.lag_s) <= 0.3
    assert np.percentile(lips.speech, 75) > 1.5 * np.percentile(lips.silence, 75)


def test_a_tap_on_joy_is_acknowledged_and_changes_the_face(show: Show) -> None:
    assert "on air" in show.accepted
    calm, joyful = show.calm.moving().face(), show.joyful.moving().face()
    spread = np.hypot(calm.smile.std(), joyful.smile.std())
    assert np.median(joyful.smile) - np.median(calm.smile) > max(0.02, 0.5 * spread)


def test_viewers_see_the_broadcast_and_are_counted(show: Show) -> None:
    assert "/watch/" in show.link
    assert show.viewers == "1"
    pictures = show.viewer.pictures.astype(int)
    change = np.abs(pictures - pictures[:1]).mean(axis=(1, 2, 3))
    assert change.max() > 0.5  # a still, encoded over and over, comes to 0.02


def test_the_host_sees_the_measured_delay(show: Show) -> None:
    delay = re.fullmatch(r"(\d+\.\d\d) s", show.delay)
    assert delay
    assert 0 < float(delay[1]) < 10


def test_end_ends_it_for_viewers_too(show: Show) -> None:
    assert "Off air" in show.viewer_after_end


def test_nothing_goes_wrong_on_the_way(show: Show) -> None:
    """The viewer's tries after the end are answered 404, which the browser writes on the viewer's console, not the host's."""
    assert show.console == []


def test_at_phone_width_everything_is_in_reach(browser: Browser, server_url: str) -> None:
    console: list[str] = []
    with browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True) as context:
        page = studio(context, server_url, console)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.get_by_role("button", name="Go live").tap()
        expect(page.locator("body")).to_have_attribute("data-state", "live")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        for name in ("End", "Mute microphone", "Nod", "Zoom in"):
            box = page.get_by_role("button", name=name, exact=True).bounding_box()
            assert box is not None and box["height"] >= 40
        page.get_by_role("button", name="Nod", exact=True).tap()
        expect(page.locator("#accepted li").first).to_have_attribute("data-word", re.compile("accepted|aired"))
        page.get_by_role("button", name="End", exact=True).tap()
        expect(page.locator("#tally-word")).to_have_text("Off air")
    assert console == []


def test_the_whole_of_it_works_by_keyboard(browser: Browser, server_url: str) -> None:
    with browser.new_context() as context:
        page = studio(context, server_url, [])
        page.keyboard.press("/")
        page.keyboard.type("very sad")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Go live").focus()
        page.keyboard.press("Enter")
        expect(page.locator("body")).to_have_attribute("data-state", "live")
        said = page.locator("#accepted .said")
        expect(said.first).to_have_text("very sad")
        page.keyboard.press("2")
        expect(said.first).to_contain_text("Joy")
        page.keyboard.press("m")
        expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")
        page.locator("#end").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#tally-word")).to_have_text("Off air")


@pytest.mark.parametrize(
    ("name", "content"), [("letter.png", b"Dear Sir or Madam"), ("empty.jpg", b"")], ids=["no picture", "no bytes"]
)
def test_a_file_that_is_no_picture_says_what_to_take(
    browser: Browser, server_url: str, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with browser.new_context() as context:
        page = studio(context, server_url, [])
        page.set_input_files("#picture", tmp_path / name)
        expect(page.locator("#new-avatar-error")).to_contain_text("JPEG, PNG or WebP")
        expect(page.get_by_role("button", name="Make avatar")).to_be_disabled()


#: Where the points of clients/web/js/points.js lie on the robot, in that order, in pixels of its 512.
ROBOT_POINTS = [
    (160, 215), (220, 215), (292, 215), (352, 215), (256, 280), (195, 335), (317, 335), (256, 325), (256, 345), (256, 418),
    (122, 225), (390, 225),
]  # fmt: skip


def draw_a_robot(path: Path) -> Path:
    """A square face that no detector knows."""
    picture = np.full((512, 512, 3), 235, np.uint8)
    cv2.rectangle(picture, (120, 120), (392, 420), (160, 160, 150), -1)
    for left, top, right, bottom in ((160, 205, 220, 225), (292, 205, 352, 225), (195, 325, 317, 345)):
        cv2.rectangle(picture, (left, top), (right, bottom), (60, 60, 60), -1)
    cv2.imwrite(str(path), picture)
    return path


def test_a_drawing_without_a_detected_face_becomes_an_avatar_by_points(
    browser: Browser, server_url: str, tmp_path: Path
) -> None:
    with browser.new_context() as context:
        page = studio(context, server_url, [])
        page.set_input_files("#picture", draw_a_robot(tmp_path / "Square Head.png"))
        expect(page.get_by_label("Name")).to_have_value("square-head")
        page.get_by_role("button", name="Make avatar").click()
        expect(page.locator("#new-avatar-error")).to_contain_text("face")
        page.get_by_role("button", name="Place points by hand").click()
        overlay = page.locator("#points-overlay")
        box = overlay.bounding_box()
        assert box is not None
        for x, y in ROBOT_POINTS:
            overlay.click(position={"x": x / 512 * box["width"], "y": y / 512 * box["height"]})
        expect(page.locator("#points-now")).to_contain_text("All points placed")
        page.get_by_role("button", name="Make avatar").click()
        made = page.get_by_role("radio", name="Square head")
        expect(made).to_be_checked(timeout=60_000)


def test_a_blocked_microphone_is_named_with_the_way_out(playwright: Playwright, chromium_path: str, server_url: str) -> None:
    browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
    try:
        page = studio(browser.new_context(permissions=[]), server_url, [])
        page.get_by_role("button", name="Go live").click()
        notice = page.get_by_role("alert")
        expect(notice).to_contain_text("microphone is blocked")
        expect(notice.get_by_role("button", name="Try again")).to_be_visible()
        expect(page.locator("body")).to_have_attribute("data-state", "idle")
    finally:
        browser.close()


def test_a_server_that_is_gone_is_named(browser: Browser, server_url: str) -> None:
    with browser.new_context() as context:
        page = studio(context, server_url, [])
        context.set_offline(True)
        page.get_by_role("button", name="Go live").click()
        expect(page.get_by_role("alert")).to_contain_text("server does not answer")
        context.set_offline(False)
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("body")).to_have_attribute("data-state", "live")
        page.get_by_role("button", name="End", exact=True).click()


def test_the_page_says_the_same_degree_as_the_director(browser: Browser, server_url: str) -> None:
    amounts = [i / 20 for i in range(21)]
    with browser.new_context() as context:
        page = studio(context, server_url, [])
        said = page.evaluate("async (all) => all.map((await import('/web/js/vocabulary.js')).degreeWord)", amounts)
    assert said == [degree_word(amount) for amount in amounts]
