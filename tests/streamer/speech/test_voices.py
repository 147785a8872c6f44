"""Text becomes sound: by the embedded voice, and by a server that speaks OpenAI's speech protocol over real HTTP."""

import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing

import numpy as np
import pytest

from streamer.config import ConfigError, SpeechSettings
from streamer.speech import SpeechError, Voice, voice_of
from streamer.speech.espeak import EspeakVoice
from streamer.speech.openai import OpenAIVoice
from tests.fakes import speech_server
from tests.fakes.speech_server import KEY, SpeechServer, failure, hum, raw, wav

needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")


async def sound_of(speaker: Voice, text: str, **wish: str | None) -> np.ndarray:
    async with aclosing(speaker.speak(text, **wish)) as spoken:
        return np.concatenate([piece async for piece in spoken])


@pytest.fixture
async def closing() -> AsyncIterator[list[Voice]]:
    voices: list[Voice] = []
    yield voices
    for voice in voices:
        await voice.close()


# -- the embedded voice ---------------------------------------------------------------------------------------------------


@needs_espeak
async def test_the_embedded_voice_speaks_at_48_khz_and_longer_text_takes_longer() -> None:
    short, long = [await sound_of(EspeakVoice(), text) for text in ("Good evening.", "Good evening, and welcome to the show.")]
    assert 0.4 < len(short) / 48_000 < len(long) / 48_000 < 5
    assert np.abs(short).max() > 5_000


@needs_espeak
async def test_a_language_is_chosen_by_name_and_otherwise_by_the_letters() -> None:
    voice = EspeakVoice()
    english, german = await sound_of(voice, "Wagner", language="en"), await sound_of(voice, "Wagner", language="de")
    assert len(english) != len(german)
    np.testing.assert_array_equal(await sound_of(voice, "привет"), await sound_of(voice, "привет", language="ru"))
    np.testing.assert_array_equal(await sound_of(EspeakVoice("de"), "Wagner"), german)


@needs_espeak
@pytest.mark.parametrize("name", ["nobody", "-w/tmp/x", "a b", "../en"])
async def test_a_voice_that_is_not_there_is_refused_by_name(name: str) -> None:
    with pytest.raises(SpeechError, match="--voices"):
        await sound_of(EspeakVoice(), "hello", voice=name)


@needs_espeak
async def test_a_sentence_may_be_left_at_any_moment() -> None:
    async with aclosing(EspeakVoice().speak("one two three four five " * 400)) as spoken:
        assert len(await anext(spoken)) > 0


async def test_without_espeak_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SpeechError, match=r"system-packages\.sh voice.*--speech-url"):
        await sound_of(EspeakVoice(), "hello")


# -- a speech server --------------------------------------------------------------------------------------------------------


async def test_a_server_is_asked_as_openai_documents_and_its_pcm_is_heard(closing: list[Voice]) -> None:
    with SpeechServer(key=KEY) as server:
        closing.append(voice := OpenAIVoice(server.url, "tts-1", "nova", key=KEY))
        sound = await sound_of(voice, "Good evening.")
        assert server.asked == [{"model": "tts-1", "voice": "nova", "input": "Good evening.", "response_format": "pcm"}]
        assert len(sound) / 48_000 == pytest.approx(13 * speech_server.SECONDS_A_CHARACTER, abs=0.01)
        assert 11_000 < np.abs(sound).max() < 13_000
        await sound_of(voice, "Hallo", voice="onyx", language="de")
        assert (server.asked[1]["voice"], server.asked[1]["language"]) == ("onyx", "de")


async def test_a_server_that_knows_no_pcm_is_asked_for_wav_from_then_on(closing: list[Voice]) -> None:
    with SpeechServer(speech_server.only_wav) as server:
        closing.append(voice := OpenAIVoice(server.url, "m"))
        for _ in range(2):
            assert len(await sound_of(voice, "Good evening.")) / 48_000 == pytest.approx(0.65, abs=0.01)
        assert [asked["response_format"] for asked in server.asked] == ["pcm", "wav", "wav"]


@pytest.mark.parametrize("body", [wav(hum(0.5, 16_000), 16_000), hum(0.5, 16_000)])
async def test_the_rate_is_read_from_the_answer(closing: list[Voice], body: bytes) -> None:
    with SpeechServer(raw(body, "audio/pcm; rate=16000")) as server:
        closing.append(voice := OpenAIVoice(server.url, "m"))
        assert len(await sound_of(voice, "x")) / 48_000 == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("behaviour", "complaint"),
    [
        (failure(401, f"bad key {KEY}"), r"refused the key \(401\): bad key •••"),
        (failure(400, "no voice called alloy"), r"refused the request \(400\): no voice called alloy"),
        (failure(404, "no such model"), "knows no such model, voice or address"),
        (failure(429, "slow down"), "has no room"),
        (failure(307, ""), "--speech-url"),
        (failure(500, "out of memory"), r"failed \(500\): out of memory"),
        (raw(b""), "without any sound"),
        (raw(b"ID3\x04" + bytes(100), "audio/mpeg"), "neither PCM nor WAV"),
        (raw(wav(hum(0.1), 24_000, channels=2)), "2 channels"),
        (raw(b"RIFF" + bytes(70_000)), "without sound in it"),
        (speech_server.breaks_off, "broke"),
    ],
)
async def test_what_a_server_does_wrong_is_told_with_the_way_out(
    closing: list[Voice], behaviour: speech_server.Behaviour, complaint: str
) -> None:
    with SpeechServer(behaviour) as server:
        closing.append(voice := OpenAIVoice(server.url, "m", key=KEY))
        with pytest.raises(SpeechError, match=complaint) as caught:
            await sound_of(voice, "hello")
        assert KEY not in str(caught.value)


async def test_a_server_that_stalls_is_given_up_and_one_that_is_not_there_named(
    closing: list[Voice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.speech.openai._NEXT_S", 0.1)
    with SpeechServer(speech_server.stalls) as server:
        closing.append(voice := OpenAIVoice(server.url, "m"))
        with pytest.raises(SpeechError, match="no sound for"):
            await sound_of(voice, "hello")
    closing.append(gone := OpenAIVoice("http://127.0.0.1:9/v1", "m"))
    with pytest.raises(SpeechError, match=r"nothing answers at 127.0.0.1:9.*--speech-url"):
        await sound_of(gone, "hello")


# -- settings -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        ({"url": "localhost"}, "speech-url"),
        ({"url": "http://localhost/v1"}, "speech-model"),
        ({"url": "http://localhost/v1", "model": "m", "key_env": "NOT_SET_AT_ALL"}, "NOT_SET_AT_ALL"),
    ],
)
def test_settings_that_cannot_speak_are_refused_by_name(wish: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        SpeechSettings("openai", **wish)  # type: ignore[arg-type]


def test_the_settings_choose_the_voice() -> None:
    assert isinstance(voice_of(SpeechSettings()), EspeakVoice)
