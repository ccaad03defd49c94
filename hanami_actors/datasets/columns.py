"""Reading column files: memory-mapped matrices, column ranges, rows for a client."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hanami_actors.datasets.port import PathOf
from hanami_actors.domain.dataset.events import Column, ColumnFile, DatasetContent
from hanami_actors.errors import BadRequestError, BlobMissingError, FaultError, NotFoundError
from hanami_actors.types import Digest

__all__ = [
    "Matrix",
    "column_view",
    "contiguous_column",
    "find_column",
    "open_column",
    "open_matrix",
    "read_range",
    "read_rows",
]

Matrix: TypeAlias = npt.NDArray[Any]
"""A 2-D array of uint8 or float32, one row per record."""

DTYPES: dict[str, np.dtype[Any]] = {"uint8": np.dtype("u1"), "float32": np.dtype("<f4")}
NAMES_SHOWN_MAX = 20


def open_matrix(path: Path, file: ColumnFile) -> Matrix:
    """Map a column file into memory, read-only.

    Nothing is read before it is looked at, and the operating system may drop it again: a mapped
    matrix costs address space, not memory. The mapping lives as long as the array or a view of it.

    Parameters
    ----------
    path : Path
        Where the blob lies.
    file : ColumnFile
        Its shape and type.

    Returns
    -------
    array of shape (row_count, width), C-contiguous, read-only

    Raises
    ------
    BlobMissingError
        The file is not there, or has another size than its description says.
    """
    dtype = DTYPES.get(file.dtype)
    if dtype is None:
        raise FaultError(
            f"column file {file.digest} has the type {file.dtype!r};"
            f" known types are {', '.join(DTYPES)}"
        )
    expected_bytes = file.offset_bytes + file.row_count * file.width * dtype.itemsize
    try:
        actual_bytes = path.stat().st_size
    except FileNotFoundError:
        raise BlobMissingError(f"the file of blob {file.digest} is not in the store") from None
    # A mapping that reaches beyond the end of its file would kill the process when it is read.
    if actual_bytes != expected_bytes:
        raise BlobMissingError(
            f"the file of blob {file.digest} has {actual_bytes} bytes,"
            f" its dataset describes {expected_bytes} bytes"
        )
    shape = (file.row_count, file.width)
    if file.row_count * file.width == 0:
        empty = np.zeros(shape, dtype=dtype)
        empty.flags.writeable = False
        return empty
    mapped = np.memmap(path, dtype=dtype, mode="r", offset=file.offset_bytes, shape=shape)
    # A plain array, because every slice of the subclass costs a microsecond of Python.
    return np.asarray(mapped)


def column_view(matrix: Matrix, start: int, end: int) -> Matrix:
    """Return columns ``[start, end)`` without copying; contiguous only over the full width."""
    _check_range(matrix, start, end)
    return matrix if (start, end) == (0, matrix.shape[1]) else matrix[:, start:end]


def contiguous_column(matrix: Matrix, start: int, end: int) -> Matrix:
    """Return columns ``[start, end)`` as a C-contiguous matrix of the same type.

    Over the full width this is the matrix itself, mapped and read-only; otherwise a copy in
    memory of ``row_count * (end - start)`` values.
    """
    return np.ascontiguousarray(column_view(matrix, start, end))


def find_column(content: DatasetContent, name: str) -> Column:
    """Return the column with this name.

    Raises
    ------
    NotFoundError
        There is none; the text names those there are.
    """
    for column in content.columns:
        if column.name == name:
            return column
    raise NotFoundError(
        f"the dataset has no column {name!r}; its columns are {_name_list(content.columns)}"
    )


def open_column(path_of: PathOf, content: DatasetContent, name: str) -> Matrix:
    """Map the file of a column and return the column's view on it, without copying."""
    column = find_column(content, name)
    return column_view(
        _open_file(path_of, content.files[column.file_index]),
        column.file_start,
        column.file_start + column.end - column.start,
    )


def read_rows(
    path_of: PathOf, content: DatasetContent, column_name: str, offset: int, count: int
) -> list[list[float]]:
    """Return the stored values of some rows of a column.

    Parameters
    ----------
    path_of : callable
        ``BlobStore.path``.
    content : DatasetContent
    column_name : str
    offset, count : int
        First row (from 0) and number of rows.

    Returns
    -------
    list of rows, each a list of floats
        Raw values: uint8 as 0.0 .. 255.0, float32 widened without rounding.

    Raises
    ------
    NotFoundError
        No such column.
    BadRequestError
        The rows reach beyond the end.
    """
    if offset < 0 or count < 1 or offset + count > content.row_count:
        raise BadRequestError(
            f"row_offset {offset} and number_of_rows {count} reach to row {offset + count}, but"
            f" the dataset has {content.row_count} rows; row_offset must be at least 0,"
            " number_of_rows at least 1 and their sum at most the number of rows"
        )
    values = open_column(path_of, content, column_name)[offset : offset + count]
    rows: list[list[float]] = values.astype(np.float64).tolist()
    return rows


def read_range(
    path_of: PathOf, content: DatasetContent, start: int, end: int
) -> tuple[Matrix, ...]:
    """Return views that side by side are columns ``[start, end)`` of the dataset.

    Named columns lie in one file each, but a range by number, as the contract's accuracy uses it,
    may touch several columns and files.
    """
    pieces: list[tuple[int, Matrix]] = []
    for file_index, file in enumerate(content.files):
        for first, last, shift in _runs_in_file(content.columns, file_index):
            lower, upper = max(first, start), min(last, end)
            if lower < upper:
                matrix = _open_file(path_of, file)
                pieces.append((lower, column_view(matrix, lower + shift, upper + shift)))
    pieces.sort(key=lambda piece: piece[0])
    return tuple(piece for _, piece in pieces)


def _runs_in_file(columns: Sequence[Column], file_index: int) -> list[tuple[int, int, int]]:
    # Neighbours are joined, so that a range over ten columns of a CSV file is one view, not ten.
    runs: list[tuple[int, int, int]] = []
    for column in sorted(columns, key=lambda each: each.start):
        if column.file_index != file_index:
            continue
        shift = column.file_start - column.start
        if runs and runs[-1][1] == column.start and runs[-1][2] == shift:
            runs[-1] = (runs[-1][0], column.end, shift)
        else:
            runs.append((column.start, column.end, shift))
    return runs


def _open_file(path_of: PathOf, file: ColumnFile) -> Matrix:
    return open_matrix(path_of(Digest(file.digest)), file)


def _check_range(matrix: Matrix, start: int, end: int) -> None:
    if not 0 <= start <= end <= matrix.shape[1]:
        raise FaultError(f"columns [{start}, {end}) are not within a width of {matrix.shape[1]}")


def _name_list(columns: Sequence[Column]) -> str:
    names = ", ".join(repr(column.name) for column in columns[:NAMES_SHOWN_MAX])
    more = len(columns) - NAMES_SHOWN_MAX
    return f"{names} and {more} more" if more > 0 else names
