"""What happens to an upload. Stream ``upload/<uuid>``."""

from typing import ClassVar

from hanami_actors.domain.base import Event

__all__ = ["UploadClosed", "UploadCompleted", "UploadEvent", "UploadOpened", "UploadRangeStored"]


class UploadOpened(Event, frozen=True, kw_only=True):
    """A file of this size is expected.

    Attributes
    ----------
    role : str
        ``input`` or ``label``.
    """

    TAG: ClassVar[str] = "upload.opened"

    uuid: str
    dataset_uuid: str
    role: str
    size_bytes: int
    owner_id: str
    project_id: str


class UploadRangeStored(Event, frozen=True, kw_only=True):
    """These byte ranges ``[start, end)`` are on the disk since the last such event."""

    TAG: ClassVar[str] = "upload.range_stored"

    ranges: tuple[tuple[int, int], ...]


class UploadCompleted(Event, frozen=True, kw_only=True):
    """Every byte is on the disk."""

    TAG: ClassVar[str] = "upload.completed"


class UploadClosed(Event, frozen=True, kw_only=True):
    """The upload is over and its file is gone.

    Attributes
    ----------
    reason : str
        ``imported``, ``failed``, ``deleted`` or ``expired``.
    """

    TAG: ClassVar[str] = "upload.closed"

    reason: str


UploadEvent = UploadOpened | UploadRangeStored | UploadCompleted | UploadClosed
