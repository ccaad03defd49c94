"""Calls about datasets and their files."""

import csv
import io
from collections.abc import Mapping, Sequence

from hanami_sdk.calls.call import Call, as_bytes, as_nothing, given, object_of, rows_of
from hanami_sdk.calls.results import (
    Accuracy,
    Content,
    Dataset,
    Report,
    UploadedFile,
    UploadProgress,
    UploadStarted,
)

__all__ = [
    "check_dataset",
    "column_text",
    "delete_dataset",
    "download_dataset",
    "finish_upload",
    "get_content",
    "get_dataset",
    "get_upload",
    "get_upload_progress",
    "list_datasets",
    "report_dataset",
    "start_upload",
]

# Importing a large CSV file takes a while, and its answer comes at the end.
IMPORT_TIMEOUT_S = 3700.0


def get_dataset(dataset_uuid: str) -> Call[Dataset]:
    """Look at a dataset and its columns."""
    return Call("GET", "dataset", object_of(Dataset), query={"uuid": dataset_uuid})


def list_datasets() -> Call[list[Dataset]]:
    """Look at all datasets."""
    return Call("GET", "dataset/all", rows_of(Dataset))


def delete_dataset(dataset_uuid: str) -> Call[None]:
    """Delete a dataset."""
    return Call("DELETE", "dataset", as_nothing, query={"uuid": dataset_uuid})


def check_dataset(dataset_uuid: str, reference_uuid: str) -> Call[Accuracy]:
    """Compare a result with the labels of a reference."""
    query = {"uuid": dataset_uuid, "reference_uuid": reference_uuid}
    return Call("GET", "dataset/check", object_of(Accuracy), query=query)


def report_dataset(
    dataset_uuid: str, reference_uuid: str, column: str | None, reference_column: str | None
) -> Call[Report]:
    """Compare a result with a reference: accuracy, every class, errors."""
    columns = given(column=column, reference_column=reference_column)
    query = {"uuid": dataset_uuid, "reference_uuid": reference_uuid} | columns
    return Call("GET", "dataset/report", object_of(Report), query=query)


def get_content(
    dataset_uuid: str, column: str, row_offset: int, number_of_rows: int
) -> Call[Content]:
    """Look at rows of one column."""
    query = {
        "uuid": dataset_uuid,
        "column_name": column,
        "row_offset": row_offset,
        "number_of_rows": number_of_rows,
    }
    return Call("GET", "dataset/content", object_of(Content), query=query)


def download_dataset(
    dataset_uuid: str,
    file_format: str,
    *,
    columns: Sequence[str],
    row_offset: int | None,
    number_of_rows: int | None,
) -> Call[bytes]:
    """Get a dataset, or some of its columns and rows, as a file."""
    query = {"uuid": dataset_uuid, "format": file_format} | given(
        column=column_text(columns), row_offset=row_offset, number_of_rows=number_of_rows
    )
    return Call("GET", "dataset/download", as_bytes, query=query)


def column_text(columns: Sequence[str]) -> str | None:
    """Return names of columns as the server reads them, None without any."""
    if not columns:
        return None
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(columns)
    return line.getvalue()


def start_upload(
    kind: str, name: str, sizes_bytes: Mapping[str, int], checksums: Mapping[str, str]
) -> Call[UploadStarted]:
    """Announce the files of a dataset, by their role ``input`` or ``label``."""
    body: dict[str, object] = {"name": name}
    body.update({f"{role}_data_size": size for role, size in sizes_bytes.items()})
    body.update({f"{role}_checksum": text for role, text in checksums.items()})
    return Call("POST", f"dataset/upload/{kind}", object_of(UploadStarted), body=body)


def finish_upload(kind: str, dataset_uuid: str, file_uuids: Mapping[str, str]) -> Call[None]:
    """Make the dataset out of its files, which all have arrived."""
    body = {"uuid": dataset_uuid}
    body.update({f"uuid_{role}_file": uuid for role, uuid in file_uuids.items()})
    path = f"dataset/upload/{kind}"
    return Call("PUT", path, as_nothing, body=body, timeout_s=IMPORT_TIMEOUT_S)


def get_upload(file_uuid: str) -> Call[UploadedFile]:
    """Look at what is missing of one file."""
    return Call("GET", "dataset/upload", object_of(UploadedFile), query={"uuid": file_uuid})


def get_upload_progress(dataset_uuid: str) -> Call[UploadProgress]:
    """Look at how much of a dataset is uploaded and imported."""
    query = {"uuid": dataset_uuid}
    return Call("GET", "dataset/progress", object_of(UploadProgress), query=query)
