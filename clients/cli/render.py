"""`rostrum render`: a recording, or a text, spoken by an avatar, as an MP4."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import cv2
from tqdm import tqdm

from clients.cli.model_flags import add_model_flags, drawing_settings
from clients.cli.native_logs import without_native_logs
from clients.cli.speech_flags import add_speech_flags, speech_settings
from clients.cli.transcript_flags import add_transcript_flags, transcript_settings
from engines.avatar_library import AvatarError, AvatarLibrary
from engines.recognition.whisper import RecogniserError

_OWN_BACKGROUND = "own-background.png"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rostrum render`."""
    parser = subparsers.add_parser("render", help="render a speech file to a video", description=__doc__)
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--avatar", metavar="NAME", help="an avatar of the library; `rostrum avatar list` shows them")
    who.add_argument("--picture", type=Path, metavar="FILE", help="a portrait picture in place of an avatar")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--audio", type=Path, metavar="FILE", help="any audio or video that FFmpeg reads")
    what.add_argument("--text", metavar="TEXT", help="what is said, spoken by a voice (see below); - reads it from stdin")
    parser.add_argument("--prompt", default="", help='what to do, e.g. "warm and confident, nods at the end, slow zoom in"')
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.mp4")
    parser.add_argument("--fps", type=int, default=25, help="24, 25, 30, 48 or 50 (default 25)")
    parser.add_argument("--size", default="512x512", metavar="WxH", help="picture size, e.g. 1920x1080 (default 512x512)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="worker processes (default 1)")
    parser.add_argument(
        "--pool",
        default="local",
        metavar="WHERE",
        help="where they run: local, ray, ray:auto or ray://HOST:10001",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same frames (default 0)")
    parser.add_argument(
        "--background",
        default="keep",
        metavar="KIND",
        help="keep, blur, green (to be keyed out), clear (alpha: -o FILE.mov, ProRes 4444), or a picture's file",
    )
    parser.add_argument("--captions", action="store_true", help="write what is said beside the film, as FILE.vtt")
    add_transcript_flags(parser)
    add_model_flags(parser)
    parser.add_argument("--json", action="store_true", help="end with one line of figures as JSON")
    add_speech_flags(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Render; 1 and a message on stderr where something about the input is wrong."""
    from streamer.captions import lines, webvtt
    from streamer.offline import ShowOptions, render_video
    from streamer.plan import BACKGROUNDS
    from streamer.recording import Recording, RecordingError
    from streamer.speech import SpeechError, spoken
    from streamer.transcript import spoken_words
    from streamer.worker_pool import PoolError

    with ExitStack() as stack:
        try:
            kinds = (*BACKGROUNDS, "clear")
            background = arguments.background if arguments.background in kinds else Path(_OWN_BACKGROUND)
            if isinstance(background, Path) and not Path(arguments.background).is_file():
                raise ValueError(f"--background {arguments.background}: not one of {', '.join(kinds)}, nor a file")
            if (background == "clear") != (arguments.out.suffix.lower() == ".mov"):
                raise ValueError(
                    "--background clear and -o FILE.mov belong together: MP4 has no alpha, and other films are MP4"
                )
            options = ShowOptions(
                size=parse_size(arguments.size),
                fps=arguments.fps,
                workers=arguments.workers,
                pool=arguments.pool,
                seed=arguments.seed,
                background=background,
                drawing=drawing_settings(arguments),
            )
            transcript = transcript_settings(arguments, threads=arguments.workers)
            if arguments.captions and not transcript:
                raise ValueError("--captions needs --transcript MODEL to write down what is said")
            if not arguments.out.parent.is_dir():
                raise ValueError(f"there is no folder {arguments.out.parent} to write {arguments.out.name} into")
            if arguments.audio:
                recording = Recording.open(arguments.audio)
            else:
                text = sys.stdin.read() if arguments.text == "-" else arguments.text
                recording = asyncio.run(spoken(text, speech_settings(arguments)))
            if arguments.picture:
                from engines.codecs.portrait.create import create_avatar

                root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rostrum-")))
                with without_native_logs():
                    folder = create_avatar(arguments.picture, "picture", root=root).folder
            else:
                folder = AvatarLibrary.default().get(arguments.avatar).folder
            if isinstance(background, Path):
                scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rostrum-")))
                folder = _with_background(folder, Path(arguments.background), scratch)
            with _StageBar() as bar:
                words = spoken_words(recording.voice, transcript) if transcript else []
                report, show = render_video(folder, recording, arguments.out, arguments.prompt, options, bar.tell, words)
            if arguments.captions:
                arguments.out.with_suffix(".vtt").write_text(webvtt(lines(words)), encoding="utf-8")
        except (AvatarError, PoolError, RecogniserError, RecordingError, SpeechError, ValueError, OSError) as error:
            print(f"rostrum render: {error}", file=sys.stderr)
            return 1
    if show.storyline.cues:
        waiting = ", ".join(f"“{cue.words}”" for cue in show.storyline.cues)
        why = "not said" if transcript else "not listened for: give --transcript MODEL"
        print(f"rostrum render: {waiting} {why}", file=sys.stderr)
    print(
        f"{arguments.out}: {report.video_s:.1f} s in {report.wall_s:.1f} s ({report.realtime:.2f} x real time)", file=sys.stderr
    )
    if arguments.json:
        print(json.dumps(asdict(report)))
    return 0


def _with_background(folder: Path, picture: Path, scratch: Path) -> Path:
    """The avatar with a background of one's own beside it: it travels with the avatar, to whichever machine draws."""
    from engines.codecs.portrait.open_picture import open_picture

    copied = Path(shutil.copytree(folder, scratch / folder.name))
    cv2.imwrite(str(copied / _OWN_BACKGROUND), cv2.cvtColor(open_picture(picture).rgb, cv2.COLOR_RGB2BGR))
    return copied


def parse_size(text: str) -> tuple[int, int]:
    """`1280x720` to (1280, 720). Raises ValueError."""
    width, by, height = text.lower().partition("x")
    if not (by and width.isdigit() and height.isdigit()):
        raise ValueError(f"--size {text}: write it as WIDTHxHEIGHT, such as 1280x720")
    return int(width), int(height)


class _StageBar:
    """One progress bar a stage, on stderr."""

    def __init__(self) -> None:
        self._bar: tqdm[None] | None = None
        self._stage = ""

    def __enter__(self) -> _StageBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.close()

    def tell(self, stage: str, done: int, total: int) -> None:
        """A `streamer.offline.Progress`."""
        if stage != self._stage:
            self.__exit__()
            self._bar, self._stage = (
                tqdm(total=total, desc=f"{stage:>10}", file=sys.stderr, bar_format="{l_bar}{bar}| {elapsed}"),
                stage,
            )
        assert self._bar is not None
        self._bar.update(done - self._bar.n)
