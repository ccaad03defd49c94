"""A compute host as a state machine: it gets a lasting uuid once."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from hanami_actors.domain.base import Event, Stamp, Value
from hanami_actors.domain.host.events import HostEvent, HostRegistered
from hanami_actors.domain.host.messages import RegisterHost
from hanami_actors.domain.transitions import allows, next_phase
from hanami_actors.errors import BadRequestError
from hanami_actors.types import TimestampUs

__all__ = ["TRANSITIONS", "HostPhase", "HostState", "apply", "decide", "initial", "invariants"]


class HostPhase(StrEnum):
    """Where a host is in its life."""

    ABSENT = "absent"
    REGISTERED = "registered"


TRANSITIONS: Final[Mapping[tuple[HostPhase, type[Event]], HostPhase]] = MappingProxyType(
    {(HostPhase.ABSENT, HostRegistered): HostPhase.REGISTERED}
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
    assert state.alive == bool(state.uuid), "a host has a uuid exactly when it is registered"


def decide(state: HostState, message: RegisterHost, stamp: Stamp) -> tuple[HostEvent, ...]:
    """Return the registration, or nothing when the host is known already.

    Raises
    ------
    BadRequestError
        The kind is not known.
    """
    if not allows(TRANSITIONS, state.phase, HostRegistered):
        return ()
    if message.kind not in {"cpu", "cuda"}:
        raise BadRequestError(
            f"Host '{message.name}' has kind '{message.kind}'; a kind is 'cpu' or 'cuda'."
        )
    return (HostRegistered(name=message.name, uuid=stamp.ids[0], kind=message.kind),)


def apply(state: HostState, event: HostEvent, time_us: TimestampUs) -> HostState:
    """Return the state after the event, which happened at ``time_us``."""
    phase = next_phase(TRANSITIONS, state.phase, event)
    match event:
        case HostRegistered():
            return HostState(
                phase=phase, name=event.name, uuid=event.uuid, kind=event.kind, created_us=time_us
            )
        case _:
            assert_never(event)
