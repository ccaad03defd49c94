"""The first record of a CSV file: the names of its columns."""

import re
from typing import NamedTuple

from hanami_actors.datasets.csv_cells import BLANKS, CELL, decode_cell, quoted_text, show
from hanami_actors.errors import DatasetFormatError

__all__ = ["COLUMN_COUNT_MAX", "NAME_LENGTH_MAX", "Header", "parse_header"]

COLUMN_COUNT_MAX = 65_536
NAME_LENGTH_MAX = 254
PLACE_BYTES_MAX = 256

_UTF8_MARK = b"\xef\xbb\xbf"
_OTHER_FORMATS = (
    (b"\x1f\x8b", "a gzip file; unpack it first (gunzip)"),
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet file; export it as CSV"),
    (b"\xff\xfe", "UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text; save it as UTF-8"),
)
_NUMBER_TEXT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Header(NamedTuple):
    """Names of the columns, and how much of the file the header takes.

    Attributes
    ----------
    names : tuple of str
    size_bytes : int
        Where the data starts.
    line_count : int
        Lines before the data (a quoted name may hold line breaks).
    """

    names: tuple[str, ...]
    size_bytes: int
    line_count: int


def parse_header(window: bytes, *, is_whole_file: bool) -> Header:
    """Read the names of the columns from the start of a file.

    Empty lines before the header are skipped. Names are stripped of surrounding blanks and must be
    there, be different and have at most 254 characters, none of them a control character other
    than tab and line break.

    Parameters
    ----------
    window : bytes
        The start of the file; the header must end within it.
    is_whole_file : bool
        Whether the window reaches to the end of the file.

    Raises
    ------
    DatasetFormatError
        There is no header, or it is not one.
    """
    for mark, what in _OTHER_FORMATS:
        if window.startswith(mark):
            raise DatasetFormatError(f"the file is not CSV text, it is {what}")
    position = _skip_empty_lines(window, len(_UTF8_MARK) if window.startswith(_UTF8_MARK) else 0)
    if position == len(window):
        raise DatasetFormatError(
            "the file is empty; the first line must name the columns, values follow below it"
        )
    line_number = 1 + window.count(b"\n", 0, position)
    raw_names, size_bytes = _split_header(
        window, position, line_number, is_whole_file=is_whole_file
    )
    names = tuple(_decode_name(raw, line_number) for raw in raw_names)
    _check_names(names, line_number)
    return Header(names, size_bytes, window.count(b"\n", 0, size_bytes))


def _skip_empty_lines(window: bytes, position: int) -> int:
    while position < len(window):
        end = window.find(b"\n", position)
        end = len(window) if end < 0 else end + 1
        if window[position:end].strip(BLANKS + b"\r\n"):
            break
        position = end
    return position


def _split_header(
    window: bytes, position: int, line_number: int, *, is_whole_file: bool
) -> tuple[list[bytes], int]:
    cells: list[bytes] = []
    while match := CELL.match(window, position):
        quoted, plain, comma, line_end = match.groups()
        is_cut = comma is None and line_end is None and not is_whole_file
        if is_cut or len(cells) == COLUMN_COUNT_MAX:
            raise DatasetFormatError(
                f"line {line_number}: the header is too long; at most {len(window)} bytes and"
                f" {COLUMN_COUNT_MAX} columns are allowed",
                row=line_number,
            )
        cells.append(plain if quoted is None else quoted_text(quoted))
        position = match.end()
        if comma is None:
            return cells, position
    place = window[position : position + PLACE_BYTES_MAX].decode("utf-8", errors="replace")
    raise DatasetFormatError(
        f"line {line_number}: name {len(cells) + 1} of the header is not right at {show(place)};"
        " a quoted name starts and ends with a double quote, a comma or the end of the line (LF or"
        " CRLF) follows it, and a double quote within it is written twice",
        row=line_number,
    )


def _decode_name(raw: bytes, line_number: int) -> str:
    return decode_cell(raw, line_number).strip(" \t")


def _check_names(names: tuple[str, ...], line_number: int) -> None:
    if all(_NUMBER_TEXT.fullmatch(name) for name in names):
        raise DatasetFormatError(
            f"line {line_number} holds only numbers ({show(names[0])} ...); the first line must"
            " name the columns, add such a line",
            row=line_number,
        )
    first_place: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        rule = _broken_rule(name)
        if not rule and name in first_place:
            rule = f"is also that of column {first_place[name]}; names must be different"
        if rule:
            raise DatasetFormatError(
                f"line {line_number}: the name {show(name)} of column {place} {rule}",
                row=line_number,
                column=name,
            )
        first_place[name] = place


def _broken_rule(name: str) -> str:
    if not name:
        return "is empty; every column needs a name"
    if len(name) > NAME_LENGTH_MAX:
        return f"has {len(name)} characters; at most {NAME_LENGTH_MAX} are allowed"
    if _FORBIDDEN.search(name):
        return "holds a control character; use printable text"
    return ""
