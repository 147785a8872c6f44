"""What counts as repeating, as standing still, and as opening in time."""

from argparse import Namespace

import numpy as np

from clients.bench import idle
from engines.motion import INDEX, rest
from engines.specs import SAMPLE_RATE_HZ
from streamer.render_worker import RenderWorker

RNG = np.random.default_rng(0)
FPS = 25


def _wander(seconds: int) -> np.ndarray:
    motion = rest(seconds * FPS)
    for name in ("headYaw", "headPitch", "browInnerUp", "eyeLookUpLeft"):
        walk = np.convolve(RNG.normal(size=len(motion) + 49), np.hanning(50), "valid")
        motion[:, INDEX[name]] = 0.02 * walk
    return motion


def test_a_silent_quarter_of_a_minute_is_alive_and_blinks_as_on_air() -> None:
    settings = Namespace(segment=0.24, seed=0)
    found = idle.liveliness(idle._drawn(RenderWorker(), np.zeros(15 * SAMPLE_RATE_HZ, np.int16), settings))
    assert found["still_seconds"] == 0 and 8 <= found["blinks_per_min"] <= 30


def test_a_loop_is_found_at_its_length_and_wandering_is_not_taken_for_one() -> None:
    looped = idle.liveliness(np.tile(_wander(20), (9, 1)))
    assert looped["repeat_lag_s"] % 20 == 0 and looped["repeat_peak"] > 0.99
    assert idle.liveliness(_wander(180))["repeat_peak"] < 0.5


def test_a_freeze_is_told_in_seconds() -> None:
    motion = _wander(60)
    motion[500:750] = motion[500]
    assert 8 < idle.liveliness(motion)["still_seconds"] < 10
    assert idle.liveliness(_wander(60))["still_seconds"] == 0


def test_lips_are_timed_against_the_onsets_of_the_voice() -> None:
    words = np.concatenate([np.zeros(8000), 9000 * np.sin(np.arange(64_000) / 5)]).astype(np.int16)
    voice, onsets = idle.comings(words, 5)
    motion = rest(len(voice) * FPS // 16_000)
    for onset in onsets:
        motion[round(onset * FPS) + 2 :, INDEX["jawOpen"]] = 0.3
        motion[round((onset + 1.2) * FPS) :, INDEX["jawOpen"]] = 0
    found = idle.opening_lags(motion, onsets, 0.0)
    assert found["opened"] == 5
    assert abs(found["opening_ms_median"] - 80) <= 20
