"""Ray clusters of a test's own; skipped where Ray is not installed."""

import os
from pathlib import Path

import numpy as np
import pytest

from engines.avatar_library import AvatarLibrary
from streamer.offline import ShowOptions, Studio
from streamer.recording import Recording
from streamer.worker_pool import pool_of
from tests.fakes import pool_work

pytest.importorskip("ray", reason="ray is not installed: pip install rostrum[ray]")

SPEECH = Path(__file__).parents[1] / "data" / "speech.ogg"


def test_a_node_that_is_killed_costs_its_calls_their_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no room for its worker elsewhere: the other one does everything."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        node = cluster.add_node(num_cpus=1)
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        pool = pool_of("ray:auto", 2, tmp_path, pool_work.start, "hello")
        try:
            calls = [pool.submit(pool_work.slow, 1.0) for _ in range(4)]
            cluster.remove_node(node, allow_graceful=False)
            assert len({call.result(60) for call in calls}) in (1, 2)
            assert len({pool.submit(pool_work.slow, 0.0).result(60) for _ in range(4)}) == 1
            with pytest.raises(FileNotFoundError):
                pool.submit(pool_work.read, "nothing.png").result(60)
        finally:
            pool.shutdown()
    finally:
        cluster.shutdown()


def test_a_call_that_kills_its_worker_ends_and_leaves_the_pool_usable(tmp_path: Path) -> None:
    pool = pool_of("ray", 1, tmp_path, pool_work.start, "hello")
    try:
        with pytest.raises(Exception, match="actor"):
            pool.submit(os._exit, 1).result(150)
        assert pool.submit(pool_work.slow, 0.0).result(60)
    finally:
        pool.shutdown()


def test_a_render_on_ray_is_frame_for_frame_the_local_one() -> None:
    whole, folder = Recording.open(SPEECH), AvatarLibrary.default().list()[0].folder
    recording = Recording(whole.voice[:24_000], whole.sound[:72_000])
    motions = []
    for where in ("local", "ray"):
        with Studio(folder, ShowOptions(size=(128, 128), workers=2, pool=where)) as studio:
            motions.append(studio.draw(recording).motion)
    np.testing.assert_array_equal(*motions)
