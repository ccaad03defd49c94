"""Curves over cycles as an SVG document, without any library; as PNG where CairoSVG is installed."""

import importlib
import importlib.util
import math
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

__all__ = ["Series", "draw", "write_picture"]

WIDTH = 640
PANEL_HEIGHT = 250
LEFT, RIGHT, TOP, BOTTOM = 60, 120, 30, 40
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")
TICKS = 5
DOTTED_MAX = 60
"""Lines of so many points or fewer show every one of them."""

PNG_SCALE = 2.0


class Series(NamedTuple):
    """A line.

    Attributes
    ----------
    name : str
        Stands at its end.
    x, y : list of float
        At least one point; x does not fall.
    """

    name: str
    x: list[float]
    y: list[float]


def _number(value: float) -> str:
    """Return a short number."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _ticks(lowest: float, highest: float) -> list[float]:
    """Return about five round numbers that cover a range."""
    rough = (highest - lowest) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * f for f in (1, 2, 5, 10) if power * f >= rough * 0.999)
    first, last = math.floor(lowest / step), math.ceil(highest / step - 1e-9)
    return [step * q for q in range(first, last + 1)]


def _panel(title: str, lines: list[Series], top: int) -> list[str]:
    """Return the elements of one diagram whose upper edge is at ``top``."""
    x_ticks = _ticks(0.0, max(max(line.x) for line in lines) or 1.0)
    y_ticks = _ticks(
        min(0.0, *(min(line.y) for line in lines)), max(max(line.y) for line in lines) or 1.0
    )
    x_max, y_min, y_max = x_ticks[-1], y_ticks[0], y_ticks[-1]
    width, height = WIDTH - LEFT - RIGHT, PANEL_HEIGHT - TOP - BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        right = LEFT + width * x / x_max
        down = top + TOP + height * (1 - (y - y_min) / (y_max - y_min))
        return round(right, 1), round(down, 1)

    parts = [f'<text x="{LEFT}" y="{top + 18}" font-weight="bold">{escape(title)}</text>']
    for x in x_ticks:
        right, base = place(x, y_min)
        parts.append(f'<text x="{right}" y="{base + 16}" text-anchor="middle">{_number(x)}</text>')
    for y in y_ticks:
        left, down = place(0, y)
        parts.append(f'<text x="{left - 6}" y="{down + 4}" text-anchor="end">{_number(y)}</text>')
        parts.append(
            f'<path d="M{left} {down}H{LEFT + width}" stroke="#ddd" stroke-width="1" fill="none"/>'
        )
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join("{},{}".format(*place(x, y)) for x, y in zip(line.x, line.y, strict=True))
        _, down = place(line.x[-1], line.y[-1])
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        if len(line.x) <= DOTTED_MAX:
            for x, y in zip(line.x, line.y, strict=True):
                right, low = place(x, y)
                parts.append(f'<circle cx="{right}" cy="{low}" r="2.5" fill="{colour}"/>')
        parts.append(
            f'<text x="{LEFT + width + 6}" y="{down + 4}" fill="{colour}">{escape(line.name)}</text>'
        )
    return parts


def draw(panels: dict[str, list[Series]]) -> str:
    """Return an SVG document with one diagram below the other.

    Parameters
    ----------
    panels : mapping of title to lines
        All over cycles.
    """
    height = PANEL_HEIGHT * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    for number, (title, lines) in enumerate(panels.items()):
        parts += _panel(title, lines, number * PANEL_HEIGHT)
    return "\n".join([*parts, "</svg>"]) + "\n"


def write_picture(path: Path, panels: dict[str, list[Series]]) -> None:
    """Write what `draw` draws to a file.

    Parameters
    ----------
    path : Path
        Ends in ``.svg`` or ``.png``.
    panels : mapping of title to lines

    Raises
    ------
    ValueError
        For another ending, or for a PNG without CairoSVG; nothing is written.
    OSError
        When the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in {".svg", ".png"}:
        raise ValueError(f"{path} must end in .svg or .png")
    if kind == ".svg":
        path.write_text(draw(panels), encoding="utf-8")
        return
    if importlib.util.find_spec("cairosvg") is None:
        raise ValueError(
            f"{path}: PNG needs the Python package cairosvg, which is not installed;"
            " a name that ends in .svg needs nothing"
        )
    cairosvg: Any = importlib.import_module("cairosvg")  # not a dependency
    path.write_bytes(cairosvg.svg2png(bytestring=draw(panels).encode(), scale=PNG_SCALE))
