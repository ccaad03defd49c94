"""Columns of datasets: which one is meant, and in what pieces it is read."""

from collections.abc import Iterator, Sequence

from hanami_sdk.calls import datasets
from hanami_sdk.calls.call import Call
from hanami_sdk.calls.results import Content, Dataset

__all__ = ["chosen_column", "content_pages", "require_column"]

# What the server gives in one answer.
PAGE_ROWS_MAX = 10_000
# Keeps the JSON of an answer at a few megabytes.
PAGE_VALUES_MAX = 400_000


def chosen_column(columns: Sequence[str], column: str | None) -> str:
    """Return the column that is meant.

    Raises
    ------
    ValueError
        When none is named and there are several.
    """
    if column is not None:
        return column
    if len(columns) != 1:
        raise ValueError(f"the task has several results, name one: {', '.join(columns)}")
    return columns[0]


def require_column(dataset: Dataset, column: str) -> None:
    """Check that a dataset has a column.

    Raises
    ------
    ValueError
        When it has not; the text names those that it has.
    """
    if column not in dataset.description:
        known = ", ".join(sorted(dataset.description)) or "none"
        raise ValueError(f"dataset {dataset.uuid} has no column {column!r}; it has {known}")


def content_pages(dataset: Dataset, column: str, offset: int, end: int) -> Iterator[Call[Content]]:
    """Yield the calls that read rows of a column as JSON."""
    width = max(dataset.description[column].width, 1)
    step = max(1, min(PAGE_ROWS_MAX, PAGE_VALUES_MAX // width))
    for start in range(offset, end, step):
        yield datasets.get_content(dataset.uuid, column, start, min(step, end - start))
