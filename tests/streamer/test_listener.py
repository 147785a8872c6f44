import asyncio
from pathlib import Path

import pytest

from engines.avatar_library import SHIPPED_ROOT
from engines.voice_emotion import EmotionJudge
from streamer import protocol
from streamer.desk import Desk
from streamer.director import EmbeddedDirector
from streamer.features import VoiceWindow
from streamer.listener import Listener
from streamer.plan import Pts, Storyline, pts_from_s
from streamer.recording import Recording

SPEECH = Path(__file__).parents[1] / "data" / "speech.ogg"


@pytest.fixture
def furious(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge to whom every voice sounds furious: acted anger cannot be shipped."""
    monkeypatch.setattr(EmotionJudge, "weigh", lambda *_: {"anger": 4.0, "joy": 0.0, "sadness": -4.0})


async def _listened_to(desk: Desk, *, avatar: str = "anna") -> Listener:
    voice = VoiceWindow()
    voice.push(Recording.open(SPEECH).voice[: 5 * 16_000])
    listener = Listener(desk, voice, lambda: pts_from_s(2), lambda: SHIPPED_ROOT / avatar)
    task = asyncio.create_task(listener.run())
    await asyncio.sleep(0)
    for _ in range(600):
        if listener.heard_until >= voice.end:
            break
        await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return listener


def _holds(storyline: Storyline) -> tuple[str, str]:
    beat = storyline.at(pts_from_s(10))
    return beat.emotion, beat.sources.emotion


@pytest.mark.usefixtures("furious")
async def test_an_angry_voice_makes_an_angry_storyline_without_a_prompt() -> None:
    desk = Desk(EmbeddedDirector(), lambda: None)
    await _listened_to(desk)
    assert _holds(desk.line) == ("anger", "audio")
    assert desk.line.at(Pts(0)).emotion == "calm"  # what is on air already is not changed


@pytest.mark.usefixtures("furious")
async def test_a_user_who_says_stay_calm_is_obeyed() -> None:
    desk = Desk(EmbeddedDirector(), lambda: None)
    desk.take(protocol.Prompt(type="prompt", id="1", text="stay calm"), Pts(0))
    await _listened_to(desk)
    assert _holds(desk.line) == ("calm", "user")


async def test_a_smiling_portrait_smiles_while_the_voice_says_nothing_else() -> None:
    desk = Desk(EmbeddedDirector(), lambda: None)
    await _listened_to(desk, avatar="eileen")
    assert _holds(desk.line) == ("joy", "image")
