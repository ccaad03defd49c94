"""What happens to a dataset. Stream ``dataset/<uuid>``."""

from typing import ClassVar

from hanami_actors.domain.base import Event, Value

__all__ = [
    "Column",
    "ColumnFile",
    "DatasetContent",
    "DatasetCreated",
    "DatasetDeleted",
    "DatasetEvent",
    "DatasetFailed",
    "DatasetFilled",
]


class ColumnFile(Value, frozen=True, kw_only=True):
    """A row-major matrix inside a blob.

    Attributes
    ----------
    digest : str
        Name of the blob.
    offset_bytes : int
        Where the first value stands (an uploaded IDX file is used as it is, behind its header).
    dtype : str
        ``uint8`` or ``float32`` (little-endian).
    row_count, width : int
        Shape of the matrix.
    """

    digest: str
    offset_bytes: int = 0
    dtype: str
    row_count: int
    width: int


class Column(Value, frozen=True, kw_only=True):
    """A named range of columns.

    Attributes
    ----------
    name : str
    start, end : int
        Range within the dataset, as the contract's ``description`` shows it.
    file_index : int
        Which of the dataset's files holds it.
    file_start : int
        First column within that file.
    """

    name: str
    start: int
    end: int
    file_index: int
    file_start: int


class DatasetContent(Value, frozen=True, kw_only=True):
    """The bytes behind a dataset, by digest."""

    row_count: int
    column_count: int
    files: tuple[ColumnFile, ...]
    columns: tuple[Column, ...]


class DatasetCreated(Event, frozen=True, kw_only=True):
    """A dataset has a name and waits for its content.

    Attributes
    ----------
    kind : str
        ``mnist``, ``csv`` or ``result``.
    upload_uuids : tuple of str
        The files it waits for: ``(input, label)``, ``(input,)`` or ``()``.
    """

    TAG: ClassVar[str] = "dataset.created"

    uuid: str
    name: str
    kind: str
    owner_id: str
    project_id: str
    upload_uuids: tuple[str, ...] = ()


class DatasetFilled(Event, frozen=True, kw_only=True):
    """The content is there and will never change."""

    TAG: ClassVar[str] = "dataset.filled"

    content: DatasetContent


class DatasetFailed(Event, frozen=True, kw_only=True):
    """The uploaded files are not what they were said to be."""

    TAG: ClassVar[str] = "dataset.failed"

    reason: str


class DatasetDeleted(Event, frozen=True, kw_only=True):
    """The dataset is hidden; its blobs stay while a living history names them."""

    TAG: ClassVar[str] = "dataset.deleted"


DatasetEvent = DatasetCreated | DatasetFilled | DatasetFailed | DatasetDeleted
