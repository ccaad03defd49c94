"""A project as a state machine. An id can be used again after a deletion; the stream goes on."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from msgspec.structs import replace

from hanami_actors.domain.access import ADMIN_PROJECT_ID
from hanami_actors.domain.base import Event, Stamp, Value
from hanami_actors.domain.project.events import ProjectCreated, ProjectDeleted, ProjectEvent
from hanami_actors.domain.project.messages import CreateProject, DeleteProject, ProjectMessage
from hanami_actors.domain.transitions import allows, next_phase
from hanami_actors.errors import ConflictError, NotFoundError
from hanami_actors.types import TimestampUs

__all__ = [
    "TRANSITIONS",
    "ProjectPhase",
    "ProjectState",
    "apply",
    "decide",
    "initial",
    "invariants",
]


class ProjectPhase(StrEnum):
    """Where a project is in its life."""

    ABSENT = "absent"
    ALIVE = "alive"
    DELETED = "deleted"


TRANSITIONS: Final[Mapping[tuple[ProjectPhase, type[Event]], ProjectPhase]] = MappingProxyType(
    {
        (ProjectPhase.ABSENT, ProjectCreated): ProjectPhase.ALIVE,
        (ProjectPhase.ALIVE, ProjectDeleted): ProjectPhase.DELETED,
        (ProjectPhase.DELETED, ProjectCreated): ProjectPhase.ALIVE,
    }
)


class ProjectState(Value, frozen=True, kw_only=True):
    """A project."""

    phase: ProjectPhase = ProjectPhase.ABSENT
    id: str = ""
    name: str = ""
    creator_id: str = ""
    created_us: TimestampUs = TimestampUs(0)

    @property
    def alive(self) -> bool:
        """Whether lists show it."""
        return self.phase is ProjectPhase.ALIVE


def initial() -> ProjectState:
    """Return the state before the first event."""
    return ProjectState()


def invariants(state: ProjectState) -> None:
    """Assert what always holds.

    Raises
    ------
    AssertionError
    """
    assert state.phase is ProjectPhase.ABSENT or state.id, "a project that ever lived has an id"


def decide(state: ProjectState, message: ProjectMessage, stamp: Stamp) -> tuple[ProjectEvent, ...]:
    """Return the events that follow from the message.

    Raises
    ------
    ConflictError
        The id is in use.
    NotFoundError
        There is no such project.
    """
    match message:
        case CreateProject():
            taken = not allows(TRANSITIONS, state.phase, ProjectCreated)
            if taken or message.id == ADMIN_PROJECT_ID:
                raise ConflictError(
                    f"Project with id '{message.id}' already exists; choose another id."
                )
            return (ProjectCreated(id=message.id, name=message.name, creator_id=stamp.who.user_id),)
        case DeleteProject():
            if not allows(TRANSITIONS, state.phase, ProjectDeleted):
                raise NotFoundError(f"Project with id '{message.id}' not found")
            return (ProjectDeleted(),)
        case _:
            assert_never(message)


def apply(state: ProjectState, event: ProjectEvent, time_us: TimestampUs) -> ProjectState:
    """Return the state after the event, which happened at ``time_us``."""
    phase = next_phase(TRANSITIONS, state.phase, event)
    match event:
        case ProjectCreated():
            return ProjectState(
                phase=phase,
                id=event.id,
                name=event.name,
                creator_id=event.creator_id,
                created_us=time_us,
            )
        case ProjectDeleted():
            return replace(state, phase=phase)
        case _:
            assert_never(event)
