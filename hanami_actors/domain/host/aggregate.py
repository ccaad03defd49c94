"""A compute host as a state machine: it gets a lasting uuid once."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from msgspec.structs import replace

from hanami_actors.domain.base import Event, Stamp, Value
from hanami_actors.domain.host.events import HostEvent, HostRegistered, HostRetired
from hanami_actors.domain.host.messages import HostMessage, RegisterHost, RetireHost
from hanami_actors.domain.transitions import allows, next_phase
from hanami_actors.errors import BadRequestError
from hanami_actors.types import TimestampUs

__all__ = ["TRANSITIONS", "HostPhase", "HostState", "apply", "decide", "initial", "invariants"]


class HostPhase(StrEnum):
    """Where a host is in its life."""

    ABSENT = "absent"
    REGISTERED = "registered"
    RETIRED = "retired"


TRANSITIONS: Final[Mapping[tuple[HostPhase, type[Event]], HostPhase]] = MappingProxyType(
    {
        (HostPhase.ABSENT, HostRegistered): HostPhase.REGISTERED,
        (HostPhase.RETIRED, HostRegistered): HostPhase.REGISTERED,
        (HostPhase.REGISTERED, HostRetired): HostPhase.RETIRED,
    }
)


class HostState(Value, frozen=True, kw_only=True):
    """A host.

    Attributes
    ----------
    kind : str
        ``cpu`` or ``cuda``.
    """

    phase: HostPhase = HostPhase.ABSENT
    name: str = ""
    uuid: str = ""
    kind: str = ""
    created_us: TimestampUs = TimestampUs(0)

    @property
    def alive(self) -> bool:
        """Whether lists show it."""
        return self.phase is HostPhase.REGISTERED


def initial() -> HostState:
    """Return the state before the first event."""
    return HostState()


def invariants(state: HostState) -> None:
    """Assert what always holds.

    Raises
    ------
    AssertionError
    """
    known = state.phase is not HostPhase.ABSENT
    assert known == bool(state.uuid), "a host has a uuid from its registration on"


def decide(state: HostState, message: HostMessage, stamp: Stamp) -> tuple[HostEvent, ...]:
    """Return what follows from the message; nothing when it is so already.

    Raises
    ------
    BadRequestError
        The kind is not known.
    """
    match message:
        case RegisterHost():
            return _register(state, message, stamp)
        case RetireHost():
            return (HostRetired(),) if allows(TRANSITIONS, state.phase, HostRetired) else ()
        case _:
            assert_never(message)


def _register(state: HostState, message: RegisterHost, stamp: Stamp) -> tuple[HostEvent, ...]:
    if not allows(TRANSITIONS, state.phase, HostRegistered):
        return ()
    if message.kind not in {"cpu", "cuda"}:
        raise BadRequestError(
            f"Host '{message.name}' has kind '{message.kind}'; a kind is 'cpu' or 'cuda'."
        )
    uuid = state.uuid or stamp.ids[0]
    return (HostRegistered(name=message.name, uuid=uuid, kind=message.kind),)


def apply(state: HostState, event: HostEvent, time_us: TimestampUs) -> HostState:
    """Return the state after the event, which happened at ``time_us``."""
    phase = next_phase(TRANSITIONS, state.phase, event)
    match event:
        case HostRegistered():
            return HostState(
                phase=phase, name=event.name, uuid=event.uuid, kind=event.kind, created_us=time_us
            )
        case HostRetired():
            return replace(state, phase=phase)
        case _:
            assert_never(event)
