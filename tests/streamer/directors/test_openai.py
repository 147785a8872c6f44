"""The OpenAI-compatible client against a server that speaks the protocol for real, well and badly."""

import io
import logging

import numpy as np
import pytest
from PIL import Image

from engines.mllm.chat import CannotPerceive, ChatError, ChatMessage, ChatRequest, Picture, Sound
from streamer.directors.openai import OpenAIModel, strict
from tests.fakes import mllm_server as fake
from tests.fakes.mllm_server import KEY, MllmServer

SCHEMA = {
    "type": "object",
    "title": "Answer",
    "properties": {
        "title": {"type": "string", "maxLength": 9, "default": "", "title": "Title"},
        "sub": {"$ref": "#/$defs/Sub"},
    },
    "required": ["sub"],
    "$defs": {"Sub": {"type": "object", "properties": {"default": {"type": "integer", "default": 3}}}},
}


def _question(*parts: str | Sound | Picture) -> ChatRequest:
    messages = (ChatMessage("system", ("Be brief.",)), ChatMessage("user", parts or ("Hello?",)))
    return ChatRequest(messages, "answer", SCHEMA, max_tokens=50)


def _tone() -> Sound:
    return Sound((8000 * np.sin(np.arange(16_000) / 20)).astype(np.int16))


def _picture() -> Picture:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 30, 30)).save(out, "JPEG")
    return Picture(out.getvalue())


async def _ask(server: MllmServer, request: ChatRequest | None = None, key: str = "") -> str:
    model = OpenAIModel(server.url, "m", key=key)
    try:
        return await model.ask(request or _question())
    finally:
        await model.close()


async def test_a_streamed_answer_is_put_together() -> None:
    with MllmServer(fake.answer("{“ein”: “Würfel”, 骰子}", pieces=9)) as server:
        assert await _ask(server) == "{“ein”: “Würfel”, 骰子}"
    body = server.requests[0].body
    assert (body["model"], body["stream"], body["max_tokens"]) == ("m", True, 50)
    assert server.requests[0].format == "json_schema"


async def test_a_server_that_does_not_stream_is_understood_too() -> None:
    with MllmServer(fake.unstreamed("{}")) as server:
        assert await _ask(server) == "{}"


async def test_sound_and_pictures_arrive_as_they_were() -> None:
    tone = _tone()
    with MllmServer(fake.answer("{}")) as server:
        await _ask(server, _question(tone, _picture(), "What is this?"))
    asked = server.requests[0]
    np.testing.assert_array_equal(asked.sounds[0], tone.samples)
    assert asked.pictures[0].shape == (30, 40, 3)
    assert asked.pictures[0][15, 20, 2] > 180 > asked.pictures[0][15, 20, 0]
    assert "What is this?" in asked.text


async def test_sound_and_pictures_go_to_the_models_that_take_them() -> None:
    with MllmServer(fake.answer("{}")) as server:
        model = OpenAIModel(server.url, "plans", hearing_model="hears", seeing_model="sees")
        for request in (_question(), _question(_tone()), _question(_picture())):
            await model.ask(request)
        await model.close()
    assert [asked.body["model"] for asked in server.requests] == ["plans", "hears", "sees"]


async def test_the_key_is_sent_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with MllmServer(fake.answer("{}"), key=KEY) as server:
        assert await _ask(server, key=KEY) == "{}"
        server.key = "another"
        with pytest.raises(ChatError, match="401") as refused:
            await _ask(server, key=KEY)
    assert refused.value.is_lasting
    assert "key-env" in str(refused.value)
    assert KEY not in str(refused.value)
    assert KEY not in caplog.text


def test_a_strict_schema_requires_all_and_keeps_properties_of_any_name() -> None:
    made = strict(SCHEMA)
    assert made["required"] == ["title", "sub"]
    assert made["additionalProperties"] is False
    assert made["properties"]["title"] == {"type": "string"}
    assert made["$defs"]["Sub"]["properties"] == {"default": {"type": "integer"}}


@pytest.mark.parametrize(("takes", "format"), [(("json_object", "text"), "json_object"), (("text",), "text")])
async def test_a_server_without_schemas_is_asked_for_plain_json_and_this_is_told(
    takes: tuple[str, ...], format: str, caplog: pytest.LogCaptureFixture
) -> None:
    with MllmServer(fake.no_schemas(fake.answer("{}"), takes=takes)) as server:
        model = OpenAIModel(server.url, "m")
        assert model.notes() == ()
        assert [await model.ask(_question()) for _ in range(2)] == ["{}", "{}"]
        await model.close()
    assert [asked.format for asked in server.requests[-2:]] == [format, format]  # the second time at once
    assert '"maxLength": 9' in server.requests[-1].text  # the schema is told in words instead
    assert "takes no JSON Schema" in model.notes()[0]
    assert "takes no JSON Schema" in caplog.text


async def test_a_request_that_is_refused_whatever_the_format_changes_nothing() -> None:
    with MllmServer(fake.failure(400, "context too long")) as server:
        model = OpenAIModel(server.url, "m")
        with pytest.raises(ChatError, match="context too long"):
            await model.ask(_question())
        server.script(fake.answer("{}"))
        await model.ask(_question())
        await model.close()
    assert server.requests[-1].format == "json_schema"
    assert model.notes() == ()


async def test_a_server_that_refuses_sound_says_so() -> None:
    with (
        MllmServer(fake.failure(400, "input_audio is not supported")) as server,
        pytest.raises(CannotPerceive, match=r"takes no sound.*input_audio is not supported"),
    ):
        await _ask(server, _question(_tone()))


@pytest.mark.parametrize(
    ("behaviour", "says", "is_lasting", "retry_after_s"),
    [
        (fake.failure(403), "refused the key", True, None),
        (fake.failure(404, "The model `m` does not exist"), "`m` does not exist", True, None),
        (fake.failure(429, "slow down", {"Retry-After": "7"}), "no room.*slow down", False, 7.0),
        (fake.failure(500, "CUDA out of memory"), "CUDA out of memory", False, None),
        (fake.failure(503, "loading", {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), "loading", False, None),
        (fake.raw(b"<html>Bad gateway</html>", "text/html", 502), "Bad gateway", False, None),
        (fake.raw(b"", "text/html", 302), "sends elsewhere", True, None),
        (fake.raw(b"<html>Welcome</html>", "text/html"), "does not speak chat completions", False, None),
        (fake.raw(b"[1, 2"), "not JSON", False, None),
        (fake.raw(b"[" * 100_000), "not JSON", False, None),
        (fake.raw(b'{"id": 1}'), "no choices", False, None),
        (fake.raw(b'{"choices": [3]}'), "no choices", False, None),
        (fake.raw(b'{"choices": [{"message": {"content": null}}]}'), "no message content", False, None),
        (fake.raw(b'{"choices": [{"message": "text"}]}'), "no message content", False, None),
        (fake.raw(b'{"choices": [{"message": {"content": "{"}, "finish_reason": "length"}]}'), "cut off", False, None),
        (fake.raw(b"data: {nonsense\n\n", "text/event-stream"), "not JSON", False, None),
        (fake.raw(b'data: {"error": {"message": "engine died"}}\n\n', "text/event-stream"), "engine died", False, None),
        (fake.raw(b'data: {"choices": [{"delta": 5}]}\n\n', "text/event-stream"), "empty", False, None),
        (fake.raw(b"data: " + b"x" * 200_000, "text/event-stream"), "connection .* broke", False, None),
        (fake.raw(b" " * 400_000), "more than", False, None),
        (fake.answer("  "), "empty", False, None),
        (fake.ramble(), "rambles", False, None),
        (fake.break_off('{"a":'), "connection .* broke", False, None),
    ],
)
async def test_every_way_of_failing_has_its_message(
    behaviour: fake.Behaviour, says: str, is_lasting: bool, retry_after_s: float | None
) -> None:
    with MllmServer(behaviour) as server, pytest.raises(ChatError, match=says) as error:
        await _ask(server)
    assert (error.value.is_lasting, error.value.retry_after_s) == (is_lasting, retry_after_s)


async def test_a_server_that_is_not_there_is_named() -> None:
    with MllmServer(fake.answer("{}")) as server:
        url = server.url
    model = OpenAIModel(url, "m")
    with pytest.raises(ChatError, match=r"nothing answers at 127\.0\.0\.1"):
        await model.ask(_question())
    await model.close()


async def test_a_password_in_the_address_is_not_shown() -> None:
    model = OpenAIModel("http://joe:secret@127.0.0.1:9/v1", "m")
    with pytest.raises(ChatError) as error:
        await model.ask(_question())
    await model.close()
    assert "secret" not in str(error.value)
