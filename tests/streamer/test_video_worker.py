"""Live and offline with a pixel video transformer: a Wan of the published layout, tiny and random, on the processor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from clients.cli.main import main
from engines import video
from engines.avatar_library import AvatarLibrary
from engines.background_library import BackgroundLibrary
from engines.checkpoint_files import CheckpointError
from engines.motion import INDEX, Motion, rest
from engines.specs import ClipModel, ClipRequest
from streamer.broadcasts import Broadcasts
from streamer.clock import SystemClock
from streamer.config import ConfigError, DrawingSettings, ServerSettings
from streamer.director import opening
from streamer.offline import Show, ShowOptions, Studio
from streamer.plan import Beat, Look, PictureJob, Pts, Stretch
from streamer.recording import Recording
from streamer.render_pool import RenderPool
from streamer.render_share import RenderShare
from streamer.video_worker import VideoWorker
from streamer.worker_process import RenderFailed
from tests.fakes.tiny_wan import FIRST_AND_LAST, write_weights

FRAME = 1920  # ticks, at 25 a second
AVATAR = AvatarLibrary.default().list()[0].folder
LOOK = Look(AVATAR, 64, 80)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("wan"))


class Recorder:
    """A video model, and what it was asked."""

    def __init__(self, model: ClipModel) -> None:
        self.model = model
        self.asked: list[ClipRequest] = []

        self.frames_a_latent, self.pixels_a_token, self.area = model.frames_a_latent, model.pixels_a_token, model.area
        self.num_before = model.num_before

    def clip(self, request: ClipRequest) -> Iterator[np.ndarray]:
        self.asked.append(request)
        return self.model.clip(request)


def as_rgb(i420: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420)


@pytest.fixture(scope="module")
def worker(weights: Path) -> VideoWorker:
    worker = VideoWorker(model="wan", weights=weights)
    worker._video = Recorder(worker._video)
    worker.open(LOOK)
    return worker


def stretch(first: int, length: int, following: int = 3, before: Motion | None = None, chained: bool = True) -> Stretch:
    """Frames [first, first + length), the mouth of each opened a little more than that of the one before."""
    motion = rest(length + following)
    motion[:, INDEX["jawOpen"]] = np.arange(first, first + len(motion)) / 100
    voice = (np.random.default_rng(0).standard_normal(40_000) * 3000).astype(np.int16)
    return Stretch(
        motion=motion, num_frames=length, before=rest() if before is None else before, beats=(Beat(Pts(0), emotion="joy"),),
        audio=voice, audio_start=Pts((first - 35) * FRAME), start=Pts(first * FRAME), fps=25, seed=7, num_steps=4,
        chained=chained,
    )  # fmt: skip


def asked_of(worker: VideoWorker) -> list[ClipRequest]:
    assert isinstance(worker._video, Recorder)
    return worker._video.asked


def test_a_sub_clip_is_drawn_between_a_picture_and_a_pose_whatever_its_length(worker: VideoWorker) -> None:
    for length, landing in ((6, 7), (8, 7)):  # it draws by fours, and lands that far ahead
        this = stretch(10, length)
        pictures = list(worker.film(LOOK, this, range(length)))
        assert [p.shape for p in pictures] == [(120, 64)] * length and pictures[0].dtype == np.uint8
        asked = asked_of(worker)[-1]
        assert (asked.num_frames, asked.fps, asked.seed) == (9, 25, 7)
        assert np.array_equal(asked.first, as_rgb(next(worker.pictures(LOOK, rest(1)))))
        assert np.array_equal(asked.last, as_rgb(next(worker.pictures(LOOK, this.motion[landing : landing + 1]))))
        assert "joyful" in asked.text
        assert asked.lead_frames == 34  # of voice before the picture it begins from


def test_only_the_frames_asked_for_are_handed_on(worker: VideoWorker) -> None:
    whole = list(worker.film(LOOK, stretch(10, 6, chained=False), range(6)))
    some = list(worker.film(LOOK, stretch(10, 6, chained=False), (1, 5)))
    assert len(some) == 2 and np.array_equal(some[0], whole[1]) and np.array_equal(some[1], whole[5])


@pytest.fixture
def drawn(worker: VideoWorker, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """All pictures that the model hands over, those that clips began from too."""
    assert isinstance(worker._video, Recorder)
    pictures: list[np.ndarray] = []
    clip = worker._video.model.clip
    monkeypatch.setattr(worker._video.model, "clip", lambda request: (pictures.append(p) or p for p in clip(request)))
    return pictures


def test_a_chained_clip_goes_on_from_the_frame_really_drawn(worker: VideoWorker, drawn: list[np.ndarray]) -> None:
    first = stretch(10, 6)
    list(worker.film(LOOK, first, range(6)))
    last = drawn[6]
    for begins_at, chained, continues in ((16, True, True), (16, False, False), (40, True, False)):
        following = stretch(begins_at, 6, before=first.motion[5], chained=chained)
        list(worker.film(LOOK, following, range(6)))
        assert np.array_equal(asked_of(worker)[-1].first, last) is continues


def test_a_model_that_goes_on_from_several_frames_is_given_them_and_who_it_all_began_with(
    worker: VideoWorker, drawn: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker._video, "num_before", 5)
    monkeypatch.setattr(worker._video.model, "num_before", 5)
    stretches = [stretch(100, 4)]
    for i in range(1, 3):
        stretches.append(stretch(100 + 4 * i, 4, before=stretches[-1].motion[3]))
    for this in stretches:
        list(worker.film(LOOK, this, range(4)))
    begins, goes_on, further = asked_of(worker)[-3:]
    assert begins.before is None and begins.reference is None
    posed = as_rgb(next(worker.pictures(LOOK, stretches[0].before[None])))
    assert np.array_equal(goes_on.before, np.stack([posed, *drawn[1:5]]))  # each clip hands back what it began from, first
    assert np.array_equal(further.before, np.stack(drawn[4:5] + drawn[6:10]))
    assert np.array_equal(further.reference, as_rgb(next(worker.pictures(LOOK, rest(1))))) and further.num_frames == 5


def test_a_size_that_no_latents_hold_is_drawn_nearby_and_brought_back(worker: VideoWorker) -> None:
    odd = Look(AVATAR, 70, 90)
    worker.open(odd)
    pictures = list(worker.film(odd, stretch(10, 4), range(4)))
    assert pictures[0].shape == (135, 70)
    assert asked_of(worker)[-1].first.shape == (96, 64, 3)
    worker.forget(odd)


def test_fewer_steps_are_taken_when_time_is_short(worker: VideoWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    sample = video.sample
    monkeypatch.setattr(video, "sample", lambda *args: steps.append(len(args[3].schedule) - 1) or sample(*args))
    for num_steps in (4, 2):
        list(worker.film(LOOK, replace(stretch(10, 4), num_steps=num_steps), range(4)))
    assert steps == [4, 2]


def render_pool(weights: Path) -> RenderPool:
    drawing = DrawingSettings("wan", weights)
    return RenderPool(
        SystemClock(), drawing.worker_class, num_workers=1, timeout_s=drawing.timeout_s, options=drawing.worker_options(0.32)
    )


async def test_a_broadcasts_render_pool_draws_with_it(weights: Path) -> None:
    pool = render_pool(weights)
    share = RenderShare(pool, LOOK)
    drawn: dict[int, np.ndarray] = {}
    this = stretch(10, 6)
    try:
        still = await share.open()
        job = PictureJob(0, LOOK, this.motion[[1, 2, 5]], this, (1, 2, 5))
        await share.pictures(job, 0.0, lambda index, picture: drawn.update({index: picture}))
    finally:
        await pool.close()
    assert share.films and still.shape == (120, 64)
    assert sorted(drawn) == [0, 1, 2] and not np.array_equal(drawn[2], still)


async def test_a_worker_without_its_weights_says_what_is_missing(tmp_path: Path) -> None:
    pool = render_pool(tmp_path)
    try:
        with pytest.raises(RenderFailed, match=r"has no transformer. Put it into transformer/, or name it in weights.json"):
            await RenderShare(pool, LOOK).open()
    finally:
        await pool.close()


def test_rostrum_render_films_with_it(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    speech = Path(__file__).parents[1] / "data" / "speech.ogg"
    with av.open(str(speech)) as recording, av.open(str(tmp_path / "short.wav"), "w") as short:
        stream = short.add_stream("pcm_s16le", rate=16_000, layout="mono")
        resampler = av.AudioResampler("s16", "mono", 16_000)
        for frame in recording.decode(audio=0):
            if frame.pts / frame.sample_rate > 0.7:
                break
            for part in resampler.resample(frame):
                short.mux(stream.encode(part))
        short.mux(stream.encode(None))
    out = tmp_path / "out.mp4"
    status = main([
        "render", "--avatar", AVATAR.name, "--audio", str(tmp_path / "short.wav"), "--size", "64x64", "--json",
        "--workers", "1", "--model", "wan", "--weights", str(weights), "-o", str(out),
    ])  # fmt: skip
    told = capsys.readouterr()
    assert status == 0, told.err
    with av.open(str(out)) as film:
        assert sum(1 for _ in film.decode(video=0)) == json.loads(told.out)["frames"] >= 17


def test_a_film_by_weights_that_go_on_is_drawn_clip_after_clip_by_one_worker(weights: Path, tmp_path: Path) -> None:
    assert not DrawingSettings("wan", weights).goes_on and not DrawingSettings("mini").goes_on
    for given in ({"lands": False}, {"goes_on_from": 9}):
        (tmp_path / "weights.json").write_text(json.dumps({"base": str(weights)} | given))
        drawing = DrawingSettings("wan", tmp_path)
        assert drawing.goes_on
        with pytest.raises(ValueError, match="--workers 2: with these weights each clip goes on from the one before: take 1"):
            ShowOptions(drawing=drawing, workers=2)
        with pytest.raises(ConfigError, match="workers: 2, but with these weights a clip goes on from the one before: take 1"):
            ServerSettings(tmp_path, drawing=drawing, workers=2)
    recording = Recording.of((np.random.default_rng(0).standard_normal(48_000 * 2) * 3000).astype(np.int16))
    show = Show(opening(), rest(50), (), (), 25, ())
    for drawing, chained in ((DrawingSettings("wan", weights), False), (DrawingSettings("wan", tmp_path), True)):
        studio = SimpleNamespace(options=ShowOptions(size=(64, 80), drawing=drawing))
        assert Studio._stretch(studio, show, recording, 0, 32).chained is chained


def test_a_model_that_these_weights_are_not_and_one_too_large_for_the_processor_are_refused(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CheckpointError, match="is no wan-14b: its width is 48 and it has 2 blocks, not 5120 and 40"):
        video.load_video_model("wan-14b", weights)
    monkeypatch.setattr(video, "_CPU_LIMIT_GB", 1e-5)
    with pytest.raises(CheckpointError, match=r"needs an NVIDIA GPU with about 16 GB of memory and a CUDA build of torch"):
        video.load_video_model("wan", weights)


def test_a_model_that_cannot_hear_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot hear: add an audio adapter"):
        video.load_video_model("wan", write_weights(tmp_path / "deaf", FIRST_AND_LAST))


def test_weights_json_names_parts_and_sampling_and_a_slip_in_it_is_named(weights: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    parts = {name: str(weights / name) for name in ("transformer", "vae", "text_encoder", "tokenizer", "image_encoder")}
    told = {**parts, "audio_encoder": str(weights / "audio_encoder"), "sampling": {"num_steps": 2, "solver": "unipc"}}
    (folder / "weights.json").write_text(json.dumps(told))
    assert video.load_video_model("wan", folder).sampling.solver == "unipc"
    for slip, said in (({"vaee": "x"}, "vaee is none of transformer"), ({"sampling": {"stepz": 1}}, "stepz")):
        (folder / "weights.json").write_text(json.dumps(slip))
        with pytest.raises(CheckpointError, match=said):
            video.load_video_model("wan", folder)


def test_a_model_without_weights_or_of_no_known_name_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match=r"weights: wan-1\.3b needs the folder of its weights"):
        DrawingSettings("wan-1.3b", tmp_path / "nowhere")
    assert main(["serve", "--model", "sora", "--port", "0"]) == 2
    assert "model: 'sora' is not one of portrait, mini, wan-1.3b, wan-14b, wan" in capsys.readouterr().err


def test_a_background_that_a_video_model_cannot_draw_is_refused_not_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "--avatar",
        AVATAR.name,
        "--text",
        "hello",
        "--model",
        "wan",
        "--weights",
        str(tmp_path),
        "-o",
        str(tmp_path / "o.mp4"),
    ]
    assert main(["render", *words, "--background", "green"]) == 1
    assert "--background green: wan draws whole pictures" in capsys.readouterr().err
    settings = ServerSettings(tmp_path, drawing=DrawingSettings("wan", tmp_path))
    broadcasts = Broadcasts(
        settings, AvatarLibrary.default(), BackgroundLibrary(tmp_path), render_pool(tmp_path), SystemClock()
    )
    with pytest.raises(ConfigError, match="background: wan draws whole pictures"):
        broadcasts.choose({"background": "blur"})
    assert broadcasts.choose({"background": "keep"}).background == "keep"
