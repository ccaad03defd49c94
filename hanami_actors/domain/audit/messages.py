"""What may be asked of the journal of calls."""

from hanami_actors.domain.audit.events import AuditEvent
from hanami_actors.domain.base import Message, Stamp, Value

__all__ = ["ERRORS", "PAGE_LEN", "CallNote", "NotedCall", "ReadCalls", "audit_of", "errors_of"]

PAGE_LEN = 100
"""Entries of a page."""

ERRORS = "errors"
"""The stream of everybody's failures."""


def audit_of(user_id: str) -> str:
    """Return the stream of a user's calls."""
    return f"audit/{user_id}"


def errors_of(user_id: str) -> str:
    """Return the stream of the failures that a user met."""
    return f"{ERRORS}/{user_id}"


class CallNote(Value, frozen=True, kw_only=True):
    """Something to be noted, in one or more streams."""

    stamp: Stamp
    streams: tuple[str, ...]
    event: AuditEvent


class NotedCall(Value, frozen=True, kw_only=True):
    """Something that was noted."""

    time_us: int
    user_id: str
    correlation_id: str
    event: AuditEvent


class ReadCalls(Message, frozen=True, kw_only=True):
    """Read a page of a stream, oldest first. Answer: tuple of ``NotedCall``, empty beyond the end."""

    stream: str
    page: int
