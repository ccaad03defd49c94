"""What happens to an idempotency key. Streams ``idempotency/<user>``, in a journal of their own."""

from typing import ClassVar

from hanami_actors.domain.base import Event

__all__ = ["IdempotencyEvent", "KeyAnswered", "KeyBegun", "KeyDropped"]


class KeyBegun(Event, frozen=True, kw_only=True):
    """A call with this key is being carried out; noted before anything of it is done.

    Attributes
    ----------
    endpoint, key : str
        The key is the client's, and its own for every endpoint.
    body_hash : str
        Keyed digest of what was asked; the same key with another body is refused.
    request_id : str
        Correlation id of everything that follows from the call.
    log_position : int
        Newest record of the log before it.
    """

    TAG: ClassVar[str] = "idempotency.key_begun"

    endpoint: str
    key: str
    body_hash: str
    request_id: str
    log_position: int


class KeyAnswered(Event, frozen=True, kw_only=True):
    """The call has its answer; whoever repeats it gets the same.

    Attributes
    ----------
    status : int
    code : str
        Of the refusal, empty for a success.
    answer : bytes
        JSON of the reply, or the sentence of the refusal.
    """

    TAG: ClassVar[str] = "idempotency.key_answered"

    endpoint: str
    key: str
    status: int
    code: str = ""
    answer: bytes


class KeyDropped(Event, frozen=True, kw_only=True):
    """Nothing was done; the key is as new."""

    TAG: ClassVar[str] = "idempotency.key_dropped"

    endpoint: str
    key: str


IdempotencyEvent = KeyBegun | KeyAnswered | KeyDropped
