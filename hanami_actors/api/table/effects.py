"""What a call with an ``Idempotency-Key`` has done, for the answer that got lost in a crash."""

from collections.abc import Sequence
from typing import TypeVar

from hanami_actors.domain.base import Event
from hanami_actors.domain.idempotency.keys import Effect
from hanami_actors.errors import FaultError
from hanami_actors.types import TimestampUs

__all__ = ["IDEMPOTENCY_HEADER", "Effects"]

IDEMPOTENCY_HEADER = "Idempotency-Key"

E = TypeVar("E", bound=Event)


class Effects:
    """The events that one call has recorded; an endpoint makes its first answer from them.

    Parameters
    ----------
    effects : sequence of Effect
        In the order of the log, at least one.
    """

    def __init__(self, effects: Sequence[Effect]) -> None:
        self._effects = effects

    def first(self, kind: type[E]) -> tuple[E, TimestampUs]:
        """Return the first event of a kind and when it happened.

        Raises
        ------
        FaultError
            What the call did is not what such a call does.
        """
        found = self.find(kind)
        if found is None:
            tags = ", ".join(effect.event.TAG for effect in self._effects)
            raise FaultError(f"a call should have caused {kind.TAG!r}, found is {tags}")
        return found

    def find(self, kind: type[E]) -> tuple[E, TimestampUs] | None:
        """Return the first event of a kind and when it happened; None when there is none."""
        for effect in self._effects:
            if isinstance(effect.event, kind):
                return effect.event, effect.time_us
        return None
