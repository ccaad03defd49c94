"""Numbers of many CSV lines at once: a fast way for what is plain, an exact one for the rest.

The fast way gives up on any doubt and never decides that something is wrong; the exact way parses
or says what is wrong. Where both give an answer it is the same, bit for bit: both round a decimal
number to the nearest double and that to the nearest float32.
"""

import io

import numpy as np
import numpy.typing as npt

from hanami_actors.datasets.csv_cells import parse_line

__all__ = ["Rows", "parse_block", "parse_block_exactly", "parse_block_fast"]

Rows = npt.NDArray[np.float32]

_PLAIN = b"0123456789+-.eE, \t\n"
_COMMA, _LINE_FEED, _QUOTE = 0x2C, 0x0A, 0x22


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
    return parse_block_exactly(block, first_line_number, names) if rows is None else rows


def parse_block_exactly(block: bytes, first_line_number: int, names: tuple[str, ...]) -> Rows:
    """Parse line by line; the reference for `parse_block_fast`."""
    lines = enumerate(block.split(b"\n"), start=first_line_number)
    parsed = (parse_line(line, line_number, names) for line_number, line in lines)
    rows = [row for row in parsed if row is not None]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(names)).astype("<f4")


def parse_block_fast(block: bytes, column_count: int) -> Rows | None:
    """Parse all lines with numpy's parser; None if the exact parser has to look at them."""
    plain = _plain_numbers(block)
    if plain is None:
        return None
    if not plain.strip(b"\n"):
        return np.zeros((0, column_count), dtype="<f4")
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
    if not block.translate(None, _PLAIN):
        return block
    # With blanks around it, a word that touches other characters ("1true") cannot become a
    # number that was not there.
    block = block.lower()
    for word, number in ((b"true", b" 1 "), (b"false", b" 0 "), (b"null", b" 0 ")):
        block = block.replace(word, number)
    return None if block.translate(None, _PLAIN) else block


def _has_simple_quotes(block: bytes) -> bool:
    """Whether every quote stands right at an end of a cell, with neither commas nor breaks inside."""
    if b'""' in block:
        return False
    codes = np.frombuffer(b"\n" + block + b"\n", dtype=np.uint8)
    is_quote = codes == _QUOTE
    places = np.flatnonzero(is_quote)
    if places.size % 2:
        return False
    is_separator = (codes == _COMMA) | (codes == _LINE_FEED)
    is_enclosed = np.logical_xor.accumulate(is_quote)
    return bool(
        is_separator[places[0::2] - 1].all()
        and is_separator[places[1::2] + 1].all()
        and not (is_enclosed & is_separator).any()
    )
