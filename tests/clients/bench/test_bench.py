"""`rostrum bench` as a user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clients.bench import live, motion, render, voices
from clients.bench.live_figures import Received
from clients.bench.live_server import LiveServer, ServerFailed
from clients.bench.processes import processor_s
from clients.cli.main import main
from clients.python.server import ServerError
from export.evaluate.lips import Agreement


def test_without_a_folder_it_says_which_folder_it_wants(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "motion"]) == 1
    said = capsys.readouterr()
    assert "--talking DIR" in said.err and "landmarks" in said.err
    assert said.out == ""


def test_a_folder_without_clips_and_an_unknown_avatar_are_said_to_be_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "motion", "--talking", str(tmp_path)]) == 1
    assert "at least 3" in capsys.readouterr().err
    assert main(["bench", "render", "--avatar", "nobody-of-that-name"]) == 1
    assert "nobody-of-that-name" in capsys.readouterr().err


def measured(name: str, r: float, **other: float) -> motion.Measured:
    facts = {"unrelated_r": 0.0, "aperture_p90": 0.1, "silent_aperture": 0.01, "blinks": 1, "found": 1.0, "yaw_std_deg": 2.0}
    return motion.Measured(name, "anna", 10.0 - motion.SILENCE_S, Agreement(r, 0), **{**facts, **other})  # type: ignore[arg-type]


def test_the_figures_are_medians_over_recordings_and_fit_one_line_of_json() -> None:
    first, second, third = measured("a", 0.5), measured("b", 0.7, aperture_p90=0.2), measured("c", 0.6)
    first.join_jerks, first.inside_jerks = [2.0, 4.0], [2.0]
    first.endpoint_errors, second.endpoint_errors = [0.1], [0.3, 0.2]
    figures = motion.figures([first, second, third])
    assert json.loads(json.dumps(figures)) == figures
    assert figures["lip_r_median"] == 0.6 and figures["aperture_p90"] == 0.1
    assert figures["join_jerk_ratio"] == 1.5 and figures["endpoint_error"] == 0.2
    assert figures["blink_per_min"] == 6.0
    assert figures["lip_r_ridge_baseline"] is None


def test_a_broadcast_that_nobody_could_hear_is_not_given_figures() -> None:
    with pytest.raises(ServerError, match="not recognised"):
        live.figures(np.zeros(480_000, np.int16), live.Taken(Received(), since=0.0, until=10.0))


def test_babble_is_loud_enough_speech_like_and_never_the_same_twice() -> None:
    sound = voices.babble(8.0)
    assert len(sound) == 128_000 and sound.dtype == np.int16
    assert 12_000 < np.abs(sound.astype(int)).max() < 20_000
    first, second = (sound[at : at + 48_000].astype(float) for at in (0, 64_000))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.3


def test_the_codec_is_timed_on_motion_that_stays_within_its_range() -> None:
    motion_ = render.lively_motion(60)
    assert motion_.shape == (60, 64) and np.isfinite(motion_).all()
    assert motion_[:, :52].min() >= 0 and motion_[:, :52].max() <= 1
    assert (motion_.std(axis=0) > 0.01).sum() >= 10


def test_a_server_that_cannot_start_says_why() -> None:
    with pytest.raises(ServerFailed, match="nobody-of-that-name"), LiveServer("--avatar", "nobody-of-that-name"):
        pass


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_processor_time_includes_that_of_children() -> None:
    child = subprocess.Popen([sys.executable, "-c", "print(sum(range(10**7)), flush=True); input()"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    try:
        assert child.stdout is not None
        child.stdout.readline()
        assert processor_s(os.getpid()) >= processor_s(child.pid) > 0.0
    finally:
        child.communicate(b"\n")
