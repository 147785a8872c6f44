"""Real Chromium on a network that fails: the page says so, and is on air again by itself, on the same broadcast."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from clients.bench.impaired import PERFECT, ImpairedNetwork, Impairment
from tests.e2e.test_studio import studio
from tests.fakes.avatars import fake_library
from tests.fakes.running_server import RunningServer


class Relay:
    """An impaired network in a thread of its own, put between a page and the server's media."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.network = ImpairedNetwork()

    def stand_between(self, page: Page, way: str) -> None:
        """`way`: whip or whep."""
        page.route(f"**/{way}/*", self._post)
        page.route(f"**/{way}/*?*", self._post)

    def cut(self, on: bool) -> None:
        self.network.impairment = Impairment(cut=True) if on else PERFECT

    def _post(self, route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        answer = route.fetch(post_data=self.network.offer(route.request.post_data or ""))
        if answer.status != 201:
            return route.fulfill(response=answer)
        sdp = asyncio.run_coroutine_threadsafe(self.network.answer(answer.text()), self._loop).result(10)
        route.fulfill(response=answer, body=sdp)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.network.__aexit__(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that asks for tokens, with a stand-in worker: what is drawn does not matter here."""
    with RunningServer(fake_library(tmp_path_factory.mktemp("avatars"), "anna"), key="the-key-of-this-test") as server:
        yield server.url


@pytest.fixture
def relay() -> Iterator[Relay]:
    relay = Relay()
    yield relay
    relay.close()


def test_a_host_that_was_cut_off_comes_back_on_the_same_broadcast(browser: Browser, server_url: str, relay: Relay) -> None:
    with browser.new_context() as context, browser.new_context() as elsewhere:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        console: list[str] = []
        page = studio(context, server_url, console)
        relay.stand_between(page, "whip")
        page.get_by_role("button", name="Go live").click()
        expect(page.locator("body")).to_have_attribute("data-state", "live")
        page.get_by_role("button", name="Viewer link").click()
        viewer = elsewhere.new_page()
        viewer.goto(page.evaluate("navigator.clipboard.readText()"))
        expect(viewer.locator("body")).to_have_attribute("data-state", "playing")
        assert console == []  # nor does the content policy stand in the way of anything

        relay.cut(True)
        expect(page.locator("#transport-word")).to_have_text("The server does not hear you…")
        expect(page.locator("#tally-word")).to_have_text("Reconnecting")
        expect(page.locator("#transport-word")).to_contain_text("Trying again")
        expect(viewer.locator("body")).to_have_attribute("data-state", "playing")  # the avatar idles
        relay.cut(False)
        expect(page.locator("#tally-word")).to_have_text("On air")
        expect(viewer.locator("body")).to_have_attribute("data-state", "playing")
        page.get_by_role("button", name="End", exact=True).click()
        expect(viewer.locator("#tally-word")).to_have_text("Off air")


def test_a_viewer_that_was_cut_off_says_so_and_plays_again(browser: Browser, server_url: str, relay: Relay) -> None:
    with browser.new_context() as context, browser.new_context() as elsewhere:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = studio(context, server_url, [])
        page.get_by_role("button", name="Go live").click()
        expect(page.locator("body")).to_have_attribute("data-state", "live")
        page.get_by_role("button", name="Viewer link").click()
        viewer = elsewhere.new_page()
        relay.stand_between(viewer, "whep")
        viewer.goto(page.evaluate("navigator.clipboard.readText()"))
        expect(viewer.locator("body")).to_have_attribute("data-state", "playing")
        relay.cut(True)
        expect(viewer.locator("#tally-word")).to_have_text("Reconnecting")
        expect(viewer.locator("#curtain-text")).to_contain_text("again")
        relay.cut(False)
        expect(viewer.locator("body")).to_have_attribute("data-state", "playing")
        page.get_by_role("button", name="End", exact=True).click()


def test_a_link_without_its_token_says_what_is_missing(browser: Browser, server_url: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{server_url}/watch/nobody")
        expect(page.locator("#curtain-title")).to_have_text("This link is not whole")
        expect(page.locator("#tally-word")).to_have_text("Locked")
