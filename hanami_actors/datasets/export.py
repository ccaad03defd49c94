"""Datasets on their way out: as CSV text or as one NPY array, block by block.

A plan says what is wanted and where it lies; it is small, can be sent to another process, and each
of its blocks can be made on its own. Nothing here grows with the number of rows.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from hanami_actors.datasets.columns import DTYPES, Matrix, column_view, find_column, open_matrix
from hanami_actors.datasets.port import PathOf
from hanami_actors.datasets.shortest import shortest_doubles
from hanami_actors.domain.base import Value
from hanami_actors.domain.dataset.events import Column, ColumnFile, DatasetContent
from hanami_actors.errors import BadRequestError
from hanami_actors.types import Digest

__all__ = [
    "FORMATS",
    "ExportPlan",
    "RowRange",
    "block_ranges",
    "encode_block",
    "head_bytes",
    "plan_export",
    "size_bytes",
]

FORMATS = {"csv": "text/csv; charset=utf-8; header=present", "npy": "application/octet-stream"}
"""Known formats and their content types."""

CSV_BLOCK_VALUES = 32 * 1024
NPY_BLOCK_BYTES = 1024 * 1024


class RowRange(Value, frozen=True, kw_only=True):
    """Rows ``[first, last)``; ``last`` None means all that follow."""

    first: int = 0
    last: int | None = None


class ExportPlan(Value, frozen=True, kw_only=True):
    """What to write, in the order of the output.

    Attributes
    ----------
    format : str
        ``csv`` or ``npy``.
    parts : tuple of (path, file, start, end)
        Columns ``[start, end)`` of each file side by side.
    names : tuple of str
        One per column of the output.
    first, last : int
        Rows.
    dtype : str
        Of the NPY array: as stored, or what holds all stored types.
    """

    format: str
    parts: tuple[tuple[str, ColumnFile, int, int], ...]
    names: tuple[str, ...]
    first: int
    last: int
    dtype: str


def plan_export(
    path_of: PathOf,
    content: DatasetContent,
    format_name: str,
    column_names: tuple[str, ...] = (),
    rows: RowRange | None = None,
) -> ExportPlan:
    """Decide what will be written; touches no file.

    Parameters
    ----------
    path_of : callable
        ``BlobStore.path``.
    content : DatasetContent
    format_name : str
        ``csv`` or ``npy``.
    column_names : tuple of str
        In the order wanted; empty for all.
    rows : RowRange or None
        None for all.

    Raises
    ------
    NotFoundError
        No such column.
    BadRequestError
        No such format, or the rows reach beyond the end.
    """
    if format_name not in FORMATS:
        raise BadRequestError(
            f"field 'format': {format_name!r} is not known; use {' or '.join(FORMATS)}"
        )
    columns = tuple(find_column(content, name) for name in column_names)
    columns = columns or tuple(sorted(content.columns, key=lambda column: column.start))
    first, last = _checked_rows(content, rows or RowRange())
    parts = tuple(_parts(path_of, content, columns))
    types = [DTYPES[file.dtype] for _, file, _, _ in parts] or [DTYPES["float32"]]
    return ExportPlan(
        format=format_name,
        parts=parts,
        names=tuple(name for column in columns for name in _names_of(column)),
        first=first,
        last=last,
        dtype=np.result_type(*types).str,
    )


def size_bytes(plan: ExportPlan) -> int | None:
    """Return the size of the whole output; None when only writing it will tell."""
    if plan.format == "csv":
        return None
    return len(head_bytes(plan)) + (plan.last - plan.first) * _row_bytes(plan)


def head_bytes(plan: ExportPlan) -> bytes:
    """Return what comes before the rows: the names of the columns, or the NPY header."""
    if plan.format == "npy":
        buffer = io.BytesIO()
        shape = (plan.last - plan.first, len(plan.names))
        header = {"descr": plan.dtype, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(buffer, header)
        return buffer.getvalue()
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(plan.names)
    return text.getvalue().encode()


def block_ranges(plan: ExportPlan) -> Iterator[tuple[int, int]]:
    """Yield rows ``[first, last)`` of blocks that are neither too small nor too large."""
    if plan.format == "csv":
        step = max(CSV_BLOCK_VALUES // max(len(plan.names), 1), 1)
    else:
        step = max(NPY_BLOCK_BYTES // max(_row_bytes(plan), 1), 1)
    for first in range(plan.first, plan.last, step):
        yield first, min(first + step, plan.last)


def encode_block(plan: ExportPlan, first: int, last: int) -> bytes:
    """Return some rows in the plan's format.

    CSV has one line per row, ending with LF; whole numbers as stored, float32 in their shortest
    form that reads back as the same value, not finite ones as ``nan``, ``inf`` and ``-inf``.

    Raises
    ------
    BlobMissingError
        A file is not there.
    """
    values = _read(plan, first, last)
    return values.tobytes() if plan.format == "npy" else _csv_lines(values)


def _checked_rows(content: DatasetContent, rows: RowRange) -> tuple[int, int]:
    last = content.row_count if rows.last is None else rows.last
    is_empty_whole = content.row_count == 0 and (rows.first, last) == (0, 0)
    if not is_empty_whole and not 0 <= rows.first < last <= content.row_count:
        raise BadRequestError(
            f"fields 'row_offset' and 'number_of_rows': rows {rows.first} to {last} are not within"
            f" the {content.row_count} rows of the dataset, or are none at all"
        )
    return rows.first, last


def _parts(
    path_of: PathOf, content: DatasetContent, columns: tuple[Column, ...]
) -> Iterator[tuple[str, ColumnFile, int, int]]:
    """Join neighbours, so that a CSV of a thousand columns is read as one matrix."""
    joined: list[tuple[int, int, int]] = []
    for column in columns:
        start, end = column.file_start, column.file_start + column.end - column.start
        if joined and joined[-1][0] == column.file_index and joined[-1][2] == start:
            joined[-1] = (column.file_index, joined[-1][1], end)
        else:
            joined.append((column.file_index, start, end))
    for file_index, start, end in joined:
        file = content.files[file_index]
        yield str(path_of(Digest(file.digest))), file, start, end


def _names_of(column: Column) -> list[str]:
    width = column.end - column.start
    return [column.name] if width == 1 else [f"{column.name}_{index}" for index in range(width)]


def _row_bytes(plan: ExportPlan) -> int:
    return len(plan.names) * np.dtype(plan.dtype).itemsize


def _read(plan: ExportPlan, first: int, last: int) -> Matrix:
    width = sum(end - start for _, _, start, end in plan.parts)
    values = np.empty((last - first, width), dtype=np.dtype(plan.dtype))
    at = 0
    for path, file, start, end in plan.parts:
        view = column_view(open_matrix(Path(path), file), start, end)[first:last]
        # Copied by numpy, which lets other threads run while the disk is read.
        values[:, at : at + end - start] = view
        at += end - start
    return values


def _csv_lines(values: Matrix) -> bytes:
    if values.dtype == np.float32:
        if not np.isfinite(values).all():
            return _csv_lines_with_odd_values(values)
        values = shortest_doubles(values)
    # Rows of JSON are rows of CSV between other brackets, and its encoder is the fastest there is.
    text = msgspec.json.encode(values.tolist())
    return text[2:-2].replace(b"],[", b"\n") + b"\n"


def _csv_lines_with_odd_values(values: Matrix) -> bytes:
    lines = [",".join(map(repr, row)) for row in shortest_doubles(values).tolist()]
    return ("\n".join(lines) + "\n").encode()
