"""A bounded inbox: refuses when full instead of growing, and wakes its actor when it is idle."""

import threading
from collections import deque
from typing import Any, ClassVar

from pykka import ActorDeadError, _envelope, messages

from hanami_actors.domain.base import Message
from hanami_actors.errors import BusyError

__all__ = ["INBOX_LEN_MAX", "IdleTick", "Inbox", "Internal", "Revive"]

INBOX_LEN_MAX = 1_000
"""Messages an inbox holds before it refuses more."""

Envelope = _envelope.Envelope[Any]


class Internal(Message, frozen=True, kw_only=True):
    """A message between actors; never refused, because what is told upwards must arrive.

    The number of internal messages in flight is bounded by the number of actors and jobs.
    """


class IdleTick(Internal, frozen=True, kw_only=True):
    """Nothing arrived for the inbox's ``idle_s``."""


class Revive(Internal, frozen=True, kw_only=True):
    """An actor with unfinished work has died; the supervisor starts it again.

    Attributes
    ----------
    target : Target
    """

    target: Any


class Inbox:
    """The queue in front of an actor.

    Parameters
    ----------
    len_max : int
        Messages held before `put` refuses.

    Attributes
    ----------
    idle_s : float or None
        After this long without a message, `get` returns an ``IdleTick``; None waits for ever.
    """

    _TICK: ClassVar[IdleTick] = IdleTick()

    def __init__(self, len_max: int = INBOX_LEN_MAX) -> None:
        self.len_max = len_max
        self.idle_s: float | None = None
        self._envelopes: deque[Envelope] = deque()
        self._arrived = threading.Condition()
        self._closed = False

    def put(self, envelope: Envelope) -> None:
        """Add a message.

        Raises
        ------
        BusyError
            The inbox is full; stops and internal messages are always accepted.
        ActorDeadError
            The actor has stopped and nobody waits for an answer; whoever waits gets the same error
            as the answer.
        """
        with self._arrived:
            closed = self._closed
            if not closed:
                self._require_room(envelope.message)
                self._envelopes.append(envelope)
                self._arrived.notify()
        if closed:
            _refuse(envelope)

    def close(self) -> None:
        """Take no more messages: the actor has stopped and would never look at them."""
        with self._arrived:
            self._closed = True

    def get(self) -> Envelope:
        """Take the oldest message, waiting for it; an ``IdleTick`` when none comes in time."""
        with self._arrived:
            while not self._envelopes:
                if not self._arrived.wait(self.idle_s) and not self._envelopes:
                    return _envelope.Envelope(self._TICK)
            return self._envelopes.popleft()

    def drain(self, kind: type, count_max: int) -> list[Envelope]:
        """Take up to ``count_max`` messages of one kind from the front, without waiting."""
        taken: list[Envelope] = []
        with self._arrived:
            while (
                self._envelopes
                and len(taken) < count_max
                and isinstance(self._envelopes[0].message, kind)
            ):
                taken.append(self._envelopes.popleft())
        return taken

    def empty(self) -> bool:
        """Return whether nothing waits."""
        return not self._envelopes

    def qsize(self) -> int:
        """Return how many messages wait."""
        return len(self._envelopes)

    def _require_room(self, message: object) -> None:
        # Stops and internal messages are never refused.
        always = (Internal, messages._ActorStop)  # noqa: SLF001 - pykka has no public name for it
        if len(self._envelopes) >= self.len_max and not isinstance(message, always):
            raise BusyError(
                f"this part of the server has {self.len_max} requests waiting, the limit;"
                " try again in a moment"
            )


def _refuse(envelope: Envelope) -> None:
    """Answer, outside of the lock: callbacks of the answer run at once."""
    error = ActorDeadError("the actor stopped before the message came")
    if envelope.reply_to is None:
        raise error
    envelope.reply_to.set_exception((ActorDeadError, error, None))
