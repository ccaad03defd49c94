"""How well a result fits a reference: classes, or plain numbers.

What is compared decides the figures. Several values against several: both are classes by their
largest value (the first of equals). Several against one: the one is the number of the class. One
against one: plain numbers with their errors, and classes as well when the reference knows only
0 and 1 (a result of at least 0.5 counts as 1).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hanami_actors.datasets.columns import Matrix, find_column, read_range
from hanami_actors.datasets.port import PathOf
from hanami_actors.domain.dataset.events import DatasetContent
from hanami_actors.errors import BadRequestError

__all__ = ["CLASS_COUNT_MAX", "ClassFigures", "Report", "compare"]

CLASS_COUNT_MAX = 1024
"""More classes would make a matrix that nobody can look at."""

BLOCK_VALUES_MAX = 256 * 1024
BINARY_THRESHOLD = 0.5
DEFAULT_COLUMN = "label"


class ClassFigures(NamedTuple):
    """One class; a figure is None where there is nothing to divide by.

    Attributes
    ----------
    support : int
        Rows of the reference that are in this class.
    precision : float or None
        Share of the rows put into this class that belong there.
    recall : float or None
        Share of the rows of this class that were found.
    f1 : float or None
        Harmonic mean of both.
    """

    support: int
    precision: float | None
    recall: float | None
    f1: float | None


class Report(NamedTuple):
    """The comparison.

    Attributes
    ----------
    row_count : int
        Rows compared.
    unclassified_count : int
        Rows left out of the classes: their reference is 0 in every class.
    accuracy : float or None
        Percent of the classified rows that are right; None when there are no classes.
    confusion : tuple of tuple of int
        Row: class of the reference; column: class of the result. Empty when there are no classes.
    classes : tuple of ClassFigures
    mean_absolute_error, root_mean_square_error : float or None
        When single values were compared.
    """

    row_count: int
    unclassified_count: int
    accuracy: float | None
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassFigures, ...]
    mean_absolute_error: float | None
    root_mean_square_error: float | None


class _Sums(NamedTuple):
    confusion: npt.NDArray[np.int64]
    unclassified_count: int
    absolute: float
    squared: float


def compare(
    path_of: PathOf,
    result: DatasetContent,
    reference: DatasetContent,
    column_name: str | None = None,
    reference_column_name: str | None = None,
) -> Report:
    """Compare all rows of a column with those of a reference.

    Parameters
    ----------
    path_of : callable
        ``BlobStore.path``.
    result, reference : DatasetContent
        With the same number of rows.
    column_name : str or None
        Of the result; None for its only column.
    reference_column_name : str or None
        None for ``label``, else for the only column, else for as many of the last columns as the
        result's column is wide (classes of a CSV file).

    Raises
    ------
    NotFoundError
        No such column.
    BadRequestError
        The two do not fit together; the text says why.
    """
    if result.row_count != reference.row_count or result.row_count == 0:
        raise BadRequestError(
            f"the result has {result.row_count} rows and the reference {reference.row_count};"
            " both must have the same number of rows, and at least one"
        )
    start, end = _result_range(result, column_name)
    reference_start, reference_end = _reference_range(
        reference, reference_column_name, width=end - start
    )
    width, reference_width = end - start, reference_end - reference_start
    _check_widths(width, reference_width)
    result_parts = read_range(path_of, result, start, end)
    reference_parts = read_range(path_of, reference, reference_start, reference_end)
    sums = _zero(max(width, 2))
    is_binary = width == 1 and _is_binary(reference_parts[0])
    step = max(1, BLOCK_VALUES_MAX // max(width, reference_width))
    for first in range(0, result.row_count, step):
        last = min(first + step, result.row_count)
        answers = _joined(result_parts, first, last)
        truths = _joined(reference_parts, first, last)
        if width == 1:
            sums = _add_errors(sums, answers, truths)
        if width > 1 or is_binary:
            predicted = _binary(answers) if width == 1 else _largest(answers)
            actual = (
                _largest_of_reference(truths)
                if reference_width > 1
                else _numbered(truths, max(width, 2), first)
            )
            sums = _add_classes(sums, predicted, actual)
    has_classes = width > 1 or is_binary
    return _report(sums, result.row_count, has_classes=has_classes, has_errors=width == 1)


def _result_range(result: DatasetContent, name: str | None) -> tuple[int, int]:
    if name is None:
        if len(result.columns) != 1:
            names = ", ".join(repr(column.name) for column in result.columns[:20])
            raise BadRequestError(
                f"the result has {len(result.columns)} columns ({names}); say which one is meant"
                " with the field 'column'"
            )
        name = result.columns[0].name
    column = find_column(result, name)
    return column.start, column.end


def _reference_range(reference: DatasetContent, name: str | None, *, width: int) -> tuple[int, int]:
    names = {column.name for column in reference.columns}
    if name is None and DEFAULT_COLUMN in names:
        name = DEFAULT_COLUMN
    if name is None and len(names) == 1:
        name = reference.columns[0].name
    if name is not None:
        column = find_column(reference, name)
        return column.start, column.end
    if reference.column_count < width:
        raise BadRequestError(
            f"the result has {width} values per row, the reference {reference.column_count};"
            " name the column to compare with in the field 'reference_column'"
        )
    return reference.column_count - width, reference.column_count


def _check_widths(width: int, reference_width: int) -> None:
    if width > CLASS_COUNT_MAX:
        raise BadRequestError(
            f"the result's column has {width} values per row; a report has at most"
            f" {CLASS_COUNT_MAX} classes"
        )
    if reference_width not in {1, width}:
        raise BadRequestError(
            f"the result's column has {width} values per row, the reference's {reference_width};"
            " they must have equally many, or the reference one with the number of the class"
        )


def _zero(class_count: int) -> _Sums:
    return _Sums(np.zeros((class_count, class_count), dtype=np.int64), 0, 0.0, 0.0)


def _joined(parts: tuple[Matrix, ...], first: int, last: int) -> npt.NDArray[np.float64]:
    blocks = [part[first:last] for part in parts]
    return np.concatenate(blocks, axis=1).astype(np.float64)


def _is_binary(reference: Matrix) -> bool:
    step = BLOCK_VALUES_MAX
    return all(
        bool(((block == 0) | (block == 1)).all())
        for block in (reference[first : first + step] for first in range(0, len(reference), step))
    )


def _largest(answers: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    # What is not a number is never the largest.
    largest: npt.NDArray[np.int64] = np.argmax(
        np.where(np.isnan(answers), -np.inf, answers), axis=1
    )
    return largest


def _largest_of_reference(truths: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the classes; -1 for rows that are 0 everywhere."""
    largest = _largest(truths)
    largest[~(truths > 0).any(axis=1)] = -1
    return largest


def _binary(answers: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return (answers[:, 0] >= BINARY_THRESHOLD).astype(np.int64)


def _numbered(
    truths: npt.NDArray[np.float64], class_count: int, first_row: int
) -> npt.NDArray[np.int64]:
    numbers = truths[:, 0]
    is_class = (numbers >= 0) & (numbers < class_count) & (numbers == np.floor(numbers))
    wrong = np.flatnonzero(~is_class)
    if wrong.size:
        row = int(wrong[0])
        raise BadRequestError(
            f"row {first_row + row} of the reference holds {numbers[row]:g}; as the number of a"
            f" class it must be a whole number from 0 to {class_count - 1}"
        )
    return numbers.astype(np.int64)


def _add_errors(
    sums: _Sums, answers: npt.NDArray[np.float64], truths: npt.NDArray[np.float64]
) -> _Sums:
    errors = answers[:, 0] - truths[:, 0]
    return sums._replace(
        absolute=sums.absolute + float(np.abs(errors).sum()),
        squared=sums.squared + float(np.square(errors).sum()),
    )


def _add_classes(
    sums: _Sums, predicted: npt.NDArray[np.int64], actual: npt.NDArray[np.int64]
) -> _Sums:
    is_known = actual >= 0
    class_count = len(sums.confusion)
    pairs = actual[is_known] * class_count + predicted[is_known]
    counts = np.bincount(pairs, minlength=class_count * class_count)
    return sums._replace(
        confusion=sums.confusion + counts.reshape(class_count, class_count),
        unclassified_count=sums.unclassified_count + int(np.count_nonzero(~is_known)),
    )


def _report(sums: _Sums, row_count: int, *, has_classes: bool, has_errors: bool) -> Report:
    matrix: list[list[int]] = sums.confusion.tolist() if has_classes else []
    classified = row_count - sums.unclassified_count if has_classes else 0
    hits = sum(matrix[index][index] for index in range(len(matrix)))
    return Report(
        row_count=row_count,
        unclassified_count=sums.unclassified_count,
        accuracy=100.0 * hits / classified if classified else None,
        confusion=tuple(tuple(row) for row in matrix),
        classes=tuple(_figures(matrix, index) for index in range(len(matrix))),
        mean_absolute_error=sums.absolute / row_count if has_errors else None,
        root_mean_square_error=(sums.squared / row_count) ** 0.5 if has_errors else None,
    )


def _figures(matrix: list[list[int]], index: int) -> ClassFigures:
    hits = matrix[index][index]
    support = sum(matrix[index])
    put_there = sum(row[index] for row in matrix)
    return ClassFigures(
        support=support,
        precision=hits / put_there if put_there else None,
        recall=hits / support if support else None,
        f1=2 * hits / (support + put_there) if support + put_there else None,
    )
