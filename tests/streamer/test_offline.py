"""A recording becomes a film, with the shipped weights and avatars."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from clients.bench.voices import write_wav
from clients.cli.main import main
from engines.avatar_library import AvatarLibrary
from engines.lips import inner_lip_aperture
from engines.motion import INDEX
from streamer.offline import Show, ShowOptions, Studio
from streamer.plan import pts_from_s
from streamer.recording import Recording
from tests.fakes.speech_server import SECONDS_A_CHARACTER, SpeechServer, failure

SPEECH = Path(__file__).parents[1] / "data" / "speech.ogg"
OPTIONS = ShowOptions(size=(128, 128), segment_s=0.8)


def _excerpt(seconds: float) -> Recording:
    whole = Recording.open(SPEECH)
    return Recording(whole.voice[: int(seconds * 16_000)], whole.sound[: int(seconds * 48_000)])


def _draw(recording: Recording, prompt: str = "", workers: int = 1, seed: int = 0) -> Show:
    options = ShowOptions(size=OPTIONS.size, segment_s=OPTIONS.segment_s, workers=workers, seed=seed)
    with Studio(AvatarLibrary.default().list()[0].folder, options) as studio:
        return studio.draw(recording, prompt)


@pytest.fixture(scope="module")
def calm() -> Show:
    return _draw(_excerpt(3.5))


def test_the_same_seed_gives_the_same_frames_with_any_number_of_workers(calm: Show) -> None:
    np.testing.assert_array_equal(_draw(_excerpt(3.5), workers=2).motion, calm.motion)
    assert not np.array_equal(_draw(_excerpt(3.5), seed=1).motion, calm.motion)


def test_every_sub_clip_lands_on_its_anchor_and_no_frame_is_missing(calm: Show) -> None:
    assert len(calm.motion) == 88  # ceil(3.5 s * 25)
    landings = [anchor.pts * 25 // pts_from_s(1) for anchor in calm.anchors]
    assert tuple(landing + 1 for landing in landings[:-1]) == calm.joins
    assert landings[-1] >= len(calm.motion) - 1


def test_the_lips_move_with_the_speech(calm: Show) -> None:
    assert float(inner_lip_aperture(calm.motion).std()) > 0.01


def test_a_prompt_changes_the_face_in_the_asked_direction(calm: Show) -> None:
    smile = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]
    joyful = _draw(_excerpt(3.5), "extremely happy")
    assert joyful.motion[:, smile].mean() > calm.motion[:, smile].mean() + 0.2


def test_render_writes_a_film_its_lineage_and_one_line_of_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = AvatarLibrary.default().names()[0]
    out = tmp_path / "film.mp4"
    words = ["render", "--avatar", name, "--audio", str(SPEECH), "--size", "96x96", "--fps", "24", "--workers", "2", "--json"]
    assert main([*words, "--prompt", "warm, nods", "-o", str(out)]) == 0
    figures = json.loads(capsys.readouterr().out)
    with av.open(str(out)) as film:
        assert sum(1 for _ in film.decode(video=0)) == figures["frames"]
        assert film.streams.video[0].average_rate == 24
        assert float(film.duration or 0) / av.time_base == pytest.approx(figures["video_s"], abs=0.06)
    lines = [json.loads(line) for line in (tmp_path / "film.mp4.lineage.jsonl").read_text().splitlines()]
    clips = [line for line in lines if line["stage"] == "sub-clips"]
    assert len(clips) == figures["subclips"]
    assert clips[0]["frames_s"][0] == 0
    assert "nods" in clips[0]["beats"][0]


def test_a_clear_film_decodes_with_nothing_in_the_corner_and_the_face_whole(tmp_path: Path) -> None:
    name, out, voice = AvatarLibrary.default().names()[0], tmp_path / "film.mov", tmp_path / "voice.wav"
    write_wav(voice, _excerpt(0.6).voice)
    words = ["--avatar", name, "--audio", str(voice), "--size", "96x96", "--background", "clear", "-o", str(out)]
    assert main(["render", *words]) == 0
    with av.open(str(out)) as film:
        assert film.streams.video[0].codec_context.name == "prores" and film.streams.audio[0].duration
        pictures = [frame.reformat(format="rgba").to_ndarray() for frame in film.decode(video=0)]
    assert len(pictures) == 15
    for picture in pictures:
        assert picture[:4, :4, 3].max() == 0 and picture[44:52, 44:52, 3].min() == 255
        assert 0 < picture[..., 3].mean() < 255


def test_a_text_is_rendered_as_it_is_spoken_by_the_voice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, out = AvatarLibrary.default().names()[0], tmp_path / "film.mp4"
    with SpeechServer() as server:
        words = [
            "render",
            "--avatar",
            name,
            "--text",
            "Good evening. And welcome.",
            "--size",
            "96x96",
            "--json",
            "-o",
            str(out),
        ]
        assert main([*words, "--speech-url", server.url, "--speech-model", "m", "--voice", "nova"]) == 0
        assert [asked["input"] for asked in server.asked] == ["Good evening.", "And welcome."]
        assert json.loads(capsys.readouterr().out)["video_s"] == pytest.approx(25 * SECONDS_A_CHARACTER + 0.5, abs=0.05)
        server.behaviour = failure(500, "out of memory")
        assert main([*words, "--speech-url", server.url, "--speech-model", "m"]) == 1
        assert "out of memory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (["--avatar", "nobody-by-this-name"], "no avatar called"),
        (["--size", "511x512"], "must be even"),
        (["--size", "big"], "WIDTHxHEIGHT"),
        (["--fps", "29"], "24, 25, 30, 48 or 50"),
        (["--audio", __file__], "not audio or video"),
        (["--background", "beech"], "--background beech: not one of keep, blur, green, clear, nor a file"),
        (["--background", __file__], "not a picture"),
        (["--background", "clear"], "-o FILE.mov belong together"),
        (["-o", "/nowhere/at/all/film.mp4"], "no folder"),
    ],
)
def test_bad_input_is_refused_with_its_name_and_the_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: list[str], complaint: str
) -> None:
    words = ["--avatar", AvatarLibrary.default().names()[0], "--audio", str(SPEECH), "-o", str(tmp_path / "film.mp4")]
    assert main(["render", *words, *change]) == 1
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "film.mp4").exists()
