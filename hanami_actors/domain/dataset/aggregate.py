"""A dataset as a state machine: it waits for its content, which never changes afterwards."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from msgspec.structs import replace

from hanami_actors.domain.base import Event, Stamp, Value
from hanami_actors.domain.dataset.events import (
    DatasetContent,
    DatasetCreated,
    DatasetDeleted,
    DatasetEvent,
    DatasetFailed,
    DatasetFilled,
)
from hanami_actors.domain.dataset.messages import (
    CreateResultDataset,
    CreateUploadedDataset,
    DatasetMessage,
    DeleteDataset,
    FailDataset,
    FillDataset,
)
from hanami_actors.domain.transitions import allows, next_phase
from hanami_actors.errors import BadRequestError, ConflictError, NotFoundError
from hanami_actors.types import TimestampUs

__all__ = [
    "TRANSITIONS",
    "DatasetPhase",
    "DatasetState",
    "apply",
    "decide",
    "initial",
    "invariants",
]


class DatasetPhase(StrEnum):
    """Where a dataset is in its life."""

    ABSENT = "absent"
    WAITING = "waiting"
    FILLED = "filled"
    FAILED = "failed"
    DELETED = "deleted"


TRANSITIONS: Final[Mapping[tuple[DatasetPhase, type[Event]], DatasetPhase]] = MappingProxyType(
    {
        (DatasetPhase.ABSENT, DatasetCreated): DatasetPhase.WAITING,
        (DatasetPhase.WAITING, DatasetFilled): DatasetPhase.FILLED,
        (DatasetPhase.WAITING, DatasetFailed): DatasetPhase.FAILED,
        (DatasetPhase.WAITING, DatasetDeleted): DatasetPhase.DELETED,
        (DatasetPhase.FILLED, DatasetDeleted): DatasetPhase.DELETED,
        (DatasetPhase.FAILED, DatasetDeleted): DatasetPhase.DELETED,
    }
)


class DatasetState(Value, frozen=True, kw_only=True):
    """A dataset.

    Attributes
    ----------
    kind : str
        ``mnist``, ``csv`` or ``result``.
    upload_uuids : tuple of str
        ``(input, label)``, ``(input,)`` or ``()``.
    content : DatasetContent or None
        None until the dataset is filled.
    failure : str
        Why the import failed; empty otherwise.
    """

    phase: DatasetPhase = DatasetPhase.ABSENT
    uuid: str = ""
    name: str = ""
    kind: str = ""
    owner_id: str = ""
    project_id: str = ""
    upload_uuids: tuple[str, ...] = ()
    content: DatasetContent | None = None
    failure: str = ""
    created_us: TimestampUs = TimestampUs(0)

    @property
    def alive(self) -> bool:
        """Whether lists show it."""
        return self.phase not in {DatasetPhase.ABSENT, DatasetPhase.DELETED}


def initial() -> DatasetState:
    """Return the state before the first event."""
    return DatasetState()


def invariants(state: DatasetState) -> None:
    """Assert what always holds.

    Raises
    ------
    AssertionError
    """
    if state.phase is DatasetPhase.FILLED:
        assert state.content is not None, "a filled dataset has content"
    if state.phase in {DatasetPhase.WAITING, DatasetPhase.FAILED}:
        assert state.content is None, "content comes with DatasetFilled alone"
    assert state.phase is not DatasetPhase.FAILED or state.failure, "a failure has a reason"
    assert state.content is None or not _content_fault(state.content), "content is consistent"


def decide(state: DatasetState, message: DatasetMessage, stamp: Stamp) -> tuple[DatasetEvent, ...]:
    """Return the events that follow from the message.

    ``stamp.ids`` of an uploaded dataset are: the dataset, the input upload, the label upload.

    Raises
    ------
    BadRequestError
        A kind or size is wrong, or the content does not fit together.
    ConflictError
        The dataset is not in a phase that allows this.
    NotFoundError
        The dataset does not exist.
    """
    match message:
        case CreateUploadedDataset():
            _require_absent(state, stamp.ids[0])
            return (_uploaded(message, stamp),)
        case CreateResultDataset():
            _require_absent(state, message.uuid)
            return (_created(message.uuid, message.name, "result", (), stamp),)
        case FillDataset():
            _require_waiting(state, DatasetFilled, "filled")
            fault = _content_fault(message.content)
            if fault:
                raise BadRequestError(f"Content of dataset with uuid '{state.uuid}': {fault}")
            return (DatasetFilled(content=message.content),)
        case FailDataset():
            _require_waiting(state, DatasetFailed, "marked as failed")
            return (DatasetFailed(reason=message.reason or "no reason was given"),)
        case DeleteDataset():
            if not allows(TRANSITIONS, state.phase, DatasetDeleted):
                raise NotFoundError(f"Data-set with uuid '{message.uuid}' not found")
            return (DatasetDeleted(),)
        case _:
            assert_never(message)


def apply(state: DatasetState, event: DatasetEvent, time_us: TimestampUs) -> DatasetState:
    """Return the state after the event, which happened at ``time_us``."""
    phase = next_phase(TRANSITIONS, state.phase, event)
    match event:
        case DatasetCreated():
            return DatasetState(
                phase=phase,
                uuid=event.uuid,
                name=event.name,
                kind=event.kind,
                owner_id=event.owner_id,
                project_id=event.project_id,
                upload_uuids=event.upload_uuids,
                created_us=time_us,
            )
        case DatasetFilled():
            return replace(state, phase=phase, content=event.content)
        case DatasetFailed():
            return replace(state, phase=phase, failure=event.reason)
        case DatasetDeleted():
            return replace(state, phase=phase)
        case _:
            assert_never(event)


def _require_absent(state: DatasetState, uuid: str) -> None:
    if not allows(TRANSITIONS, state.phase, DatasetCreated):
        raise ConflictError(f"Data-set with uuid '{uuid}' already exists.")


def _require_waiting(state: DatasetState, event_class: type[Event], what: str) -> None:
    if allows(TRANSITIONS, state.phase, event_class):
        return
    if not state.alive:
        raise NotFoundError(f"Data-set with uuid '{state.uuid}' not found")
    raise ConflictError(
        f"Data-set with uuid '{state.uuid}' is {state.phase.value} and cannot be {what}; only a "
        "waiting data-set can."
    )


def _uploaded(message: CreateUploadedDataset, stamp: Stamp) -> DatasetCreated:
    if message.kind not in {"mnist", "csv"}:
        raise BadRequestError(f"Field 'kind' is '{message.kind}'; it must be 'mnist' or 'csv'.")
    if message.input_size_bytes < 1:
        raise BadRequestError(
            f"Field 'input_data_size' is {message.input_size_bytes}; it must be at least 1."
        )
    if message.kind == "csv":
        if message.label_size_bytes != 0:
            raise BadRequestError("Field 'label_data_size' is not allowed for a CSV data-set.")
        return _created(stamp.ids[0], message.name, "csv", stamp.ids[1:2], stamp)
    if message.label_size_bytes < 1:
        raise BadRequestError(
            f"Field 'label_data_size' is {message.label_size_bytes}; it must be at least 1."
        )
    return _created(stamp.ids[0], message.name, "mnist", stamp.ids[1:3], stamp)


def _created(
    uuid: str, name: str, kind: str, upload_uuids: tuple[str, ...], stamp: Stamp
) -> DatasetCreated:
    return DatasetCreated(
        uuid=uuid,
        name=name,
        kind=kind,
        owner_id=stamp.who.user_id,
        project_id=stamp.who.project_id,
        upload_uuids=upload_uuids,
    )


def _content_fault(content: DatasetContent) -> str:
    """Return what does not fit together, empty if everything does."""
    if content.row_count < 0 or content.column_count < 0:
        return "numbers of rows and columns must not be negative."
    for file in content.files:
        if file.row_count != content.row_count:
            return f"a file has {file.row_count} rows, the data-set has {content.row_count}."
    for column in content.columns:
        if not 0 <= column.start < column.end <= content.column_count:
            return (
                f"column '{column.name}' spans {column.start}..{column.end}, outside the data-set."
            )
        if not 0 <= column.file_index < len(content.files):
            return f"column '{column.name}' names file {column.file_index}, which is not there."
        file = content.files[column.file_index]
        if not 0 <= column.file_start <= file.width - (column.end - column.start):
            return f"column '{column.name}' reaches beyond the width {file.width} of its file."
    return ""
