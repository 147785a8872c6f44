"""The page's files agree with the server's words and with each other."""

import re
from pathlib import Path

import pytest

from engines.codecs.portrait.points import REQUIRED
from engines.prompts import ACTIONS, CAMERA_MOVES, EMOTIONS, PIXEL_ACTIONS

WEB = Path(__file__).parents[2] / "clients" / "web"
FILES = [path for path in WEB.rglob("*") if path.suffix in {".html", ".css", ".js", ".svg"}]


def script(name: str) -> str:
    return (WEB / "js" / name).read_text(encoding="utf-8")


def list_of(source: str, name: str) -> str:
    found = re.search(rf"export const {name} = \[(.*?)\n\]", source, re.DOTALL)
    assert found, name
    return found[1]


def test_the_buttons_say_every_word_of_the_vocabulary_and_no_other() -> None:
    source = script("vocabulary.js")
    emotions = re.findall(r'word: "(\w+)"', list_of(source, "EMOTIONS"))
    assert tuple(emotions) == EMOTIONS
    assert set(re.findall(r'\["(\w+)",', list_of(source, "ACTIONS"))) == set(ACTIONS)
    assert set(re.findall(r'\["(\w+)",', list_of(source, "PIXEL_ACTIONS"))) == set(PIXEL_ACTIONS)
    assert set(re.findall(r'\["(\w+)",', list_of(source, "CAMERA_MOVES"))) == set(CAMERA_MOVES)


def test_every_camera_move_has_an_icon() -> None:
    icons = set(re.findall(r'<symbol id="([\w-]+)"', (WEB / "icons.svg").read_text(encoding="utf-8")))
    assert set(CAMERA_MOVES) <= icons
    used = {
        name
        for path in FILES
        for name in re.findall(r"(?:icons\.svg#|data-icon=\")([\w-]+)\"", path.read_text(encoding="utf-8"))
    }
    assert used <= icons


def test_the_points_asked_for_are_those_the_rig_needs() -> None:
    assert set(re.findall(r'\["(\w+)", "', list_of(script("points.js"), "POINTS"))) == set(REQUIRED)


def test_the_page_loads_nothing_from_elsewhere() -> None:
    for path in FILES:
        outside = re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s\"'`)]*", path.read_text(encoding="utf-8"))
        assert [url for url in outside if "www.w3.org" not in url] == [], path.name


def test_every_file_the_page_names_is_there() -> None:
    for path in FILES:
        for name in re.findall(r"[\"'`]/web/([\w./-]+)", path.read_text(encoding="utf-8")):
            assert (WEB / name).is_file(), f"{path.name} names /web/{name}"
        for name in re.findall(r'from "\./([\w./-]+)"', path.read_text(encoding="utf-8")):
            assert (path.parent / name).is_file(), f"{path.name} imports {name}"


@pytest.mark.parametrize("page", ["index.html", "watch.html"])
def test_every_element_a_script_asks_for_is_on_its_page(page: str) -> None:
    html = (WEB / page).read_text(encoding="utf-8")
    ids = re.findall(r'\bid="([\w-]+)"', html)
    assert len(ids) == len(set(ids))
    entry = re.search(r'src="/web/js/([\w-]+\.js)"', html)
    assert entry
    for name in modules_of(entry[1]):
        asked = set(re.findall(r'byId\("([\w-]+)"\)', script(name)))
        assert asked <= set(ids), f"{name} asks for {asked - set(ids)}"


def modules_of(entry: str) -> set[str]:
    found, waiting = set(), [entry]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += re.findall(r'from "\./([\w-]+\.js)"', script(name))
    return found - {"notices.js", "problems.js"} if entry == "watch.js" else found


def test_no_control_is_without_a_name() -> None:
    for page in ("index.html", "watch.html"):
        html = (WEB / page).read_text(encoding="utf-8")
        for button in re.findall(r"<button\b[^>]*>.*?</button>", html, re.DOTALL):
            text = re.sub(r"<[^>]+>", "", button).strip()
            assert text or "aria-label=" in button.split(">")[0], button
