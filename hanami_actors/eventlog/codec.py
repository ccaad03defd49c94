"""Records as bytes: a sealed header, a msgpack map, a checksum.

::

    0   16  chain hash of the record before (zeros before the first)
    16  16  chain hash of this record: BLAKE2b-128 of (hash before, position as u64, map)
    32   n  msgpack map: tag, schema, stream, version, time_us, user_id, project_id,
            correlation_id, data; the tag comes first, it says how to read the rest
    -4   4  CRC-32 of everything before it, started with the position

Two sums, because they answer two questions. The CRC is read on every record: it costs a third of
a BLAKE2b of this length and finds what disks and memory do. The BLAKE2b chain says that no record
was changed, moved, taken out or put in; reading compares the stored hashes of neighbours (two
slices), and `Codec.check_chain` computes them again. 128 bits are enough: the chain is no
signature, whoever can write the file can write a new chain.

The map is msgpack, written from structs and read with types.
"""

import functools
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import msgpack  # type: ignore[import-untyped]
import msgspec

from hanami_actors.domain import catalogue as domain_catalogue
from hanami_actors.domain.base import Event, Stamp
from hanami_actors.errors import LogCorruptError, LogError, NewerSchemaError, UnknownTagError
from hanami_actors.eventlog.port import Head, PreparedRecord, Record
from hanami_actors.eventlog.record_types import KnownTypes
from hanami_actors.types import Position, StreamId, StreamVersion, TimestampUs

__all__ = [
    "EMPTY_HEAD",
    "FORMAT_VERSION",
    "HASH_SIZE_BYTES",
    "RECORD_SIZE_MAX_BYTES",
    "Catalogue",
    "Codec",
    "SealedRecord",
    "chain_hash_of",
]

FORMAT_VERSION = 1
"""Version of the layout above and of the databases of the log."""

HASH_SIZE_BYTES = 16
RECORD_SIZE_MAX_BYTES = 16 * 2**20
"""Limit of one record; large bytes belong into blobs."""

EMPTY_HEAD = Head(position=Position(0), chain_hash=bytes(HASH_SIZE_BYTES))

_BODY_START = 2 * HASH_SIZE_BYTES
_CRC_SIZE_BYTES = 4
# The CRC-32 of any message followed by its own CRC-32 (little-endian) is this constant, so a
# record is checked in one call without cutting it up.
_CRC_RESIDUE = 0x2144_DF1C
_RESIDUES = frozenset({_CRC_RESIDUE})


class Catalogue(Protocol):
    """The events that exist; ``hanami_actors.domain.catalogue`` in production."""

    @property
    def CATALOGUE_VERSION(self) -> int:  # noqa: N802 - a module constant fulfils this
        """Version that rises whenever an older server could not read the events any more."""
        ...

    def encode(self, event: Event, /) -> tuple[str, int, dict[str, Any]]:
        """Return tag, schema version and plain data of an event."""
        ...

    def decode(self, tag: str, schema: int, data: dict[str, Any], /) -> Event:
        """Return the event; raises UnknownTagError or NewerSchemaError; upcasts old schemas."""
        ...


class SealedRecord(NamedTuple):
    """A record ready to be written, in both forms."""

    record: Record
    value: bytes


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    """The map of a record, its data not decoded yet."""

    tag: str
    schema: int
    stream: StreamId
    version: StreamVersion
    time_us: TimestampUs
    user_id: str
    project_id: str
    correlation_id: str
    data: msgspec.Raw


# Copying a fresh one takes half the time of making one.
_new_hasher = hashlib.blake2b(digest_size=HASH_SIZE_BYTES).copy
_set_attribute = msgspec.structs.force_setattr
_decode_envelope = msgspec.msgpack.Decoder(_Envelope).decode
_decode_data = msgspec.msgpack.Decoder(dict[str, Any]).decode


def chain_hash_of(value: bytes) -> bytes:
    """Return the stored chain hash of a record's bytes.

    Parameters
    ----------
    value : bytes
    """
    return value[HASH_SIZE_BYTES:_BODY_START]


class Codec:
    """Turns events into bytes and back.

    Every method may be called from any thread.

    Parameters
    ----------
    catalogue : Catalogue, optional
        Which events exist; the domain's by default.
    """

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self._catalogue: Catalogue = domain_catalogue if catalogue is None else catalogue
        self._encode_event = self._catalogue.encode
        self._pack = functools.partial(msgpack.packb, use_bin_type=True)
        self._known = KnownTypes()

    @property
    def catalogue_version(self) -> int:
        """Version of the catalogue of this program."""
        return self._catalogue.CATALOGUE_VERSION

    def prepare(
        self, stream: StreamId, version: StreamVersion, stamp: Stamp, event: Event
    ) -> PreparedRecord:
        """Encode an event, all but its place in the log; in any thread.

        The bytes are decoded again: what cannot be read back, or reads back as something else (a
        float where an integer belongs, a list for a tuple, NaN), never reaches the log.

        Parameters
        ----------
        stream : StreamId
        version : StreamVersion
            Version of the stream with this event.
        stamp : Stamp
        event : Event

        Raises
        ------
        LogError
            The event cannot be stored.
        """
        try:
            body = self._known.write_one(stream, version, stamp, event)
            if body is None:
                body = self._pack_body(stream, version, stamp, event)
            record = self._known.read_one(0, body) or self._decode_body(0, body)
        except (TypeError, ValueError, OverflowError, LogCorruptError) as error:
            raise LogError(f"{type(event).__name__} cannot be stored: {error}") from error
        if record.event != event:
            raise LogError(
                f"{record.tag} does not read back as it was written: {event!r} became "
                f"{record.event!r}"
            )
        if len(body) > RECORD_SIZE_MAX_BYTES:
            raise LogError(
                f"{record.tag} has {len(body)} bytes, the limit is {RECORD_SIZE_MAX_BYTES}; large "
                "bytes belong into a blob"
            )
        return PreparedRecord(record, body)

    def seal(self, before: Head, prepared: PreparedRecord) -> SealedRecord:
        """Give an encoded event its place: the record after ``before``.

        Parameters
        ----------
        before : Head
            Position and hash of the record before.
        prepared : PreparedRecord
            Is used up.
        """
        sealed: list[tuple[Record, bytes]] = []
        self.seal_all(before, (prepared,), sealed)
        return SealedRecord(*sealed[0])

    def seal_all(
        self,
        before: Head,
        prepared: Iterable[PreparedRecord],
        sealed: list[tuple[Record, bytes]],
    ) -> Head:
        """Give encoded events the places after ``before``; return the head with the last one.

        This is the hot path of appends.

        Parameters
        ----------
        before : Head
        prepared : iterable of PreparedRecord
            Are used up.
        sealed : list of (record, value)
            Grows by these records in both forms.
        """
        position, chain_hash = before.position, before.chain_hash
        for record, body in prepared:
            position = Position(position + 1)
            # Nobody else has seen this record yet; a copy would cost as much as encoding it.
            _set_attribute(record, "position", position)
            own_hash = _chain_hash(chain_hash, position, body)
            value = chain_hash + own_hash + body
            checksum = zlib.crc32(value, position)
            sealed.append((record, value + checksum.to_bytes(_CRC_SIZE_BYTES, "little")))
            chain_hash = own_hash
        return Head(position=position, chain_hash=chain_hash)

    def decode(self, position: int, value: bytes) -> Record:
        """Check and decode one record.

        Parameters
        ----------
        position : int
            Where it was found.
        value : bytes

        Raises
        ------
        LogCorruptError, UnknownTagError, NewerSchemaError
            Each names the position.
        """
        return self.decode_scattered([position], [value])[0]

    def decode_page(
        self, first_position: int, values: Sequence[bytes], previous_hash: bytes | None = None
    ) -> list[Record]:
        """Check and decode records that follow each other, and that they do.

        Parameters
        ----------
        first_position : int
        values : sequence of bytes
        previous_hash : bytes, optional
            Chain hash of the record before the first, if it is known.

        Raises
        ------
        LogCorruptError, UnknownTagError, NewerSchemaError
            Each names the position.
        """
        records = self.decode_scattered(range(first_position, first_position + len(values)), values)
        hashes = [chain_hash_of(value) for value in values]
        before = [value[:HASH_SIZE_BYTES] for value in values]
        if before[1:] != hashes[:-1] or (previous_hash and before[0] != previous_hash):
            expected = [previous_hash or before[0], *hashes]
            index = next(i for i, found in enumerate(before) if found != expected[i])
            raise _broken_chain(first_position + index)
        return records

    def iterate_page(
        self, first_position: int, values: Sequence[bytes], previous_hash: bytes | None = None
    ) -> Iterator[Record]:
        """Yield the records of a page one by one, all those that hold before one that does not.

        Parameters
        ----------
        first_position : int
        values : sequence of bytes
        previous_hash : bytes, optional
            Chain hash of the record before the first, if it is known.
        """
        for position, value in enumerate(values, start=first_position):
            yield self.decode_page(position, [value], previous_hash)[0]
            previous_hash = chain_hash_of(value)

    def decode_scattered(self, positions: Sequence[int], values: Sequence[bytes]) -> list[Record]:
        """Check and decode records from anywhere.

        This is the hot path of replay: its loops run in C as long as everything holds.

        Parameters
        ----------
        positions : sequence of int
        values : sequence of bytes
            As many.

        Raises
        ------
        LogCorruptError, UnknownTagError, NewerSchemaError
            Each names the position.
        """
        if not _RESIDUES.issuperset(map(zlib.crc32, values, positions)):
            for position, value in zip(positions, values, strict=True):
                _check_sum(position, value)
        bodies = [value[_BODY_START:-_CRC_SIZE_BYTES] for value in values]
        records = self._known.read_many(positions, bodies)
        if records is not None:
            return records
        return [
            self._decode_body(position, body)
            for position, body in zip(positions, bodies, strict=True)
        ]

    def check_chain(self, before: Head, value: bytes) -> Head:
        """Compute the hash of a record again and return the head with it.

        Parameters
        ----------
        before : Head
        value : bytes

        Raises
        ------
        LogCorruptError
            The record was changed, or is not the one after ``before``.
        """
        position = Position(before.position + 1)
        _check_sum(position, value)
        if value[:HASH_SIZE_BYTES] != before.chain_hash:
            raise _broken_chain(position)
        stored = chain_hash_of(value)
        body = value[_BODY_START:-_CRC_SIZE_BYTES]
        if _chain_hash(before.chain_hash, position, body) != stored:
            raise LogCorruptError(f"record {position} was changed: its chain hash does not hold")
        return Head(position=position, chain_hash=stored)

    def _pack_body(
        self, stream: StreamId, version: StreamVersion, stamp: Stamp, event: Event
    ) -> bytes:
        """Encode with the help of the catalogue: the first event of each type."""
        tag, schema, data = self._encode_event(event)
        body: bytes = self._pack(
            {
                "tag": tag,
                "schema": schema,
                "stream": stream,
                "version": version,
                "time_us": stamp.now_us,
                "user_id": stamp.who.user_id,
                "project_id": stamp.who.project_id,
                "correlation_id": stamp.correlation_id,
                "data": data,
            }
        )
        return body

    def _decode_body(self, position: int, body: bytes) -> Record:
        """Decode with the help of the catalogue, and remember how for the next time."""
        try:
            envelope = _decode_envelope(body)
            tag, schema = envelope.tag, envelope.schema
            event = self._catalogue.decode(tag, schema, _decode_data(envelope.data))
        except (UnknownTagError, NewerSchemaError, LogCorruptError) as error:
            raise type(error)(f"record {position}: {error.message}") from error
        except msgspec.MsgspecError as error:
            raise LogCorruptError(f"record {position} cannot be decoded: {error}") from error
        # An upcast event has another tag or schema than its bytes and always goes this way.
        if event.SCHEMA == schema and event.TAG == tag:  # noqa: SIM300 - these are no constants
            self._known.learn(tag, schema, type(event))
        return Record(
            position=Position(position),
            stream=envelope.stream,
            version=envelope.version,
            tag=tag,
            schema=schema,
            time_us=envelope.time_us,
            user_id=envelope.user_id,
            project_id=envelope.project_id,
            correlation_id=envelope.correlation_id,
            event=event,
        )


def _check_sum(position: int, value: bytes) -> None:
    if zlib.crc32(value, position) != _CRC_RESIDUE:
        raise LogCorruptError(f"record {position} is damaged: its checksum does not hold")


def _broken_chain(position: int) -> LogCorruptError:
    return LogCorruptError(
        f"record {position} does not follow record {position - 1}: the chain of hashes is broken"
    )


def _chain_hash(before: bytes, position: int, body: bytes) -> bytes:
    hasher = _new_hasher()
    hasher.update(before + position.to_bytes(8, "big") + body)
    return hasher.digest()
