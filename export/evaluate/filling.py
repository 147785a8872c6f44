"""Cases filled with what they need: a folder from which any system can make its videos.

::

    cases.jsonl       the cases, as chosen and limited
    ID.png            the picture, of the size that the video shall have
    ID.wav            the voice
    ID.txt            the prompt
    ID.json           where picture and voice are from, and which avatar was made of the picture
    avatars/          those avatars

What the user has of their own comes from a folder like this, of which any part may be missing; the more exact name wins:

::

    pictures/ID.png                    or .jpg, .jpeg, .webp
    pictures/human/real/*.jpg          and human/generated, other/real, other/generated
    voices/ID.wav                      or whatever FFmpeg reads
    voices/zh/speech/*.wav             and zh/song, en/speech, …

Files of a pool are dealt in order of name to the cases of that kind in order of id.
"""

from __future__ import annotations

import json
import wave
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.avatar_library import AvatarError
from engines.codecs.portrait.create import create_avatar
from export.evaluate.case_pictures import picture_for, still
from export.evaluate.case_voices import Speakers
from export.evaluate.suite import Case, SuiteError, read_cases, write_cases
from streamer.recording import Recording

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
CASES = "cases.jsonl"


@dataclass(frozen=True, slots=True)
class Filled:
    """Where a case's picture and voice are from. avatar: the folder under `avatars`; "" where `why_not` says why there is
    none."""

    picture_from: str
    voice_from: str
    avatar: str
    why_not: str = ""


def read_filled(folder: Path) -> dict[str, Filled]:
    """By id, of the cases of a folder that are filled."""
    filled = {}
    for case in read_cases(folder / CASES):
        path = folder / f"{case.id}.json"
        if path.is_file():
            filled[case.id] = Filled(**json.loads(path.read_text(encoding="utf-8")))
    return filled


def fill(
    cases: Sequence[Case], out: Path, own: Path | None, speakers: Callable[[], Speakers],
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, Filled]:  # fmt: skip
    """Fill `out` with cases; what is there already stays. own: the user's folder. speakers: made when a voice is first missing.

    Raises SuiteError where `out` holds other cases under the same ids, or `own` holds nothing; EngineMissing; RecordingError.
    """
    out.mkdir(parents=True, exist_ok=True)
    there = {case.id: case for case in read_cases(out / CASES)} if (out / CASES).is_file() else {}
    for case in cases:
        if there.get(case.id, case) != case:
            raise SuiteError(f"{out} holds {case.id} as another case (other limits?): take another folder, or delete this one")
    pools = _Pools(own, read_cases()) if own else None
    write_cases([case for _, case in sorted({**there, **{case.id: case for case in cases}}.items())], out / CASES)
    engines: Speakers | None = None
    filled = {}
    for done, case in enumerate(cases):
        tell(done, len(cases))
        path = out / f"{case.id}.json"
        if not path.is_file():
            recording = pools.voice(case) if pools else None
            if recording is not None:
                sound = Recording.open(recording).sound[: case.seconds * 48_000]
                _write_wav(out / f"{case.id}.wav", np.ascontiguousarray(sound), 48_000)
                voice_from = str(recording)
            else:
                engines = engines or speakers()
                audio, voice_from = engines.say(case)
                _write_wav(out / f"{case.id}.wav", audio, 16_000)
            (out / f"{case.id}.txt").write_text(case.prompt + "\n", encoding="utf-8")
            made = _picture(case, out, pools, voice_from)
            half_done = path.with_suffix(".part")
            half_done.write_text(json.dumps(asdict(made), ensure_ascii=False) + "\n", encoding="utf-8")
            half_done.replace(path)
        filled[case.id] = Filled(**json.loads(path.read_text(encoding="utf-8")))
    tell(len(cases), len(cases))
    return filled


def _picture(case: Case, out: Path, pools: _Pools | None, voice_from: str) -> Filled:
    given = pools.picture(case) if pools else None
    avatars = out / "avatars"
    if given is None:
        avatar, words = picture_for(case, avatars)
        _write_png(out / f"{case.id}.png", still(avatar, case.size))
        return Filled(words, voice_from, avatar.name)
    try:
        avatar = create_avatar(given, case.id, root=avatars, force=True)
    except AvatarError as error:  # others may know how to draw it
        bgr = cv2.imread(str(given), cv2.IMREAD_COLOR)
        if bgr is None:
            raise SuiteError(f"{given} cannot be read as a picture") from None
        cv2.imwrite(str(out / f"{case.id}.png"), bgr)
        return Filled(str(given), voice_from, "", str(error))
    _write_png(out / f"{case.id}.png", still(avatar, case.size))
    return Filled(str(given), voice_from, avatar.name)


class _Pools:
    """The user's folder. Which file of a pool a case has does not depend on which cases were chosen."""

    def __init__(self, folder: Path, suite: Sequence[Case]) -> None:
        self._folder = folder
        self._turns: dict[str, dict[str, int]] = {}
        for case in sorted(suite, key=lambda each: each.id):
            for pool in (self._picture_pool(case), self._voice_pool(case)):
                turns = self._turns.setdefault(pool, {})
                turns[case.id] = len(turns)
        if not (folder / "pictures").is_dir() and not (folder / "voices").is_dir():
            raise SuiteError(f"{folder} has neither pictures/ nor voices/ in it.\n\n{__doc__}")

    def picture(self, case: Case) -> Path | None:
        return self._file("pictures", self._picture_pool(case), case, PICTURES)

    def voice(self, case: Case) -> Path | None:
        return self._file("voices", self._voice_pool(case), case, None)

    def _file(self, kind: str, pool: str, case: Case, suffixes: Sequence[str] | None) -> Path | None:
        def fitting(paths: Sequence[Path]) -> list[Path]:
            return [p for p in sorted(paths) if p.is_file() and (suffixes is None or p.suffix.lower() in suffixes)]

        if exact := fitting(list((self._folder / kind).glob(f"{case.id}.*"))):
            return exact[0]
        pooled = fitting(list((self._folder / pool).glob("*")))
        return pooled[self._turns[pool].get(case.id, 0) % len(pooled)] if pooled else None

    @staticmethod
    def _picture_pool(case: Case) -> str:
        return f"pictures/{case.subject}/{case.source}"

    @staticmethod
    def _voice_pool(case: Case) -> str:
        return f"voices/{case.language}/{case.voice}"


def _write_wav(path: Path, audio: NDArray[np.int16], rate_hz: int) -> None:
    """[n] or [n, channels]."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if audio.ndim == 1 else audio.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(audio.tobytes())


def _write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    if not cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)):
        raise OSError(f"{path} could not be written; is the disk full?")
