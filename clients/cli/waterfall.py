"""Sub-clips as a waterfall: a row each, from its first sample's arrival to its first picture's being sent. SVG, no library."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

#: From one stamp of the clock to the next: what happens then, and its colour.
STAGES = (
    ("heard", "due", "collecting its voice", "#8fb4d9"),
    ("due", "cut", "waiting to begin", "#d9d2c3"),
    ("cut", "moved", "motion", "#e39b4e"),
    ("moved", "drawn", "first picture", "#c8553d"),
    ("drawn", "aired", "waiting for its turn", "#cfe3c8"),
    ("aired", "sent", "encoding", "#5c8a5a"),
)
_LEFT, _TOP, _ROW, _WIDTH = 150, 56, 18, 1000


def waterfall(entries: Sequence[dict[str, Any]]) -> str:
    """Lines of a live broadcast's lineage, in order, as an SVG document."""
    begin_s = min(entry["clock_s"]["heard"] for entry in entries)
    end_s = max(entry["clock_s"]["sent"] for entry in entries)
    scale = _WIDTH / max(end_s - begin_s, 1e-3)
    height = _TOP + _ROW * len(entries) + 30

    def x(at_s: float) -> float:
        return _LEFT + (at_s - begin_s) * scale

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 20}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for i, (_, _, name, colour) in enumerate(STAGES):
        left = _LEFT + i * 160
        parts.append(
            f'<rect x="{left}" y="10" width="11" height="11" fill="{colour}"/><text x="{left + 16}" y="20">{name}</text>'
        )
    step_s = next(step for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 3600) if (end_s - begin_s) / step <= 20)
    for i in range(int((end_s - begin_s) / step_s) + 1):
        at = x(begin_s + i * step_s)
        parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP - 8}" y2="{height - 26}" stroke="#ddd"/>')
        parts.append(f'<text x="{at:.1f}" y="{height - 12}" text-anchor="middle" fill="#666">{i * step_s:.4g} s</text>')
    for row, entry in enumerate(entries):
        y, clock = _TOP + row * _ROW, entry["clock_s"]
        how = "⋈" if entry["join"] else "–" if entry["chained"] else "·"
        late = f" ({entry['late_pictures']} late)" if entry["late_pictures"] else ""
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 11}" text-anchor="end">{how} {entry["start_s"]:.2f} s{late}</text>')
        for first, then, name, colour in STAGES:
            length = (clock[then] - clock[first]) * scale
            if clock[first] and length > 0.2:
                tip = escape(f"{name}: {1e3 * (clock[then] - clock[first]):.0f} ms ({entry['worker']})")
                parts.append(
                    f'<rect x="{x(clock[first]):.1f}" y="{y}" width="{length:.1f}" height="{_ROW - 5}" fill="{colour}">'
                    f"<title>{tip}</title></rect>"
                )
    return "\n".join([*parts, "</svg>\n"])
