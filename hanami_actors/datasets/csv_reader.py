"""Import of CSV files: named columns of numbers, stored as one float32 matrix.

The rules: UTF-8 text with or without a byte order mark; lines end with LF or CRLF, the last one may
lack its end; empty lines are skipped; the first line names the columns. Every further line has one
value per column: a decimal number (sign, point and exponent allowed), ``true`` (1), ``false`` or
``null`` (0). Quotes follow RFC 4180, blanks around values are ignored. Everything else is refused
with line, column and value, also an empty cell: a missing value has to be said (``null``).
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from hanami_actors.datasets.csv_blocks import parse_block
from hanami_actors.datasets.csv_header import parse_header
from hanami_actors.datasets.csv_integers import count_lines
from hanami_actors.datasets.port import BlobStore
from hanami_actors.domain.dataset.events import Column, ColumnFile, DatasetContent
from hanami_actors.errors import DatasetFormatError

__all__ = ["BLOCK_BYTES", "LINE_BYTES_MAX", "import_csv"]

BLOCK_BYTES = 256 * 1024
LINE_BYTES_MAX = 4 * 1024 * 1024


def import_csv(
    path: str | Path,
    blobs: BlobStore,
    *,
    block_bytes: int = BLOCK_BYTES,
    on_progress: Callable[[int], None] | None = None,
) -> DatasetContent:
    """Read a CSV file into a float32 matrix in the store.

    Parameters
    ----------
    path : str or Path
        The uploaded file; it stays where it is.
    blobs : BlobStore
    block_bytes : int
        How much is parsed at once. Memory needed is a small multiple of this and of the longest
        line (at most 4 MiB), whatever the size of the file.
    on_progress : callable or None
        Told after every block how many bytes of the file have been read.

    Returns
    -------
    DatasetContent
        One column per name of the header, one row per line.

    Raises
    ------
    DatasetFormatError
        The file breaks a rule; nothing is left in the store.
    """
    with Path(path).open("rb") as file:
        window = file.read(LINE_BYTES_MAX)
        header = parse_header(window, is_whole_file=len(window) < LINE_BYTES_MAX)
        del window
        file.seek(header.size_bytes)
        row_count = 0
        with blobs.create() as writer:
            for line_number, block in _line_blocks(file, block_bytes, header.line_count + 1):
                rows = parse_block(block, line_number, header.names)
                if rows.size:
                    writer.write(rows.data.cast("B"))
                row_count += rows.shape[0]
                if on_progress is not None:
                    on_progress(file.tell())
            if row_count == 0:
                raise DatasetFormatError(
                    f"the file has a header with {len(header.names)} columns but no line with"
                    " values below it"
                )
            digest = writer.finish()
    return _describe(digest, header.names, row_count)


def _describe(digest: str, names: tuple[str, ...], row_count: int) -> DatasetContent:
    return DatasetContent(
        row_count=row_count,
        column_count=len(names),
        files=(ColumnFile(digest=digest, dtype="float32", row_count=row_count, width=len(names)),),
        columns=tuple(
            Column(name=name, start=index, end=index + 1, file_index=0, file_start=index)
            for index, name in enumerate(names)
        ),
    )


def _line_blocks(file: BinaryIO, block_bytes: int, line_number: int) -> Iterator[tuple[int, bytes]]:
    """Yield the rest of a file in blocks of complete lines, each with its first line's number."""
    unfinished = b""
    while chunk := file.read(block_bytes):
        end = chunk.rfind(b"\n") + 1
        if end:
            block = unfinished + chunk[:end]
            unfinished = chunk[end:]
            yield line_number, block
            line_number += count_lines(block)
        else:
            unfinished += chunk
        if len(unfinished) > LINE_BYTES_MAX:
            raise DatasetFormatError(
                f"line {line_number} is longer than {LINE_BYTES_MAX} bytes",
                row=line_number,
            )
    if unfinished:
        yield line_number, unfinished
