"""A local model in its own process, from the server's side."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from engines.mllm.chat import CannotPerceive, ChatError, ChatMessage, ChatRequest, Picture
from streamer.directors.transformers import TransformersModel
from tests.fakes.tiny_qwen import write_omni

SCHEMA = {
    "type": "object",
    "properties": {"mood": {"enum": ["joy", "anger"]}},
    "required": ["mood"],
    "additionalProperties": False,
}
FAKE = "tests.fakes.chat_process:FakeChat"


def _question(*parts: str | Picture) -> ChatRequest:
    return ChatRequest((ChatMessage("user", parts),), "answer", SCHEMA, max_tokens=20)


@pytest_asyncio.fixture
async def model(tmp_path: Path) -> AsyncIterator[TransformersModel]:
    made = TransformersModel(tmp_path / "plans", seeing_folder=tmp_path / "sees", chat_class=FAKE)
    yield made
    await made.close()


async def test_the_real_model_answers_from_its_own_process(tmp_path: Path) -> None:
    write_omni(tmp_path)
    model = TransformersModel(tmp_path, device="cpu")
    model.start()
    assert "is being loaded" in model.notes()[0]
    assert json.loads(await model.ask(_question("Hello?")))["mood"] in ("joy", "anger")
    assert model.notes() == ()
    await model.close()


async def test_pictures_go_to_the_checkpoint_that_sees(model: TransformersModel) -> None:
    assert await model.ask(_question("Hello")) == "plans: Hello"
    assert await model.ask(_question("Look", Picture(b""))) == "sees: Look"


async def test_a_question_taken_back_leaves_the_model_free_for_the_next(model: TransformersModel) -> None:
    waiting = asyncio.create_task(model.ask(_question("wait")))
    assert await model.ask(_question("Look", Picture(b""))) == "sees: Look"
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await model.ask(_question("Hello")) == "plans: Hello"


@pytest.mark.parametrize(
    ("word", "kind", "says"), [("raise", ChatError, "a fault on purpose"), ("deaf", CannotPerceive, "no ears")]
)
async def test_what_goes_wrong_in_there_comes_out_as_it_was(
    model: TransformersModel, word: str, kind: type[ChatError], says: str
) -> None:
    with pytest.raises(kind, match=says) as error:
        await model.ask(_question(word))
    assert error.value.is_lasting == (word == "deaf")
    assert await model.ask(_question("Hello")) == "plans: Hello"


async def test_a_process_that_dies_is_told_and_started_again(model: TransformersModel) -> None:
    with pytest.raises(ChatError, match="ended with status -9"):
        await model.ask(_question("die"))
    assert await model.ask(_question("Hello")) == "plans: Hello"


async def test_a_checkpoint_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    model = TransformersModel(tmp_path / "broken", chat_class=FAKE)
    with pytest.raises(ChatError, match="broken is not a checkpoint") as error:
        await model.ask(_question("Hello"))
    assert error.value.is_lasting
    await model.close()
