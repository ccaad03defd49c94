"""Work that is described once and run by both clients.

A flow is a generator. It yields what has to happen (a request, a pause, a transfer over
websockets), gets the result back, and returns its own. `Client` performs these effects one after
another, `AsyncClient` awaits them; neither retries, renews tokens or waits for tasks by itself.
"""

from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from hanami_sdk._progress import Report
from hanami_sdk.client.results import Listing
from hanami_sdk.hanami_exceptions import UnreadableAnswerException

__all__ = [
    "Call",
    "Download",
    "Effect",
    "Exclusive",
    "Flow",
    "Pause",
    "Request",
    "Transfer",
    "bytes_of",
    "nothing",
    "object_of",
    "rows_of",
]

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; its result is an ``Answer``."""

    method: str
    url: str
    token: str | None
    body: bytes | None
    timeout_s: float | None = None
    """How long the answer may take; None for what is usual."""


@dataclass(frozen=True, slots=True)
class Download:
    """One GET whose answer is written to a file; its result is an ``Answer`` without the bytes.

    Nothing is written unless the status is 200.
    """

    request: Request
    path: Path
    report: Report | None


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait; the result is None."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class Transfer:
    """Run a coroutine to its end; its result is the result."""

    work: Callable[[], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Exclusive:
    """Run another flow while no other thread or task of this client does so; its result."""

    work: Callable[[], "Flow[Any]"]


Effect = Request | Download | Pause | Transfer | Exclusive
Flow = Generator[Effect, Any, T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One call of the REST interface and how its answer is read.

    Attributes
    ----------
    method, path : str
        The path is relative to the prefix of the interface.
    decode : callable
        Makes the result from the body of a 200.
    query, body : mapping or None
        Values that are None are left out.
    raw_body : bytes or None
        Sent as it is, instead of ``body``.
    timeout_s : float or None
        How long the answer may take; None for what is usual.
    """

    method: str
    path: str
    decode: Callable[[bytes], T]
    query: Mapping[str, object] | None = None
    body: Mapping[str, object] | None = None
    raw_body: bytes | None = None
    timeout_s: float | None = None

    @property
    def is_safe(self) -> bool:
        """Whether the call changes nothing, so that it may be sent twice."""
        return self.method == "GET"


def nothing(_body: bytes) -> None:
    """Read an answer that has nothing to tell."""


def bytes_of(body: bytes) -> bytes:
    """Return the body as it came."""
    return body


def object_of(kind: type[S]) -> Callable[[bytes], S]:
    """Return a reader of a JSON object; fields that this version does not know are ignored."""
    decoder = msgspec.json.Decoder(kind, strict=False)

    def decode(body: bytes) -> S:
        try:
            return decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise _unreadable(kind, error) from error

    return decode


def rows_of(kind: type[S]) -> Callable[[bytes], list[S]]:
    """Return a reader of ``{"header": [...], "body": [[...]]}``; one object for each row."""
    decoder = msgspec.json.Decoder(Listing)

    def decode(body: bytes) -> list[S]:
        try:
            listing = decoder.decode(body)
            return [
                msgspec.convert(dict(zip(listing.header, row, strict=True)), kind, strict=False)
                for row in listing.body
            ]
        except (msgspec.MsgspecError, ValueError) as error:
            raise _unreadable(kind, error) from error

    return decode


def _unreadable(kind: type[Any], error: Exception) -> UnreadableAnswerException:
    return UnreadableAnswerException(f"the answer is no {kind.__name__}: {error}")
