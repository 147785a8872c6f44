"""A rater compares two folders of videos in real Chromium, by keyboard and knowing nothing of whose they are."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from clients.gsb.study import Study
from tests.fakes.films import colours, write_film

PAIRS = 3
DARK, BRIGHT = 40, 200
SHADE = """(side) => {
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  pen.drawImage(document.getElementById(side), 0, 0, 1, 1);
  return pen.getImageData(0, 0, 1, 1).data[0];
}"""


@pytest.fixture
def link(tmp_path: Path) -> Iterator[str]:
    """`rostrum gsb serve` of bright films against dark ones."""
    for folder, shade in (("bright", BRIGHT), ("dark", DARK)):
        (tmp_path / folder).mkdir()
        for i in range(PAIRS):
            write_film(tmp_path / folder / f"film-{i}.mp4", colours(25, shade))
    words = [
        "gsb",
        "serve",
        str(tmp_path / "bright"),
        str(tmp_path / "dark"),
        "--db",
        str(tmp_path / "gsb.sqlite"),
        "--port",
        "0",
    ]
    with subprocess.Popen([sys.executable, "-m", "clients.cli.main", *words], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        yield next(line for line in server.stdout if "link" in line).split("link: ")[1].strip()
        server.terminate()


def answer_for_the_bright_one(page: Page) -> None:
    page.wait_for_function("['left', 'right'].every((id) => document.getElementById(id).readyState >= 2)")
    key = "g" if page.evaluate(SHADE, "left") > page.evaluate(SHADE, "right") else "b"
    for _ in range(5):
        page.keyboard.press(key)
    page.keyboard.press("Enter")


def test_a_rater_who_likes_bright_films_finds_them_on_either_side(browser: Browser, link: str, tmp_path: Path) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(link)
        page.fill("#name", "Rita")
        page.keyboard.press("Enter")
        expect(page.locator("#progress")).to_have_text(f"1 of {PAIRS}")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.keyboard.press(" ")
        page.wait_for_function("['left', 'right'].every((id) => document.getElementById(id).currentTime > 0.2)")
        expect(page.locator("#next")).to_be_disabled()
        answer_for_the_bright_one(page)
        expect(page.locator("#progress")).to_have_text(f"2 of {PAIRS}")
        page.goto("about:blank")
        page.goto(link)  # interrupted: it goes on with the second pair
        page.fill("#name", "Rita")
        page.keyboard.press("Enter")
        for i in range(1, PAIRS):
            expect(page.locator("#progress")).to_have_text(f"{i + 1} of {PAIRS}")
            answer_for_the_bright_one(page)
        expect(page.locator("#done-words")).to_contain_text(f"{PAIRS} pairs are kept")
        assert wrong == []
    votes = Study(tmp_path / "gsb.sqlite").votes()
    assert len(votes) == PAIRS * 5 and {answer for _, _, _, answer, *_ in votes} == {"G"}
