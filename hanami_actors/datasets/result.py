"""Writing what a request task answers: one row per cycle, one range of columns per result."""

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from hanami_actors.datasets.port import BlobStore
from hanami_actors.domain.dataset.events import Column, ColumnFile, DatasetContent
from hanami_actors.errors import BadRequestError, FaultError

__all__ = ["ResultWriter"]

BUFFER_BYTES_MAX = 256 * 1024


class ResultWriter:
    """Collects the rows of a result dataset while they are computed.

    Rows are gathered into blocks of some 256 KiB; memory does not grow with their number. Use it
    as a context manager, or call `finish` or `abandon`: whatever ends without `finish` leaves
    nothing behind. Not thread-safe; one thread writes.

    Parameters
    ----------
    blobs : BlobStore
    columns : sequence of (name, width)
        The results in the order given; their ranges follow each other. A width may be 0 (an
        untrained network answers nothing).

    Raises
    ------
    BadRequestError
        There is no column, or two have the same name.
    """

    def __init__(self, blobs: BlobStore, columns: Sequence[tuple[str, int]]) -> None:
        self._columns = _place_columns(columns)
        self._width = self._columns[-1].end
        self._row_count = 0
        self._buffer = bytearray()
        self._is_open = True
        self._stack = ExitStack()
        self._writer = self._stack.enter_context(blobs.create())

    @property
    def row_count(self) -> int:
        """Rows written so far."""
        return self._row_count

    def write(self, rows: npt.NDArray[np.float32]) -> None:
        """Append rows.

        Parameters
        ----------
        rows : float32 array of shape (n, sum of all widths)
            All results of n cycles side by side. It is copied; the caller may reuse it.
        """
        self._check_open()
        if rows.ndim != 2 or rows.shape[1] != self._width or rows.dtype != np.float32:
            raise FaultError(
                f"rows of a result must be float32 with shape (n, {self._width}),"
                f" got {rows.dtype} with shape {rows.shape}"
            )
        self._buffer += rows.astype("<f4", copy=False).tobytes()
        self._row_count += rows.shape[0]
        if len(self._buffer) >= BUFFER_BYTES_MAX:
            self._flush()

    def finish(self) -> DatasetContent:
        """Make the rows durable and describe them; afterwards nothing can be written."""
        self._check_open()
        self._flush()
        digest = self._writer.finish()
        self._close()
        return DatasetContent(
            row_count=self._row_count,
            column_count=self._width,
            files=(
                ColumnFile(
                    digest=digest, dtype="float32", row_count=self._row_count, width=self._width
                ),
            ),
            columns=self._columns,
        )

    def abandon(self) -> None:
        """Drop everything written; does nothing after `finish` or `abandon`."""
        if self._is_open:
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.abandon()

    def _flush(self) -> None:
        if self._buffer:
            self._writer.write(bytes(self._buffer))
            self._buffer.clear()

    def _close(self) -> None:
        self._is_open = False
        self._buffer.clear()
        self._stack.close()

    def _check_open(self) -> None:
        if not self._is_open:
            raise FaultError("the result is finished or abandoned; nothing more can be written")


def _place_columns(columns: Sequence[tuple[str, int]]) -> tuple[Column, ...]:
    if not columns:
        raise BadRequestError("a result needs at least one column; name one in 'results'")
    placed: list[Column] = []
    start = 0
    seen: set[str] = set()
    for name, width in columns:
        if name in seen:
            raise BadRequestError(
                f"the column {name!r} is named twice in 'results'; give every result its own name"
            )
        if width < 0:
            raise FaultError(f"the column {name!r} has the width {width}")
        seen.add(name)
        placed.append(
            Column(name=name, start=start, end=start + width, file_index=0, file_start=start)
        )
        start += width
    return tuple(placed)
