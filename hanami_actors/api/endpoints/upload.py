"""Uploads of datasets: announce and import."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.api.context import Context
from hanami_actors.api.endpoints.dataset import require_dataset
from hanami_actors.api.replies import OwnedReply, UuidReply
from hanami_actors.api.table.effects import Effects
from hanami_actors.api.table.endpoint import EVERYBODY, Endpoint
from hanami_actors.api.table.fields import ChecksumText, ResourceName, UuidText
from hanami_actors.domain.base import format_timestamp
from hanami_actors.domain.dataset.aggregate import DatasetState, apply, initial
from hanami_actors.domain.dataset.events import DatasetCreated
from hanami_actors.domain.dataset.messages import CreateUploadedDataset, FinalizeDataset
from hanami_actors.domain.upload.checksum import normalize
from hanami_actors.errors import ConflictError, DatasetFormatError, LimitError, NotFoundError

__all__ = ["ROWS"]

DIRECTORY = Target(kind=TargetKind.DIRECTORY)
IMPORT_TIMEOUT_S = 3600.0

FileSize = Annotated[int, Meta(ge=1, le=10_000_000_000)]


class NewMnist(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes in bytes of the two IDX files, and what their bytes are.

    Checksums are ``sha256:`` or ``blake2b:`` (32 bytes long) and hexadecimal digits, or the digits
    of a SHA-256 alone; a file with other bytes is not imported and has to be sent again.
    """

    name: ResourceName
    input_data_size: FileSize
    label_data_size: FileSize
    input_checksum: ChecksumText | UnsetType = UNSET
    label_checksum: ChecksumText | UnsetType = UNSET


class NewCsv(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Size in bytes of the file, and what its bytes are (as for IDX files)."""

    name: ResourceName
    input_data_size: FileSize
    input_checksum: ChecksumText | UnsetType = UNSET


class MnistFiles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The dataset and its uploaded files."""

    uuid: UuidText
    uuid_input_file: UuidText
    uuid_label_file: UuidText


class CsvFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The dataset and its uploaded file."""

    uuid: UuidText
    uuid_input_file: UuidText


class MnistUploadReply(OwnedReply, frozen=True, kw_only=True):
    """The dataset and the files it waits for."""

    uuid_input_file: str
    uuid_label_file: str


class CsvUploadReply(OwnedReply, frozen=True, kw_only=True):
    """The dataset and the file it waits for."""

    uuid_input_file: str


async def create_mnist(context: Context, request: NewMnist) -> MnistUploadReply:
    """Announce two IDX files."""
    message = CreateUploadedDataset(
        name=request.name,
        kind="mnist",
        input_size_bytes=request.input_data_size,
        label_size_bytes=request.label_data_size,
        input_checksum=_checksum(request.input_checksum),
        label_checksum=_checksum(request.label_checksum),
    )
    return _mnist_reply(await context.ask(DIRECTORY, message))


async def create_csv(context: Context, request: NewCsv) -> CsvUploadReply:
    """Announce a CSV file."""
    message = CreateUploadedDataset(
        name=request.name,
        kind="csv",
        input_size_bytes=request.input_data_size,
        input_checksum=_checksum(request.input_checksum),
    )
    return _csv_reply(await context.ask(DIRECTORY, message))


def first_mnist(effects: Effects) -> MnistUploadReply:
    """Return a dataset of IDX files as it was announced."""
    return _mnist_reply(_announced(effects))


def first_csv(effects: Effects) -> CsvUploadReply:
    """Return a dataset of a CSV file as it was announced."""
    return _csv_reply(_announced(effects))


async def finalize_mnist(context: Context, request: MnistFiles) -> UuidReply:
    """Import two IDX files."""
    files = {"Input": request.uuid_input_file, "Label": request.uuid_label_file}
    return await _finalize(context, request.uuid, "mnist", files)


async def finalize_csv(context: Context, request: CsvFile) -> UuidReply:
    """Import a CSV file."""
    return await _finalize(context, request.uuid, "csv", {"Input": request.uuid_input_file})


async def _finalize(context: Context, uuid: str, kind: str, files: dict[str, str]) -> UuidReply:
    state = require_dataset(context, uuid)
    for role, file_uuid in files.items():
        if file_uuid not in state.upload_uuids:
            raise NotFoundError(f"{role}-data with uuid '{file_uuid}' not found.")
    message = FinalizeDataset(uuid=uuid, kind=kind, upload_uuids=tuple(files.values()))
    await context.ask(Target(kind=TargetKind.DATASET, key=uuid), message)
    return UuidReply(uuid=uuid)


def _announced(effects: Effects) -> DatasetState:
    event, time_us = effects.first(DatasetCreated)
    return apply(initial(), event, time_us)


def _mnist_reply(state: DatasetState) -> MnistUploadReply:
    return MnistUploadReply(
        created_at=format_timestamp(state.created_us),
        name=state.name,
        owner_id=state.owner_id,
        project_id=state.project_id,
        uuid=state.uuid,
        uuid_input_file=state.upload_uuids[0],
        uuid_label_file=state.upload_uuids[1],
    )


def _csv_reply(state: DatasetState) -> CsvUploadReply:
    return CsvUploadReply(
        created_at=format_timestamp(state.created_us),
        name=state.name,
        owner_id=state.owner_id,
        project_id=state.project_id,
        uuid=state.uuid,
        uuid_input_file=state.upload_uuids[0],
    )


def _checksum(text: str | UnsetType) -> str:
    return "" if text is UNSET else normalize(text)


FINALIZE_ERRORS = (NotFoundError, ConflictError, DatasetFormatError)

ROWS = (
    Endpoint(
        name="create_mnist_dataset",
        method="POST",
        path="dataset/upload/mnist",
        aliases=("/v1/mnist/dataset",),
        summary="Create a dataset and announce the two IDX files of its upload.",
        access=EVERYBODY,
        request=NewMnist,
        reply=MnistUploadReply,
        errors=(ConflictError, LimitError),
        handler=create_mnist,
        first_answer=first_mnist,
    ),
    Endpoint(
        name="finalize_mnist_dataset",
        method="PUT",
        path="dataset/upload/mnist",
        aliases=("/v1/mnist/dataset",),
        summary="Import the uploaded IDX files.",
        access=EVERYBODY,
        request=MnistFiles,
        reply=UuidReply,
        errors=FINALIZE_ERRORS,
        handler=finalize_mnist,
        timeout_s=IMPORT_TIMEOUT_S,
    ),
    Endpoint(
        name="create_csv_dataset",
        method="POST",
        path="dataset/upload/csv",
        aliases=("/v1/csv/dataset",),
        summary="Create a dataset and announce the CSV file of its upload.",
        access=EVERYBODY,
        request=NewCsv,
        reply=CsvUploadReply,
        errors=(ConflictError, LimitError),
        handler=create_csv,
        first_answer=first_csv,
    ),
    Endpoint(
        name="finalize_csv_dataset",
        method="PUT",
        path="dataset/upload/csv",
        aliases=("/v1/csv/dataset",),
        summary="Import the uploaded CSV file.",
        access=EVERYBODY,
        request=CsvFile,
        reply=UuidReply,
        errors=FINALIZE_ERRORS,
        handler=finalize_csv,
        timeout_s=IMPORT_TIMEOUT_S,
    ),
)
