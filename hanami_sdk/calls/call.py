"""What a call is: method, path, query and body, and how its answer is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Generic, TypeVar

import msgspec

from hanami_sdk.calls.results import Listing
from hanami_sdk.hanami_exceptions import UnreadableAnswerException

__all__ = ["Call", "Rows", "as_bytes", "as_nothing", "given", "object_of", "rows_of"]

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

Values = Mapping[str, object]

Rows = list[T]
"""What a listing becomes; in classes that have a method ``list``, its name is taken."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call of the REST interface.

    Attributes
    ----------
    method, path : str
        The path is relative to the prefix of the interface.
    read : callable
        Makes the result from the body of a 200.
    query, body : mapping or None
        Sent as they are.
    timeout_s : float or None
        How long the answer may take; None for what is usual.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    query: Values | None = None
    body: Values | None = None
    timeout_s: float | None = None

    @property
    def is_safe(self) -> bool:
        """Whether the call changes nothing, so that it may be sent twice."""
        return self.method == "GET"


def given(**values: object) -> dict[str, object]:
    """Return the optional values that are there; those that are None are not sent."""
    return {name: value for name, value in values.items() if value is not None}


def as_nothing(_body: bytes) -> None:
    """Read an answer that has nothing to tell."""


def as_bytes(body: bytes) -> bytes:
    """Return the body as it came."""
    return body


def object_of(kind: type[S]) -> Callable[[bytes], S]:
    """Return a reader of a JSON object; fields that this version does not know are ignored."""
    return partial(_read_object, kind)


def rows_of(kind: type[S]) -> Callable[[bytes], list[S]]:
    """Return a reader of ``{"header": [...], "body": [[...]]}``; one object for each row."""
    return partial(_read_rows, kind)


@cache
def _decoder_of(kind: type[S]) -> msgspec.json.Decoder[S]:
    # Made when an answer is read: the commands state calls without reading one with it.
    return msgspec.json.Decoder(kind, strict=False)


def _read_object(kind: type[S], body: bytes) -> S:
    decoder: msgspec.json.Decoder[S] = _decoder_of(kind)
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise _unreadable(kind, error) from error


def _read_rows(kind: type[S], body: bytes) -> list[S]:
    try:
        listing = _decoder_of(Listing).decode(body)
        return [
            msgspec.convert(dict(zip(listing.header, row, strict=True)), kind, strict=False)
            for row in listing.body
        ]
    except (msgspec.MsgspecError, ValueError) as error:
        raise _unreadable(kind, error) from error


def _unreadable(kind: type[Any], error: Exception) -> UnreadableAnswerException:
    return UnreadableAnswerException(f"the answer is no {kind.__name__}: {error}")
