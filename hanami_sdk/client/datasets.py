"""Flows for datasets: upload, look, download, compare, delete."""

from typing import Any

from hanami_sdk.client.arrays import matrix_of
from hanami_sdk.client.flow import Call, Flow, nothing, object_of, rows_of
from hanami_sdk.client.references import Reference, uuid_of
from hanami_sdk.client.results import Accuracy, Content, Dataset
from hanami_sdk.client.session import Session

__all__ = [
    "check_dataset",
    "delete_dataset",
    "get_dataset",
    "list_datasets",
    "read_column",
]

# What the server gives in one answer.
PAGE_ROWS_MAX = 10_000
# Keeps the JSON of an answer at a few megabytes.
PAGE_VALUES_MAX = 400_000

_dataset = object_of(Dataset)
_datasets = rows_of(Dataset)
_content = object_of(Content)
_accuracy = object_of(Accuracy)


def get_dataset(session: Session, dataset: Reference) -> Flow[Dataset]:
    """Return one dataset with its columns."""
    query = {"uuid": uuid_of(dataset)}
    call = Call(method="GET", path="dataset", decode=_dataset, query=query)
    return (yield from session.do(call))


def list_datasets(session: Session) -> Flow[list[Dataset]]:
    """Return all visible datasets, without their columns."""
    return (yield from session.do(Call(method="GET", path="dataset/all", decode=_datasets)))


def delete_dataset(session: Session, dataset: Reference) -> Flow[None]:
    """Delete a dataset; tasks that use it go on."""
    query = {"uuid": uuid_of(dataset)}
    yield from session.do(Call(method="DELETE", path="dataset", decode=nothing, query=query))


def check_dataset(session: Session, dataset: Reference, reference: Reference) -> Flow[float]:
    """Compare a result with the labels of a reference; return the percentage that is right."""
    query = {"uuid": uuid_of(dataset), "reference_uuid": uuid_of(reference)}
    call = Call(method="GET", path="dataset/check", decode=_accuracy, query=query)
    return (yield from session.do(call)).accuracy


def read_column(
    session: Session,
    dataset: Reference,
    column: str,
    *,
    offset: int = 0,
    rows: int | None = None,
) -> Flow[Any]:
    """Return rows of one column as an array of numpy, or as lists where numpy is not installed.

    Parameters
    ----------
    session : Session
        The client has it.
    dataset : Dataset or str
        Where to read.
    column : str
        Its name.
    offset : int
        The first row.
    rows : int, optional
        How many rows; without it all that follow.

    Raises
    ------
    ValueError
        When the dataset has no such column.
    """
    shown = yield from get_dataset(session, dataset)
    if column not in shown.description:
        known = ", ".join(sorted(shown.description)) or "none"
        raise ValueError(f"dataset {shown.uuid} has no column {column!r}; it has {known}")
    end = shown.number_of_rows if rows is None else offset + rows
    width = max(shown.description[column].width, 1)
    step = max(1, min(PAGE_ROWS_MAX, PAGE_VALUES_MAX // width))
    values: list[list[float]] = []
    for start in range(offset, end, step):
        query = {
            "uuid": shown.uuid,
            "column_name": column,
            "row_offset": start,
            "number_of_rows": min(step, end - start),
        }
        call = Call(method="GET", path="dataset/content", decode=_content, query=query)
        values += (yield from session.do(call)).data
    return matrix_of(values)
