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
        {"type": "prompt", "text": "very happy", "at_pts": 48_000, "cue": "goodbye"},
        {"type": "edit", "start_pts": 0, "action": None},
        {"type": "delete", "start_pts": 480},
        {"type": "avatar", "avatar": "anna"},
        {"type": "mute"},
        {"type": "idle", "on": False},
        {"type": "interrupt"},
        {"type": "undo"},
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
        ('{"type": "prompt", "text": "joy", "at_pts": -1}', "invalid", "prompt.at_pts"),
        ('{"type": "edit", "start_pts": 0}', "invalid", "edit"),
        ('{"type": "edit", "start_pts": 0, "camera": "orbit"}', "invalid", "edit.camera"),
        ('{"type": "mute", "on": "perhaps"}', "invalid", "mute.on"),
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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_subnormal=False) | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
)
FIELDS = st.sampled_from(
    ["id", "text", "cue", "at_pts", "emotion", "intensity", "action", "move", "speed", "start_pts", "avatar", "on", "x"]
)


@given(st.text() | st.binary() | JSON.map(json.dumps))
def test_no_message_does_more_harm_than_an_error(text: str | bytes) -> None:
    with pytest.raises(BadMessage):
        parse(text)


@given(st.sampled_from([*protocol.schema()["client"]["discriminator"]["mapping"]]), st.dictionaries(FIELDS, JSON))
def test_a_message_of_a_known_type_is_taken_or_answered_with_the_field_that_is_wrong(
    type: str, fields: dict[str, object]
) -> None:
    try:
        assert parse(json.dumps({**fields, "type": type})).type == type
    except BadMessage as error:
        assert (error.answer.path or "").split(".")[0] in (type, "") or error.answer.code == "bad_json"
        assert error.answer.message


def test_the_schema_names_every_message_of_both_directions() -> None:
    schema = protocol.schema()
    client, server = (set(schema[side]["discriminator"]["mapping"]) for side in ("client", "server"))
    assert client == {
        "prompt", "emotion", "action", "camera", "edit", "delete", "undo", "avatar", "mute", "idle", "say", "interrupt", "end",
        "ping", "start_output", "stop_output",
    }  # fmt: skip
    assert {
        "hello", "status", "accepted", "storyline", "horizon", "keyframe", "aired", "metrics", "state", "error",
    } <= server  # fmt: skip
