"""The report of an evaluation as one HTML file: tables, and for each case its picture and every system's video side by side.

Videos up to `EMBEDDED_BYTES` together are inside the file; beyond that they are linked, relative to it, and the page says so.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import av
import cv2
import numpy as np

from export.evaluate.filling import Filled
from export.evaluate.tables import COLUMNS, Judged, by_category, cells, instructions, row

EMBEDDED_BYTES = 80 * 1024 * 1024
_STYLE = Path(__file__).with_name("report.css")
_SCRIPT = """
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-play]");
  if (!button) return;
  const videos = [...button.closest("article").querySelectorAll("video")];
  const stop = videos.some((video) => !video.paused);
  videos.forEach((video, i) => {
    video.muted = i > 0;
    if (stop) video.pause();
    else { video.currentTime = 0; video.play(); }
  });
});
"""


def write_report(
    path: Path, systems: Mapping[str, Sequence[Judged]], films: Mapping[str, Mapping[str, Path]], cases: Path,
    filled: Mapping[str, Filled], notes: Sequence[str],
) -> None:  # fmt: skip
    """films: by system and id. cases: the folder that was filled. notes: sentences on how it was done, for the head."""
    embedded = sum(film.stat().st_size for of in films.values() for film in of.values()) <= EMBEDDED_BYTES
    notes = [
        *notes,
        "The videos are inside this file."
        if embedded
        else "The videos are too large for one file: they are linked, beside it.",
    ]

    def source(film: Path) -> str:
        if embedded:
            return "data:video/mp4;base64," + base64.b64encode(film.read_bytes()).decode()
        return escape(os.path.relpath(film, path.parent))

    ids = dict.fromkeys(one.case.id for judged in systems.values() for one in judged)
    by_id = {name: {one.case.id: one for one in judged} for name, judged in systems.items()}
    articles = []
    for id_ in ids:
        shown = {name: of[id_] for name, of in by_id.items() if id_ in of}
        case = next(iter(shown.values())).case
        figures = "".join(
            _film(name, one, source(films[name][id_]) if id_ in films[name] else None, films[name].get(id_))
            for name, one in shown.items()
        )
        origin = f"{filled[id_].picture_from}; {filled[id_].voice_from}" if id_ in filled else ""
        facts = " · ".join(
            (case.language, case.voice, case.subject, case.source, f"{case.seconds} s", f"{case.size[0]}×{case.size[1]}")
        )
        articles.append(
            f'<article id="{escape(id_)}"><header><h3>{escape(id_)}</h3><p>{escape(facts)}</p>'
            f'<button type="button" data-play>Play</button></header><blockquote>{escape(case.prompt)}</blockquote>'
            f'<div class="films"><figure><img src="{_thumbnail(cases / (id_ + ".png"))}" alt="The picture" loading="lazy">'
            f"<figcaption>the picture</figcaption></figure>{figures}</div><p class=origin>{escape(origin)}</p></article>"
        )
    head = "".join(f"<p>{escape(note)}</p>" for note in notes)
    html = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Rostrum: evaluation</title><style>{_STYLE.read_text(encoding='utf-8')}</style>"
        f"<main><h1>Evaluation</h1>{head}{_tables(systems)}<h2>Cases</h2>{''.join(articles)}</main><script>{_SCRIPT}</script></html>"
    )
    path.write_text(html, encoding="utf-8")


def _tables(systems: Mapping[str, Sequence[Judged]]) -> str:
    head = (
        "<tr><th></th><th>cases</th>"
        + "".join(f'<th title="{escape(c.meaning)}">{escape(c.title)}</th>' for c in COLUMNS)
        + "</tr>"
    )
    whole = "".join(_line(name, cells(row(judged))) for name, judged in systems.items())
    out = [f'<div class="wide"><table>{head}{whole}</table></div>']
    legend = "".join(f"<dt>{escape(c.title)}</dt><dd>{escape(c.meaning)}</dd>" for c in COLUMNS)
    out.append(f"<details><summary>What the figures mean</summary><dl>{legend}</dl></details>")
    for name, judged in systems.items():
        lines = []
        for kind, groups in by_category(judged).items():
            if len(groups) > 1:
                lines.append(f'<tr class="kind"><th colspan="{len(COLUMNS) + 2}">{escape(kind)}</th></tr>')
                lines += [_line(group, cells(figures)) for group, figures in groups.items()]
        out.append(
            f"<details open><summary>{escape(name)} by category</summary>"
            f"<div class=wide><table>{head}{''.join(lines)}</table></div></details>"
        )
        found = instructions(judged)
        rows = "".join(
            f"<li><span>{escape(word.replace('_', ' '))}</span><b>{value:.2f}</b></li>" for word, value in found.items()
        )
        out.append(
            f"<details><summary>{escape(name)}: each instruction, read back</summary><ul class=ranks>{rows}</ul></details>"
        )
    return "".join(out)


def _line(name: str, words: Sequence[str]) -> str:
    return f"<tr><th>{escape(name)}</th>" + "".join(f"<td>{escape(word)}</td>" for word in words) + "</tr>"


def _film(system: str, judged: Judged, source: str | None, film: Path | None) -> str:
    if source is None or film is None:
        why_not = escape(judged.why_not or "no video")
        return f"<figure class=missing><p>{why_not}</p><figcaption>{escape(system)}</figcaption></figure>"
    figures = []
    for column in COLUMNS[:-2]:
        value = column.of(judged)
        if value is not None and column.name not in ("drift", "lip_lag"):
            figures.append(f"<span>{escape(column.title)} <b>{value:.{column.digits}f}</b></span>")
    ranks = "".join(
        f"<span>{escape(name.replace('_', ' '))} <b>{rank:.2f}</b></span>" for name, rank in judged.read_back.items()
    )
    return (
        f'<figure><video src="{source}" poster="{_poster(film)}" controls playsinline preload="none"></video>'
        f"<figcaption>{escape(system)}<div class=figures>{''.join(figures)}{ranks}</div></figcaption></figure>"
    )


def _poster(film: Path, height: int = 360) -> str:
    """The first frame."""
    with av.open(str(film)) as container:
        frame = next(container.decode(video=0), None)
        if frame is None:
            return ""
        return _jpeg(cv2.cvtColor(frame.to_ndarray(format="rgb24"), cv2.COLOR_RGB2BGR), height)


def _thumbnail(path: Path, height: int = 360) -> str:
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return "" if bgr is None else _jpeg(bgr, height)


def _jpeg(bgr: np.ndarray, height: int) -> str:
    scale = min(1.0, height / len(bgr))
    small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 82])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()
