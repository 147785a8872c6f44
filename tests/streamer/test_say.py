"""A broadcast speaks from text: no microphone, captions, an interrupt that clears everything."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.config import SpeechSettings
from tests.fakes import speech_server
from tests.fakes.listener import Listener, make_broadcast
from tests.fakes.peers import FakeHost, FakeViewer, Running, ToneTrack, lamp_is_lit, running_server
from tests.fakes.speech_server import SpeechServer


@pytest.fixture
async def speaking(tmp_path: Path) -> AsyncIterator[tuple[Running, SpeechServer]]:
    with SpeechServer() as server:
        speech = SpeechSettings("openai", url=server.url, model="m")
        async with running_server(tmp_path, speech=speech, resume_s=2.5) as running:
            yield running, server


def lit(viewer: FakeViewer) -> bool:
    return bool(viewer.frames) and lamp_is_lit(viewer.frames[-1][2])


def spoke(viewer: FakeViewer) -> bool:
    """Lit and loud in the last two seconds: a busy machine hands over many frames at once."""
    lit_lately = any(lamp_is_lit(frame) for _, _, frame in viewer.frames[-50:])
    return lit_lately and any(peak > 4000 for _, _, peak in viewer.sounds[-100:])


def loud(viewer: FakeViewer) -> bool:
    return bool(viewer.sounds) and viewer.sounds[-1][2] > 4000


async def test_a_broadcast_without_a_microphone_speaks_what_is_typed(speaking: tuple[Running, SpeechServer]) -> None:
    running, server = speaking
    made, viewer = await make_broadcast(running), FakeViewer()
    async with Listener(made["control_url"]) as control, Listener(f"{made['control_url']}?role=viewer") as watching:
        await viewer.watch(running.http, made["whep_url"])
        await viewer.until(lambda: bool(viewer.frames))
        await control.send(type="say", text="Good evening. Here is the news.", voice="nova", id="s")
        accepted = await control.until("accepted", id="s")
        assert accepted["understood"] == ["says 2 sentences"]
        assert "host is heard" in (await control.until("state", state="live"))["reason"]
        first = await control.until("caption", state="on_air")
        assert (first["id"], first["number"], first["text"]) == ("s", 0, "Good evening.")
        await viewer.until(lambda: spoke(viewer))
        ended = await control.until("caption", state="ended")
        assert ended["played_s"] == pytest.approx(13 * speech_server.SECONDS_A_CHARACTER, abs=0.01)
        second = await control.until("caption", number=1, state="ended")
        assert second["start_pts"] == pytest.approx(first["start_pts"] + 48_000 * ended["played_s"], abs=2)  # no gap between
        assert (await watching.until("caption", number=1, state="on_air"))["text"] == "Here is the news."
        await viewer.until(lambda: not loud(viewer) and not lit(viewer))
        assert [asked["voice"] for asked in server.asked] == ["nova", "nova"]
    async with Listener(made["control_url"]) as control:  # whoever may type has left, and nobody came back in time
        pass
    await viewer.close()


async def test_it_ends_once_nobody_who_could_type_is_there(speaking: tuple[Running, SpeechServer]) -> None:
    running, _ = speaking
    made = await make_broadcast(running)
    async with Listener(f"{made['control_url']}?role=viewer") as watching:
        async with Listener(made["control_url"]) as control:
            await control.send(type="say", text="Bye.")
            await control.until("caption", state="ended")
        assert "did not come back" in (await watching.until("state", state="ended"))["reason"]


async def test_an_interrupt_clears_all_that_waits_and_says_what_was_on_air(speaking: tuple[Running, SpeechServer]) -> None:
    running, _ = speaking
    made, viewer = await make_broadcast(running), FakeViewer()
    async with Listener(made["control_url"]) as control:
        await viewer.watch(running.http, made["whep_url"])
        for i in range(12):
            await control.send(type="say", text=f"This is a rather long sentence, and its number is {i}. " * 3, id=str(i))
        await control.until("caption", state="on_air")
        await viewer.until(lambda: spoke(viewer))
        await control.send(type="interrupt", id="stop")
        await control.until("accepted", id="stop")
        over = [message for message in control.told if message["type"] == "caption" and message["state"] == "interrupted"]
        assert len(over) == 36  # none is forgotten
        begun = [message for message in over if message["start_pts"] is not None and message["played_s"] > 0]
        assert len(begun) == 1
        await viewer.until(lambda: not lit(viewer) and not loud(viewer))
        await control.send(type="say", text="After it.", id="after")
        await control.until("caption", id="after", state="ended")
    await viewer.close()


async def test_what_is_said_wins_over_the_microphone_which_may_be_muted(speaking: tuple[Running, SpeechServer]) -> None:
    running, _ = speaking
    made, viewer, host = await make_broadcast(running), FakeViewer(), FakeHost(ToneTrack(lambda s: True))
    async with Listener(made["control_url"]) as control:
        await viewer.watch(running.http, made["whep_url"])
        await host.go_live(running.http, made["whip_url"])
        await viewer.until(lambda: lit(viewer))
        await control.send(type="mute")
        await viewer.until(lambda: not lit(viewer) and not loud(viewer))
        await control.send(type="say", text="The microphone is muted, and this is heard.", id="s")
        await control.until("caption", state="on_air")
        await viewer.until(lambda: spoke(viewer))
        await control.until("caption", state="ended")
        await viewer.until(lambda: not lit(viewer))
        await control.send(type="mute", on=False)
        await viewer.until(lambda: lit(viewer))
    await host.close()
    await viewer.close()


async def test_a_voice_that_fails_is_told_and_the_broadcast_goes_on(speaking: tuple[Running, SpeechServer]) -> None:
    running, server = speaking
    made = await make_broadcast(running)
    async with Listener(made["control_url"]) as control:
        server.behaviour = speech_server.failure(500, "out of memory")
        await control.send(type="say", text="One. Two. Three.", id="bad")
        await control.until("accepted", id="bad")
        error = await control.until("error", id="bad")
        assert error["code"] == "speech_failed" and "out of memory" in error["message"]
        assert (await control.until("caption", id="bad"))["state"] == "failed"
        server.behaviour = speech_server.speak
        await control.send(type="say", text="Four.", id="good")
        await control.until("caption", id="good", state="ended")
        assert [asked["input"] for asked in server.asked] == ["One.", "Four."]  # the rest of a text that fails is not asked for


async def test_what_cannot_be_said_is_refused(speaking: tuple[Running, SpeechServer]) -> None:
    running, _ = speaking
    made = await make_broadcast(running)
    async with Listener(made["control_url"]) as control:
        await control.send(type="say", text=" … ", id="nothing")
        assert (await control.until("error", id="nothing"))["code"] == "invalid"
        await control.send(type="idle")
        for i in range(12):
            await control.send(type="say", text="No. " * 20, id=str(i))
        assert (await control.until("error", code="busy"))["id"] in {"10", "11"}


async def test_a_cue_rings_when_the_words_are_typed(speaking: tuple[Running, SpeechServer]) -> None:
    running, _ = speaking
    made = await make_broadcast(running)
    async with Listener(made["control_url"]) as control:
        await control.send(type="prompt", text="very happy", cue="good news", id="cue")
        await control.until("accepted", id="cue")
        await control.send(type="say", text="And now the good news.")
        line = await control.until("storyline", cues=[])
        assert line["beats"][-1]["emotion"] == "joy"
