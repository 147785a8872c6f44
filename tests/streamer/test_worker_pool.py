"""Workers of a render, on this machine or on Ray; what needs Ray is skipped where it is not installed."""

import importlib.util
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.cli.main import main
from engines.avatar_library import AvatarLibrary
from streamer.worker_pool import PoolError, WorkerPool, pool_of
from tests.fakes import pool_work

SPEECH = Path(__file__).parents[1] / "data" / "speech.ogg"
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed: pip install rostrum[ray]")


@pytest.fixture(scope="module")
def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerPool]:
    avatar = tmp_path_factory.mktemp("avatars") / "anna"
    avatar.mkdir()
    (avatar / "picture.png").write_bytes(b"a picture")
    made = pool_of(request.param, 2, avatar, pool_work.start, "hello")
    yield made
    made.shutdown()


everywhere = pytest.mark.parametrize("pool", ["local", pytest.param("ray", marks=needs_ray)], indirect=True)


@everywhere
def test_a_worker_is_made_ready_with_the_avatar_and_answers_calls(pool: WorkerPool) -> None:
    assert pool.submit(pool_work.read, "picture.png").result(60) == ("anna", b"a picture", "hello")
    with pytest.raises(FileNotFoundError):
        pool.submit(pool_work.read, "nothing.png").result(60)


@everywhere
def test_two_workers_share_the_calls(pool: WorkerPool) -> None:
    calls = [pool.submit(pool_work.slow, 0.5) for _ in range(4)]
    pids = {call.result(60) for call in calls}
    assert len(pids) == 2 and os.getpid() not in pids


@needs_ray
@pytest.mark.parametrize("pool", ["ray"], indirect=True)
def test_an_actor_that_is_killed_is_replaced_and_its_call_is_made_again(pool: WorkerPool) -> None:
    victim = pool.submit(pool_work.slow, 0.0).result(60)
    calls = [pool.submit(pool_work.slow, 2.0) for _ in range(2)]
    os.kill(victim, signal.SIGKILL)
    after = [call.result(120) for call in calls]
    assert victim not in after
    assert pool.submit(pool_work.read, "picture.png").result(60)[1] == b"a picture"


def test_a_place_there_is_none_of_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PoolError, match="take local, ray, ray:auto, or ray://"):
        pool_of("mars", 1, tmp_path, pool_work.start)
    monkeypatch.setitem(sys.modules, "ray", None)
    words = ["render", "--avatar", AvatarLibrary.default().names()[0], "--audio", str(SPEECH), "-o", str(tmp_path / "x.mp4")]
    assert main([*words, "--pool", "ray"]) == 1
    assert "rostrum[ray]" in capsys.readouterr().err
