"""Recording: constant frame rate, sound with its picture, and nothing lost but the last second when the process is killed."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from streamer.outputs.board import OutputBoard
from streamer.outputs.output import OutputOver, StreamFormat
from streamer.outputs.recording import Recording
from tests.fakes.stream import FPS, HEIGHT, WIDTH, Played, turns

STREAM = StreamFormat(WIDTH, HEIGHT, FPS)
WRITE = """
import sys
from pathlib import Path
from streamer.outputs.output import StreamFormat
from streamer.outputs.recording import Recording
from tests.fakes.stream import FPS, HEIGHT, WIDTH, turns
recording = Recording(Path(sys.argv[1]), StreamFormat(WIDTH, HEIGHT, FPS))
for encoded in turns(150):
    recording.write(encoded)
print("written", flush=True)
sys.stdin.read()
"""


def test_a_recording_has_a_constant_frame_rate_and_sound_with_its_picture(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.mp4", STREAM)
    for encoded in turns(250, first=7):
        recording.write(encoded)
    recording.close()
    played = Played(str(tmp_path / "a.mp4"))
    assert len(played.at_s) == 250
    assert np.allclose(np.diff(played.at_s), 1 / FPS, atol=1e-6)
    assert len(played.skews_s()) >= 9
    assert max(map(abs, played.skews_s())) <= 0.02


def test_what_a_killed_process_has_recorded_plays(tmp_path: Path) -> None:
    path = tmp_path / "killed.mp4"
    command = [sys.executable, "-c", WRITE, str(path)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as writer:
        assert writer.stdout and writer.stdout.readline() == b"written\n"
        writer.send_signal(signal.SIGKILL)
    assert writer.returncode == -signal.SIGKILL
    played = Played(str(path))
    assert len(played.at_s) >= 150 - FPS - 2
    assert np.allclose(np.diff(played.at_s), 1 / FPS, atol=1e-6)
    assert max(map(abs, played.skews_s())) <= 0.02


async def test_a_full_disk_ends_the_recording_and_says_so(tmp_path: Path) -> None:
    changed = asyncio.Event()
    board = OutputBoard("show", STREAM, lambda _: None, lambda _: changed.set(), tmp_path)
    started = board.start("record")
    (tmp_path / started.to).symlink_to("/dev/full")
    for encoded in turns(60):
        board.put(encoded)
    async with asyncio.timeout(60):
        while len(board):
            changed.clear()
            await changed.wait()
    assert board.reports()[0].state == "failed"
    assert "disk is full" in board.reports()[0].reason
    await board.close()


def test_a_recording_does_not_take_the_last_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(OutputOver, match="MB are left"):
        Recording(tmp_path / "a.mp4", STREAM, least_free_bytes=1 << 60)
