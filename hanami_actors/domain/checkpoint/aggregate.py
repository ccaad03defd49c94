"""A checkpoint as a state machine: it is created with all it will ever hold."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from msgspec.structs import replace

from hanami_actors.domain.base import Event, Stamp, Value
from hanami_actors.domain.checkpoint.events import (
    CheckpointCreated,
    CheckpointDeleted,
    CheckpointEvent,
)
from hanami_actors.domain.checkpoint.messages import (
    CheckpointMessage,
    CreateCheckpoint,
    DeleteCheckpoint,
)
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.transitions import allows, next_phase
from hanami_actors.errors import ConflictError, NotFoundError
from hanami_actors.types import TimestampUs

__all__ = [
    "TRANSITIONS",
    "CheckpointPhase",
    "CheckpointState",
    "apply",
    "decide",
    "initial",
    "invariants",
]


class CheckpointPhase(StrEnum):
    """Where a checkpoint is in its life."""

    ABSENT = "absent"
    ALIVE = "alive"
    DELETED = "deleted"


TRANSITIONS: Final[Mapping[tuple[CheckpointPhase, type[Event]], CheckpointPhase]] = (
    MappingProxyType(
        {
            (CheckpointPhase.ABSENT, CheckpointCreated): CheckpointPhase.ALIVE,
            (CheckpointPhase.ALIVE, CheckpointDeleted): CheckpointPhase.DELETED,
        }
    )
)


class CheckpointState(Value, frozen=True, kw_only=True):
    """A checkpoint.

    Attributes
    ----------
    cluster_uuid, cluster_name : str
        Of the cluster that was saved; empty when the checkpoint was uploaded.
    source : Source or None
        The moment; None before it is created.
    """

    phase: CheckpointPhase = CheckpointPhase.ABSENT
    uuid: str = ""
    name: str = ""
    owner_id: str = ""
    project_id: str = ""
    cluster_uuid: str = ""
    cluster_name: str = ""
    source: Source | None = None
    created_us: TimestampUs = TimestampUs(0)

    @property
    def alive(self) -> bool:
        """Whether lists show it."""
        return self.phase is CheckpointPhase.ALIVE


def initial() -> CheckpointState:
    """Return the state before the first event."""
    return CheckpointState()


def invariants(state: CheckpointState) -> None:
    """Assert what always holds.

    Raises
    ------
    AssertionError
    """
    assert (state.source is None) == (state.phase is CheckpointPhase.ABSENT), "it names a moment"


def decide(
    state: CheckpointState, message: CheckpointMessage, stamp: Stamp
) -> tuple[CheckpointEvent, ...]:
    """Return the events that follow from the message.

    Raises
    ------
    ConflictError
        The uuid is in use.
    NotFoundError
        There is no such checkpoint.
    """
    match message:
        case CreateCheckpoint():
            if not allows(TRANSITIONS, state.phase, CheckpointCreated):
                raise ConflictError(f"Checkpoint with uuid '{message.uuid}' already exists.")
            return (
                CheckpointCreated(
                    uuid=message.uuid,
                    name=message.name,
                    owner_id=stamp.who.user_id,
                    project_id=stamp.who.project_id,
                    cluster_uuid=message.cluster_uuid,
                    cluster_name=message.cluster_name,
                    source=message.source,
                ),
            )
        case DeleteCheckpoint():
            if not allows(TRANSITIONS, state.phase, CheckpointDeleted):
                raise NotFoundError(f"Checkpoint with uuid '{message.uuid}' not found")
            return (CheckpointDeleted(),)
        case _:
            assert_never(message)


def apply(state: CheckpointState, event: CheckpointEvent, time_us: TimestampUs) -> CheckpointState:
    """Return the state after the event, which happened at ``time_us``."""
    phase = next_phase(TRANSITIONS, state.phase, event)
    match event:
        case CheckpointCreated():
            return CheckpointState(
                phase=phase,
                uuid=event.uuid,
                name=event.name,
                owner_id=event.owner_id,
                project_id=event.project_id,
                cluster_uuid=event.cluster_uuid,
                cluster_name=event.cluster_name,
                source=event.source,
                created_us=time_us,
            )
        case CheckpointDeleted():
            return replace(state, phase=phase)
        case _:
            assert_never(event)
