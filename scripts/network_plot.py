"""Learning curve and growth of a network as an SVG file, without any library."""

import math
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import numpy as np
from network_data import Images, make_network, one_hot

__all__ = ["Series", "draw", "plot_learning"]

WIDTH = 640
PANEL_HEIGHT = 250
LEFT, RIGHT, TOP, BOTTOM = 60, 120, 30, 40
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")
TICKS = 5


class Series(NamedTuple):
    """A line."""

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


def plot_learning(images: Images, path: Path) -> None:
    """Train once over the images, test every now and then on some held out, and draw it."""
    split = images.held_out()
    targets = one_hot(split.labels)
    network = make_network(split.x.shape[1], 10, 1)
    stops = np.unique(np.geomspace(20, len(split.x), 40).astype(int))
    cycles, right, error, blocks, sections = ([0.0] for _ in range(5))
    right[0] = 10.0
    error[0] = 1.0
    start = 0
    for stop in stops:
        network.train([("x", split.x)], [("y", targets)], start, int(stop))
        start = int(stop)
        results = np.zeros((len(split.x_test), 10), np.float32)
        network.request([("x", split.x_test)], ["y"], 0, len(results), results=[results])
        metrics = network.metrics()
        cycles.append(float(stop))
        right.append(100 * float((results.argmax(1) == split.labels_test).mean()))
        error.append(float(metrics["running_error"]))
        blocks.append(float(metrics["blocks"]))
        sections.append(float(metrics["sections"]))
    path.write_text(
        draw(
            {
                f"{split.name}: % right on the last sixth, by cycles": [
                    Series("% right", cycles, right)
                ],
                "running error": [Series("error", cycles, error)],
                "blocks of 128 neurons": [Series("blocks", cycles, blocks)],
                "sections of 128 weights": [Series("sections", cycles, sections)],
            }
        )
    )
