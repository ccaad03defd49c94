"""The grammar of one CSV line: cells, quotes, numbers; the exact words of every refusal.

A line is cells separated by commas. A cell may be enclosed in double quotes, a double quote inside
is written twice; blanks (spaces, tabs) around a cell are ignored (RFC 4180 apart from that).
A value is a decimal number or one of the words ``true``, ``false``, ``null`` in any case.
"""

import re

from hanami_actors.errors import DatasetFormatError

__all__ = [
    "BLANKS",
    "CELL",
    "FLOAT32_LIMIT",
    "decode_cell",
    "parse_line",
    "quoted_text",
    "show",
]

BLANKS = b" \t"

CELL = re.compile(rb'[ \t]*+(?:"([^"]*+(?:""[^"]*+)*+)"[ \t]*+|([^",\r\n]*+))(?:(,)|(\r?\n)|\r?\Z)')
"""One cell and what ends it: quoted text, plain text, comma, line break (neither: end of data).

All repetitions are possessive, so that hostile text cannot make it slow.
"""

FLOAT32_LIMIT = float(2**128 - 2**103)
"""The smallest double that rounds to infinity in float32."""

SHOWN_CHARACTERS_MAX = 40

_NUMBER = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WORDS = {b"true": 1.0, b"false": 0.0, b"null": 0.0}
_NO_NUMBERS = {"nan", "inf", "infinity"}


def parse_line(line: bytes, line_number: int, names: tuple[str, ...]) -> list[float] | None:
    """Return the values of a line, None for an empty line.

    Parameters
    ----------
    line : bytes
        Without its line feed.
    line_number : int
        1-based, as an editor shows it.
    names : tuple of str
        The columns, as many as the line must have values.

    Raises
    ------
    DatasetFormatError
        With the line, the column and the value.
    """
    line = line.removesuffix(b"\r")
    if not line.strip(BLANKS):
        return None
    if b"\0" in line:
        raise DatasetFormatError(
            f"line {line_number} holds a NUL byte; upload plain UTF-8 text", row=line_number
        )
    if line.isascii() and b'"' not in line:
        cells = line.split(b",")
    else:
        decode_cell(line, line_number)
        cells = _split_quoted(line, line_number, names)
    if len(cells) != len(names):
        _refuse_ragged(len(cells), line_number, names)
    return [_parse_value(cell, line_number, name) for cell, name in zip(cells, names, strict=True)]


def decode_cell(raw: bytes, line_number: int) -> str:
    """Return UTF-8 bytes as text; other bytes are refused."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DatasetFormatError(
            f"line {line_number} holds the byte 0x{raw[error.start]:02x}, which is not UTF-8 text;"
            " save the file as UTF-8",
            row=line_number,
        ) from None


def quoted_text(raw: bytes) -> bytes:
    """Return what stands between the quotes, doubled quotes made single."""
    return raw.replace(b'""', b'"')


def show(text: str) -> str:
    """Return foreign text as it can be shown: on one line, in quotes, not too long."""
    if len(text) <= SHOWN_CHARACTERS_MAX:
        return repr(text)
    return f"{text[:SHOWN_CHARACTERS_MAX]!r}... ({len(text)} characters)"


def _split_quoted(line: bytes, line_number: int, names: tuple[str, ...]) -> list[bytes]:
    cells: list[bytes] = []
    position = 0
    while True:
        match = CELL.match(line, position)
        if match is None:
            column = names[len(cells)] if len(cells) < len(names) else ""
            raise DatasetFormatError(
                f"line {line_number}, column {show(column)}: the quotes or line breaks are not"
                f" right at {show(line[position:].decode('utf-8'))}; a quoted value starts and"
                " ends with a double quote, on one line, and a comma follows it",
                row=line_number,
                column=column,
            )
        quoted, plain, comma, _ = match.groups()
        cells.append(plain if quoted is None else quoted_text(quoted))
        if comma is None:
            return cells
        position = match.end()


def _refuse_ragged(found_count: int, line_number: int, names: tuple[str, ...]) -> None:
    said = f"line {line_number} has {found_count} values, but the header names {len(names)} columns"
    if found_count > len(names):
        raise DatasetFormatError(f"{said}; every line must have as many", row=line_number)
    missing = names[found_count]
    raise DatasetFormatError(
        f"{said}; the first without a value is {show(missing)}", row=line_number, column=missing
    )


def _parse_value(raw: bytes, line_number: int, column: str) -> float:
    cell = raw.strip(BLANKS)
    if _NUMBER.fullmatch(cell):
        value = float(cell)
        if -FLOAT32_LIMIT < value < FLOAT32_LIMIT:
            return value
        rule = "is beyond the numbers that can be stored (float32, about 3.4e38)"
    elif not cell:
        rule = "is empty; write null for a missing value (it is stored as 0)"
    else:
        word = _WORDS.get(cell.lower())
        if word is not None:
            return word
        rule = _why_no_number(cell)
    raise DatasetFormatError(
        f"line {line_number}, column {show(column)}: the value {show(raw.decode('utf-8'))} {rule}",
        row=line_number,
        column=column,
    )


def _why_no_number(cell: bytes) -> str:
    if cell.decode("utf-8").lower().lstrip("+-") in _NO_NUMBERS:
        return "is not a finite number; only finite numbers can be stored"
    if b"\r" in cell:
        return "holds a carriage return without a line feed; end lines with LF or CRLF"
    return "is not a number; allowed are decimal numbers, true, false and null"
