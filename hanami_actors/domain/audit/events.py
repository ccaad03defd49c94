"""What is noted about calls. Streams ``audit/<user>``, ``errors`` and ``errors/<user>``.

They lie in a journal of their own with its own retention: no state follows from them.
"""

from typing import ClassVar

from hanami_actors.domain.base import Event

__all__ = ["AuditEvent", "CallFailed", "CallMade"]


class CallMade(Event, frozen=True, kw_only=True):
    """Somebody with a valid token called an endpoint that changes something.

    Attributes
    ----------
    endpoint : str
        Path without the leading slash, in its canonical form.
    request_type : str
        The method.
    """

    TAG: ClassVar[str] = "audit.call_made"

    endpoint: str
    request_type: str


class CallFailed(Event, frozen=True, kw_only=True):
    """The server failed at a call.

    Attributes
    ----------
    endpoint, request_type : str
    input_values : str
        The request as a JSON object, without secrets, long texts cut.
    message : str
        What happened, as a table of text.
    """

    TAG: ClassVar[str] = "errors.call_failed"

    endpoint: str
    request_type: str
    input_values: str
    message: str


AuditEvent = CallMade | CallFailed
