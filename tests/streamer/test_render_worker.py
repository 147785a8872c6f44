"""The worker that draws portraits, in this process."""

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.avatar_library import AvatarLibrary
from engines.background_library import BackgroundLibrary
from engines.catalog import STATISTICS, WEIGHTS, MotionStatistics
from engines.motion import rest
from engines.specs import MotionRequest
from streamer import render_worker
from streamer.config import ConfigError, DrawingSettings
from streamer.plan import Look
from streamer.render_worker import RenderWorker


def test_an_avatar_that_one_worker_has_opened_is_taken_over_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look, made = Look(AvatarLibrary.default().list()[0].folder, 96, 96), []
    codec = render_worker.PortraitCodec
    monkeypatch.setattr(render_worker, "PortraitCodec", lambda *args, **kwargs: made.append(1) or codec(*args, **kwargs))
    first, second = RenderWorker(), RenderWorker()
    stills = [worker.open(look, tmp_path) for worker in (first, second)]
    assert len(made) == 1
    np.testing.assert_array_equal(*stills)
    np.testing.assert_array_equal(*(np.stack(list(worker.pictures(look, rest(2)))) for worker in (first, second)))
    first.forget(look)
    second.forget(look)
    assert not list(tmp_path.iterdir())


def test_an_avatar_is_opened_on_a_picture_of_the_hosts_own_and_a_picture_that_is_gone_is_named(tmp_path: Path) -> None:
    own = BackgroundLibrary(tmp_path)
    name = own.add(np.full((64, 64, 3), (10, 20, 240), np.uint8), "blue")
    worker, look = RenderWorker(), Look(AvatarLibrary.default().list()[0].folder, 96, 96, own.path(name))
    blue = cv2.cvtColor(worker.open(look), cv2.COLOR_YUV2RGB_I420)[2, 2]
    assert blue[2] > 200 and blue[:2].max() < 50
    own.remove(name)
    with pytest.raises(ValueError, match=name):
        worker.open(look)


def test_other_weights_of_the_portrait_model_are_drawn_with_and_a_folder_that_holds_none_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(WEIGHTS / "portrait", own)
    statistics = MotionStatistics.load(own / STATISTICS)
    replace(statistics, mean=[mean + 0.1 for mean in statistics.mean]).save(own / STATISTICS)
    free = np.zeros((8, 64), np.bool_)
    request = MotionRequest(8, 0.04, rest(8), free, np.zeros((0, 384), np.float32), 0.0, (), seed=1)
    shipped, ours = (
        RenderWorker(**DrawingSettings(weights=weights).worker_options(0.24))._model.generate([request])[0]
        for weights in (None, own)
    )
    assert 0.05 < np.median(ours - shipped) < 0.15
    with pytest.raises(ConfigError, match=r"is no folder of the portrait model: `rostrum export onnx"):
        DrawingSettings(weights=tmp_path)
