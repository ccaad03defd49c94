"""Values for direct IO from the command line, a file or stdin."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hanami_sdk.cli.failures import CommandFailedError
from hanami_sdk.cli.session import open_failure

__all__ = ["SAMPLES_HELP", "read_samples", "sample_count"]

SAMPLES_HELP = (
    "HEXAGON:VALUES, repeatable; VALUES are numbers with commas between them,"
    " @FILE or @- for stdin with one sample in every line"
)

Rows = list[list[float]]


def read_samples(texts: Sequence[str]) -> dict[str, Rows]:
    """Return the samples of every hexagon.

    Raises
    ------
    CommandFailedError
        When a text has no colon, a hexagon comes twice, or something is no number.
    OSError
        When a file cannot be read.
    """
    samples: dict[str, Rows] = {}
    for text in texts:
        name, colon, values = text.partition(":")
        if not colon:
            raise CommandFailedError("Error: Required separators ':' are missing")
        if not name or not values:
            raise CommandFailedError("Error: Invalid format before or after ':'")
        if name in samples:
            raise CommandFailedError(f"Error: {name} is given twice")
        samples[name] = _rows(values, name)
    return samples


def _rows(values: str, name: str) -> Rows:
    if not values.startswith("@"):
        return [_numbers(values, name)]
    path = values[1:]
    source = f"{name} from {'stdin' if path == '-' else path}"
    content = _content(path).strip()
    if not content:
        raise CommandFailedError(f"Error: {source}: there are no values")
    if content.startswith("["):
        return _json_rows(content, source)
    lines = content.split("\n")
    return [_numbers(line, f"{source}, line {at}") for at, line in enumerate(lines, 1)]


def _content(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise open_failure(error) from error
    except UnicodeDecodeError as error:
        raise CommandFailedError(
            f"Error: {path} is not a text file; byte {error.start} is not UTF-8"
        ) from error


def _numbers(text: str, source: str) -> list[float]:
    words = text.replace(",", " ").split()
    try:
        return [float(word) for word in words]
    except ValueError as error:
        raise CommandFailedError(f"Error: {source}: {error}") from None


def _json_rows(content: str, source: str) -> Rows:
    try:
        rows: Any = json.loads(content)
    except ValueError as error:
        raise CommandFailedError(f"Error: {source}: no valid JSON: {error}") from None
    if rows and not isinstance(rows[0], list):
        rows = [rows]
    for row in rows:
        if not isinstance(row, list) or not all(isinstance(v, int | float) for v in row):
            raise CommandFailedError(f"Error: {source}: it must be a list of lists of numbers")
    return [[float(value) for value in row] for row in rows]


def sample_count(*groups: Mapping[str, Rows]) -> int:
    """Return how many samples there are.

    Raises
    ------
    CommandFailedError
        When the hexagons have different numbers of samples.
    """
    counts = {name: len(rows) for group in groups for name, rows in group.items()}
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise CommandFailedError(f"Error: every hexagon needs the same number of samples: {shown}")
    return next(iter(counts.values()), 0)
