"""Accuracy of a result dataset against a reference dataset.

For 28 x 28 pictures the rule is the one clients know: rows 0 .. 9999, columns 784 .. 793 of the
reference against columns 0 .. 9 of the result, everything in float32. Every other shape compares
all rows, which both datasets must have in equal number. The classes are the reference's column
``label`` against as many first columns of the result; a reference without a ``label`` (from CSV)
has its classes in its last columns, as many as the result has.
"""

from typing import NamedTuple

import numpy as np

from hanami_actors.datasets.columns import Matrix, read_range
from hanami_actors.datasets.port import PathOf
from hanami_actors.domain.dataset.events import DatasetContent
from hanami_actors.errors import BadRequestError

__all__ = ["accuracy"]

MNIST_PIXELS = 28 * 28
MNIST_CLASSES = 10
MNIST_ROWS = 10_000
START_VALUE = np.float32(-0.1)
BLOCK_VALUES_MAX = 256 * 1024


class _Plan(NamedTuple):
    row_count: int
    class_count: int
    reference_start: int
    is_mnist: bool


def accuracy(path_of: PathOf, result: DatasetContent, reference: DatasetContent) -> float:
    """Return the percentage of rows whose largest result is at the reference's class.

    A row of the result counts as the one-hot vector at its first largest value, where only values
    above -0.1 are looked at (class 0 if there is none); it must equal the reference's row in every
    class.

    Parameters
    ----------
    path_of : callable
        ``BlobStore.path``.
    result : DatasetContent
        What the network answered.
    reference : DatasetContent
        What would have been right.

    Returns
    -------
    float
        0.0 to 100.0.

    Raises
    ------
    BadRequestError
        Rows or columns are missing; the text says which.
    """
    plan = _plan(result, reference)
    result_parts = read_range(path_of, result, 0, plan.class_count)
    reference_parts = read_range(
        path_of, reference, plan.reference_start, plan.reference_start + plan.class_count
    )
    hit_count = 0
    block_rows = max(1, BLOCK_VALUES_MAX // plan.class_count)
    for first in range(0, plan.row_count, block_rows):
        last = min(first + block_rows, plan.row_count)
        hit_count += _count_hits(
            _join(result_parts, first, last), _join(reference_parts, first, last)
        )
    if plan.is_mnist:
        return float(np.float32(100 / MNIST_ROWS) * np.float32(hit_count))
    return 100.0 * hit_count / plan.row_count


def _plan(result: DatasetContent, reference: DatasetContent) -> _Plan:
    if _is_mnist(reference):
        plan = _Plan(MNIST_ROWS, MNIST_CLASSES, MNIST_PIXELS, is_mnist=True)
        _require(reference, "reference", MNIST_ROWS, MNIST_PIXELS + MNIST_CLASSES)
        _require(result, "result", MNIST_ROWS, MNIST_CLASSES)
        return plan
    labels = [column for column in reference.columns if column.name == "label"]
    class_count = labels[0].end - labels[0].start if labels else result.column_count
    row_count = max(result.row_count, reference.row_count, 1)
    _require(result, "result", row_count, max(class_count, 1))
    _require(reference, "reference", row_count, class_count)
    if class_count < 2:
        raise BadRequestError(
            f"the datasets would be compared in {class_count} column; accuracy is about classes and"
            " needs at least 2, download the values of other results and compare them directly"
        )
    start = labels[0].start if labels else reference.column_count - class_count
    return _Plan(row_count, class_count, start, is_mnist=False)


def _is_mnist(reference: DatasetContent) -> bool:
    return any(
        column.name == "picture" and (column.start, column.end) == (0, MNIST_PIXELS)
        for column in reference.columns
    )


def _require(content: DatasetContent, role: str, row_count: int, column_count: int) -> None:
    for what, found, needed in (
        ("rows", content.row_count, row_count),
        ("columns", content.column_count, column_count),
    ):
        if found < needed:
            raise BadRequestError(
                f"the {role} dataset has {found} {what}; this comparison needs {needed}"
            )


def _join(parts: tuple[Matrix, ...], first: int, last: int) -> Matrix:
    blocks = [part[first:last] for part in parts]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)


def _count_hits(result: Matrix, reference: Matrix) -> int:
    candidates = np.where(result > START_VALUE, result, np.float32(-np.inf))
    chosen = np.argmax(candidates, axis=1)
    is_right = reference[np.arange(len(reference)), chosen] == 1
    is_one_hot = np.count_nonzero(reference, axis=1) == 1
    return int(np.count_nonzero(is_right & is_one_hot))
