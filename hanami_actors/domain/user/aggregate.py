"""A user as a state machine. An id can be used again after a deletion; the stream goes on."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from msgspec.structs import replace

from hanami_actors.domain.access import ADMIN_PROJECT_ID
from hanami_actors.domain.base import Event, Stamp, Value
from hanami_actors.domain.transitions import allows, next_phase
from hanami_actors.domain.user.events import (
    UserCreated,
    UserDeleted,
    UserEvent,
    UserPassphraseChanged,
    UserProjectAssigned,
    UserProjectRemoved,
)
from hanami_actors.domain.user.messages import (
    AssignProject,
    ChangePassphrase,
    CreateUser,
    DeleteUser,
    RemoveProject,
    UserMessage,
)
from hanami_actors.errors import ConflictError, NotFoundError
from hanami_actors.types import TimestampUs

__all__ = [
    "TRANSITIONS",
    "Assignment",
    "UserPhase",
    "UserState",
    "apply",
    "decide",
    "initial",
    "invariants",
]


class UserPhase(StrEnum):
    """Where a user is in its life."""

    ABSENT = "absent"
    ALIVE = "alive"
    DELETED = "deleted"


TRANSITIONS: Final[Mapping[tuple[UserPhase, type[Event]], UserPhase]] = MappingProxyType(
    {
        (UserPhase.ABSENT, UserCreated): UserPhase.ALIVE,
        (UserPhase.ALIVE, UserProjectAssigned): UserPhase.ALIVE,
        (UserPhase.ALIVE, UserProjectRemoved): UserPhase.ALIVE,
        (UserPhase.ALIVE, UserPassphraseChanged): UserPhase.ALIVE,
        (UserPhase.ALIVE, UserDeleted): UserPhase.DELETED,
        (UserPhase.DELETED, UserCreated): UserPhase.ALIVE,
    }
)


class Assignment(Value, frozen=True, kw_only=True):
    """A project that a user may work in, and as what."""

    project_id: str
    role: str
    is_project_admin: bool


class UserState(Value, frozen=True, kw_only=True):
    """A user.

    Attributes
    ----------
    passphrase_hash : str
        argon2id in PHC form; empty when the user is not alive.
    passphrase_changed_us : TimestampUs
        When the passphrase was last changed; 0 while it is the first one.
    projects : tuple of Assignment
        In the order of their assignment; a login starts in the first.
    """

    phase: UserPhase = UserPhase.ABSENT
    id: str = ""
    name: str = ""
    passphrase_hash: str = ""
    is_admin: bool = False
    creator_id: str = ""
    created_us: TimestampUs = TimestampUs(0)
    passphrase_changed_us: TimestampUs = TimestampUs(0)
    projects: tuple[Assignment, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether lists show it."""
        return self.phase is UserPhase.ALIVE

    def assignment(self, project_id: str) -> Assignment | None:
        """Return the assignment of a project, or None."""
        return next((one for one in self.projects if one.project_id == project_id), None)


def initial() -> UserState:
    """Return the state before the first event."""
    return UserState()


def invariants(state: UserState) -> None:
    """Assert what always holds.

    Raises
    ------
    AssertionError
    """
    assert state.alive == bool(state.passphrase_hash), "a hash is kept exactly while alive"
    assert state.phase is UserPhase.ABSENT or state.id, "a user that ever lived has an id"
    assert state.alive or not state.projects, "only the living work in projects"
    project_ids = [one.project_id for one in state.projects]
    assert len(set(project_ids)) == len(project_ids), "a project is assigned at most once"


def decide(state: UserState, message: UserMessage, stamp: Stamp) -> tuple[UserEvent, ...]:
    """Return the events that follow from the message.

    Raises
    ------
    ConflictError
        The id is in use, the project is assigned already, or a user wants to delete himself.
    NotFoundError
        There is no such user, or the project is not assigned to him.
    """
    match message:
        case CreateUser():
            return _create(state, message, stamp)
        case DeleteUser():
            if stamp.who.user_id == message.id:
                raise ConflictError(
                    f"User with id '{message.id}' cannot delete himself; another admin has to do it."
                )
            _require(state, message.id)
            return (UserDeleted(),)
        case AssignProject():
            return _assign(state, message)
        case RemoveProject():
            return _remove(state, message)
        case ChangePassphrase():
            _require(state, message.id)
            _require_hash(message.id, message.passphrase_hash)
            return (UserPassphraseChanged(passphrase_hash=message.passphrase_hash),)
        case _:
            assert_never(message)


def apply(state: UserState, event: UserEvent, time_us: TimestampUs) -> UserState:
    """Return the state after the event, which happened at ``time_us``."""
    phase = next_phase(TRANSITIONS, state.phase, event)
    match event:
        case UserCreated():
            return UserState(
                phase=phase,
                id=event.id,
                name=event.name,
                passphrase_hash=event.passphrase_hash,
                is_admin=event.is_admin,
                creator_id=event.creator_id,
                created_us=time_us,
            )
        case UserDeleted():
            return replace(state, phase=phase, passphrase_hash="", projects=())
        case UserProjectAssigned():
            added = Assignment(
                project_id=event.project_id,
                role=event.role,
                is_project_admin=event.is_project_admin,
            )
            return replace(state, projects=(*_without(state, event.project_id), added))
        case UserProjectRemoved():
            return replace(state, projects=_without(state, event.project_id))
        case UserPassphraseChanged():
            return replace(
                state, passphrase_hash=event.passphrase_hash, passphrase_changed_us=time_us
            )
        case _:
            assert_never(event)


def _without(state: UserState, project_id: str) -> tuple[Assignment, ...]:
    return tuple(one for one in state.projects if one.project_id != project_id)


def _create(state: UserState, message: CreateUser, stamp: Stamp) -> tuple[UserEvent, ...]:
    if not allows(TRANSITIONS, state.phase, UserCreated):
        raise ConflictError(
            f"User with id '{message.id}' already exists; choose another id or delete "
            "that user first."
        )
    _require_hash(message.id, message.passphrase_hash)
    return (
        UserCreated(
            id=message.id,
            name=message.name,
            passphrase_hash=message.passphrase_hash,
            is_admin=message.is_admin,
            creator_id=stamp.who.user_id,
        ),
    )


def _assign(state: UserState, message: AssignProject) -> tuple[UserEvent, ...]:
    _require(state, message.id)
    if message.project_id == ADMIN_PROJECT_ID:
        raise ConflictError(
            f"Project with id '{ADMIN_PROJECT_ID}' belongs to all admins and to nobody else; it "
            "can not be assigned."
        )
    if state.assignment(message.project_id) is not None:
        raise ConflictError(
            f"Project with id '{message.project_id}' is already assigned to user with id "
            f"'{message.id}'; remove it first to assign it in another role."
        )
    return (
        UserProjectAssigned(
            project_id=message.project_id,
            role=message.role,
            is_project_admin=message.is_project_admin,
        ),
    )


def _remove(state: UserState, message: RemoveProject) -> tuple[UserEvent, ...]:
    _require(state, message.id)
    if state.assignment(message.project_id) is None:
        raise NotFoundError(
            f"Project with id '{message.project_id}' is not assigned to user with id "
            f"'{message.id}' and so it can not be removed from the user."
        )
    return (UserProjectRemoved(project_id=message.project_id),)


def _require(state: UserState, user_id: str) -> None:
    if not state.alive:
        raise NotFoundError(f"User with id '{user_id}' not found")


def _require_hash(user_id: str, passphrase_hash: str) -> None:
    if not passphrase_hash:
        raise ConflictError(f"User with id '{user_id}' needs a hashed passphrase.")
