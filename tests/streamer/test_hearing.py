from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.hearing import Hearing, VoiceMood, captions_of
from streamer.plan import pts_from_s, s_from_pts
from streamer.recording import Recording

SPEECH = Path(__file__).parents[1] / "data" / "speech.ogg"  # a calm synthetic voice, silent from about 4 to 6.7 s


@pytest.fixture(scope="module")
def voice() -> NDArray[np.int16]:
    return Recording.open(SPEECH).voice


def _mood_after(*evidence: dict[str, float] | None) -> str:
    """What is claimed after these seconds."""
    mood = VoiceMood()
    for second, each in enumerate(evidence):
        mood.push(each, pts_from_s(second + 1))
    return mood.caption.emotion


ANGRY = {"anger": 3.0, "joy": 1.5, "sadness": -6.0}
SAD = {"anger": -6.0, "joy": -5.0, "sadness": 1.5}
NOTHING = {"anger": -2.0, "joy": -2.0, "sadness": -2.0}


def test_what_lasts_is_claimed_and_what_passes_is_not() -> None:
    assert _mood_after(ANGRY, ANGRY, ANGRY) == "anger"
    assert _mood_after(NOTHING, NOTHING, NOTHING, {**NOTHING, "anger": 1.0}) == "calm"


def test_a_mood_is_let_go_of_when_the_voice_calms_down() -> None:
    assert _mood_after(*[ANGRY] * 4, NOTHING) == "anger"
    assert _mood_after(*[ANGRY] * 4, *[NOTHING] * 6) == "calm"


def test_a_mood_outlasts_a_short_pause_and_not_a_long_one() -> None:
    assert _mood_after(*[ANGRY] * 4, *[None] * 3) == "anger"
    assert _mood_after(*[ANGRY] * 4, *[None] * 4) == "calm"


def test_one_emotion_gives_way_to_another() -> None:
    assert _mood_after(*[ANGRY] * 4, *[SAD] * 8) == "sadness"


def test_a_near_tie_does_not_flicker() -> None:
    mood = VoiceMood()
    leaning = [{**ANGRY, "joy": 3.2}, {**ANGRY, "joy": 2.8}]
    told = [mood.push(leaning[i % 2], pts_from_s(i + 1)) for i in range(20)]
    assert len({caption.emotion for caption in told if caption}) == 1


def test_stronger_evidence_is_a_stronger_feeling() -> None:
    strengths = []
    for strength in (1.0, 3.0, 6.0):
        mood = VoiceMood()
        for second in range(8):
            mood.push({**NOTHING, "anger": strength}, pts_from_s(second + 1))
        strengths.append(mood.caption.intensity)
    assert strengths == sorted(strengths)
    assert 0.3 < strengths[0] < strengths[2] <= 0.9


def test_a_calm_voice_is_calm_and_speech_is_told_from_silence(voice: NDArray[np.int16]) -> None:
    hearing, speaking = Hearing(), []
    for start in range(0, len(voice), 320):
        hearing.push(voice[start : start + 320])
        speaking.append(hearing.speech_probability)
    assert hearing.caption.emotion == "calm"
    assert np.mean(np.array(speaking[30:190]) > 0.5) > 0.6  # 0.6–3.8 s
    assert max(speaking[250:325]) < 0.5  # 5.0–6.5 s


def test_a_recording_begins_with_a_caption_and_they_follow_each_other(voice: NDArray[np.int16]) -> None:
    starts = [s_from_pts(caption.start) for caption in captions_of(voice)]
    assert starts[0] == 0
    assert starts == sorted(set(starts))


def test_silence_and_a_sound_too_short_to_judge_are_calm() -> None:
    for sound in (np.zeros(48_000, np.int16), np.zeros(0, np.int16), np.full(4000, 99, np.int16)):
        assert [caption.emotion for caption in captions_of(sound)] == ["calm"]
