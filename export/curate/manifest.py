"""The set's manifest: one row a clip, `manifest.parquet`. A person's choices live in it and outlast every new run."""

from __future__ import annotations

import fcntl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from export.curate.filters import AESTHETIC, FILTERS

FILE = "manifest.parquet"
CHOICES = ("", "accept", "reject")
INSTALL = "pip install 'rostrum[curate]'"

#: Column → Parquet type. `status`: scored or failed, with the `reason`. `rejected_by`: filters not passed, most telling first.
#: `choice`: a person's, or empty. A clip is kept when it was accepted, or has no choice and passes every filter.
COLUMNS: dict[str, str] = {
    "clip": "string", "source": "string", "status": "string", "reason": "string",
    "start_s": "float64", "end_s": "float64", "file": "string", "stills": "string",
    "width": "int32", "height": "int32", "fps": "float64",
    "kept": "bool", "choice": "string", "rejected_by": "list<string>",
    "caption": "string", "framing": "string", "face_emotion": "string", "voice_emotion": "string",
    "transcript": "string", "language": "string", "language_probability": "float64",
    **{each.name: "float64" for each in (*FILTERS, AESTHETIC)},
    "lip_fault": "string", "cut_at_frame": "int32", "sync_confidence": "float64", "sync_offset_frames": "int32",
    "syncnet_confidence": "float64", "syncnet_distance": "float64",
    "yaw": "float64", "pitch": "float64", "roll": "float64", "level_db": "float64",
}  # fmt: skip

Row = dict[str, Any]


class ManifestError(ValueError):
    """A folder without a manifest, or with a broken one. The message says how to get one."""


def read(folder: Path) -> list[Row]:
    """Every row, by clip. Raises ManifestError, and ImportError that names the extra."""
    import pyarrow as pa

    parquet = _parquet()
    path = folder / FILE
    if not path.is_file():
        raise ManifestError(f"{folder} holds no {FILE}: make one with `rostrum curate VIDEOS -o {folder}`")
    try:
        rows: list[Row] = parquet.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise ManifestError(f"{path} cannot be read ({error}): remove it and curate again; what was scored is kept") from None
    return rows


def write(folder: Path, rows: Iterable[Row]) -> list[Row]:
    """Rows anew, with the choices that the manifest there already holds; returns them. Another process may do the same."""
    with _alone(folder):
        chosen = {row["clip"]: row["choice"] for row in read(folder)} if (folder / FILE).is_file() else {}
        done = [_decided(row | {"choice": chosen.get(row["clip"], "")}) for row in rows]
        _save(folder, done)
    return done


def choose(folder: Path, clip: str, choice: str) -> Row:
    """Note what a person thinks of a clip: "accept", "reject" or "" for no choice. Raises ManifestError for another word or an
    unknown clip."""
    if choice not in CHOICES:
        raise ManifestError(f"a choice is accept, reject or nothing, not {choice!r}")
    with _alone(folder):
        rows = read(folder)
        at = next((i for i, row in enumerate(rows) if row["clip"] == clip), None)
        if at is None:
            raise ManifestError(f"there is no clip {clip!r} in {folder}")
        rows[at] = _decided(rows[at] | {"choice": choice})
        _save(folder, rows)
    return rows[at]


def _decided(row: Row) -> Row:
    passes = row["status"] == "scored" and not row["rejected_by"]
    return row | {"kept": row["choice"] == "accept" or (passes and row["choice"] != "reject")}


def _save(folder: Path, rows: list[Row]) -> None:
    import pyarrow as pa

    parquet = _parquet()
    schema = pa.schema([(name, pa.list_(pa.string()) if kind == "list<string>" else pa.type_for_alias(_ALIAS.get(kind, kind)))
                        for name, kind in COLUMNS.items()])  # fmt: skip
    table = pa.Table.from_pylist([{name: row.get(name) for name in COLUMNS} for row in rows], schema=schema)
    partial = folder / f"{FILE}.part"
    parquet.write_table(table, partial, compression="zstd")
    partial.replace(folder / FILE)


_ALIAS = {"float64": "double"}


def _parquet() -> Any:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError(f"pyarrow is not installed ({error}): {INSTALL}") from error
    return parquet


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def counts(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many clips are kept, rejected and failed."""
    found = {"kept": 0, "rejected": 0, "failed": 0}
    for row in rows:
        found["kept" if row["kept"] else "failed" if row["status"] == "failed" else "rejected"] += 1
    return found
