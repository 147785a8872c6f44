"""A folder of videos to a set: videos are shared out to processes, each one's rows are kept as they come, the manifest follows.

What was scored lies in `rows/`, a file for each video, so that a run that was stopped goes on where it was, a video that has
changed is scored again, and thresholds can be moved without scoring anything again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from export.curate import manifest
from export.curate.manifest import Row
from export.curate.scoring import Curator, Recipe, judged
from export.curate.video import videos_in

log = logging.getLogger(__name__)

_MANIFEST_EVERY_S = 20.0

#: Called with how many of how many videos are done, and the name of the last one.
Progress = Callable[[int, int, str], None]

_curator: Curator | None = None


def curate(
    videos: Path, out: Path, recipe: Recipe, workers: int = 1, tell: Progress = lambda done, total, name: None
) -> list[Row]:
    """Score every video below `videos` that has no scores yet; all rows of the set. A file that cannot be read becomes a row
    that says why. Raises FileNotFoundError where there is no video at all, and what `Curator` raises for missing models."""
    found = videos_in(videos)
    if not found:
        raise FileNotFoundError(f"there is no video in {videos}")
    out = out.resolve()
    (out / "rows").mkdir(parents=True, exist_ok=True)
    todo = [video for video in found if not _is_scored(video, _name(video, videos), out, recipe)]
    done, total = len(found) - len(todo), len(found)
    tell(done, total, "")
    written = time.monotonic()
    if todo:
        Curator(recipe, out)  # what is missing is said once, before any process starts
        for video, rows in _scored(todo, videos, out, recipe, workers):
            _keep(video, _name(video, videos), rows, out, recipe)
            done += 1
            tell(done, total, _name(video, videos))
            if time.monotonic() - written > _MANIFEST_EVERY_S:
                _collect(found, videos, out, recipe)
                written = time.monotonic()
    return _collect(found, videos, out, recipe)


def _scored(todo: list[Path], root: Path, out: Path, recipe: Recipe, workers: int) -> Iterator[tuple[Path, list[Row]]]:
    """Videos with their rows, as they are done. A video that takes its process down is found out and named."""
    suspects: list[Path] = []
    waiting = list(reversed(todo))
    while waiting:
        with _pool(workers, recipe, out) as pool:
            running: dict[Future[list[Row]], Path] = {}
            try:
                while waiting or running:
                    while waiting and len(running) < 2 * workers:
                        video = waiting.pop()
                        running[pool.submit(_rows_of, video, _name(video, root))] = video
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        rows = future.result()
                        yield running.pop(future), rows
            except BrokenProcessPool:
                suspects += running.values()
    for video in suspects:  # each by itself, so that whoever breaks again is known
        with _pool(1, recipe, out) as pool:
            try:
                yield video, pool.submit(_rows_of, video, _name(video, root)).result()
            except BrokenProcessPool:
                yield (
                    video,
                    [_failure(_name(video, root), "the process that read it died: the file is broken, or memory ran out")],
                )


def _pool(workers: int, recipe: Recipe, out: Path) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start, initargs=(recipe, out)
    )


def _start(recipe: Recipe, out: Path) -> None:
    global _curator
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # MediaPipe's notices would tear the progress bar; errors go back as values
    _curator = Curator(recipe, out)


def _rows_of(video: Path, name: str) -> list[Row]:
    assert _curator is not None
    try:
        return list(_curator.rows(video, name))
    except Exception as error:  # whatever is wrong with one file, the others are scored
        return [_failure(name, str(error) or type(error).__name__)]


def _failure(name: str, reason: str) -> Row:
    return {"clip": name, "source": name, "status": "failed", "reason": reason, "rejected_by": []}


def _name(video: Path, root: Path) -> str:
    return video.relative_to(root).as_posix()


def _row_file(name: str, out: Path) -> Path:
    return out / "rows" / f"{hashlib.sha256(name.encode()).hexdigest()[:20]}.json"


def _stamp(video: Path, recipe: Recipe) -> dict[str, object]:
    stat = video.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "recipe": recipe.fingerprint()}


def _is_scored(video: Path, name: str, out: Path, recipe: Recipe) -> bool:
    try:
        return bool(json.loads(_row_file(name, out).read_text())["stamp"] == _stamp(video, recipe))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _keep(video: Path, name: str, rows: list[Row], out: Path, recipe: Recipe) -> None:
    path = _row_file(name, out)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps({"stamp": _stamp(video, recipe), "rows": rows}, ensure_ascii=False))
    partial.replace(path)


def _collect(found: list[Path], root: Path, out: Path, recipe: Recipe) -> list[Row]:
    rows: list[Row] = []
    for video in found:
        path = _row_file(_name(video, root), out)
        if path.is_file():
            rows += json.loads(path.read_text())["rows"]
    return manifest.write(out, [judged(row, recipe.limits) for row in rows])
