"""A key as a state machine: absent, begun, answered. Pure, like every aggregate."""

from typing import assert_never

from msgspec.structs import replace

from hanami_actors.domain.base import Event, Message, Stamp, Value
from hanami_actors.domain.idempotency.events import (
    IdempotencyEvent,
    KeyAnswered,
    KeyBegun,
    KeyDropped,
)
from hanami_actors.errors import ConflictError, ImpossibleEventError
from hanami_actors.types import TimestampUs

__all__ = [
    "KEPT_US",
    "BeginKey",
    "DropKey",
    "Effect",
    "FindEffects",
    "FinishKey",
    "KeyState",
    "KeyVerdict",
    "RepeatKey",
    "apply",
    "decide",
    "is_expired",
]

KEPT_US = 24 * 3_600 * 1_000_000
"""How long an answer is remembered."""


class BeginKey(Message, frozen=True, kw_only=True):
    """A call with a key has come. Answer: ``KeyVerdict``; ConflictError for another body."""

    endpoint: str
    key: str
    body_hash: str


class RepeatKey(BeginKey, frozen=True, kw_only=True):
    """An earlier call with the key has done nothing, and this one takes its place.

    Answer: ``KeyVerdict``.
    """


class FinishKey(Message, frozen=True, kw_only=True):
    """The call has its answer. Answer: None, once it is durable."""

    endpoint: str
    key: str
    status: int
    code: str = ""
    answer: bytes


class DropKey(Message, frozen=True, kw_only=True):
    """The call has surely done nothing and may be repeated. Answer: None."""

    endpoint: str
    key: str


class FindEffects(Message, frozen=True, kw_only=True):
    """What did a call do that was begun and not answered? Answer: tuple of ``Effect``."""

    request_id: str
    log_position: int


class Effect(Value, frozen=True, kw_only=True):
    """An event that a call caused."""

    stream: str
    time_us: TimestampUs
    event: Event


KeyMessage = BeginKey | FinishKey | DropKey


class KeyState(Value, frozen=True, kw_only=True):
    """What is known of a key.

    Attributes
    ----------
    status : int
        Of the answer; 0 while there is none.
    begun_us : TimestampUs
    """

    body_hash: str
    request_id: str
    log_position: int
    begun_us: TimestampUs
    status: int = 0
    code: str = ""
    answer: bytes = b""


class KeyVerdict(Value, frozen=True, kw_only=True):
    """What is to be done with a call.

    Attributes
    ----------
    is_new : bool
        Nobody has begun it before: carry it out.
    state : KeyState
        With the answer, if there is one.
    """

    is_new: bool
    state: KeyState


def is_expired(state: KeyState, now_us: int) -> bool:
    """Tell whether a key has been kept long enough."""
    return now_us - state.begun_us >= KEPT_US


def decide(
    state: KeyState | None, message: KeyMessage, stamp: Stamp, log_position: int
) -> tuple[IdempotencyEvent, ...]:
    """Return the events that follow from the message.

    Raises
    ------
    ConflictError
        The key belongs to another body.
    """
    match message:
        case BeginKey():
            if state is not None and state.body_hash != message.body_hash:
                raise ConflictError(
                    f"Idempotency-Key '{message.key}' was used for another request of this endpoint;"
                    " use a new key for a new request."
                )
            if state is not None and not isinstance(message, RepeatKey):
                return ()
            return (
                KeyBegun(
                    endpoint=message.endpoint,
                    key=message.key,
                    body_hash=message.body_hash,
                    request_id=stamp.correlation_id,
                    log_position=log_position,
                ),
            )
        case FinishKey():
            if state is None or state.status:
                return ()
            return (
                KeyAnswered(
                    endpoint=message.endpoint,
                    key=message.key,
                    status=message.status,
                    code=message.code,
                    answer=message.answer,
                ),
            )
        case DropKey():
            if state is None or state.status:
                return ()
            return (KeyDropped(endpoint=message.endpoint, key=message.key),)
        case _:
            assert_never(message)


def apply(state: KeyState | None, event: IdempotencyEvent, time_us: TimestampUs) -> KeyState | None:
    """Return the key after the event; None when there is none any more."""
    match event:
        case KeyBegun():
            return KeyState(
                body_hash=event.body_hash,
                request_id=event.request_id,
                log_position=event.log_position,
                begun_us=time_us,
            )
        case KeyAnswered():
            if state is None:
                raise ImpossibleEventError(f"event {event.TAG!r} answers a key that was not begun")
            return replace(state, status=event.status, code=event.code, answer=event.answer)
        case KeyDropped():
            return None
        case _:
            assert_never(event)
