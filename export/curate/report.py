"""The set as one page of HTML beside its stills: what each filter found, how well it is calibrated, and the clips."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from export.curate.filters import AESTHETIC, FILTERS, THRESHOLDS, Filter
from export.curate.manifest import Row, counts
from export.curate.review import PAGES

FILE = "report.html"
_SHOWN = 60  # clips of each kind
_BINS, _WIDTH, _HEIGHT = 24, 240, 70
_KNOWN = {each.name: each for each in (*FILTERS, AESTHETIC)}


def write(folder: Path, rows: Sequence[Row], limits: Mapping[str, float], calibration: Path = THRESHOLDS) -> Path:
    """`report.html` in the set's folder."""
    path = folder / FILE
    path.write_text(page(folder.resolve().name, rows, limits, json.loads(calibration.read_text())), encoding="utf-8")
    return path


def page(name: str, rows: Sequence[Row], limits: Mapping[str, float], calibration: Mapping[str, Any]) -> str:
    """calibration: what `calibrate.save` wrote."""
    found = counts(rows)
    scored = [row for row in rows if row["status"] == "scored"]
    seconds = sum(row["end_s"] - row["start_s"] for row in rows if row["kept"])
    kept, rejected = [row for row in scored if row["kept"]], [row for row in scored if not row["kept"]]
    rejected.sort(key=lambda row: len(row["rejected_by"]))
    broken = [row for row in rows if row["status"] == "failed"]
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(name)}</title><style>{(PAGES / 'set.css').read_text()}</style><body><div class=page>",
        f"<h1>{escape(name)}</h1><p class=counts><span class=good><b>{found['kept']}</b>kept, {seconds / 60:.1f} min</span>"
        f"<span class=bad><b>{found['rejected']}</b>rejected</span><span class=dim><b>{found['failed']}</b>failed</span></p>",
        "<h2>What the filters found</h2><div class=filters>",
        *(_filter(each, scored, limits[each.name]) for each in (*FILTERS, AESTHETIC) if each.name in limits),
        "</div>",
        _languages(scored),
        "<h2>How well they tell</h2>",
        f"<p class=dim>ROC on clips spoilt on purpose, of {escape(str(calibration['clips']))}.</p><div class=rocs>",
        *(_roc(_KNOWN[name], found) for name, found in calibration["filters"].items() if name in limits),
        "</div>",
    ]
    for title, group in (("Kept", kept), ("Rejected", rejected)):
        more = f" (first {_SHOWN} of {len(group)})" if len(group) > _SHOWN else ""
        if group:
            parts += [f"<h2>{title}{more}</h2><div class=clips>", *(_clip(row) for row in group[:_SHOWN]), "</div>"]
    if broken:
        lines = (f"<tr><td>{escape(row['clip'])}<td>{escape(row['reason'])}" for row in broken)
        parts += ["<h2>Failed</h2><table>", *lines, "</table>"]
    return "\n".join([*parts, "</div></body></html>"])


def _filter(which: Filter, scored: Sequence[Row], limit: float) -> str:
    """A histogram with its threshold; what does not pass is drawn in the other colour."""
    values = np.array([row[which.name] for row in scored if row.get(which.name) is not None], np.float64)
    num_failed = sum(which.name in row["rejected_by"] for row in scored)
    sign = "≥" if which.high_is_good else "≤"
    without = len(scored) - len(values)
    said = f"{sign} {limit:.3g}; rejects {num_failed} of {len(scored)}" + (f", {without} without a value" if without else "")
    bars = ""
    if len(values):
        low, high = min(float(values.min()), limit), max(float(values.max()), limit)
        span = max(high - low, 1e-9)
        numbers, edges = np.histogram(values, _BINS, (low, low + span))
        for number, left, right in zip(numbers, edges[:-1], edges[1:], strict=True):
            tall = _HEIGHT * number / numbers.max()
            good = which.passes((left + right) / 2, limit)
            x = (left - low) / span * _WIDTH
            bars += (
                f'<rect x="{x:.1f}" y="{_HEIGHT - tall:.1f}" width="{_WIDTH / _BINS - 1:.1f}" height="{tall:.1f}" '
                f'fill="var(--{"good" if good else "bad"})"/>'
            )
        x = (limit - low) / span * _WIDTH
        bars += f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{_HEIGHT}" stroke="var(--lamp)"/>'
        said += f"<br>{low:.3g} to {low + span:.3g}"
    drawing = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="histogram">{bars}</svg>' if bars else ""
    return f"<div class=filter><h3>{escape(which.title)}</h3>{drawing}<p>{said}</p></div>"


def _roc(which: Filter, found: Mapping[str, Any]) -> str:
    points = " ".join(f"{100 * x:.1f},{100 - 100 * y:.1f}" for x, y in found["roc"])
    ways = "<br>".join(f"{escape(way)} {auc:.3f}" for way, auc in found["by_way"].items())
    return (
        f'<div class=filter><h3>{escape(which.title)}</h3><svg viewBox="-1 -1 102 102" role="img" aria-label="ROC">'
        '<rect width="100" height="100" fill="none" stroke="var(--line)"/><path d="M0 100L100 0" stroke="var(--line)"/>'
        f'<polyline points="{points}" fill="none" stroke="var(--lamp)" stroke-width="1.5"/></svg>'
        f"<p>AUC {found['auc']:.3f}, {found['num_clean']} clean, {found['num_spoilt']} spoilt<br>{ways}</p></div>"
    )


def _languages(scored: Sequence[Row]) -> str:
    heard = Counter(row["language"] for row in scored if row.get("language"))
    if not heard:
        return ""
    return "<h2>Languages</h2><p>" + ", ".join(f"{escape(code)} {num}" for code, num in heard.most_common()) + "</p>"


def _clip(row: Row) -> str:
    image = f'<img src="{escape(row["stills"])}" loading="lazy" alt="">' if row["stills"] else ""
    chosen = f" · {row['choice']}ed by hand" if row["choice"] else ""
    why = ", ".join(f"{_KNOWN[each].title.lower()} ({_number(row.get(each))})" for each in row["rejected_by"])
    fault = f" · {row['lip_fault']}" if "lip_clarity" in row["rejected_by"] and row.get("lip_fault") else ""
    said = f"<p>“{escape(row['transcript'])}”</p>" if row.get("transcript") else ""
    return (
        f'<figure class=clip><a href="{escape(row["file"])}">{image}</a>'
        f'<p class="name">{escape(row["clip"])} <span class=dim>{row["start_s"]:.1f}–{row["end_s"]:.1f} s{chosen}</span></p>'
        f"<p class=dim>{escape(row['caption'])}</p>{said}"
        + (f"<p class=bad>not: {escape(why)}{fault}</p>" if why else "")
        + "</figure>"
    )


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, (int, float)) else "nothing to judge"
