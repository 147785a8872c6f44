"""What the bench says of a recording whose skew is known."""

from dataclasses import replace

import numpy as np
import pytest

from clients.bench.recording import Read, figures
from clients.python.server import ServerError

FPS, TONE_MS = 25, 160


def _recorded(skew_ms: int, held: range = range(0)) -> Read:
    """20 s with a tone every two seconds, heard so much later than it is seen; the pictures `held` show the one before them."""
    seen = np.zeros(20_000, np.float32)
    for at in range(1000, 20_000, 2000):
        seen[at : at + TONE_MS] = 1
    light, is_new = seen.reshape(-1, 1000 // FPS).mean(axis=1).astype(float), np.ones(20 * FPS, np.bool_)
    for i in held:
        light[i], is_new[i] = light[i - 1], False
    return Read(np.arange(20 * FPS) / FPS, light, is_new, np.roll(seen, skew_ms), 0.0)


@pytest.mark.parametrize("skew_ms", [0, 17, -33, 80])
def test_the_skew_is_told_to_the_millisecond(skew_ms: int) -> None:
    told = figures(_recorded(skew_ms), FPS)
    assert told["skew_ms_median"] == pytest.approx(skew_ms, abs=1) and told["skew_ms_worst"] == pytest.approx(skew_ms, abs=1)
    assert told["beyond_40_ms"] == (told["tones"] if skew_ms > 40 else 0) and told["uneven_pictures"] == 0


def test_a_tone_amid_held_pictures_is_counted_and_not_timed() -> None:
    told = figures(_recorded(0, held=range(3 * FPS, 3 * FPS + 5)), FPS)
    assert (told["tones_amid_holds"], told["held_pictures"], told["beyond_40_ms"]) == (1, 5, 0)


def test_a_recording_in_which_nothing_is_heard_is_no_measurement() -> None:
    with pytest.raises(ServerError, match="tones"):
        figures(replace(_recorded(0), loud=np.zeros(20_000, np.float32)), FPS)
