"""`rostrum plan` with a director that asks a model."""

import json
from pathlib import Path
from typing import Any

import pytest

from clients.cli.main import main
from tests.fakes import mllm_server as fake
from tests.fakes.mllm_server import KEY, MllmServer

VOICE = Path(__file__).parents[1] / "data" / "speech.ogg"
SLY = {"beats": [{"because": "user", "quote": "like a sly fox", "end_s": 4.0, "emotion": "contempt", "intensity": 0.6}]}


def _plan(server: MllmServer, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[dict[str, Any], str]:
    words = [
        "plan",
        "--prompt",
        "like a sly fox, then very happy",
        "--json",
        "--director",
        "openai",
        "--director-url",
        server.url,
    ]
    assert main([*words, "--director-model", "m", *more]) == 0
    said = capsys.readouterr()
    return json.loads(said.out), said.err


def test_a_model_hears_the_recording_sees_the_avatar_and_plans(capsys: pytest.CaptureFixture[str]) -> None:
    answers = fake.by_kind(
        storyline=fake.answer(SLY),
        voice_caption=fake.answer({"transcript": "So it goes", "emotion": "sadness"}),
        portrait_caption=fake.answer({"description": "A woman in a red scarf"}),
    )
    with MllmServer(answers) as server:
        report, err = _plan(server, capsys, "--audio", str(VOICE), "--avatar", "anna")
    assert report["director"] == "openai"
    assert [line.split()[0] for line in report["understood"]] == ["contempt", "joy"]
    told = server.requests[-1].text
    assert "A woman in a red scarf" in told
    assert "So it goes" in told
    assert sum(len(each.sounds) for each in server.requests) >= 1
    assert err == ""


def test_where_the_server_fails_the_embedded_planner_answers_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    with MllmServer(fake.failure(500, "out of memory")) as server:
        report, err = _plan(server, capsys)
    assert report["director"] == "embedded"
    assert "joy" in str(report["understood"])
    assert "the embedded planner plans" in err and "out of memory" in err


def test_a_key_that_is_not_set_is_asked_for(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIRECTOR_KEY", raising=False)
    with MllmServer(fake.answer(SLY), key=KEY) as server:
        words = ["plan", "--prompt", "smile", "--director", "openai", "--director-url", server.url, "--director-model", "m"]
        assert main([*words, "--director-key-env", "DIRECTOR_KEY"]) == 1
    assert "DIRECTOR_KEY is not set" in capsys.readouterr().err
