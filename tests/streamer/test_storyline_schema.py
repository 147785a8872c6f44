import json

import pytest
from pydantic import ValidationError

from streamer.briefing import Briefing
from streamer.director import EmbeddedDirector, opening
from streamer.plan import Pts, pts_from_s
from streamer.storyline_schema import StorylineJson, schema


def test_a_storyline_survives_the_way_to_json_and_back() -> None:
    prompt = "very happy, nods, then furious with a slow zoom in; when I say goodbye, wink"
    story = EmbeddedDirector().plan(Briefing(opening(), Pts(0), prompt)).storyline
    text = StorylineJson.of(story).model_dump_json()
    again = StorylineJson.model_validate_json(text).to_storyline()
    assert again.cues == story.cues
    assert [(b.start, b.emotion, b.action, b.camera, b.sources) for b in again.beats] == [
        (b.start, b.emotion, b.action, b.camera, b.sources) for b in story.beats
    ]
    assert json.loads(text)["schema_version"] == 1


def test_a_shows_json_ends_with_the_show() -> None:
    story = EmbeddedDirector().plan(Briefing(opening(), Pts(0), "calm, then angry", pts_from_s(10))).storyline
    rows = StorylineJson.of(story, pts_from_s(10)).beats
    assert [(row.start_s, row.end_s, row.emotion, row.source) for row in rows] == [
        (0, 5, "calm", "user"),
        (5, 10, "anger", "user"),
    ]


@pytest.mark.parametrize(
    ("beats", "reason"),
    [
        ([], "at least 1 item"),
        ([{"start_s": 0, "emotion": "bliss"}], "Input should be 'calm'"),
        ([{"start_s": 0, "action": "sing"}], "Input should be 'nod'"),
        ([{"start_s": 0, "intensity": 1.5}], "less than or equal to 1"),
        ([{"start_s": -1}], "greater than or equal to 0"),
        ([{"start_s": 2, "end_s": 1}], "end after it starts"),
        ([{"start_s": 1}, {"start_s": 0}], r"beats\[1\] must start after beats\[0\]"),
        ([{"start_s": 0, "end_s": 2}, {"start_s": 1}], r"beats\[0\] must end before beats\[1\] starts"),
        ([{"start_s": 0, "mood": "joy"}], "Extra inputs"),
    ],
)
def test_a_storyline_that_means_nothing_is_refused_with_the_reason(beats: list[dict[str, object]], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        StorylineJson.model_validate({"beats": beats})


def test_the_schema_names_every_word() -> None:
    text = json.dumps(schema())
    assert all(f'"{word}"' in text for word in ("contempt", "close_eyes", "wave", "tilt_down", "audio", "schema_version"))
