"""Flows for datasets: upload, look, download, compare, delete."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hanami_sdk._progress import Report as ProgressReport
from hanami_sdk._upload import FilePath
from hanami_sdk.client.arrays import has_numpy, matrix_of, npy_of
from hanami_sdk.client.flow import Call, Flow, bytes_of, nothing, object_of, rows_of
from hanami_sdk.client.references import Reference, uuid_of
from hanami_sdk.client.results import Accuracy, Content, Dataset, Report
from hanami_sdk.client.session import Session
from hanami_sdk.hanami_exceptions import (
    BadRequestException,
    NotFoundException,
    UnauthorizedException,
)

__all__ = [
    "check_dataset",
    "delete_dataset",
    "download_dataset",
    "get_dataset",
    "list_datasets",
    "read_column",
    "report_dataset",
]

# What the server gives in one answer.
PAGE_ROWS_MAX = 10_000
# Keeps the JSON of an answer at a few megabytes.
PAGE_VALUES_MAX = 400_000

_dataset = object_of(Dataset)
_datasets = rows_of(Dataset)
_content = object_of(Content)
_accuracy = object_of(Accuracy)
_report = object_of(Report)


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
    if end > offset and has_numpy():
        try:
            return (yield from _read_as_npy(session, shown.uuid, column, offset, end))
        except (NotFoundException, UnauthorizedException, BadRequestException):
            # A server of the original interface has no downloads.
            pass
    return (yield from _read_as_pages(session, shown, column, offset, end))


def _read_as_npy(session: Session, uuid: str, column: str, offset: int, end: int) -> Flow[Any]:
    query = {
        "uuid": uuid,
        "format": "npy",
        "column": column_text([column]),
        "row_offset": offset,
        "number_of_rows": end - offset,
    }
    call = Call(method="GET", path="dataset/download", decode=bytes_of, query=query)
    return npy_of((yield from session.do(call)))


def _read_as_pages(
    session: Session, shown: Dataset, column: str, offset: int, end: int
) -> Flow[Any]:
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


def download_dataset(
    session: Session,
    dataset: Reference,
    path: FilePath,
    *,
    file_format: str | None = None,
    columns: Sequence[str] = (),
    offset: int = 0,
    rows: int | None = None,
    progress: ProgressReport | None = None,
) -> Flow[Path]:
    """Write a dataset, or some of its columns and rows, to a file; return its path.

    Parameters
    ----------
    session : Session
        The client has it.
    dataset : Dataset or str
        What to download.
    path : path
        The file; it appears when all of it is there.
    file_format : str, optional
        ``csv`` or ``npy``; without it the ending of the path decides, then ``csv``.
    columns : sequence of str
        Which columns; without it all.
    offset : int
        The first row.
    rows : int, optional
        How many rows; without it all that follow.
    progress : callable, optional
        Called with the bytes done and the bytes in total.
    """
    target = Path(path)
    query = {
        "uuid": uuid_of(dataset),
        "format": file_format or ("npy" if target.suffix == ".npy" else "csv"),
        "column": column_text(columns),
        "row_offset": offset or None,
        "number_of_rows": rows,
    }
    call = Call(method="GET", path="dataset/download", decode=nothing, query=query)
    yield from session.download(call, target, progress)
    return target


def column_text(columns: Sequence[str]) -> str | None:
    """Return names of columns as the server reads them, None without any."""
    if not columns:
        return None
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(columns)
    return line.getvalue()


def report_dataset(
    session: Session,
    dataset: Reference,
    reference: Reference,
    *,
    column: str | None = None,
    reference_column: str | None = None,
) -> Flow[Report]:
    """Compare a result with a reference: accuracy, every class, errors.

    Parameters
    ----------
    session : Session
        The client has it.
    dataset, reference : Dataset or str
        The result, and what it should be.
    column, reference_column : str, optional
        Which columns; may be left out where there is only one that fits.
    """
    query = {
        "uuid": uuid_of(dataset),
        "reference_uuid": uuid_of(reference),
        "column": column,
        "reference_column": reference_column,
    }
    call = Call(method="GET", path="dataset/report", decode=_report, query=query)
    return (yield from session.do(call))
