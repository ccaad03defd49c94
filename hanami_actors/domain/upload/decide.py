"""What follows from a message to an upload."""

from typing import assert_never

from hanami_actors.domain.base import Stamp
from hanami_actors.domain.transitions import allows
from hanami_actors.domain.upload.checksum import check_format
from hanami_actors.domain.upload.events import (
    UploadClosed,
    UploadCompleted,
    UploadDiscarded,
    UploadEvent,
    UploadOpened,
    UploadRangeStored,
)
from hanami_actors.domain.upload.messages import (
    CloseUpload,
    CompleteUpload,
    DiscardUpload,
    OpenUpload,
    RecordRanges,
    UploadMessage,
)
from hanami_actors.domain.upload.ranges import format_ranges, merge, missing
from hanami_actors.domain.upload.state import TRANSITIONS, UploadPhase, UploadState
from hanami_actors.errors import BadRequestError, ConflictError, NotFoundError

__all__ = ["CLOSE_REASONS", "check_range", "decide"]

CLOSE_REASONS = ("imported", "failed", "deleted", "expired")


def decide(state: UploadState, message: UploadMessage, stamp: Stamp) -> tuple[UploadEvent, ...]:
    """Return the events that follow from the message.

    Ranges that are known already and a completion of a complete upload give no event.

    Raises
    ------
    BadRequestError
        A range lies outside the file, or a field is wrong.
    ConflictError
        Bytes are missing, or the upload exists already.
    NotFoundError
        The upload is not there or closed.
    """
    match message:
        case OpenUpload():
            return _open(state, message, stamp)
        case RecordRanges():
            return _record(state, message)
        case CompleteUpload():
            return _complete(state)
        case DiscardUpload():
            return _discard(state, message)
        case CloseUpload():
            if message.reason not in CLOSE_REASONS:
                known = ", ".join(CLOSE_REASONS)
                raise BadRequestError(f"Field 'reason' is '{message.reason}', known are: {known}.")
            if not allows(TRANSITIONS, state.phase, UploadClosed):
                raise _not_found(state)
            return (UploadClosed(reason=message.reason, checksum=message.checksum),)
        case _:
            assert_never(message)


def check_range(state: UploadState, start: int, end: int) -> None:
    """Refuse bytes ``[start, end)`` that are not inside the announced file.

    Raises
    ------
    BadRequestError
    """
    if start < 0 or end <= start or end > state.size_bytes:
        raise BadRequestError(
            f"Bytes {start}..{end - 1} of upload with uuid '{state.uuid}' are outside the announced "
            f"size of {state.size_bytes} bytes."
        )


def _open(state: UploadState, message: OpenUpload, stamp: Stamp) -> tuple[UploadEvent, ...]:
    if not allows(TRANSITIONS, state.phase, UploadOpened):
        raise ConflictError(f"Upload with uuid '{message.uuid}' already exists.")
    if message.role not in {"input", "label"}:
        raise BadRequestError(f"Field 'role' is '{message.role}'; it must be 'input' or 'label'.")
    if message.size_bytes < 1:
        raise BadRequestError(
            f"Field 'size_bytes' is {message.size_bytes}; a file has at least 1 byte."
        )
    if message.checksum:
        check_format(message.checksum)
    return (
        UploadOpened(
            uuid=message.uuid,
            dataset_uuid=message.dataset_uuid,
            role=message.role,
            size_bytes=message.size_bytes,
            owner_id=stamp.who.user_id,
            project_id=stamp.who.project_id,
            checksum=message.checksum,
        ),
    )


def _record(state: UploadState, message: RecordRanges) -> tuple[UploadEvent, ...]:
    if not state.alive:
        raise _not_found(state)
    for start, end in message.ranges:
        check_range(state, start, end)
    if merge(state.ranges, message.ranges) == state.ranges:
        return ()
    return (UploadRangeStored(ranges=merge((), message.ranges)),)


def _complete(state: UploadState) -> tuple[UploadEvent, ...]:
    if state.phase is UploadPhase.COMPLETE:
        return ()
    if not allows(TRANSITIONS, state.phase, UploadCompleted):
        raise _not_found(state)
    gaps = missing(state.ranges, state.size_bytes)
    if gaps:
        raise ConflictError(
            f"Upload with uuid '{state.uuid}' is not complete; missing bytes {format_ranges(gaps)} "
            f"of {state.size_bytes}."
        )
    return (UploadCompleted(),)


def _discard(state: UploadState, message: DiscardUpload) -> tuple[UploadEvent, ...]:
    if not state.alive:
        raise _not_found(state)
    if not allows(TRANSITIONS, state.phase, UploadDiscarded):
        raise ConflictError(
            f"Upload with uuid '{state.uuid}' is not complete, nothing is discarded."
        )
    if message.checksum == state.checksum or not state.checksum:
        raise ConflictError(
            f"Upload with uuid '{state.uuid}' has the bytes that were announced; they stay."
        )
    check_format(message.checksum)
    return (UploadDiscarded(checksum=message.checksum),)


def _not_found(state: UploadState) -> NotFoundError:
    return NotFoundError(f"Upload with uuid '{state.uuid}' not found or no longer open")
