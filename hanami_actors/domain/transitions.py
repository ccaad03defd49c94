"""The one guard of every aggregate: a table from (phase, event class) to the next phase."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from hanami_actors.domain.base import Event
from hanami_actors.errors import ImpossibleEventError

__all__ = ["allows", "next_phase"]

Phase = TypeVar("Phase", bound=StrEnum)
_Table = Mapping[tuple[Phase, type[Event]], Phase]


def allows(table: _Table[Phase], phase: Phase, event_class: type[Event]) -> bool:
    """Tell whether an event of this class may happen in this phase."""
    return (phase, event_class) in table


def next_phase(table: _Table[Phase], phase: Phase, event: Event) -> Phase:
    """Return the phase after the event.

    Raises
    ------
    ImpossibleEventError
        The table has no such row.
    """
    try:
        return table[phase, type(event)]
    except KeyError:
        raise ImpossibleEventError(
            f"event {event.TAG!r} cannot happen in phase {phase.value!r}"
        ) from None
