"""A user as a state machine. An id can be used again after a deletion; the stream goes on."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from msgspec.structs import replace

from hanami_actors.domain.base import Event, Stamp, Value
from hanami_actors.domain.transitions import allows, next_phase
from hanami_actors.domain.user.events import UserCreated, UserDeleted, UserEvent
from hanami_actors.domain.user.messages import CreateUser, DeleteUser, UserMessage
from hanami_actors.errors import ConflictError, NotFoundError
from hanami_actors.types import TimestampUs

__all__ = ["TRANSITIONS", "UserPhase", "UserState", "apply", "decide", "initial", "invariants"]


class UserPhase(StrEnum):
    """Where a user is in its life."""

    ABSENT = "absent"
    ALIVE = "alive"
    DELETED = "deleted"


TRANSITIONS: Final[Mapping[tuple[UserPhase, type[Event]], UserPhase]] = MappingProxyType(
    {
        (UserPhase.ABSENT, UserCreated): UserPhase.ALIVE,
        (UserPhase.ALIVE, UserDeleted): UserPhase.DELETED,
        (UserPhase.DELETED, UserCreated): UserPhase.ALIVE,
    }
)


class UserState(Value, frozen=True, kw_only=True):
    """A user.

    Attributes
    ----------
    passphrase_hash : str
        argon2id in PHC form; empty when the user is not alive.
    """

    phase: UserPhase = UserPhase.ABSENT
    id: str = ""
    name: str = ""
    passphrase_hash: str = ""
    is_admin: bool = False
    creator_id: str = ""
    created_us: TimestampUs = TimestampUs(0)

    @property
    def alive(self) -> bool:
        """Whether lists show it."""
        return self.phase is UserPhase.ALIVE


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


def decide(state: UserState, message: UserMessage, stamp: Stamp) -> tuple[UserEvent, ...]:
    """Return the events that follow from the message.

    Raises
    ------
    ConflictError
        The id is in use, or a user wants to delete himself.
    NotFoundError
        There is no such user.
    """
    match message:
        case CreateUser():
            if not allows(TRANSITIONS, state.phase, UserCreated):
                raise ConflictError(
                    f"User with id '{message.id}' already exists; choose another id or delete "
                    "that user first."
                )
            if not message.passphrase_hash:
                raise ConflictError(f"User with id '{message.id}' needs a hashed passphrase.")
            return (
                UserCreated(
                    id=message.id,
                    name=message.name,
                    passphrase_hash=message.passphrase_hash,
                    is_admin=message.is_admin,
                    creator_id=stamp.who.user_id,
                ),
            )
        case DeleteUser():
            if stamp.who.user_id == message.id:
                raise ConflictError(
                    f"User with id '{message.id}' cannot delete himself; another admin has to do it."
                )
            if not allows(TRANSITIONS, state.phase, UserDeleted):
                raise NotFoundError(f"User with id '{message.id}' not found")
            return (UserDeleted(),)
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
            return replace(state, phase=phase, passphrase_hash="")
        case _:
            assert_never(event)
