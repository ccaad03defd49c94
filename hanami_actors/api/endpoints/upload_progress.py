"""How far uploads are: what is there, what is missing, what is being imported."""

import msgspec

from hanami_actors.actors.gateway import GetUploadProgress, Target, TargetKind, UploadProgress
from hanami_actors.api.context import Context
from hanami_actors.api.endpoints.dataset import OneDataset, require_dataset
from hanami_actors.api.table.endpoint import EVERYBODY, Endpoint
from hanami_actors.api.table.fields import UuidText
from hanami_actors.domain.dataset.aggregate import DatasetPhase, DatasetState
from hanami_actors.domain.upload.state import UploadPhase, UploadState
from hanami_actors.errors import ConflictError, NotFoundError

__all__ = ["ROWS"]

MISSING_RANGES_MAX = 1000
"""So many are listed; who has sent those asks again."""


class OneUpload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names a file on its way in."""

    uuid: UuidText


class FileProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A file on its way in; complete when all of it is safely on the disk."""

    complete: bool
    received_bytes: int
    role: str
    size_bytes: int
    uuid: str


class ImportReply(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the uploaded file has been imported."""

    read_bytes: int
    size_bytes: int


class ProgressReply(msgspec.Struct, frozen=True, kw_only=True):
    """Whether every byte of every file is there, and what happens to them.

    ``state`` is ``uploading``, ``uploaded``, ``importing``, ``finished``, or ``waiting`` for the result
    of a task. ``files`` are those that are not imported yet; ``importing`` is null unless they are
    being imported.
    """

    complete: bool
    files: tuple[FileProgress, ...]
    importing: ImportReply | None
    state: str
    uuid: str


class UploadReply(msgspec.Struct, frozen=True, kw_only=True):
    """Which bytes of a file are there.

    ``missing`` are ranges ``[start, end)`` of bytes to be sent, at most 1000 of them;
    ``number_of_missing_ranges`` counts all.
    """

    checksum: str
    complete: bool
    dataset_uuid: str
    missing: tuple[tuple[int, int], ...]
    number_of_missing_ranges: int
    received_bytes: int
    role: str
    size_bytes: int
    uuid: str


async def get_progress(context: Context, request: OneDataset) -> ProgressReply:
    """Tell whether every byte is there; a client that polls this always comes to an end."""
    state = require_dataset(context, request.uuid)
    if state.phase is DatasetPhase.FAILED:
        raise ConflictError(f"Data-set with uuid '{state.uuid}' failed: {state.failure}")
    if state.phase is DatasetPhase.FILLED:
        return ProgressReply(
            complete=True, files=(), importing=None, state="finished", uuid=state.uuid
        )
    files = tuple([await _file_progress(context, state, uuid) for uuid in state.upload_uuids])
    complete = bool(files) and all(file.complete for file in files)
    importing = context.services.gateway.import_progress(state.uuid)
    reply = None
    if importing is not None:
        reply = ImportReply(read_bytes=importing.read_bytes, size_bytes=importing.size_bytes)
    # Without files it is the result of a task, which fills it when it ends.
    at_rest = ("uploaded" if complete else "uploading") if files else "waiting"
    return ProgressReply(
        complete=complete,
        files=files,
        importing=reply,
        state="importing" if reply else at_rest,
        uuid=state.uuid,
    )


async def _file_progress(context: Context, state: DatasetState, uuid: str) -> FileProgress:
    closed = ConflictError(
        f"Data-set with uuid '{state.uuid}' can not become complete: its upload '{uuid}' was"
        " closed; look at the data-set again, it may be finished or deleted by now"
    )
    row = context.tables.uploads.get(uuid)
    if row is None:
        raise closed
    try:
        progress = await _progress_of(context, row.state)
    except NotFoundError as error:
        raise closed from error
    return FileProgress(
        complete=progress.complete,
        received_bytes=progress.received_bytes,
        role=row.state.role,
        size_bytes=progress.size_bytes,
        uuid=uuid,
    )


async def get_upload(context: Context, request: OneUpload) -> UploadReply:
    """Tell which bytes of a file are there and which are to be sent."""
    who = context.who
    row = context.tables.uploads.get(request.uuid)
    # As over the websocket: a file belongs to the one who announced it, admins are no exception.
    if (
        row is None
        or not row.state.alive
        or (row.state.owner_id, row.state.project_id) != (who.user_id, who.project_id)
    ):
        raise NotFoundError(
            f"Upload with uuid '{request.uuid}' not found; it may be imported, deleted or expired,"
            " look at its data-set"
        )
    progress = await _progress_of(context, row.state)
    return UploadReply(
        checksum=row.state.checksum,
        complete=progress.complete,
        dataset_uuid=row.state.dataset_uuid,
        missing=progress.missing[:MISSING_RANGES_MAX],
        number_of_missing_ranges=len(progress.missing),
        received_bytes=progress.received_bytes,
        role=row.state.role,
        size_bytes=progress.size_bytes,
        uuid=request.uuid,
    )


async def _progress_of(context: Context, upload: UploadState) -> UploadProgress:
    if upload.phase is UploadPhase.COMPLETE:
        size_bytes = upload.size_bytes
        return UploadProgress(
            size_bytes=size_bytes, received_bytes=size_bytes, complete=True, missing=()
        )
    progress: UploadProgress = await context.ask(
        Target(kind=TargetKind.UPLOAD, key=upload.uuid), GetUploadProgress()
    )
    return progress


ROWS = (
    Endpoint(
        name="get_dataset_progress",
        method="GET",
        path="dataset/progress",
        summary="Tell how much of a dataset is uploaded and imported.",
        access=EVERYBODY,
        request=OneDataset,
        reply=ProgressReply,
        errors=(NotFoundError, ConflictError),
        handler=get_progress,
    ),
    Endpoint(
        name="get_upload",
        method="GET",
        path="dataset/upload",
        summary="Tell which bytes of an uploaded file are missing.",
        access=EVERYBODY,
        request=OneUpload,
        reply=UploadReply,
        errors=(NotFoundError,),
        handler=get_upload,
        in_contract=False,
    ),
)
