"""Tables and JSON exactly as scripts and people know them from the original hanamictl."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["content_table", "figures_table", "json_text", "list_table", "object_table"]

# Cells with longer text are broken at blanks.
CELL_WIDTH_MAX = 30

# Beyond these, numbers are written with an exponent, as Go does in JSON.
PLAIN_NUMBER_MIN = 1e-6
PLAIN_NUMBER_MAX = 1e21


def number_text(number: float) -> str:
    """Return a number in its shortest exact form; whole numbers without decimals."""
    if isinstance(number, int):
        return str(number)
    magnitude = abs(number)
    if magnitude and not PLAIN_NUMBER_MIN <= magnitude < PLAIN_NUMBER_MAX:
        mantissa, _, exponent = repr(number).partition("e")
        if not exponent:
            return repr(number)
        return f"{mantissa.removesuffix('.0')}e{exponent[0]}{exponent[1:].lstrip('0')}"
    text = repr(number)
    if "e" in text:
        text = f"{number:.0f}" if magnitude >= 1 else _without_exponent(text)
    return text.removesuffix(".0")


def _without_exponent(text: str) -> str:
    """Write a shortest form like ``1.5e-05`` with all its zeros."""
    mantissa, _, exponent = text.partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    digits = mantissa.lstrip("-").replace(".", "")
    return f"{sign}0.{'0' * (-int(exponent) - 1)}{digits}"


def _json_string(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def json_text(value: Any, indent: str = "") -> str:
    """Return JSON with sorted keys, four blanks per level and ``<>&`` escaped."""
    inner = indent + "    "
    if isinstance(value, str):
        return _json_string(value)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, Mapping):
        opening, closing = "{", "}"
        parts = [f"{_json_string(key)}: {json_text(value[key], inner)}" for key in sorted(value)]
    else:
        opening, closing = "[", "]"
        parts = [json_text(item, inner) for item in value]
    if not parts:
        return opening + closing
    lines = ",\n".join(inner + part for part in parts)
    return f"{opening}\n{lines}\n{indent}{closing}"


def _nested_text(value: Any) -> str:
    """Return a value inside of a list: maps as ``map[key:value]``."""
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{k}:{_nested_text(value[k])}' for k in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(_nested_text(item) for item in value)}]"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return str(value)


def cell_text(value: Any) -> str:
    """Return a value as a table shows it."""
    if isinstance(value, Mapping):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _nested_text(value)


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _wrapped(text: str) -> list[str]:
    """Break a text at blanks into lines as even as possible; words are never broken.

    The best breaks make the sum of the squared free places of all lines but the last minimal;
    found from the end of the text to its beginning.
    """
    if _width(text) <= CELL_WIDTH_MAX:
        return [text]
    words = text.split(" ")
    limit = max(CELL_WIDTH_MAX, *(_width(word) for word in words))
    count = len(words)
    cost = [0] * (count + 1)
    line_end = [count] * (count + 1)
    for first in range(count - 1, -1, -1):
        if _width(" ".join(words[first:])) <= limit:
            continue
        costs = []
        for end in range(first + 1, count):
            free = limit - _width(" ".join(words[first:end]))
            if free < 0:
                break
            costs.append((free * free + cost[end], end))
        cost[first], line_end[first] = min(costs)
    lines = []
    first = 0
    while first < count:
        lines.append(" ".join(words[first : line_end[first]]))
        first = line_end[first]
    return lines


def _cell_lines(text: str) -> list[str]:
    return [line for paragraph in text.split("\n") for line in _wrapped(paragraph)]


def _column_width(texts: Sequence[str]) -> int:
    width = 0
    for text in texts:
        for paragraph in text.split("\n"):
            width = max(width, min(_width(paragraph), CELL_WIDTH_MAX))
            width = max(width, *(_width(line) for line in _wrapped(paragraph)))
    return width


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _centred(text: str, width: int) -> str:
    left = (width - _width(text)) // 2
    return _padded(" " * left + text, width)


def _rendered(header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> str:
    columns = list(zip(*([header] if header is not None else []), *rows, strict=True))
    widths = [_column_width(column) for column in columns]
    border = "+" + "".join("-" * (width + 2) + "+" for width in widths)
    lines = [border]
    if header is not None:
        cells = [_centred(text, width) for text, width in zip(header, widths, strict=True)]
        lines += [f"| {' | '.join(cells)} |", border]
    for row in rows:
        blocks = [_cell_lines(text) for text in row]
        for index in range(max(len(block) for block in blocks)):
            cells = [
                _padded(block[index] if index < len(block) else "", width)
                for block, width in zip(blocks, widths, strict=True)
            ]
            lines.append(f"| {' | '.join(cells)} |")
    lines.append(border)
    return "\n".join(lines)


def _title(field: str) -> str:
    return field.upper().replace("_", " ")


def object_table(value: Mapping[str, Any], fields: Sequence[str]) -> str:
    """Return two columns: the name of each field and its value, ``<nil>`` where it is missing."""
    return _rendered(None, [(_title(field), cell_text(value.get(field))) for field in fields])


def list_table(listing: Mapping[str, Any], fields: Sequence[str]) -> str:
    """Return the columns of a listing in the order of ``fields``; unknown ones are left out."""
    header: list[str] = listing["header"]
    shown = [field for field in fields if field in header]
    places = [header.index(field) for field in shown]
    rows = [[cell_text(row[place]) for place in places] for row in listing["body"]]
    return _rendered([_title(field) for field in shown], rows)


def figures_table(header: Sequence[str], rows: Sequence[Sequence[float | None]]) -> str:
    """Return whole numbers as they are, others with six decimals, ``-`` where there is none."""

    def text(value: float | None) -> str:
        if value is None:
            return "-"
        return str(value) if isinstance(value, int) else f"{value:.6f}"

    return _rendered(header, [[text(value) for value in row] for row in rows])


def content_table(rows: Sequence[Sequence[float]], row_offset: int) -> str:
    """Return values with six decimals; the first column counts the rows from the offset."""
    column_count = max((len(row) for row in rows), default=0)
    header = ["", *(str(index) for index in range(column_count))]
    texts = [
        [str(row_offset + index), *(f"{value:.6f}" for value in row)]
        for index, row in enumerate(rows)
    ]
    return _rendered(header, texts)
