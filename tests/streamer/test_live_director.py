"""A broadcast directed by a model behind a real server, and what goes on air while that server misbehaves."""

from pathlib import Path

import numpy as np
import pytest

from streamer.config import DirectorSettings
from tests.fakes import mllm_server as fake
from tests.fakes.listener import Listener, make_broadcast
from tests.fakes.mllm_server import KEY, MllmServer
from tests.fakes.peers import FakeHost, ToneTrack, running_server

SLY = {"beats": [{"because": "user", "quote": "like a sly fox", "emotion": "contempt", "intensity": 0.6}]}
ANGRY = {"transcript": "How dare you", "emotion": "anger", "intensity": 0.8, "pace": "fast", "tone": "loud"}


def _settings(server: MllmServer, **more: object) -> DirectorSettings:
    return DirectorSettings("openai", server.url, "m", listen_every_s=0.5, **more)  # type: ignore[arg-type]


async def _until_on_air(control: Listener, pts: int) -> None:
    while (await control.until("horizon"))["aired_s"] <= pts / 48_000:
        pass


async def test_a_model_hears_and_sees_a_broadcast_and_directs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIRECTOR_KEY", KEY)
    answers = fake.by_kind(
        storyline=fake.answer(SLY),
        voice_caption=fake.answer(ANGRY),
        portrait_caption=fake.answer({"description": "All grey", "emotion": None}),
    )
    with MllmServer(answers, key=KEY) as server:
        settings = _settings(server, key_env="DIRECTOR_KEY", soft_s=20, hard_s=20)
        async with running_server(tmp_path, director=settings) as running:
            made, host = await make_broadcast(running), FakeHost(ToneTrack(lambda s: True))
            async with Listener(made["control_url"]) as control:
                assert (await control.until("director"))["backend"] == "openai"
                await host.go_live(running.http, made["whip_url"])
                heard = await control.until("storyline", because="the voice")
                assert heard["beats"][-1]["emotion"] == "anger"
                assert heard["beats"][-1]["sources"]["emotion"] == "audio"
                await control.send(type="prompt", text="like a sly fox", id="p")
                done = await control.until("director", planned_by="openai", id="p")
                assert (done["state"], done["note"], done["refused"]) == ("ready", "", [])
                accepted = await control.until("accepted", id="p")
                assert accepted["understood"] == ["contempt 60%"]
                await _until_on_air(control, accepted["on_air_pts"])
            await host.close()
    asked = {each.schema_name: each for each in server.requests}
    assert asked["portrait_caption"].pictures[0].shape == (256, 256, 3)
    voice = np.concatenate([each.sounds[0] for each in server.requests if each.sounds]).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(voice[: len(voice) // 4096 * 4096].reshape(-1, 4096), axis=1)).sum(axis=0)
    assert abs(spectrum.argmax() * 16_000 / 4096 - 440) < 8  # the microphone's own tone
    assert "All grey" in asked["storyline"].text


@pytest.mark.parametrize(
    "behaviour",
    [
        fake.silence(),
        fake.answer(SLY, after_s=30),
        fake.failure(500),
        fake.failure(401),
        fake.ramble(),
        fake.break_off("{"),
        fake.raw(b"<html>"),
        fake.answer("I am sorry, I cannot."),
        fake.answer({"beats": [{"because": "user", "quote": "very happy", "emotion": "anger", "intensity": 1}]}),
    ],
    ids=["silent", "slow", "failing", "refusing", "rambling", "breaking off", "another site", "talking", "lying"],
)
async def test_whatever_the_server_does_the_host_is_obeyed_and_the_broadcast_goes_on(
    tmp_path: Path, behaviour: fake.Behaviour
) -> None:
    with MllmServer(behaviour) as server:
        async with running_server(tmp_path, director=_settings(server, soft_s=0.3, hard_s=60)) as running:
            made, host = await make_broadcast(running), FakeHost()
            async with Listener(made["control_url"]) as control:
                await host.go_live(running.http, made["whip_url"])
                await control.until("aired")
                await control.send(type="prompt", text="very happy", id="p")
                accepted = await control.until("accepted", id="p")
                await _until_on_air(control, accepted["on_air_pts"])
                async with Listener(made["control_url"]) as late:
                    line = await late.until("storyline")
                assert {b["emotion"] for b in line["beats"] if b["sources"]["emotion"] == "user"} == {"joy"}
                assert any(m["type"] == "director" and m["id"] == "p" and m["planned_by"] for m in control.told)
            await host.close()
