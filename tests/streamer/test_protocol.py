"""Control messages: what is taken, and what is said of what is not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.prompts import ACTIONS, CAMERA_MOVES, EMOTIONS
from streamer import protocol
from streamer.protocol import MAX_MESSAGE_BYTES, BadMessage, parse


@pytest.mark.parametrize(
    "message",
    [
        {"type": "prompt", "text": "very happy", "id": "7"},
        *({"type": "emotion", "emotion": word, "intensity": 0.4} for word in EMOTIONS),
        *({"type": "action", "action": word} for word in ACTIONS),
        *({"type": "camera", "move": word} for word in CAMERA_MOVES),
        {"type": "end"},
        {"type": "ping", "id": "x"},
    ],
)
def test_every_word_of_the_vocabulary_is_taken(message: dict[str, object]) -> None:
    assert parse(json.dumps(message)).type == message["type"]


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        ("{", "bad_json", None),
        ("", "bad_json", None),
        (b"\xff\xfe", "bad_json", None),
        ("[1]", "invalid", None),
        ('{"type": "launch"}', "unknown_type", "type"),
        ("{}", "unknown_type", "type"),
        ('{"type": "emotion", "emotion": "hunger"}', "invalid", "emotion.emotion"),
        ('{"type": "emotion", "emotion": "joy", "intensity": 7}', "invalid", "emotion.intensity"),
        ('{"type": "prompt", "text": ""}', "invalid", "prompt.text"),
        ('{"type": "ping", "colour": 1}', "invalid", "ping.colour"),
        ('{"type": "prompt", "text": "' + "a" * MAX_MESSAGE_BYTES + '"}', "too_large", None),
        ("[" * 10_000, "bad_json", None),
    ],
)
def test_a_bad_message_is_answered_with_what_is_wrong_and_where(text: str | bytes, code: str, path: str | None) -> None:
    with pytest.raises(BadMessage) as caught:
        parse(text)
    assert (caught.value.answer.code, caught.value.answer.path) == (code, path)
    assert caught.value.answer.message


def test_an_error_carries_the_id_of_the_message_it_is_about() -> None:
    with pytest.raises(BadMessage) as caught:
        parse('{"type": "emotion", "emotion": "hunger", "id": "42"}')
    assert caught.value.answer.id == "42"


@given(
    st.one_of(
        st.text(), st.binary(), st.recursive(st.none() | st.floats(allow_subnormal=False) | st.text(), st.lists).map(json.dumps)
    )
)
def test_no_message_does_more_harm_than_an_error(text: str | bytes) -> None:
    with pytest.raises(BadMessage):
        parse(text)


def test_the_schema_names_every_message_of_both_directions() -> None:
    schema = protocol.schema()
    assert set(schema["client"]["discriminator"]["mapping"]) == {"prompt", "emotion", "action", "camera", "end", "ping"}
    assert {"hello", "accepted", "horizon", "metrics", "state", "error"} <= set(schema["server"]["discriminator"]["mapping"])
