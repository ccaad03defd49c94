"""Numbers of many CSV lines at once: fast ways for what is plain, an exact one for the rest.

The fast ways give up on any doubt and never decide that something is wrong; the exact way parses
or says what is wrong. Where several give an answer it is the same, bit for bit: all round a
decimal number to the nearest double and that to the nearest float32.
"""

import io

import numpy as np
import numpy.typing as npt

from hanami_actors.datasets.csv_cells import parse_line
from hanami_actors.datasets.csv_integers import INTEGER_TEXT, count_lines, parse_integers

__all__ = ["Rows", "parse_block", "parse_block_exactly", "parse_block_fast"]

Rows = npt.NDArray[np.float32]

DOUBTFUL_BYTES_MAX = 4096
"""Blocks with a doubt are halved until they are so small, and only then parsed line by line."""

_PLAIN = b"0123456789+-.eE, \t\n"
_COMMA, _LINE_FEED, _QUOTE = 0x2C, 0x0A, 0x22
# Characters that never occur in plain text stand for words until their places are checked.
_TRUE, _FALSE = b":", b";"
_WORDS = ((b"true", _TRUE), (b"false", _FALSE), (b"null", _FALSE))
_WORDS_AS_DIGITS = bytes.maketrans(_TRUE + _FALSE, b"10")
_IS_BREAK_OR_BLANK = np.zeros(256, dtype=np.bool_)
_IS_BREAK_OR_BLANK[[*b",\n \t"]] = True


def parse_block(block: bytes, first_line_number: int, names: tuple[str, ...]) -> Rows:
    """Return the values of complete lines, one row per line that is not empty.

    Parameters
    ----------
    block : bytes
        Complete lines; only the last of a file may lack its line feed.
    first_line_number : int
        Number of the first line within the file, from 1.
    names : tuple of str
        The columns.

    Raises
    ------
    DatasetFormatError
        For the first line that is not right.
    """
    rows = parse_block_fast(block, len(names))
    if rows is not None:
        return rows
    middle = block.rfind(b"\n", 0, len(block) // 2) + 1
    if len(block) <= DOUBTFUL_BYTES_MAX or middle == 0:
        return parse_block_exactly(block, first_line_number, names)
    # One odd line shall not make all its neighbours slow.
    head, tail = block[:middle], block[middle:]
    return np.concatenate(
        (
            parse_block(head, first_line_number, names),
            parse_block(tail, first_line_number + count_lines(head), names),
        )
    )


def parse_block_exactly(block: bytes, first_line_number: int, names: tuple[str, ...]) -> Rows:
    """Parse line by line; the reference for `parse_block_fast`."""
    lines = enumerate(block.split(b"\n"), start=first_line_number)
    parsed = (parse_line(line, line_number, names) for line_number, line in lines)
    rows = [row for row in parsed if row is not None]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(names)).astype("<f4")


def parse_block_fast(block: bytes, column_count: int) -> Rows | None:
    """Parse all lines with array arithmetic or numpy's parser; None if there is any doubt."""
    plain = _plain_numbers(block)
    if plain is None:
        return None
    if not plain.strip(b"\n"):
        return np.zeros((0, column_count), dtype="<f4")
    if not plain.translate(None, INTEGER_TEXT):
        values = parse_integers(plain, column_count)
        if values is not None:
            return values.astype("<f4")
    try:
        rows = np.loadtxt(io.BytesIO(plain), dtype="<f4", delimiter=",", comments=None, ndmin=2)
    except ValueError:
        return None
    return rows if rows.shape[1] == column_count and bool(np.isfinite(rows).all()) else None


def _plain_numbers(block: bytes) -> bytes | None:
    """Rewrite the block into numbers, commas, blanks and line feeds only, if that is simple."""
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    if b'"' in block:
        if not _has_simple_quotes(block):
            return None
        block = block.replace(b'"', b"")
    return block if not block.translate(None, _PLAIN) else _replace_words(block)


def _has_simple_quotes(block: bytes) -> bool:
    """Whether quotes stand only at the ends of cells (or blanks) and enclose no comma or break."""
    if b'""' in block:
        return False
    codes = np.frombuffer(b"\n" + block + b"\n", dtype=np.uint8)
    is_quote = codes == _QUOTE
    places = np.flatnonzero(is_quote)
    if places.size % 2:
        return False
    is_break = (codes == _COMMA) | (codes == _LINE_FEED)
    is_enclosed = np.cumsum(is_quote, dtype=np.uint8) & 1
    return bool(
        _IS_BREAK_OR_BLANK[codes[places[0::2] - 1]].all()
        and _IS_BREAK_OR_BLANK[codes[places[1::2] + 1]].all()
        and not is_enclosed[is_break].any()
    )


def _replace_words(block: bytes) -> bytes | None:
    """Replace true, false and null by digits, if they fill their cells but for blanks."""
    if _TRUE in block or _FALSE in block:
        return None
    block = block.lower()
    for word, mark in _WORDS:
        block = block.replace(word, mark)
    if block.translate(None, _PLAIN + _TRUE + _FALSE):
        return None
    codes = np.frombuffer(b"\n" + block + b"\n", dtype=np.uint8)
    places = np.flatnonzero((codes == _TRUE[0]) | (codes == _FALSE[0]))
    is_alone = _IS_BREAK_OR_BLANK[codes[places - 1]] & _IS_BREAK_OR_BLANK[codes[places + 1]]
    return block.translate(_WORDS_AS_DIGITS) if is_alone.all() else None
