"""Log lines say which broadcast they are about."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest

from streamer import logs


@contextmanager
def logging_as(form: Literal["text", "json"]) -> Iterator[None]:
    logger, handler = logging.getLogger("streamer.test"), logs.stream_handler(form)
    logger.setLevel("INFO")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)


async def broadcast(name: str) -> None:
    logs.about(name)

    async def later() -> None:
        logging.getLogger("streamer.test").info("of %s", name)

    await asyncio.create_task(later())


async def test_each_line_is_an_object_that_names_its_broadcast(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as("json"):
        await asyncio.gather(broadcast("anna"), broadcast("leo"))
        try:
            raise ValueError("on purpose")
        except ValueError:
            logging.getLogger("streamer.test").exception("bad:\n%s", "“quoted”")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["message"], line.get("broadcast")) for line in lines] == [
        ("of anna", "anna"),
        ("of leo", "leo"),
        ("bad:\n“quoted”", None),
    ]
    assert lines[0]["level"] == "info" and lines[0]["logger"] == "streamer.test" and lines[0]["at"].endswith("+00:00")
    assert "ValueError: on purpose" in lines[2]["error"]


async def test_as_text_the_broadcast_stands_before_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as("text"):
        await asyncio.create_task(broadcast("anna"))
        logging.getLogger("streamer.test").info("of none")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("[anna] of anna") and second.endswith("streamer.test: of none")
