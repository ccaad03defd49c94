"""What may be asked of a dataset."""

from hanami_actors.domain.base import Message
from hanami_actors.domain.dataset.events import DatasetContent

__all__ = [
    "CreateResultDataset",
    "CreateUploadedDataset",
    "DatasetMessage",
    "DeleteDataset",
    "FailDataset",
    "FillDataset",
    "FinalizeDataset",
]


class CreateUploadedDataset(Message, frozen=True, kw_only=True):
    """Create a dataset and open its uploads.

    Attributes
    ----------
    kind : str
        ``mnist`` or ``csv``.
    label_size_bytes : int
        0 for ``csv``.
    input_checksum, label_checksum : str
        ``sha256:<hex>`` or ``blake2b:<hex>`` of the files; empty when nobody checks.
    """

    name: str
    kind: str
    input_size_bytes: int
    label_size_bytes: int = 0
    input_checksum: str = ""
    label_checksum: str = ""


class FinalizeDataset(Message, frozen=True, kw_only=True):
    """Import the uploaded files; asked of the dataset's import actor."""

    uuid: str
    kind: str
    upload_uuids: tuple[str, ...]


class CreateResultDataset(Message, frozen=True, kw_only=True):
    """Create the dataset a request task will fill."""

    uuid: str
    name: str


class FillDataset(Message, frozen=True, kw_only=True):
    """Record the imported content."""

    content: DatasetContent


class FailDataset(Message, frozen=True, kw_only=True):
    """Record that the import failed for good."""

    reason: str


class DeleteDataset(Message, frozen=True, kw_only=True):
    """Hide the dataset."""

    uuid: str


DatasetMessage = (
    CreateUploadedDataset | CreateResultDataset | FillDataset | FailDataset | DeleteDataset
)
