"""What OBS's browser source shows of a broadcast: the picture alone, or the person alone."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect

ASK = """
async ([method, path, body]) => {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  return answer.status === 204 ? null : answer.json();
}
"""


@contextlib.contextmanager
def source(browser: Browser, url: str, state: str) -> Iterator[Page]:
    """A page of 256 x 256 in this state, with nothing but the picture on it."""
    with browser.new_context(viewport={"width": 256, "height": 256}) as context:
        page = context.new_page()
        page.goto(url)
        expect(page.locator("body")).to_have_attribute("data-state", state)
        for part in (".strip", "#hear", "#curtain"):
            expect(page.locator(part)).to_be_hidden()
        yield page


def seen(page: Page) -> NDArray[np.uint8]:
    """RGBA [256, 256, 4] of the page over nothing, as OBS takes it."""
    return np.asarray(Image.open(io.BytesIO(page.screenshot(omit_background=True))).convert("RGBA"))


def test_the_green_is_taken_out_and_the_person_stays_whole(browser: Browser, server_url: str) -> None:
    wish: dict[str, Any] = {"size": "256x256", "background": "green", "microphone": False}
    with browser.new_context() as context:
        host = context.new_page()
        host.goto(server_url)
        made = host.evaluate(ASK, ["POST", "/api/broadcasts", wish])
        link = made["watch_url"] + ("&" if "?" in made["watch_url"] else "?") + "overlay"
        with source(browser, link, "playing") as page:
            assert not page.evaluate("document.getElementById('onair').muted")
            plain = seen(page)
        with source(browser, f"{link}=clear", "playing") as page:
            page.wait_for_timeout(500)
            keyed = seen(page)
            host.evaluate(ASK, ["DELETE", f"/api/broadcasts/{made['id']}", None])
            expect(page.locator("body")).to_have_attribute("data-state", "off-air")
            assert not seen(page)[..., 3].any()
    is_green = np.abs(plain[..., :3].astype(int) - (0, 177, 64)).max(axis=-1) < 16
    assert 0.1 < is_green.mean() < 0.9 and (plain[..., 3] == 255).all()
    assert (keyed[..., 3][is_green] < 8).mean() > 0.95
    face = keyed[104:136, 112:144]
    assert (face[..., 3] > 250).all()
    assert np.abs(face[..., :3].mean((0, 1)) - plain[104:136, 112:144, :3].mean((0, 1))).max() < 6  # the head has moved a bit
    rim = (keyed[..., 3] > 8) & (keyed[..., 3] < 250)
    colour = keyed[rim][:, :3].astype(int)
    assert (colour[:, 1] - colour[:, [0, 2]].max(axis=1)).max() < 40  # no green rim
