"""What a log must do; ``memory`` is the reference, ``lmdb_log`` the one on disk."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from hanami_actors.domain.base import Event, Stamp, Value
from hanami_actors.errors import WrongVersionError
from hanami_actors.types import Position, StreamId, StreamVersion, TimestampUs

__all__ = [
    "Append",
    "Batch",
    "Commit",
    "EventLog",
    "Head",
    "PreparedBatch",
    "PreparedRecord",
    "Record",
]


# gc=False: none of these is ever part of a cycle, and millions of them pass by.
class Append(Value, frozen=True, kw_only=True, gc=False):
    """Events for one stream, which must be at ``expected_version`` before."""

    stream: StreamId
    expected_version: StreamVersion
    events: tuple[Event, ...]


class Batch(Value, frozen=True, kw_only=True, gc=False):
    """Appends to one or more streams, all or none."""

    appends: tuple[Append, ...]
    stamp: Stamp


class Record(Value, frozen=True, kw_only=True, gc=False):
    """A stored event with everything the log knows about it."""

    position: Position
    stream: StreamId
    version: StreamVersion
    tag: str
    schema: int
    time_us: TimestampUs
    user_id: str
    project_id: str
    correlation_id: str
    event: Event


class PreparedRecord(NamedTuple):
    """An event as bytes, without its place in the log.

    Attributes
    ----------
    record : Record
        Its position is not right yet.
    body : bytes
    """

    record: Record
    body: bytes


class PreparedBatch(NamedTuple):
    """A batch whose events are encoded already; good for one append.

    Attributes
    ----------
    batch : Batch
    records : tuple of PreparedRecord
        Of all appends, in order.
    """

    batch: Batch
    records: tuple[PreparedRecord, ...]


class Commit(Value, frozen=True, kw_only=True, gc=False):
    """The records of a batch that is durable now."""

    records: tuple[Record, ...]


class Head(Value, frozen=True, kw_only=True, gc=False):
    """The newest record: its position (0 for an empty log) and its chain hash."""

    position: Position
    chain_hash: bytes


class EventLog(Protocol):
    """A gapless sequence of records in streams; one writer, any number of readers."""

    def append(self, batches: Sequence[Batch | PreparedBatch]) -> list[Commit | WrongVersionError]:
        """Write many batches in one durable transaction (group commit).

        Each batch is all or none. A batch whose stream is not at its expected version (batches
        before it in the same call count) is answered with the error and leaves nothing behind;
        the others are written. Returns only after the data is durable.

        Raises
        ------
        StorageFullError, LogError
            Nothing of the whole call was written, or nobody knows; the caller stops and replays.
        """
        ...

    def head(self) -> Head:
        """Return the newest position and hash."""
        ...

    def hash_at(self, position: int) -> bytes:
        """Return the chain hash of a record; that before the first for position 0.

        Raises
        ------
        LogCorruptError
            There is no such record.
        """
        ...

    def stream_version(self, stream: StreamId) -> StreamVersion:
        """Return the number of events in a stream, 0 if there is none."""
        ...

    def streams(self, prefix: str = "") -> Iterator[tuple[StreamId, StreamVersion]]:
        """Yield the names and versions of the streams that begin so, sorted by name."""
        ...

    def read_stream(self, stream: StreamId, *, after_version: int = 0) -> Iterator[Record]:
        """Yield a stream's records in order, checked and decoded."""
        ...

    def read_all(self, *, after_position: int = 0) -> Iterator[Record]:
        """Yield all records in order, checked and decoded."""
        ...

    def close(self) -> None:
        """Release everything; idempotent."""
        ...
