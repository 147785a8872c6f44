"""What every test gets: a home of its own, so that nobody's avatars are seen or changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """$ROSTRUM_HOME of the test run, subprocesses included."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROSTRUM_HOME", str(home))
        yield home


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright leaves an event loop running in this thread, in which no asynchronous test could run."""
    items.sort(key=lambda item: "e2e" in item.path.parts)
