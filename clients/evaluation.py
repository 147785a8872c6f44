"""One run of `rostrum evaluate`: cases filled, videos rendered, watched and compared, each step kept in files so that it goes
on where it was stopped.

::

    cases/            what `export.evaluate.filling` writes
    videos/           ID.mp4, as rendered, and its lineage
    judged/SYSTEM/    ID.json figures, ID.npz the face that was read
    results.json      everything; report.html for people
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np
from tqdm import tqdm

from clients.bench import machine
from export.evaluate import read_back, tables
from export.evaluate.case_voices import Speakers
from export.evaluate.filling import Filled, fill, read_filled
from export.evaluate.identity import Appearance, Embedding, FaceMeasure
from export.evaluate.judging import Figures, Yardsticks, asked_of, figures, from_json, seams_of
from export.evaluate.lip_fit import fitted_on
from export.evaluate.report import write_report
from export.evaluate.suite import Case, SuiteError
from export.evaluate.tables import Judged
from export.evaluate.watching import load_track, look_at, save_track, watch
from streamer.config import DrawingSettings
from streamer.offline import ShowOptions, render_video
from streamer.recording import Recording, RecordingError
from streamer.worker_pool import PoolError

FILMS = (".mp4", ".webm", ".mov", ".mkv")


class Evaluation:
    """cases: those chosen. folder: where they are filled, or were. notes: what the report says first. terminal: for
    progress."""

    def __init__(
        self, cases: Sequence[Case], out: Path, folder: Path, seed: int, notes: Sequence[str], terminal: TextIO
    ) -> None:
        self._cases = cases
        self._out = out
        self._folder = folder
        self._seed = seed
        self._notes = list(notes)
        self._terminal = terminal
        print("\n".join(notes), file=terminal)
        self._filled: dict[str, Filled] = {}
        self._films: dict[str, dict[str, Path]] = {}
        self._why_not: dict[str, dict[str, str]] = {}
        self._judged: dict[str, list[Judged]] = {}

    def fill(self, own: Path | None, engines: Sequence[str]) -> None:
        """As `export.evaluate.filling.fill`."""
        with tqdm(total=len(self._cases), desc="filling", file=self._terminal) as bar:
            fill(self._cases, self._folder, own, lambda: Speakers(engines), lambda done, of: _advance(bar, done))
        self._filled = read_filled(self._folder)
        given = sum(not filled.picture_from.startswith("the shipped portrait") for filled in self._filled.values())
        self._notes.append(f"Pictures: {given} of your own, {len(self._filled) - given} made of the shipped portraits.")
        voices = sorted({self._filled[case.id].voice_from.split(" ")[0] for case in self._cases})
        self._notes.append(f"Voices: {', '.join(voices[:6])}{' …' if len(voices) > 6 else ''}.")

    def measure_by(self, identity_model: Path | None, talking: Path | None) -> None:
        """Choose the yardsticks. Raises ValueError for files of another kind."""
        self._measure: FaceMeasure = Embedding(identity_model) if identity_model else Appearance()
        self._notes.append(f"Identity distance by {self._measure.name}" + (
            "." if identity_model else ": no face embedding is shipped; name one with --identity-model."))  # fmt: skip
        self._yardsticks = Yardsticks(fitted_on(talking) if talking else None)
        self._notes.append(
            f"Lip predictor: {f'fitted on {talking}' if talking else 'the shipped one, by which 28 real people reach 0.48'}."
        )
        self._stamp = [self._measure.name, str(talking), [f.name for f in fields(Figures)]]  # figures by others are made anew

    def render(self, drawing: DrawingSettings, workers: int, fps: int) -> None:
        """Render and judge every case; one video is watched while the next is drawn. Case by case, what fails is told and
        left out."""
        videos = self._out / "videos"
        videos.mkdir(parents=True, exist_ok=True)
        failures = self._why_not.setdefault(drawing.model, {})
        with ThreadPoolExecutor(1) as watcher, tqdm(total=len(self._cases), desc="rendering", file=self._terminal) as bar:
            waiting: list[Future[None]] = []
            for case in self._cases:
                film = videos / f"{case.id}.mp4"
                if not film.is_file():
                    try:
                        self._film(case, film, drawing, workers, fps)
                    except (BrokenExecutor, PoolError, RecordingError, ValueError, OSError) as error:
                        failures[case.id] = str(error)
                        tqdm.write(f"{case.id}: {error}", file=self._terminal)
                if film.is_file():
                    waiting.append(watcher.submit(self._watch, drawing.model, case, film))
                bar.update()
            for future in waiting:
                future.result()
        self._films[drawing.model] = {case.id: film for case in self._cases if (film := videos / f"{case.id}.mp4").is_file()}

    def judge(self, system: str, videos: Path) -> None:
        """Judge videos that are there already. Raises SuiteError where a folder has none of the cases, or a name stands
        twice."""
        if system in self._films:
            raise SuiteError(f"two folders of videos are called {system}: write --videos NAME={videos}")
        found = {case.id: path for case in self._cases for end in FILMS if (path := videos / f"{case.id}{end}").is_file()}
        if not found:
            raise SuiteError(f"{videos} has no video of these cases: they are called {self._cases[0].id}.mp4 and so on")
        self._why_not[system] = {case.id: "no video" for case in self._cases if case.id not in found}
        for case in tqdm([case for case in self._cases if case.id in found], desc=f"watching {system}", file=self._terminal):
            self._watch(system, case, found[case.id])
        self._films[system] = {id_: path for id_, path in found.items() if id_ not in self._why_not[system]}

    def report(self) -> dict[str, Any]:
        """Write results.json and report.html, and give the former."""
        for system in self._films:
            self._judged[system] = self._compared(system)
        systems = {
            name: {
                "all": tables.row(judged),
                "by": tables.by_category(judged),
                "instructions": tables.instructions(judged),
                "cases": {one.case.id: _as_json(one) for one in judged},
            }
            for name, judged in self._judged.items()
        }
        results = {"notes": self._notes, "machine": machine.facts(), "systems": systems}
        (self._out / "results.json").write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        films = {
            name: {id_: film for id_, film in of.items() if id_ not in self._why_not.get(name, {})}
            for name, of in self._films.items()
        }
        write_report(self._out / "report.html", self._judged, films, self._folder, self._filled, self._notes)
        return results

    def text(self) -> str:
        return "\n".join([*self._notes, "", tables.text(self._judged)])

    @property
    def num_judged(self) -> int:
        return sum(one.figures is not None for judged in self._judged.values() for one in judged)

    def _film(self, case: Case, film: Path, drawing: DrawingSettings, workers: int, fps: int) -> None:
        filled = self._filled[case.id]
        if not filled.avatar:
            raise ValueError(filled.why_not)
        recording = Recording.open(self._folder / f"{case.id}.wav")
        options = ShowOptions(size=case.size, fps=fps, workers=workers, seed=self._seed, drawing=drawing)
        half_done = film.with_name(f".{film.name}")
        render_video(self._folder / "avatars" / filled.avatar, recording, half_done, case.prompt, options)
        half_done.with_name(half_done.name + ".lineage.jsonl").replace(_lineage(film))
        half_done.replace(film)

    def _watch(self, system: str, case: Case, film: Path) -> None:
        """Judge one video, unless that was done already; what cannot be watched is told and left out."""
        path = self._out / "judged" / system / f"{case.id}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        stamp = [film.stat().st_size, film.stat().st_mtime_ns, *self._stamp]
        with contextlib.suppress(OSError, ValueError, KeyError):
            if json.loads(path.read_text(encoding="utf-8"))["of"] == stamp:
                return
        try:
            picture = cv2.imread(str(self._folder / f"{case.id}.png"), cv2.IMREAD_COLOR)
            if picture is None:
                raise ValueError(f"{self._folder / case.id}.png cannot be read")
            portrait = look_at(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8), self._measure)
            watched = watch(film, portrait, self._measure)
            voice = Recording.open(self._folder / f"{case.id}.wav").voice
        except (RecordingError, ValueError) as error:
            self._why_not.setdefault(system, {})[case.id] = str(error)
            tqdm.write(f"{case.id}: {error}", file=self._terminal)
            return
        found = figures(watched, portrait, voice, self._yardsticks, seams_of(_lineage(film)))
        save_track(watched.track, path.with_suffix(".npz"))
        save_track(portrait.track, path.with_suffix(".picture.npz"))
        path.write_text(json.dumps({"of": stamp, "figures": asdict(found)}) + "\n", encoding="utf-8")

    def _compared(self, system: str) -> list[Judged]:
        """All cases of a system with what of their instructions shows, which only the others together can tell."""
        folder = self._out / "judged" / system
        kept: dict[str, Figures] = {}
        seen: dict[str, read_back.Seen] = {}
        for case in self._cases:
            if case.id in self._why_not.get(system, {}):
                continue
            path = folder / f"{case.id}.json"
            kept[case.id] = from_json(json.loads(path.read_text(encoding="utf-8"))["figures"])
            track, picture = load_track(path.with_suffix(".npz")), load_track(path.with_suffix(".picture.npz"))
            if track is not None and picture is not None:
                seen[case.id] = read_back.Seen(asked_of(case), track, picture)
        ranks = dict(zip(seen, read_back.ranks(list(seen.values())), strict=True))
        return [
            Judged(case, kept.get(case.id), ranks.get(case.id, {}), self._why_not.get(system, {}).get(case.id, ""))
            for case in self._cases
        ]


def _lineage(film: Path) -> Path:
    return film.with_name(film.name + ".lineage.jsonl")


def _as_json(one: Judged) -> dict[str, Any]:
    if one.figures is None:
        return {"why_not": one.why_not}
    return {**asdict(one.figures), "read_back": {name: round(rank, 3) for name, rank in one.read_back.items()}}


def _advance(bar: Any, done: int) -> None:
    bar.update(done - bar.n)
