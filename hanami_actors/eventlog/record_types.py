"""Whole records in one call into C: encoders and decoders of the event types met so far.

Each type that the catalogue gave for a (tag, schema) becomes one struct of the whole record, and
msgspec picks among them by the tag, so that a page is decoded by one call. What does not fit (an
unknown tag, an older schema, damage) makes the call fail; the codec then goes record by record,
asks the catalogue, and names the record that does not hold. Writing gives the same bytes as the
way through the catalogue and msgpack, which a test compares.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal, Union

import msgspec

from hanami_actors.domain.base import Event, Stamp
from hanami_actors.eventlog.port import Record

__all__ = ["KnownTypes"]

_ARRAY32 = b"\xdd"
_encode = msgspec.msgpack.Encoder().encode


class KnownTypes:
    """Event types by tag, each at one schema; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._types: dict[str, type[msgspec.Struct]] = {}
        self._structs: dict[type[Event], Callable[..., msgspec.Struct]] = {}
        # Replaced as a whole when a type is learned, so that no reader sees a half of it.
        self._decode_one: Callable[[bytes], Any] | None = None
        self._decode_many: Callable[[bytes], list[Any]] | None = None

    def learn(self, tag: str, schema: int, event_type: type[Event]) -> None:
        """Take in a type; the first one of a tag stays.

        Parameters
        ----------
        tag : str
        schema : int
        event_type : type
        """
        with self._lock:
            if tag in self._types:
                return
            struct = msgspec.defstruct(
                f"{event_type.__name__}Record",
                [
                    ("schema", Literal[schema]),
                    ("stream", str),
                    ("version", int),
                    ("time_us", int),
                    ("user_id", str),
                    ("project_id", str),
                    ("correlation_id", str),
                    ("data", event_type),
                ],
                frozen=True,
                gc=False,
                tag_field="tag",
                tag=tag,
            )
            self._types[tag] = self._structs[event_type] = struct
            union: Any = Union[tuple(self._types.values())]  # noqa: UP007 - made at run time
            self._decode_one = msgspec.msgpack.Decoder(union).decode
            self._decode_many = msgspec.msgpack.Decoder(list[union]).decode

    def write_one(self, stream: str, version: int, stamp: Stamp, event: Event) -> bytes | None:
        """Return the map of a record, or None if the type of the event is not known yet.

        Parameters
        ----------
        stream : str
        version : int
        stamp : Stamp
        event : Event

        Raises
        ------
        TypeError, ValueError, OverflowError
            The event holds something that cannot be written.
        """
        struct = self._structs.get(type(event))
        if struct is None:
            return None
        return _encode(
            struct(
                event.SCHEMA,
                stream,
                version,
                stamp.now_us,
                stamp.who.user_id,
                stamp.who.project_id,
                stamp.correlation_id,
                event,
            )
        )

    def read_one(self, position: int, body: bytes) -> Record | None:
        """Return the record of a map, or None if it does not fit.

        Parameters
        ----------
        position : int
        body : bytes
        """
        decode = self._decode_one
        if decode is None:
            return None
        try:
            return _record(position, decode(body))
        except msgspec.MsgspecError:
            return None

    def read_many(self, positions: Sequence[int], bodies: list[bytes]) -> list[Record] | None:
        """Return the records of some maps, or None if one of them does not fit.

        Parameters
        ----------
        positions : sequence of int
        bodies : list of bytes
        """
        decode = self._decode_many
        if decode is None:
            return None
        try:
            found = decode(_ARRAY32 + len(bodies).to_bytes(4, "big") + b"".join(bodies))
        except msgspec.MsgspecError:
            return None
        return list(map(_record, positions, found))


def _record(position: int, found: Any) -> Record:
    event = found.data
    return Record(
        position=position,  # type: ignore[arg-type] # calling a NewType costs a fifth of this
        stream=found.stream,
        version=found.version,
        tag=event.TAG,
        schema=found.schema,
        time_us=found.time_us,
        user_id=found.user_id,
        project_id=found.project_id,
        correlation_id=found.correlation_id,
        event=event,
    )
