from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.voice_activity import CHUNK, WEIGHTS, VoiceActivity

SPEECH = Path(__file__).parents[1] / "data" / "speech.ogg"  # speech between 0.3 and 4.4 s, and from about 6.9 s on


@pytest.fixture(scope="module")
def speech() -> NDArray[np.int16]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    with av.open(str(SPEECH)) as container:
        blocks = [block.to_ndarray()[0] for frame in container.decode(audio=0) for block in resampler.resample(frame)]
    return np.concatenate(blocks)


def _share(probabilities: NDArray[np.float32], start_s: float, end_s: float) -> float:
    first, last = (int(at * 16_000 / CHUNK) for at in (start_s, end_s))
    return float((probabilities[first:last] > 0.5).mean())


def test_speech_is_told_from_the_silence_between(speech: NDArray[np.int16]) -> None:
    found = VoiceActivity().push(speech)
    assert len(found) == len(speech) // CHUNK
    assert _share(found, 0.6, 4.0) > 0.7
    assert _share(found, 5.0, 6.5) == 0


def test_noise_and_a_tone_are_not_speech() -> None:
    noise = (np.random.default_rng(0).standard_normal(48_000) * 2000).astype(np.int16)
    tone = (8000 * np.sin(np.arange(48_000) * 2 * np.pi * 440 / 16_000)).astype(np.int16)
    for sound in (noise, tone):
        assert np.median(VoiceActivity().push(sound)) < 0.3


def test_how_the_sound_is_cut_does_not_matter(speech: NDArray[np.int16]) -> None:
    whole = VoiceActivity().push(speech[:32_000])
    listener = VoiceActivity()
    pieces = [listener.push(speech[at : min(at + 333, 32_000)]) for at in range(0, 32_000, 333)]
    together = np.concatenate(pieces)
    np.testing.assert_allclose(together, whole[: len(together)], atol=1e-5)


def test_another_file_is_refused(tmp_path: Path) -> None:
    changed = tmp_path / "activity.onnx"
    changed.write_bytes(WEIGHTS.read_bytes() + b"x")
    with pytest.raises(ValueError, match="reinstall"):
        VoiceActivity(changed)
    with pytest.raises(FileNotFoundError, match=r"activity\.onnx is missing"):
        VoiceActivity(tmp_path / "none" / "activity.onnx")
