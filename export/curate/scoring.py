"""One video to the rows of its clips: cut, read, scored, captioned, and the clips written out. What a worker process does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2

from engines.recognition.whisper import Whisper
from engines.specs import SAMPLE_RATE_HZ
from export.curate.aesthetic import AestheticPredictor
from export.curate.captions import caption
from export.curate.cut import pieces, shots
from export.curate.filters import AESTHETIC, Experts, Scores, failed
from export.curate.graph import WEIGHTS
from export.curate.manifest import Row
from export.curate.reading import read
from export.curate.video import Facts, UnreadableVideo, facts_of, frames_between, sound_of, write_clip

#: Of what is measured: scores made by another version are made again.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done to every video. limits: thresholds by filter, only of those that are asked. whisper: a model by folder or
    name, empty for no transcript. aesthetic_head, clip: both or neither. syncnet: SyncNet's own weights."""

    shortest_s: float
    longest_s: float
    limits: dict[str, float]
    whisper: str = ""
    aesthetic_head: str = ""
    clip: str = ""
    syncnet: str = ""

    def fingerprint(self) -> str:
        """Of all that scores depend on, our weights too; limits do not count, they are applied anew."""
        weights = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(WEIGHTS.glob("*.onnx"))]
        parts = asdict(self) | {"limits": None, "version": VERSION, "weights": weights}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


class Curator:
    """The models, once a process. Raises what their constructors raise."""

    def __init__(self, recipe: Recipe, out: Path) -> None:
        cv2.setNumThreads(1)
        self._recipe, self._out = recipe, out
        self._experts = Experts()
        self._listener = Whisper(recipe.whisper) if recipe.whisper else None
        self._aesthetic = AestheticPredictor(Path(recipe.aesthetic_head), recipe.clip) if recipe.aesthetic_head else None
        self._syncnet = None
        if recipe.syncnet:
            from export.curate.syncnet import SyncNet

            self._syncnet = SyncNet.load(Path(recipe.syncnet))

    def rows(self, video: Path, name: str) -> Iterator[Row]:
        """name: of the video in the set, such as `talks/monday.mp4`. Raises UnreadableVideo for a file that is no video; a clip
        that fails becomes a row that says so."""
        facts = facts_of(video)
        found = pieces(shots(video), self._recipe.shortest_s, self._recipe.longest_s)
        if not found:
            raise UnreadableVideo(f"{video.name} has no shot of {self._recipe.shortest_s:g} s or longer")
        sound = sound_of(video)
        for number, (start_s, end_s) in enumerate(found):
            row: Row = {
                "clip": f"{name}#{number:04d}", "source": name, "start_s": round(start_s, 3), "end_s": round(end_s, 3),
                "width": facts.width, "height": facts.height, "fps": facts.fps, "status": "scored", "reason": "",
            }  # fmt: skip
            heard = sound[round(start_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)]
            try:
                yield row | self._clip(video, row["clip"], facts, start_s, end_s, heard)
            except Exception as error:  # a broken stretch of a film must not take the rest with it
                yield row | {"status": "failed", "reason": f"{type(error).__name__}: {error}", "rejected_by": []}

    def _clip(self, video: Path, clip: str, facts: Facts, start_s: float, end_s: float, heard: Any) -> Row:
        reading = read(frames_between(video, start_s, end_s), heard)
        scores = self._experts.score(reading)
        values, more = dict(scores.values), dict(scores.facts)
        if self._aesthetic is not None:
            values[AESTHETIC.name] = self._aesthetic.rate(reading.stills)
        if self._syncnet is not None and reading.track.found.any() and len(heard):
            from export.curate.syncnet import face_pictures

            faces = face_pictures(frames_between(video, start_s, end_s), reading.track)
            real = self._syncnet.score(faces, heard)
            more |= {"syncnet_confidence": real.confidence, "syncnet_distance": real.distance}
        words = caption(reading, self._listener if values.get("speech", 0.0) > 0.1 else None)
        stem = clip.replace("/", "__").replace("#", "-")
        file, stills = Path("clips") / f"{stem}.mp4", Path("stills") / f"{stem}.jpg"
        for each in (file, stills):
            (self._out / each).parent.mkdir(exist_ok=True)
        write_clip(self._out / file, frames_between(video, start_s, end_s, facts.fps), facts.fps, heard)
        strip = cv2.cvtColor(cv2.hconcat(list(reading.stills)), cv2.COLOR_RGB2BGR) if reading.stills else None
        if strip is not None:
            cv2.imwrite(str(self._out / stills), strip, [cv2.IMWRITE_JPEG_QUALITY, 85])
        said = {"caption": words.text} | {name: value for name, value in asdict(words).items() if name != "text"}
        return values | more | said | {"file": str(file), "stills": str(stills) if strip is not None else ""}


def judged(row: Row, limits: dict[str, float]) -> Row:
    """The row with the filters that it does not pass."""
    if row["status"] != "scored":
        return row | {"rejected_by": []}
    return row | {"rejected_by": failed(Scores({name: row[name] for name in limits if row.get(name) is not None}), limits)}
