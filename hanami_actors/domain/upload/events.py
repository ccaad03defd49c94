"""What happens to an upload. Stream ``upload/<uuid>``."""

from typing import ClassVar

from hanami_actors.domain.base import Event

__all__ = [
    "UploadClosed",
    "UploadCompleted",
    "UploadDiscarded",
    "UploadEvent",
    "UploadOpened",
    "UploadRangeStored",
]


class UploadOpened(Event, frozen=True, kw_only=True):
    """A file of this size is expected.

    Attributes
    ----------
    role : str
        ``input`` or ``label``.
    checksum : str
        What the client says its bytes are, ``sha256:<hex>`` or ``blake2b:<hex>``; empty if it
        does not say.
    """

    TAG: ClassVar[str] = "upload.opened"

    uuid: str
    dataset_uuid: str
    role: str
    size_bytes: int
    owner_id: str
    project_id: str
    checksum: str = ""


class UploadRangeStored(Event, frozen=True, kw_only=True):
    """These byte ranges ``[start, end)`` are on the disk since the last such event."""

    TAG: ClassVar[str] = "upload.range_stored"

    ranges: tuple[tuple[int, int], ...]


class UploadCompleted(Event, frozen=True, kw_only=True):
    """Every byte is on the disk."""

    TAG: ClassVar[str] = "upload.completed"


class UploadDiscarded(Event, frozen=True, kw_only=True):
    """The bytes are not those that were announced; all of them are to be sent again.

    Attributes
    ----------
    checksum : str
        Of the bytes that came, in the form of the announced one.
    """

    TAG: ClassVar[str] = "upload.discarded"

    checksum: str


class UploadClosed(Event, frozen=True, kw_only=True):
    """The upload is over and its file is gone.

    Attributes
    ----------
    reason : str
        ``imported``, ``failed``, ``deleted`` or ``expired``.
    checksum : str
        Of the imported bytes, as it was checked; empty if none was announced.
    """

    TAG: ClassVar[str] = "upload.closed"

    reason: str
    checksum: str = ""


UploadEvent = UploadOpened | UploadRangeStored | UploadCompleted | UploadDiscarded | UploadClosed
