"""What may be asked of an upload."""

from hanami_actors.domain.base import Message

__all__ = [
    "AppendChunk",
    "CloseUpload",
    "CompleteUpload",
    "DiscardUpload",
    "OpenUpload",
    "RecordRanges",
    "UploadMessage",
]


class OpenUpload(Message, frozen=True, kw_only=True):
    """Expect a file; asked by the directory together with the dataset's creation.

    Attributes
    ----------
    checksum : str
        ``sha256:<hex>`` or ``blake2b:<hex>`` of its bytes; empty when nobody checks.
    """

    uuid: str
    dataset_uuid: str
    role: str
    size_bytes: int
    checksum: str = ""


class AppendChunk(Message, frozen=True, kw_only=True):
    """Write these bytes at this place; any order, repeats allowed. Answered once written."""

    position: int
    data: bytes


class RecordRanges(Message, frozen=True, kw_only=True):
    """Record ranges that have reached the disk."""

    ranges: tuple[tuple[int, int], ...]


class CompleteUpload(Message, frozen=True, kw_only=True):
    """Record that every byte has reached the disk."""


class DiscardUpload(Message, frozen=True, kw_only=True):
    """Record that the bytes have another checksum than the announced one."""

    checksum: str


class CloseUpload(Message, frozen=True, kw_only=True):
    """End the upload.

    Attributes
    ----------
    checksum : str
        As it was checked; empty if it was not.
    """

    reason: str
    checksum: str = ""


UploadMessage = OpenUpload | RecordRanges | CompleteUpload | DiscardUpload | CloseUpload
