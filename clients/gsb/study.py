"""A blind comparison of two folders of videos, kept in one SQLite file: its pairs, its raters, and every answer they gave.

Each rater has the pairs in an order and on sides of their own, decided by the study's seed and their name; half of the time the
first folder is on the left. So nothing about it has to be kept, and a rater goes on after any interruption.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from export.evaluate.preference import CRITERIA, Preference, majority, preference
from export.evaluate.suite import CATEGORIES, SUITE, Case, read_cases

CASES = "cases.jsonl"  # as `export.evaluate.filling` writes it
FILMS = (".mp4", ".webm", ".mov", ".m4v")
SIDES = ("left", "same", "right")  # which is better, as the rater sees it
_TABLES = """ create table if not exists study (key text primary key, value text not null); create table if not exists pair
(name text primary key, a text not null, b text not null, prompt text not null, picture text not null, categories text not
null); create table if not exists rater (name text primary key, began_at real not null); create table if not exists vote
(rater text not null references rater, pair text not null references pair, criterion text not null, answer text not null check
(answer in ('G', 'S', 'B')), left_side text not null, took_s real not null, at real not null, primary key (rater, pair,
criterion)); """


class StudyError(ValueError):
    """Folders that cannot be compared, a file that is no study, an answer that is none. The message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two videos of one name. prompt and picture: what they were made from, "" where that is not known."""

    name: str
    a: Path
    b: Path
    prompt: str
    picture: str
    categories: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Turn:
    """A pair as one rater sees it. a_left: the first folder's video is on the left."""

    pair: Pair
    a_left: bool

    @property
    def left(self) -> Path:
        return self.pair.a if self.a_left else self.pair.b

    @property
    def right(self) -> Path:
        return self.pair.b if self.a_left else self.pair.a


def pairs_of(a: Path, b: Path, cases: Path | None = None) -> list[Pair]:
    """The videos of both folders that have the same name, whatever they end in. cases: as `rostrum evaluate --export-cases`
    writes it, for prompts and pictures. Raises StudyError where there are none."""
    for folder in (a, b):
        if not folder.is_dir():
            raise StudyError(f"there is no folder {folder}")
    films = [
        {p.stem: p for p in sorted(folder.iterdir()) if p.suffix.lower() in FILMS and not p.name.startswith(".")}
        for folder in (a, b)
    ]
    names = sorted(films[0].keys() & films[1].keys())
    if not names:
        raise StudyError(f"{a} and {b} have no videos of the same name ({', '.join(FILMS)})")
    known = {case.id: case for case in read_cases(cases / CASES if cases else SUITE)}
    return [_pair(name, films[0][name], films[1][name], known.get(name), cases) for name in names]


def _pair(name: str, a: Path, b: Path, case: Case | None, cases: Path | None) -> Pair:
    picture = str(path) if cases and (path := cases / f"{name}.png").is_file() else ""
    categories = {kind: of(case) for kind, of in CATEGORIES.items()} if case else {}
    return Pair(name, a.resolve(), b.resolve(), case.prompt if case else "", picture, categories)


class Study:
    """May be used from several threads; one at a time is let in."""

    def __init__(self, path: Path) -> None:
        """Opens what `create` made. Raises StudyError."""
        if not path.is_file():
            raise StudyError(f"there is no file {path}: `rostrum gsb serve A/ B/ --db {path}` makes one")
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        try:
            self._db.execute("pragma journal_mode = wal")  # an answer is safe from a crash, and waits for no disk
            self._db.execute("pragma synchronous = normal")
            facts = dict(self._db.execute("select key, value from study"))
            rows = self._db.execute("select name, a, b, prompt, picture, categories from pair order by name").fetchall()
            self.names, self.key, self.seed = (facts["a"], facts["b"]), facts["access_key"], int(facts["seed"])
        except (sqlite3.DatabaseError, KeyError) as error:
            raise StudyError(f"{path} is not a study of `rostrum gsb` ({error})") from None
        self.pairs = [Pair(n, Path(a), Path(b), prompt, picture, json.loads(c)) for n, a, b, prompt, picture, c in rows]

    @classmethod
    def create(cls, path: Path, pairs: Sequence[Pair], names: tuple[str, str], seed: int) -> Study:
        """Make the file, or open it where it compares the same two: then new pairs are added. Raises StudyError."""
        try:
            with sqlite3.connect(path) as db:
                db.executescript(_TABLES)
                there = dict(db.execute("select key, value from study"))
                if there and (there["a"], there["b"]) != names:
                    raise StudyError(f"{path} compares {there['a']} with {there['b']}: name another file with --db")
                facts = {"a": names[0], "b": names[1], "seed": str(seed), "access_key": secrets.token_urlsafe(18)}
                db.executemany("insert or ignore into study values (?, ?)", facts.items())
                db.executemany(
                    "insert into pair values (?, ?, ?, ?, ?, ?) on conflict (name) do update set a = excluded.a, "
                    "b = excluded.b, prompt = excluded.prompt, picture = excluded.picture, categories = excluded.categories",
                    [(p.name, str(p.a), str(p.b), p.prompt, p.picture, json.dumps(dict(p.categories))) for p in pairs],
                )
        except sqlite3.DatabaseError as error:
            raise StudyError(f"{path} is not a study of `rostrum gsb` ({error})") from None
        return cls(path)

    def turns(self, rater: str) -> list[Turn]:
        """All pairs, as this rater sees them. New pairs come where chance puts them: answers are kept by name."""

        def chance(pair: Pair, what: str) -> bytes:
            return hashlib.sha256(f"{self.seed}\0{rater}\0{pair.name}\0{what}".encode()).digest()

        ordered = sorted(self.pairs, key=lambda pair: chance(pair, "order"))
        by_side = sorted(self.pairs, key=lambda pair: chance(pair, "side"))
        on_left = {pair.name for pair in by_side[: (len(by_side) + chance(by_side[0], "odd")[0] % 2) // 2]}
        return [Turn(pair, pair.name in on_left) for pair in ordered]

    def token(self, rater: str, name: str, side: str) -> str:
        """What stands in an address in place of a video's name: it says nothing of whose video it is, and cannot be guessed."""
        return hmac.digest(self.key.encode(), f"{rater}\0{name}\0{side}".encode(), hashlib.sha256).hex()[:32]

    def raters(self) -> list[str]:
        with self._lock:
            return [name for (name,) in self._db.execute("select name from rater order by began_at")]

    def join(self, rater: str) -> None:
        """Raises StudyError for a name that is none."""
        if not 1 <= len(rater) <= 60 or not rater.isprintable():
            raise StudyError("a name has 1 to 60 letters")
        with self._lock, self._db:
            self._db.execute("insert or ignore into rater values (?, ?)", (rater, time.time()))

    def answers(self, rater: str) -> dict[str, dict[str, str]]:
        """By pair and criterion, as the rater saw it: "left", "same" or "right" was better."""
        a_left = {turn.pair.name: turn.a_left for turn in self.turns(rater)}
        found: dict[str, dict[str, str]] = {}
        with self._lock:
            rows = self._db.execute("select pair, criterion, answer from vote where rater = ?", (rater,)).fetchall()
        for name, criterion, answer in rows:
            if name in a_left:
                seen = "same" if answer == "S" else "left" if (answer == "G") == a_left[name] else "right"
                found.setdefault(name, {})[criterion] = seen
        return found

    def vote(self, rater: str, turn: Turn, answers: Mapping[str, str], took_s: float) -> None:
        """What a rater says of a pair, every criterion of it; said again, the later counts. Raises StudyError."""
        if set(answers) != set(CRITERIA) or not set(answers.values()) <= set(SIDES):
            raise StudyError(f"answers are {', '.join(SIDES)}, one for each of {', '.join(CRITERIA)}")
        better = {"left": "G" if turn.a_left else "B", "right": "B" if turn.a_left else "G", "same": "S"}
        side, now = "a" if turn.a_left else "b", time.time()
        rows = [(rater, turn.pair.name, criterion, better[said], side, took_s, now) for criterion, said in answers.items()]
        with self._lock, self._db:
            self._db.executemany("insert or replace into vote values (?, ?, ?, ?, ?, ?, ?)", rows)

    def votes(self) -> list[tuple[str, str, str, str, str, float, float]]:
        """rater, pair, criterion, answer (of the first folder), whose video was on the left, seconds it took, when."""
        with self._lock:
            return self._db.execute("select * from vote order by at, pair, criterion").fetchall()

    def close(self) -> None:
        self._db.close()


def write_csv(votes: Iterable[tuple[object, ...]], path: Path) -> None:
    """One answer a line."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["rater", "pair", "criterion", "answer", "left", "took_s", "at"])
        writer.writerows(votes)


def compared(study: Study) -> dict[str, dict[str, Preference | None]]:
    """By category ("all", then such as "language: zh") and criterion."""
    said: dict[tuple[str, str], list[str]] = {}
    for _, name, criterion, answer, *_ in study.votes():
        said.setdefault((name, criterion), []).append(answer)
    groups: dict[str, list[Pair]] = {"all": study.pairs}
    for kind in CATEGORIES:
        of_kind: dict[str, list[Pair]] = {}
        for pair in study.pairs:
            if kind in pair.categories:
                of_kind.setdefault(f"{kind}: {pair.categories[kind]}", []).append(pair)
        groups |= dict(sorted(of_kind.items(), key=lambda item: -len(item[1]))) if len(of_kind) > 1 else {}
    return {
        name: {c: preference([majority(said[p.name, c]) for p in pairs if (p.name, c) in said]) for c in CRITERIA}
        for name, pairs in groups.items()
    }
