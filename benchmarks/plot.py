"""The plot of cold searches: wall seconds by number of claims, both logarithmic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 240, 40, 50
_COLOURS = ("#c0392b", "#2471a3", "#1e8449", "#7d3c98", "#7f8c8d", "#b7950b", "#34495e")
#: Names at the right end keep this distance.
_LINE = 15


def svg(cold: Mapping[str, Mapping[str, Any]]) -> str:
    """The picture of `cold`: for each number of claims what each tool took."""
    sizes = sorted(map(int, cold))
    series: dict[str, list[tuple[int, dict[str, float]]]] = {}
    for size in sizes:
        for name, value in cold[str(size)].items():
            series.setdefault(name, []).append((size, value["seconds"]))
    every = [point[end] for points in series.values() for _, point in points for end in ("low", "high")]
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def x(size: float) -> float:
        part = (math.log10(size) - first) / (last - first) if last > first else 0.5
        return _LEFT + 20 + part * (_WIDTH - _LEFT - _RIGHT - 40)

    def y(seconds: float) -> float:
        return _TOP + (high - math.log10(seconds)) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="22" font-size="14">One question in a fresh process: wall seconds by number of claims'
        "</text>",
    ]
    for power in range(low, high + 1):
        at = y(10.0**power)
        out.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>')
    for size in sizes:
        out.append(f'<text x="{x(size):.1f}" y="{_HEIGHT - _BOTTOM + 20}" text-anchor="middle">{size:,}</text>')
    names = {name: y(points[-1][1]["median"]) for name, points in series.items()}
    for name, label in zip(names, _apart(list(names.values())), strict=True):
        points = series[name]
        colour = _COLOURS[list(names).index(name) % len(_COLOURS)]
        width = 3 if name == "codex" else 1.5
        line = " ".join(f"{x(size):.1f},{y(value['median']):.1f}" for size, value in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
        for size, value in points:
            at = x(size)
            out.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y(value["low"]):.1f}" y2="{y(value["high"]):.1f}" '
                       f'stroke="{colour}"/>')  # fmt: skip
            out.append(f'<circle cx="{at:.1f}" cy="{y(value["median"]):.1f}" r="3" fill="{colour}"/>')
        text = f"{name}, {_seconds(points[-1][1]['median'])}"
        out.append(f'<text x="{_WIDTH - _RIGHT + 8}" y="{label + 4:.1f}" fill="{colour}">{escape(text)}</text>')
    out.append(f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">claims; lines span '
               "the quartiles</text>")  # fmt: skip
    return "\n".join([*out, "</svg>\n"])


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _apart(places: list[float]) -> list[float]:
    """The places moved down, where need be, so that no two lines of text overlap."""
    found = list(places)
    before = -math.inf
    for number in sorted(range(len(places)), key=places.__getitem__):
        found[number] = before = max(places[number], before + _LINE)
    return found
