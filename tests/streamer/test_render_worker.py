"""The worker that draws portraits, in this process."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.avatar_library import AvatarLibrary
from engines.background_library import BackgroundLibrary
from engines.motion import rest
from streamer import render_worker
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
